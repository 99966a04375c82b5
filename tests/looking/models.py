"""Six architectures of `transformers` with random weights, and tokenizers made on the spot."""

from collections.abc import Callable
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    T5Config,
    T5ForConditionalGeneration,
)

__all__ = ["LONGEST", "MODELS", "TOKENIZERS", "make"]

LINES = ["i love bears", "she bears the pain, unbearable pain!", "bears won the game", "loves, loving bears"]
# Every size another prime.
LONGEST, V = 43, 61


def _fast(tokenizer: Any, **special: str) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)


def _framed(single: str, pair: str | None = None, **ids: int) -> Any:
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=[*ids.items()])


def word_pieces() -> PreTrainedTokenizerFast:
    """Return a tokenizer as BERT's."""
    it = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    it.normalizer, it.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    it.train_from_iterator(LINES, trainers.WordPieceTrainer(vocab_size=41, special_tokens=special))
    it.decoder = decoders.WordPiece()
    it.post_processor = _framed(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", **{"[CLS]": 2, "[SEP]": 3}
    )  # fmt: skip
    return _fast(
        it, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", mask_token="[MASK]"
    )


def bytes_() -> PreTrainedTokenizerFast:
    """Return a tokenizer as GPT-2's."""
    it = Tokenizer(models.BPE())
    it.pre_tokenizer, it.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    it.train_from_iterator(
        LINES, trainers.BpeTrainer(vocab_size=269, special_tokens=["<|end|>"], initial_alphabet=alphabet)
    )
    return _fast(it, bos_token="<|end|>", eos_token="<|end|>", unk_token="<|end|>")


def framed_bytes() -> PreTrainedTokenizerFast:
    """Return a tokenizer as RoBERTa's and BART's."""
    it = Tokenizer(models.BPE(unk_token="<unk>"))
    it.pre_tokenizer, it.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    it.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=59, special_tokens=special))
    it.post_processor = _framed("<s> $A </s>", "<s> $A </s> </s> $B </s>", **{"<s>": 0, "</s>": 2})
    return _fast(it, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>")


def unigrams() -> PreTrainedTokenizerFast:
    """Return a tokenizer as T5's."""
    it = Tokenizer(models.Unigram())
    it.pre_tokenizer, it.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    it.train_from_iterator(
        LINES, trainers.UnigramTrainer(vocab_size=53, special_tokens=special, unk_token="<unk>")
    )
    it.post_processor = _framed("$A </s>", "$A </s> $B </s>", **{"</s>": 1})
    return _fast(it, eos_token="</s>", pad_token="<pad>", unk_token="<unk>")


def whole_texts() -> PreTrainedTokenizerFast:
    """Return a tokenizer as Llama's, which takes a text for one word."""
    it = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    it.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    special = ["<unk>", "<s>", "</s>"]
    it.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=37, special_tokens=special))
    it.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    it.post_processor = _framed("<s> $A", "<s> $A <s> $B", **{"<s>": 1})
    return _fast(it, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


TOKENIZERS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "bert": word_pieces,
    "distilbert": word_pieces,
    "roberta": framed_bytes,
    "gpt2": bytes_,
    "llama": whole_texts,
    "t5": unigrams,
    "bart": framed_bytes,
}

SINGLE = {"num_hidden_layers": 2, "num_attention_heads": 3, "hidden_size": 33, "intermediate_size": 13}
MODELS: dict[str, Callable[[], Any]] = {
    "bert": lambda: BertModel(BertConfig(vocab_size=V, max_position_embeddings=LONGEST, **SINGLE)),
    "distilbert": lambda: DistilBertModel(
        DistilBertConfig(
            vocab_size=V, max_position_embeddings=LONGEST, dim=33, n_layers=2, n_heads=3, hidden_dim=13
        )
    ),
    "roberta": lambda: RobertaModel(
        RobertaConfig(vocab_size=V, max_position_embeddings=LONGEST + 2, pad_token_id=1, **SINGLE)
    ),
    "gpt2": lambda: GPT2LMHeadModel(
        GPT2Config(
            vocab_size=269, n_positions=LONGEST, n_embd=33, n_layer=2, n_head=3,
            bos_token_id=0, eos_token_id=0,
        )
    ),
    "llama": lambda: LlamaForCausalLM(
        LlamaConfig(
            vocab_size=V, max_position_embeddings=LONGEST, num_key_value_heads=1,
            **{**SINGLE, "hidden_size": 42},
        )
    ),
    "t5": lambda: T5ForConditionalGeneration(
        T5Config(
            vocab_size=V, d_model=33, d_kv=11, num_layers=2, num_heads=3, d_ff=13, decoder_start_token_id=0
        )
    ),
    "bart": lambda: BartForConditionalGeneration(
        BartConfig(
            vocab_size=V, d_model=42, max_position_embeddings=LONGEST, encoder_layers=2, decoder_layers=5,
            encoder_attention_heads=3, decoder_attention_heads=7, encoder_ffn_dim=13, decoder_ffn_dim=13,
        )
    ),
}  # fmt: skip


def make(name: str, *, implementation: str = "eager") -> tuple[Any, PreTrainedTokenizerFast]:
    """Return a model whose weights are far from even, and its tokenizer."""
    torch.manual_seed(sum(map(ord, name)))
    model = MODELS[name]()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    model.set_attn_implementation(implementation)
    return model.train(), TOKENIZERS[name]()
