"""The models of the course, one idea a file. Importing this loads torch and nothing heavier."""

from unrolled.nn.attention import SingleHeadAttention
from unrolled.nn.bert import BERT, BertConfig
from unrolled.nn.blocks import AttentionBlock, DecoderBlock, EncoderBlock
from unrolled.nn.cache import DecoderCache, KVCache
from unrolled.nn.capped import CappedLinear
from unrolled.nn.cells import GRUCell, LSTMCell, RNNCell
from unrolled.nn.classifier import SequenceClassifier
from unrolled.nn.experts import MixtureOfExperts, balance_losses, load_balance
from unrolled.nn.feedforward import FeedForward
from unrolled.nn.functional import attend, attention, attention_scores, attention_weights
from unrolled.nn.gated import GatedFeedForward
from unrolled.nn.gpt import GPT, GPTConfig
from unrolled.nn.heads import AcrossHeads, HeadParts, SoftCap, each_head, soft_cap
from unrolled.nn.latent import LatentAttention
from unrolled.nn.linear import (
    DeltaAttention,
    GatedLinearAttention,
    LinearAttention,
    SelectiveStateSpace,
    StateCache,
    delta_rule,
    delta_rule_by_loop,
    linear_attention,
    linear_attention_by_loop,
)
from unrolled.nn.llama import LlamaConfig
from unrolled.nn.masks import causal_mask, padding_mask, per_head
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.nn.multihead_loops import multi_head_by_loops
from unrolled.nn.norms import RMSNorm
from unrolled.nn.parallel import ParallelBlock
from unrolled.nn.parts import Parts
from unrolled.nn.positional import ALiBi, Learned, PositionRule, Sinusoidal
from unrolled.nn.recurrent import GRU, LSTM, RNN
from unrolled.nn.rotary import HALVES, NEIGHBOURS, Rotary
from unrolled.nn.scaled import ScaledEmbedding
from unrolled.nn.score import AdditiveScore, DotScore, GeneralScore, ScaledDotScore, make_score
from unrolled.nn.seq2seq import Memory, Seq2Seq, Seq2SeqConfig
from unrolled.nn.simple import SimpleSelfAttention
from unrolled.nn.stacks import Decoder, Encoder
from unrolled.nn.stretched import LinearScaling, Llama3Scaling, NTKScaling, YarnScaling
from unrolled.nn.transformer import Transformer, TransformerConfig
from unrolled.nn.vit import ViT, ViTConfig, patches, waves_2d
from unrolled.nn.window import ForgettingCache, SlidingWindow, windowed_attention

__all__ = [
    "BERT",
    "GPT",
    "GRU",
    "HALVES",
    "LSTM",
    "NEIGHBOURS",
    "RNN",
    "ALiBi",
    "AcrossHeads",
    "AdditiveScore",
    "AttentionBlock",
    "BertConfig",
    "CappedLinear",
    "Decoder",
    "DecoderBlock",
    "DecoderCache",
    "DeltaAttention",
    "DotScore",
    "Encoder",
    "EncoderBlock",
    "FeedForward",
    "ForgettingCache",
    "GPTConfig",
    "GRUCell",
    "GatedFeedForward",
    "GatedLinearAttention",
    "GeneralScore",
    "HeadParts",
    "KVCache",
    "LSTMCell",
    "LatentAttention",
    "Learned",
    "LinearAttention",
    "LinearScaling",
    "Llama3Scaling",
    "LlamaConfig",
    "Memory",
    "MixtureOfExperts",
    "MultiHeadAttention",
    "NTKScaling",
    "ParallelBlock",
    "Parts",
    "PositionRule",
    "RMSNorm",
    "RNNCell",
    "Rotary",
    "ScaledDotScore",
    "ScaledEmbedding",
    "SelectiveStateSpace",
    "Seq2Seq",
    "Seq2SeqConfig",
    "SequenceClassifier",
    "SimpleSelfAttention",
    "SingleHeadAttention",
    "Sinusoidal",
    "SlidingWindow",
    "SoftCap",
    "StateCache",
    "Transformer",
    "TransformerConfig",
    "ViT",
    "ViTConfig",
    "YarnScaling",
    "attend",
    "attention",
    "attention_scores",
    "attention_weights",
    "balance_losses",
    "causal_mask",
    "delta_rule",
    "delta_rule_by_loop",
    "each_head",
    "linear_attention",
    "linear_attention_by_loop",
    "load_balance",
    "make_score",
    "multi_head_by_loops",
    "padding_mask",
    "patches",
    "per_head",
    "soft_cap",
    "waves_2d",
    "windowed_attention",
]
