"""Sizes that are none are refused by name, and nothing at all (no rows, no words) is taken or refused."""

import inspect
import re
from dataclasses import MISSING, fields, is_dataclass

import pytest
import torch

import unrolled.nn
from unrolled.generate import beam_search, generate, keep_top_k, keep_top_p, sample_next, translate
from unrolled.nn import (
    BERT,
    GPT,
    BertConfig,
    GPTConfig,
    Seq2Seq,
    Seq2SeqConfig,
    SequenceClassifier,
    Transformer,
    TransformerConfig,
    padding_mask,
)
from unrolled.shapes import ShapeError, check_share, check_sizes

# A valid value for every size that a constructor may ask for.
SIZES = {
    "d_model": 12,
    "d_head": 4,
    "d_source": 11,
    "n_heads": 3,
    "n_kv_heads": 1,
    "d_ff": 17,
    "n_layers": 2,
    "n_decoder_layers": 1,
    "max_len": 13,
    "source_len": 7,
    "vocab_size": 19,
    "source_vocab_size": 19,
    "target_vocab_size": 23,
    "n_labels": 2,
    "n_token_types": 2,
    "d_in": 5,
    "d_hidden": 8,
    "d_query": 5,
    "d_key": 5,
    "d_score": 7,
    "width": 5,
    "window": 5,
    "image_size": 12,
    "patch_size": 4,
    "n_channels": 3,
    "n_experts": 5,
    "top_k": 2,
}
ZERO = {
    "GPTConfig": {"d_ff"},
    "LlamaConfig": {"d_ff"},
    "BertConfig": {"n_token_types"},
}  # where 0 says that there is none
STACKS = {"n_layers", "n_decoder_layers"}  # a stack of no blocks is an identity
# No sizes of their own.
OTHERS = {"SimpleSelfAttention", "BERT", "GPT", "Seq2Seq", "Transformer", "Memory", "Parts", "PositionRule"}
OTHERS |= {"ViT", "AcrossHeads", "CappedLinear", "SoftCap", "ForgettingCache", "LatentAttention"}
OTHERS |= {"LinearScaling", "Llama3Scaling", "NTKScaling", "YarnScaling"}
KINDS = {
    name: kind
    for name, kind in vars(unrolled.nn).items()
    if name in unrolled.nn.__all__ and inspect.isclass(kind) and name not in OTHERS
}


def parameters(kind):
    if is_dataclass(kind):
        return {f.name: f.default is MISSING for f in fields(kind)}
    given = inspect.signature(kind.__init__).parameters
    return {name: p.default is p.empty for name, p in given.items() if name != "self"}


CASES = [(name, size) for name, kind in KINDS.items() for size in parameters(kind) if size in SIZES]


def make(name, **changes):
    needed = {size: SIZES[size] for size, is_needed in parameters(KINDS[name]).items() if is_needed}
    return KINDS[name](**needed | changes)


def test_every_constructor_is_tried():
    assert {name for name, _ in CASES} == set(KINDS)
    for name in KINDS:
        make(name)


@pytest.mark.parametrize(("name", "size"), CASES)
@pytest.mark.parametrize("wrong", ["8", 8.0, True, -3, 0, torch.tensor(3)], ids=repr)
def test_a_size_that_is_none_is_refused_by_name(name, size, wrong):
    takes_zero = size in ZERO.get(name, ()) or (
        size in STACKS and name not in ("RNN", "GRU", "LSTM", "Seq2SeqConfig")
    )
    if takes_zero and wrong == 0 and type(wrong) is int:
        make(name, **{size: wrong})
        return
    expected = "0 or a positive integer" if takes_zero else "a positive integer"
    error = ValueError if type(wrong) is int else TypeError
    with pytest.raises(error, match=f"^{re.escape(f'{size}: expected {expected}, got {wrong!r}')}$"):
        make(name, **{size: wrong})


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if "dropout" in parameters(kind)])
@pytest.mark.parametrize("wrong", ["0.1", -0.1, 1.5, True, float("nan")], ids=repr)
def test_a_dropout_that_is_no_share_is_refused(name, wrong):
    error = ValueError if type(wrong) is float else TypeError
    with pytest.raises(error, match=f"^dropout: expected a share from 0 to 1, got {re.escape(repr(wrong))}$"):
        make(name, dropout=wrong)


