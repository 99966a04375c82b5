"""BERT: both directions, padding, token types, its head, compiled and exported, and what is refused."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from torch.testing import assert_close

from tests.drawn import random_tokens, seeds
from unrolled.nn import BERT, BertConfig, padding_mask
from unrolled.shapes import ShapeError
from unrolled.tap import record

V, MAX, D, H, L, B, T = 53, 23, 33, 3, 2, 5, 11
repeatable = settings(max_examples=20)


def bert(**changes):
    torch.manual_seed(3)
    model = BERT(
        BertConfig(**({"vocab_size": V, "max_len": MAX, "d_model": D, "n_heads": H, "n_layers": L} | changes))
    )
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return model.double().eval()


tokens = partial(random_tokens, V)


MASK = padding_mask(torch.tensor([7, 11, 2, 1, 5]), T)


@repeatable
@given(seed=seeds)
def test_padding_changes_nothing(seed):
    model, x, real = bert(), tokens(B, T, seed=seed), MASK[:, 0]
    padded = torch.where(real, x, tokens(B, T, seed=seed + 1))
    assert_close(model(padded, MASK)[real], model(x, MASK)[real])
    assert_close(model.encode(x, MASK)[2, :2], model.encode(x[2:3, :2])[0])


def test_every_token_hears_both_sides():
    model, x = bert(), tokens(1, T)
    for changed_at in (0, T - 1):
        changed = x.clone()
        changed[0, changed_at] = (x[0, changed_at] + 1) % V
        moved = (model.encode(changed) - model.encode(x)).abs().amax(-1)
        assert (moved > 1e-6).all()


def test_token_types_are_added_to_the_embeddings():
    model, x, types = bert(), tokens(B, T), random_tokens(2, B, T, seed=1)
    assert_close(model(x), model(x, token_types=torch.zeros_like(x)))
    assert not torch.allclose(model(x), model(x, token_types=types))
    without = bert(n_token_types=0)
    assert without(x).shape == (B, T, V)
    with pytest.raises(ValueError, match="n_token_types=0"):
        without(x, token_types=types)


def test_recorded_is_fused_and_layers_can_be_seen():
    model, x = bert(), tokens(B, T)
    with record(model) as rec:
        heard = model(x, MASK)
    assert_close(heard, model(x, MASK))
    weights = rec["encoder.layers.1.attention.weights"][0]
    assert weights.shape == (B, H, T, T)
    assert weights.masked_select(~MASK[:, None]).eq(0).all()
    assert_close(rec["encoder.layers.1.stream"][0], model.encode(x, MASK))


def test_the_head_is_tied_to_the_embedding():
    model = bert()
    assert model.head.decoder.weight is model.token_embedding.weight
    vectors = model.encode(tokens(B, T))
    hidden = model.head.norm(torch.nn.functional.gelu(model.head.dense(vectors)))
    expected = hidden @ model.token_embedding.weight.T + model.head.decoder.bias
    assert_close(model(tokens(B, T)), expected)


def test_bert_base_has_its_size():
    with torch.device("meta"):
        model = BERT(BertConfig())
    # BertForMaskedLM of bert-base-uncased, which has no pooler.
    assert sum(w.numel() for w in model.parameters()) == 109_514_298


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")
def test_compiled_whole():
    model, x = bert(), tokens(B, T)
    torch.compiler.reset()
    assert_close(torch.compile(model, fullgraph=True, backend="aot_eager")(x, MASK), model(x, MASK))
    torch.compiler.reset()


def test_exported():
    model, x = bert(), tokens(B, T)
    batch, length = torch.export.Dim("batch", min=2, max=64), torch.export.Dim("length", min=2, max=MAX)
    shapes = {"tokens": {0: batch, 1: length}, "mask": {0: batch, 2: length}}
    exported = torch.export.export(model, (x, MASK), dynamic_shapes=shapes)
    other, mask = tokens(3, 17, seed=1), padding_mask(torch.tensor([13, 17, 2]))
    assert_close(exported.module()(other, mask), model(other, mask))


def test_half_precision_by_autocast():
    model, x = bert().float(), tokens(B, T)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(x, MASK)
    assert logits.dtype == torch.bfloat16
    assert_close(logits.float(), model(x, MASK), rtol=0.1, atol=0.05 * model(x, MASK).abs().max().item())


def test_inputs_that_are_refused():
    model, x = bert(), tokens(B, T)
    with pytest.raises(ValueError, match="sequence of 29 tokens is longer than max_len=23"):
        model(tokens(1, 29))
    with pytest.raises(ShapeError, match=r"tokens: expected shape \[B, T\], got \[11\]"):
        model(tokens(T))
    with pytest.raises(TypeError, match=r"integer tokens \(int64 or int32\), got torch\.float32"):
        model(torch.zeros(B, T))
    with pytest.raises(
        ShapeError, match=r"token_types: expected the shape of the tokens \[5, 11\], got \[5, 7\]"
    ):
        model(x, token_types=random_tokens(2, B, 7))
    with pytest.raises(TypeError, match="boolean"):
        model(x, MASK.long())
    with pytest.raises(RuntimeError, match=r"mlm_head=False.*encode"):
        bert(mlm_head=False)(x)
    with pytest.raises(ValueError, match="d_model to be a multiple of n_heads, got 33 and 5"):
        bert(n_heads=5)
