"""The models of the course, one idea a file. Importing this loads torch and nothing heavier."""

from unrolled.nn.attention import SingleHeadAttention
from unrolled.nn.bert import BERT, BertConfig
from unrolled.nn.blocks import AttentionBlock, DecoderBlock, EncoderBlock
from unrolled.nn.cache import DecoderCache, KVCache
from unrolled.nn.classifier import SequenceClassifier
from unrolled.nn.feedforward import FeedForward
from unrolled.nn.functional import attend, attention, attention_scores, attention_weights
from unrolled.nn.gpt import GPT, GPTConfig
from unrolled.nn.masks import causal_mask, padding_mask, per_head
from unrolled.nn.multihead import MultiHeadAttention, multi_head_by_loops
from unrolled.nn.positional import ALiBi, Learned, Rotary, Sinusoidal
from unrolled.nn.recurrent import LSTM, RNN, LSTMCell, RNNCell
from unrolled.nn.score import AdditiveScore, DotScore, GeneralScore, ScaledDotScore, make_score
from unrolled.nn.seq2seq import Memory, Seq2Seq, Seq2SeqConfig
from unrolled.nn.simple import SimpleSelfAttention
from unrolled.nn.stacks import Decoder, Encoder
from unrolled.nn.transformer import Transformer, TransformerConfig

__all__ = [
    "BERT",
    "GPT",
    "LSTM",
    "RNN",
    "ALiBi",
    "AdditiveScore",
    "AttentionBlock",
    "BertConfig",
    "Decoder",
    "DecoderBlock",
    "DecoderCache",
    "DotScore",
    "Encoder",
    "EncoderBlock",
    "FeedForward",
    "GPTConfig",
    "GeneralScore",
    "KVCache",
    "LSTMCell",
    "Learned",
    "Memory",
    "MultiHeadAttention",
    "RNNCell",
    "Rotary",
    "ScaledDotScore",
    "Seq2Seq",
    "Seq2SeqConfig",
    "SequenceClassifier",
    "SimpleSelfAttention",
    "SingleHeadAttention",
    "Sinusoidal",
    "Transformer",
    "TransformerConfig",
    "attend",
    "attention",
    "attention_scores",
    "attention_weights",
    "causal_mask",
    "make_score",
    "multi_head_by_loops",
    "padding_mask",
    "per_head",
]
