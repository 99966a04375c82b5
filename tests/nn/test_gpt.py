"""GPT: caches, masks, every kind of position, compiled and exported, and what is refused."""

from functools import partial
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.drawn import random_tokens, seeds
from unrolled.generate import generate
from unrolled.nn import GPT, AttentionBlock, GPTConfig, padding_mask
from unrolled.shapes import ShapeError
from unrolled.tap import edit, record

V, MAX, D, H, L, B, T = 53, 23, 36, 6, 2, 3, 11
KINDS = ["learned", "sinusoidal", "rotary", "alibi", "none"]
repeatable = settings(max_examples=20)


def gpt(**changes):
    torch.manual_seed(3)
    config = GPTConfig(
        **({"vocab_size": V, "max_len": MAX, "d_model": D, "n_heads": H, "n_layers": L} | changes)
    )
    model = GPT(config)
    for weight in model.parameters():
        # Larger than its own start, so that attention is far from uniform.
        torch.nn.init.normal_(weight, std=0.3)
    return model.double().eval()


tokens = partial(random_tokens, V)


@pytest.mark.parametrize("kind", KINDS)
@repeatable
@given(seed=seeds, cut=st.integers(1, T - 1), n_kv_heads=st.sampled_from([1, 2, 6]))
def test_cached_is_uncached(kind, seed, cut, n_kv_heads):
    model, x = gpt(positions=kind, n_kv_heads=n_kv_heads), tokens(B, T, seed=seed)
    with torch.no_grad():
        cache, expected = model.new_cache(), model(x)
        assert_close(model(x[:, :cut], cache=cache), expected[:, :cut])
        for t in range(cut, T):
            assert_close(model(x[:, t : t + 1], cache=cache), expected[:, t : t + 1])


@pytest.mark.parametrize("kind", KINDS)
@repeatable
@given(seed=seeds, future=st.integers(1, T - 1))
def test_the_future_changes_nothing(kind, seed, future):
    model, x = gpt(positions=kind), tokens(B, T, seed=seed)
    changed = x.clone()
    changed[:, future:] = tokens(B, T - future, seed=seed + 1)
    assert_close(model(changed)[:, :future], model(x)[:, :future])


@repeatable
@given(seed=seeds)
def test_padding_changes_nothing(seed):
    model, x, mask = gpt(), tokens(B, T, seed=seed), padding_mask(torch.tensor([7, 11, 2]), T)
    real = mask[:, 0]
    padded = torch.where(real, x, tokens(B, T, seed=seed + 1))
    assert_close(model(padded, mask)[real], model(x, mask)[real])
    assert_close(model(x, mask)[real], model(x)[real])


@pytest.mark.parametrize("kind", KINDS)
def test_left_padding_with_a_cache(kind):
    model, x = gpt(positions=kind), tokens(2, T)
    real = torch.arange(T) >= torch.tensor([[0], [4]])
    where = (real.long().cumsum(-1) - 1).clamp(min=0)
    with torch.no_grad():
        cache = model.new_cache(T)
        logits = []
        for a, b in pairwise([0, *range(7, T + 1)]):
            # What counts distances needs no telling.
            told = {"positions": where[:, a:b]} if kind in ("learned", "sinusoidal") else {}
            logits.append(model(x[:, a:b], real[:, None, :b], cache, **told))
        logits = torch.cat(logits, 1)
        assert_close(logits[0], model(x[:1])[0])
        assert_close(logits[1, 4:], model(x[1:, 4:])[0])


@pytest.mark.parametrize("kind", KINDS)
def test_recorded_is_fused(kind):
    model, x = gpt(positions=kind, n_kv_heads=2), tokens(B, T)
    with record(model, "*.weights") as rec:
        heard = model(x)
    assert_close(heard, model(x))
    assert list(rec) == [f"layers.{i}.attention.weights" for i in range(L)]
    weights = rec["layers.1.attention.weights"][0]
    assert_close(weights.sum(-1), torch.ones(B, H, T, dtype=torch.float64))
    assert weights.triu(1).eq(0).all()


def test_without_positions_only_the_set_of_earlier_tokens_counts_in_one_layer():
    model, x = gpt(positions="none", n_layers=1), tokens(B, T)
    swapped = x[:, [1, 0, *range(2, T)]]
    assert_close(model(swapped)[:, 2:], model(x)[:, 2:])
    ordered = gpt(positions="learned", n_layers=1)
    assert not torch.allclose(ordered(swapped)[:, 2:], ordered(x)[:, 2:])


def test_without_feed_forward_a_gpt_is_attention_alone():
    model, x = gpt(d_ff=0), tokens(B, T)
    assert [type(layer) for layer in model.layers] == [AttentionBlock] * L
    assert not [name for name, _ in model.named_parameters() if "feedforward" in name]
    expected = model.positions(model.token_embedding(x))
    for layer in model.layers:
        expected = expected + layer.attention(layer.attention_norm(expected), causal=True)
    assert_close(model(x), model.lm_head(model.final_norm(expected)))
    with torch.no_grad():
        written = generate(model, x[:, :7], 3)
        assert torch.equal(written[:, 7], model(x[:, :7])[:, -1].argmax(-1))
        assert torch.equal(written[:, 9], model(written[:, :9])[:, -1].argmax(-1))