def test_integers_of_other_libraries_are_sizes():
    numpy = pytest.importorskip("numpy")
    check_sizes(d_model=numpy.int64(3), n_heads=None)
    check_share(dropout=numpy.float32(0.5))
    with pytest.raises(TypeError, match="d_model: expected a positive integer"):
        check_sizes(d_model=numpy.bool_(True))


# Nothing at all: no rows, no words.

V = 19
NO_WORDS = torch.zeros(2, 0, dtype=torch.long)
NO_ROWS = torch.zeros(0, 5, dtype=torch.long)


def gpt():
    return GPT(GPTConfig(V, max_len=13, d_model=12, n_heads=3, n_layers=2))


def transformer():
    return Transformer(TransformerConfig(V, 23, max_len=13, d_model=12, n_heads=3, n_layers=2))


def seq2seq():
    return Seq2Seq(Seq2SeqConfig(V, 23, d_model=5, d_hidden=8))


@pytest.mark.parametrize("make_model", [transformer, seq2seq])
@pytest.mark.parametrize("lengths", [None, torch.zeros(0, dtype=torch.long)])
def test_a_batch_of_no_sources_is_translated_into_nothing(make_model, lengths):
    given = {"bos": 1, "eos": 2, "max_len": 7, "lengths": lengths}
    for cache in (False, True):
        assert translate(make_model(), NO_ROWS, **given, cache=cache).shape[0] == 0
    words, scores = beam_search(make_model(), NO_ROWS, **given, beam_size=3)
    assert words.shape[:2] == scores.shape == (0, 3)
    assert make_model()(NO_ROWS, torch.zeros(0, 3, dtype=torch.long)).shape == (0, 3, 23)


@pytest.mark.parametrize("make_model", [transformer, seq2seq])
@pytest.mark.parametrize("lengths", [None, torch.zeros(2, dtype=torch.long)])
def test_a_source_of_no_words_is_refused(make_model, lengths):
    said = r"^source: expected at least one token, got \[2, 0\]$"
    given = {"bos": 1, "eos": 2, "max_len": 7, "lengths": lengths}
    for cache in (False, True):
        with pytest.raises(ShapeError, match=said):
            translate(make_model(), NO_WORDS, **given, cache=cache)
    with pytest.raises(ShapeError, match=said):
        beam_search(make_model(), NO_WORDS, **given)
    with pytest.raises(ShapeError, match=said):
        seq2seq().encode(NO_WORDS, lengths)


def test_a_model_of_no_tokens_answers_with_none():
    bert = BERT(BertConfig(V, max_len=13, d_model=12, n_heads=3, n_layers=2))
    for model in (gpt(), bert):
        assert model(NO_WORDS).shape == (2, 0, V)
        assert model(NO_ROWS).shape == (0, 5, V)
    with pytest.raises(ShapeError, match=r"at least one prompt of at least one token, got \[0, 5\]"):
        generate(gpt(), NO_ROWS, 3)
    classifier = SequenceClassifier(V, 2, 13, 12, 3, 2)
    assert classifier(NO_ROWS).shape == (0, 2)
    with pytest.raises(ShapeError, match=r"tokens: expected at least one token .* got \[2, 0\]"):
        classifier(NO_WORDS)


def test_nothing_to_choose_from_and_nobody_to_choose():
    assert (
        sample_next(torch.zeros(0, 3), 1.0, 2, 0.5).shape == sample_next(torch.zeros(0, 3), 0.0).shape == (0,)
    )
    with pytest.raises(ShapeError, match=r"at least one token, got \[2, 0\]"):
        sample_next(torch.zeros(2, 0))
    assert keep_top_k(torch.zeros(2, 0), 3).shape == keep_top_p(torch.zeros(2, 0), 0.5).shape == (2, 0)
    assert padding_mask(torch.zeros(0, dtype=torch.long)).shape == (0, 1, 0)


@pytest.mark.parametrize("dtype", [torch.int16, torch.uint8, torch.bool, torch.float32])
def test_the_integers_that_tokens_may_be_are_named(dtype):
    tokens = torch.ones(2, 3, dtype=dtype)
    said = rf"^tokens: expected integer tokens \(int64 or int32\), got {re.escape(str(dtype))}$"
    with pytest.raises(TypeError, match=said):
        gpt()(tokens)
    with pytest.raises(TypeError, match=said):
        generate(gpt(), tokens, 3)
