"""Layers with a state stand where attention stands: in a block, with a cache, in a GPT that writes."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from unrolled.generate import generate
from unrolled.nn import GPT, GPTConfig, KVCache, MultiHeadAttention, Parts, StateCache
from unrolled.nn.linear import (
    DeltaAttention,
    GatedLinearAttention,
    LinearAttention,
    SelectiveStateSpace,
    StateLayer,
    elu_plus_one,
)
from unrolled.shapes import ShapeError
from unrolled.tap import Tap, edit, record

LAYERS: dict[str, Callable[..., StateLayer]] = {
    "linear": LinearAttention,
    "linear, divided": partial(LinearAttention, norm=None),
    "gated": GatedLinearAttention,
    "gated, divided": partial(GatedLinearAttention, norm=None),
    "delta": DeltaAttention,
    "gated delta": partial(DeltaAttention, gated=True),
    "state space": partial(SelectiveStateSpace, d_state=5),
}
B, T, D, H, K = 2, 71, 12, 3, 7


def _layer(name: str) -> StateLayer:
    torch.manual_seed(5)
    return LAYERS[name](D, H, d_head=K).double().eval()


@pytest.mark.parametrize("name", LAYERS)
def test_a_token_at_a_time_is_all_at_once(name: str) -> None:
    """With a cache whose size stays, whatever the pieces, and nobody hears of the future."""
    layer, x = _layer(name), torch.randn(B, T, D, dtype=torch.float64)
    with torch.no_grad():
        whole, cache = layer(x), layer.new_cache(T)
        pieces, sizes = [], set()
        for start, end in ((0, 5), (5, 6), (6, 7), (7, 70), (70, 71)):
            pieces.append(layer(x[:, start:end], cache=cache))
            assert cache.state is not None
            sizes.add(cache.state.shape)
        changed = x.clone()
        changed[:, 40:] += 1
        torch.testing.assert_close(layer(changed)[:, :40], whole[:, :40], atol=1e-12, rtol=0)
    torch.testing.assert_close(torch.cat(pieces, 1), whole, atol=1e-10, rtol=1e-10)
    assert cache.length == T
    assert len(sizes) == 1
    with (
        torch.no_grad(),
        pytest.raises(ValueError, match="StateCache: no room for 1 more tokens after 71, max_len=71"),
    ):
        layer(x[:, :1], cache=cache)


@pytest.mark.parametrize("name", LAYERS)
def test_an_edit_is_what_a_hook_does_and_the_same_with_a_cache(name: str) -> None:
    layer, x = _layer(name), torch.randn(B, T, D, dtype=torch.float64)
    taps = {path: tap for path, tap in layer.named_modules() if isinstance(tap, Tap) and path != "state"}
    with torch.no_grad():
        plain = layer(x)
        for path, tap in taps.items():
            with edit(layer, {path: torch.sin}):
                edited, cache = layer(x), layer.new_cache(T)
                first = layer(x[:, :5], cache=cache)
                if path == "weights":
                    with pytest.raises(ValueError, match="weights: expected no edit where a cache holds"):
                        layer(x[:, 5:], cache=cache)
                else:
                    pieces = torch.cat(
                        [first, layer(x[:, 5:6], cache=cache), layer(x[:, 6:], cache=cache)], 1
                    )
                    torch.testing.assert_close(pieces, edited, atol=1e-10, rtol=1e-10)
            handle = tap.register_forward_hook(lambda module, given, passed: torch.sin(passed))
            torch.testing.assert_close(layer(x), edited, atol=1e-12, rtol=0)
            handle.remove()
            assert (edited - plain).abs().max() > 1e-6, path
            torch.testing.assert_close(layer(x), plain, atol=0, rtol=0)


def test_who_only_counts_or_listens_may_do_so_with_a_cache_too() -> None:
    layer, x = _layer("linear"), torch.randn(B, T, D, dtype=torch.float64)
    layer.weights.register_forward_hook(lambda *_: None)
    with torch.no_grad(), FlopCounterMode(display=False) as counter, record(layer, "*"):
        cache = layer.new_cache(T)
        pieces = [layer(x[:, :5], cache=cache), layer(x[:, 5:], cache=cache)]
    assert counter.get_total_flops() > 0
    torch.testing.assert_close(torch.cat(pieces, 1), layer(x), atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("name", LAYERS)
def test_tokens_after_an_edit_of_the_state_read_what_was_put_there(name: str) -> None:
    layer, x = _layer(name), torch.randn(B, T, D, dtype=torch.float64)
    with torch.no_grad():
        cache, forgotten = layer.new_cache(T), layer.new_cache(T)
        layer(x[:, :5], cache=cache)
        with edit(layer, {"state": torch.zeros_like}):
            layer(x[:, :5], cache=forgotten)
        later = layer(x[:, 5:], cache=forgotten)
        torch.testing.assert_close(later, layer(x[:, 5:]), atol=1e-10, rtol=1e-10)
        assert not torch.allclose(later, layer(x[:, 5:], cache=cache))


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "state space"])
def test_weights_are_heard_and_change_nothing(name: str) -> None:
    """The recorded weights sum the recorded values to what was found; listening changes no number."""
    layer, x = _layer(name), torch.randn(B, T, D, dtype=torch.float64)
    with torch.no_grad():
        plain = layer(x)
        with record(layer, "*") as heard:
            listened = layer(x)
        with edit(layer, {"weights": torch.zeros_like}):
            silent = layer(x)
    torch.testing.assert_close(listened, plain, atol=1e-10, rtol=1e-10)
    assert heard["weights"][0].shape == (B, H, T, T)
    assert heard["context"][0].shape == (B, H, T, K)
    assert heard["state"][0].shape[:3] == (B, H, K)
    assert not torch.allclose(silent, plain, equal_nan=True)
    if name == "linear, divided":
        summed = heard["weights"][0] / heard["weights"][0].sum(-1, keepdim=True)
        torch.testing.assert_close(summed @ heard["values"][0], heard["context"][0])


@pytest.mark.parametrize("name", LAYERS)
def test_every_parameter_learns(name: str) -> None:
    """A loss at the end reaches all of them."""
    layer = _layer(name).train()
    layer(torch.randn(B, T, D, dtype=torch.float64)).square().sum().backward()
    for path, parameter in layer.named_parameters():
        assert parameter.grad is not None, path
        assert parameter.grad.abs().max() > 0, path


@pytest.mark.parametrize("name", LAYERS)
def test_a_gpt_of_them_writes_the_same_with_a_cache(name: str) -> None:
    """Handed in as a part; the cache holds states, whose size does not grow with what is written."""
    torch.manual_seed(7)
    config = GPTConfig(vocab_size=19, max_len=41, d_model=D, n_heads=H, n_layers=2, positions="none")
    model = GPT(config, Parts(attention=LAYERS[name])).double().eval()
    prompt = torch.randint(19, (B, 5))
    written = [
        generate(model, prompt, max_new_tokens=29, temperature=0.0, cache=kept) for kept in (True, False)
    ]
    assert torch.equal(*written)
    cache = model.new_cache()
    assert all(isinstance(layer, StateCache) for layer in cache.layers)
    with torch.no_grad():
        logits = model(written[0][:, :31])
        model(written[0][:, :30], cache=cache)
        cache.reorder(torch.tensor([1, 0]))
        swapped = model(written[0][:, 30:31].flip(0), cache=cache)
    torch.testing.assert_close(swapped.flip(0), logits[:, -1:], atol=1e-10, rtol=1e-10)


def test_a_state_space_is_the_recurrence_of_its_paper() -> None:
    """Position after position, from the layer's own projections, as Mamba writes it."""
    layer, x = _layer("state space"), torch.randn(1, 11, D, dtype=torch.float64)
    assert isinstance(layer, SelectiveStateSpace)
    with torch.no_grad(), record(layer, "context") as heard:
        layer(x)
        found = torch.zeros(11, H, K, dtype=torch.float64)
        for h in range(H):
            state = torch.zeros(K, 5, dtype=torch.float64)
            for t in range(11):
                step = (1 + (x[0, t] @ layer.step_proj.weight[h] + layer.step_bias[h]).exp()).log()
                u = layer.x_proj.weight[h * K : (h + 1) * K] @ x[0, t]
                decay = torch.exp(-step * layer.log_decay[h].exp())
                state = decay * state + step * torch.outer(u, layer.input_proj.weight @ x[0, t])
                found[t, h] = state @ (layer.output_proj.weight @ x[0, t]) + layer.skip[h] * u
    torch.testing.assert_close(heard["context"][0][0].transpose(0, 1), found, atol=1e-10, rtol=1e-10)