def test_tied_weights_are_one_parameter():
    model = gpt()
    assert model.lm_head.weight is model.token_embedding.weight
    untied = gpt(tied=False)
    assert untied.lm_head.weight is not untied.token_embedding.weight
    n_tied, n_untied = (sum(w.numel() for w in m.parameters()) for m in (model, untied))
    assert n_untied - n_tied == V * D


def test_the_smallest_gpt2_has_124_million_parameters():
    with torch.device("meta"):
        model = GPT(GPTConfig())
    assert sum(w.numel() for w in model.parameters()) == 124_439_808


def test_it_starts_close_to_a_uniform_guess():
    torch.manual_seed(0)
    model, x = GPT(GPTConfig(V, MAX, D, H, 5)), tokens(50, T)
    loss = torch.nn.functional.cross_entropy(model(x).flatten(0, 1), tokens(50, T, seed=1).flatten())
    assert loss.item() == pytest.approx(torch.tensor(float(V)).log().item(), abs=0.05)
    deep = model.layers[0].feedforward.down_proj.weight.std().item()
    assert deep == pytest.approx(0.02 / 10**0.5, rel=0.1)
    assert model.layers[0].feedforward.up_proj.weight.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("kind", ["learned", "rotary", "alibi"])
# torch's own compiler, in its own code.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")
def test_compiled_whole(kind):
    model, x = gpt(positions=kind), tokens(B, T)
    torch.compiler.reset()
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    assert_close(compiled(x), model(x))
    mask = padding_mask(torch.tensor([7, 11, 2]), T)
    assert_close(compiled(x, mask), model(x, mask))
    with record(model, "*.weights") as rec:
        assert_close(compiled(x), model(x))
    assert len(rec["layers.0.attention.weights"]) == 2
    with edit(model, {"layers.0.attention.scores": torch.sin}):
        edited = compiled(x)
        assert_close(edited, model(x))
    assert (edited - model(x)).abs().max() > 1e-3
    assert_close(compiled(x), model(x))
    torch.compiler.reset()


@pytest.mark.parametrize("kind", ["learned", "rotary"])
def test_exported(kind):
    model, x = gpt(positions=kind), tokens(B, T)
    batch, length = torch.export.Dim("batch", min=2, max=64), torch.export.Dim("length", min=2, max=MAX)
    exported = torch.export.export(model, (x,), dynamic_shapes={"tokens": {0: batch, 1: length}})
    other = tokens(5, 17, seed=1)
    assert_close(exported.module()(other), model(other))


def test_half_precision_by_autocast():
    model, x = gpt().float(), tokens(B, T)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(x)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), x.flatten())
    assert logits.dtype == torch.bfloat16
    loss.backward()
    assert all(w.grad is not None and w.grad.dtype == torch.float32 for w in model.parameters())
    assert_close(logits.float(), model(x), rtol=0.1, atol=0.05 * model(x).abs().max().item())


def test_inputs_that_are_refused():
    model = gpt()
    with pytest.raises(ValueError, match="tokens: sequence of 29 tokens is longer than max_len=23"):
        model(tokens(1, 29))
    with pytest.raises(ShapeError, match=r"tokens: expected shape \[B, T\], got \[11\]"):
        model(tokens(T))
    with pytest.raises(
        TypeError, match=r"tokens: expected integer tokens \(int64 or int32\), got torch\.float32"
    ):
        model(torch.zeros(B, T))
    with pytest.raises(ShapeError, match=r"scores \[3, 11, 11\], got \[3, 1, 7\]"):
        model(tokens(B, T), padding_mask(torch.tensor([7, 5, 2])))
    with pytest.raises(TypeError, match="boolean"):
        model(tokens(B, T), torch.ones(T, T))
    with pytest.raises(ShapeError, match="cache: expected 2 layers, got 3"):
        model(tokens(B, T), cache=gpt(n_layers=3).new_cache())
    with torch.no_grad():
        cache = model.new_cache()
        model(tokens(1, 20), cache=cache)
        with pytest.raises(ValueError, match="4 tokens after the 20 of the cache is longer than max_len=23"):
            model(tokens(1, 4), cache=cache)
    with pytest.raises(TypeError, match=r"rows: expected integers.*got torch\.float32"):
        cache.reorder(torch.zeros(1))


def test_choices_that_cannot_be():
    with pytest.raises(ValueError, match=r"positions of .*rotary.*got 'circular'"):
        gpt(positions="circular")
    with pytest.raises(ValueError, match="d_model to be a multiple of n_heads, got 36 and 5"):
        gpt(n_heads=5)


@pytest.mark.parametrize("kind", ["rotary", "alibi", "none"])
def test_positions_are_refused_where_the_model_adds_none(kind):
    model, x = gpt(positions=kind), tokens(B, T)
    with pytest.raises(ValueError, match=f"positions: a model with positions='{kind}' adds none"):
        model(x, positions=torch.arange(T).expand(B, T))


@pytest.mark.parametrize("kind", ["learned", "sinusoidal"])
def test_positions_out_of_range_are_refused(kind):
    model, x = gpt(positions=kind), tokens(B, T)
    with pytest.raises(ValueError, match=f"positions: expected 0 to {MAX - 1}, got -1 to {T - 2}"):
        model(x, positions=torch.arange(-1, T - 1).expand(B, T))
