"""The encoder–decoder whole: what it sees and what not, its caches, compiled, exported; what is refused."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.drawn import seeds
from unrolled.nn import Decoder, DecoderCache, Encoder, Transformer, TransformerConfig, padding_mask
from unrolled.shapes import ShapeError
from unrolled.tap import record

VS, VT, MAX, D, H, B, S, T = 47, 53, 23, 12, 3, 5, 11, 7
SIZES = {"source_vocab_size": VS, "target_vocab_size": VT, "max_len": MAX, "d_model": D, "n_heads": H}
KINDS = ["learned", "sinusoidal", "rotary", "alibi", "none"]
repeatable = settings(max_examples=15)
SOURCE_MASK = padding_mask(torch.tensor([7, 11, 2, 1, 5]), S)


def transformer(**changes):
    torch.manual_seed(3)
    model = Transformer(
        TransformerConfig(**(SIZES | {"n_layers": 2, "n_decoder_layers": 3, "d_ff": 31} | changes))
    )
    for weight in model.parameters():
        if weight.dim() == 2:
            torch.nn.init.normal_(weight, std=0.3)
    return model.double().eval()


def source(seed=0, size=(B, S)):
    return torch.randint(VS, size, generator=torch.Generator().manual_seed(seed))


def target(seed=1, size=(B, T)):
    return torch.randint(VT, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_cached_is_uncached(kind, norm):
    model, x, y = transformer(positions=kind, norm=norm), source(), target()
    with torch.no_grad():
        expected = model(x, y, SOURCE_MASK)
        memory, cache = model.encode(x, SOURCE_MASK), model.new_cache(S, T)
        parts = [model.decode(y[:, :3], memory, SOURCE_MASK, cache=cache)]
        parts += [model.decode(y[:, t : t + 1], memory, SOURCE_MASK, cache=cache) for t in range(3, T)]
        assert_close(torch.cat(parts, 1), expected)
        rows = torch.tensor([4, 0, 0])
        cache = model.new_cache(S)
        model.decode(y[:, :3], memory, SOURCE_MASK, cache=cache)
        cache.reorder(rows)
        rest = model.decode(y[rows, 3:], memory[rows], SOURCE_MASK[rows], cache=cache)
        assert_close(rest, expected[rows, 3:])


@repeatable
@given(seed=seeds, future=st.integers(1, T - 1))
def test_neither_padding_nor_the_future_changes_anything(seed, future):
    model, x, y = transformer(), source(seed), target(seed)
    real = SOURCE_MASK[:, 0]
    x_changed, y_changed = torch.where(real, x, source(seed + 1)), y.clone()
    y_changed[:, future:] = target(seed + 1, (B, T - future))
    changed = model(x_changed, y_changed, SOURCE_MASK)[:, :future]
    assert_close(changed, model(x, y, SOURCE_MASK)[:, :future])
    target_mask = padding_mask(torch.full((B,), future), T)
    assert_close(model(x, y, SOURCE_MASK, target_mask)[:, :future], changed)


def test_recorded_is_fused():
    model, x, y = transformer(), source(), target()
    with record(model, "*.weights") as rec:
        heard = model(x, y, SOURCE_MASK)
    assert_close(heard, model(x, y, SOURCE_MASK))
    shapes = {name: tuple(weights[0].shape) for name, weights in rec.items()}
    expected = {f"encoder.layers.{i}.attention.weights": (B, H, S, S) for i in range(2)}
    expected |= {f"decoder.layers.{i}.attention.weights": (B, H, T, T) for i in range(3)}
    expected |= {f"decoder.layers.{i}.cross_attention.weights": (B, H, T, S) for i in range(3)}
    assert shapes == expected
    assert rec["decoder.layers.2.cross_attention.weights"][0].masked_select(~SOURCE_MASK[:, None]).eq(0).all()


def test_weights_can_be_shared():
    alone = transformer()
    assert alone.lm_head.weight is not alone.target_embedding.weight
    half = transformer(tied="target")
    assert half.lm_head.weight is half.target_embedding.weight
    whole = transformer(tied="all", source_vocab_size=VT)
    assert whole.lm_head.weight is whole.target_embedding.weight is whole.source_embedding.weight
    with pytest.raises(ValueError, match="source_vocab_size=47 and target_vocab_size=53"):
        transformer(tied="all")
    with pytest.raises(ValueError, match=r"tied of .*got 'some'"):
        transformer(tied="some")


def test_a_pre_norm_stack_ends_with_a_norm():
    x = torch.randn(B, T, D)
    assert_close(Encoder(2, D, H, 31)(x).mean(-1), torch.zeros(B, T), rtol=0, atol=1e-5)
    assert isinstance(Encoder(2, D, H, 31, norm="post").final_norm, torch.nn.Identity)
    assert isinstance(Decoder(2, D, H, 31, norm="post", final_norm=True).final_norm, torch.nn.LayerNorm)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")
def test_compiled_whole():
    model, x, y = transformer(), source(), target()
    torch.compiler.reset()
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    assert_close(compiled(x, y, SOURCE_MASK), model(x, y, SOURCE_MASK))
    torch.compiler.reset()


def test_exported_encoder():
    torch.manual_seed(3)
    encoder, x = Encoder(2, D, H, 31).double().eval(), torch.randn(B, S, D, dtype=torch.float64)
    batch, length = torch.export.Dim("batch", min=2, max=64), torch.export.Dim("length", min=2, max=64)
    shapes = {"x": {0: batch, 1: length}, "mask": {0: batch, 2: length}}
    exported = torch.export.export(encoder, (x, SOURCE_MASK), dynamic_shapes=shapes)
    other, mask = torch.randn(3, 17, D, dtype=torch.float64), padding_mask(torch.tensor([13, 17, 2]))
    assert_close(exported.module()(other, mask), encoder(other, mask))


def test_inputs_that_are_refused():
    model, x, y = transformer(), source(), target()
    with pytest.raises(ValueError, match="source: sequence of 29 tokens is longer than max_len=23"):
        model(source(size=(1, 29)), y)
    with pytest.raises(ValueError, match="target: sequence of 29 tokens is longer than max_len=23"):
        model(x, target(size=(B, 29)))
    with pytest.raises(ShapeError, match="as many sequences as the source, 5, got 2"):
        model(x, y[:2])
    with pytest.raises(TypeError, match="target: expected integer tokens"):
        model(x, y.float())
    with pytest.raises(ShapeError, match="source: expected shape"):
        model(x[0], y)
    with pytest.raises(TypeError, match="boolean"):
        model(x, y, SOURCE_MASK.float())
    with pytest.raises(ShapeError, match="expected 3 layers with cross-attention, got 0"):
        model.decode(y, model.encode(x), cache=DecoderCache(3, MAX))