def test_dropout_acts_in_training_alone() -> None:
    """Components of the contexts are dropped, and none in evaluation."""
    torch.manual_seed(3)
    layer, x = LinearAttention(D, H, dropout=0.5), torch.randn(B, T, D)
    assert not torch.equal(layer(x), layer(x))
    assert torch.equal(layer.eval()(x), layer(x))


def test_gates_start_open() -> None:
    """A forget gate keeps 95 % of the state before anything is learned."""
    for layer in (GatedLinearAttention(D, H), DeltaAttention(D, H, gated=True)):
        with record(layer, "gates") as heard:
            layer(torch.zeros(1, 2, D))
        torch.testing.assert_close(heard["gates"][0], torch.full((1, H, 2), 0.9526), atol=1e-4, rtol=0)


def test_what_a_state_cannot_do_is_refused_by_name() -> None:
    """A source, a mask, the future, another cache, another shape."""
    layer, x = LinearAttention(D, H), torch.zeros(B, T, D)
    with pytest.raises(ValueError, match="source: expected None"):
        layer(x, x)
    with pytest.raises(ValueError, match="mask: expected None"):
        layer(x, mask=torch.ones(T, T, dtype=torch.bool))
    with pytest.raises(ValueError, match="causal: expected True"):
        layer(x, causal=False)
    with pytest.raises(TypeError, match="cache: expected a StateCache, from new_cache, got KVCache"):
        layer(x, cache=KVCache(T))
    with pytest.raises(RuntimeError, match="carries no gradients"):
        layer(x, cache=layer.new_cache(T))
    with pytest.raises(ShapeError, match=r"x: expected shape \[B, T, D\] with D=12"):
        layer(torch.zeros(B, T, D + 1))
    with torch.no_grad():
        cache = layer.new_cache(T)
        layer(x[:, :3], cache=cache)
        with pytest.raises(ShapeError, match=r"expected batch and heads \[2, 3\] as before, got \[1, 3\]"):
            layer(x[:1, :3], cache=cache)
        with pytest.raises(TypeError, match="expected a layer of linear attention"):
            MultiHeadAttention(D, H)(x, causal=True, cache=cache)
    with pytest.raises(ValueError, match="expected d_model to be a multiple of n_heads, got 12 and 5"):
        LinearAttention(12, 5)
    with pytest.raises(ValueError, match="d_state: expected a positive integer, got 0"):
        SelectiveStateSpace(D, H, d_state=0)


def test_features_of_weights_that_add_up() -> None:
    """Those of the paper are positive and join where they bend."""
    x = torch.tensor([-2.0, 0.0, 3.0])
    torch.testing.assert_close(elu_plus_one(x), torch.tensor([0.1353, 1.0, 4.0]), atol=1e-4, rtol=0)
    assert isinstance(LinearAttention(D, H, norm=nn.LayerNorm).norm, nn.LayerNorm)
