"""Sliding windows: blocks are the mask, a cache that forgets is one that does not, and memory stays."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from tests.drawn import random, random_tokens
from unrolled.generate import generate
from unrolled.nn import (
    GPT,
    ForgettingCache,
    GPTConfig,
    HeadParts,
    KVCache,
    MultiHeadAttention,
    SlidingWindow,
    SoftCap,
    attention,
    padding_mask,
    windowed_attention,
)
from unrolled.nn.window import block_length
from unrolled.tap import edit, record

B, T, D, H, K, V = 2, 53, 18, 3, 5, 19
WINDOWS = [SlidingWindow(1), SlidingWindow(7), SlidingWindow(7, kept=3), SlidingWindow(5, kept=11)]
repeatable = settings(max_examples=25)


def gpt(window, positions="rotary", **heads):
    torch.manual_seed(3)
    config = GPTConfig(V, max_len=211, d_model=D, n_heads=H, n_layers=2, n_kv_heads=1, positions=positions)
    parts = config.parts()
    attend = partial(parts.attention, mask_rule=window, parts=HeadParts(**heads))
    model = GPT(config, replace(parts, attention=attend))
    for weight in model.parameters():
        if weight.dim() > 1:
            nn.init.normal_(weight, std=0.4)
    return model.double().eval()


tokens = partial(random_tokens, V)


def full(model):
    """The same model that keeps everything and masks."""
    return [KVCache(model.config.max_len) for _ in model.layers]


@pytest.mark.signatures
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_who_sees_whom(window):
    mask = window(T, T)
    for i in range(T):
        for j in range(T):
            assert mask[i, j] == (j <= i and (i - j < window.width or j < window.kept))
    assert torch.equal(window(11, T), mask[-11:])
    assert window(0, 0).shape == (0, 0)


@pytest.mark.signatures
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("length", [1, 64, 65, 128, 129, 211])
def test_blocks_are_the_mask(window, length):
    query, key, value = (
        random(B, h, length, K, seed=s).requires_grad_() for s, h in ((0, H), (1, 1), (2, 1))
    )
    found = windowed_attention(query, key, value, window)
    expected = attention(query, key, value, window(length, length))
    assert_close(found, expected, rtol=1e-10, atol=1e-10)
    weights = random(*found.shape, seed=4)
    for ours, theirs in zip(
        torch.autograd.grad((found * weights).sum(), (query, key, value)),
        torch.autograd.grad((expected * weights).sum(), (query, key, value)),
        strict=True,
    ):
        assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


HEADS = {"plain": {}, "capped": {"scores": partial(SoftCap, 1.5)}, "sinks": {"sinks": torch.zeros}}


@pytest.mark.parametrize("heads", HEADS.values(), ids=HEADS)
def test_a_layer_takes_the_blocks_where_nobody_looks(heads, monkeypatch):
    taken = []
    real = windowed_attention
    monkeypatch.setattr(
        "unrolled.nn.multihead.windowed_attention", lambda *a, **k: taken.append(1) or real(*a, **k)
    )
    window = SlidingWindow(7, kept=3)
    layer = gpt(window, **heads).layers[0].attention
    layer.positions = None
    x = random(B, 211, D)
    blocks = layer(x, causal=True)
    assert taken == [1]
    with record(layer, "weights") as heard:
        assert_close(layer(x, causal=True), blocks)
    assert heard["weights"][0].masked_select(~window(211, 211)).eq(0).all()
    with edit(layer, {"scores": torch.zeros_like}):
        assert not torch.allclose(layer(x, causal=True), blocks)
    assert_close(layer(x, mask=torch.ones(211, dtype=torch.bool), causal=True), blocks)
    assert_close(layer(x[:, :T], causal=True), blocks[:, :T])
    assert taken == [1]


class Largest(TorchDispatchMode):
    """Hears how many numbers the largest tensor had that was made meanwhile."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple | list) else (made,):
            if isinstance(tensor, torch.Tensor):
                self.numbers = max(self.numbers, tensor.numel())
        return made


def test_memory_grows_with_the_length_and_not_with_its_square():
    def largest(length):
        x = random(1, H, length, K, dtype=torch.float32).requires_grad_()
        with Largest() as heard:
            windowed_attention(x, x, x, SlidingWindow(7)).sum().backward()
        return heard.numbers

    assert largest(4099) < 4099 * 2 * block_length(SlidingWindow(7))
    assert largest(4099) <= 4.1 * largest(1021)


def written(model, x, cuts, layers=None):
    """Return the logits of pieces of `x`, given one after the other, and the cache."""
    cache = model.new_cache()
    cache.layers = layers or cache.layers
    with torch.no_grad():
        pieces = [model(x[:, a:b], cache=cache) for a, b in zip([0, *cuts], [*cuts, T], strict=True)]
    return torch.cat(pieces, 1), cache


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@repeatable
@given(cuts=st.sets(st.integers(1, T - 1), max_size=7))
def test_a_cache_that_forgets_gives_what_the_mask_gives(window, cuts):
    model, x = gpt(window), tokens(B, T)
    logits, cache = written(model, x, sorted(cuts))
    assert all(type(layer) is ForgettingCache for layer in cache.layers)
    assert cache.length == T
    assert_close(logits, model(x))


@pytest.mark.parametrize("positions", ["rotary", "alibi", "learned", "none"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_one_token_after_the_other_far_past_the_window(positions, window):
    model, x = gpt(window, positions), tokens(B, T)
    logits, cache = written(model, x, range(1, T))
    assert_close(logits, model(x))
    keeps_all = positions == "alibi" and window.kept
    assert {type(layer) for layer in cache.layers} == {KVCache if keeps_all else ForgettingCache}
    assert torch.equal(generate(model, x[:, :3], T), generate(model, x[:, :3], T, cache=False))


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_what_is_held_is_what_the_window_sees(window):
    cache, rows = ForgettingCache(211, window), random(B, H, 61, K)
    first = cache.append(rows[:, :, :5], -rows[:, :, :5])
    for t in range(5, 61):
        seen = window(1, t + 1)[0]
        keys, values = cache.append(rows[:, :, t : t + 1], -rows[:, :, t : t + 1])
        assert torch.equal(keys, rows[:, :, : t + 1][:, :, seen])
        assert torch.equal(values, -keys)
        assert all(map(torch.equal, (keys, values), cache.held()))
    assert torch.equal(first[0], rows[:, :, :5])  # what was handed out stays as it was
    assert cache.length == 61
    room = window.kept + 2 * window.width
    assert cache._keys.shape == cache._values.shape == (B, H, room, K)
    cache.reorder(torch.tensor([1, 1, 0]))
    assert torch.equal(cache.held()[0], keys[[1, 1, 0]])


def test_what_was_recorded_stays_as_it_was():
    model, x = gpt(SlidingWindow(7)), tokens(B, T)
    with record(model, "layers.0.attention.keys") as heard:
        _, cache = written(model, x, range(1, T))
        copies = [keys.clone() for keys in heard["layers.0.attention.keys"]]
        with torch.no_grad():
            for t in range(30):
                model(x[:, t : t + 1], cache=cache)
    assert len(copies) == T
    assert all(map(torch.equal, heard["layers.0.attention.keys"], copies))


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_a_mask_over_all_positions_holds_for_what_is_held(window):
    model, x = gpt(window, "learned"), tokens(B, T)
    real = torch.arange(T) >= torch.tensor([[0], [5]])  # padded on the left
    where = (real.long().cumsum(-1) - 1).clamp(min=0)
    cache = model.new_cache()
    with torch.no_grad():
        pieces = [
            model(x[:, a:b], real[:, None, :b], cache, positions=where[:, a:b])
            for a, b in [(0, 11), (11, 17), *((t, t + 1) for t in range(17, T))]
        ]
    expected = model(x, real[:, None], positions=where)
    assert_close(torch.cat(pieces, 1)[real], expected[real])
    right = padding_mask(torch.tensor([T, 17]))
    assert_close(model(x, right)[1, :17], model(x)[1, :17])


def test_prompts_of_many_lengths_are_written_as_each_alone():
    model, x, lengths = gpt(SlidingWindow(7, kept=2)), tokens(3, 23), [23, 5, 17]
    together = generate(model, x, 31, lengths=torch.tensor(lengths))
    for row, length in enumerate(lengths):
        alone = generate(model, x[row : row + 1, :length], 31)
        assert torch.equal(together[row, : length + 31], alone[0])


def test_what_is_no_window_is_refused():
    with pytest.raises(ValueError, match=r"^width: expected a positive integer, got 0$"):
        SlidingWindow(0)
    with pytest.raises(ValueError, match=r"^kept: expected 0 or a positive integer, got -1$"):
        SlidingWindow(5, kept=-1)
    cache = ForgettingCache(11, SlidingWindow(3))
    with pytest.raises(RuntimeError, match="nothing was appended yet"):
        cache.held()
    cache.append(random(B, H, 7, K), random(B, H, 7, K))
    with pytest.raises(ValueError, match="no room for 5 more tokens after 7, max_len=11"):
        cache.append(random(B, H, 5, K), random(B, H, 5, K))
    with pytest.raises(RuntimeError, match="carries no gradients"):
        cache.append(random(B, H, 1, K).requires_grad_(), random(B, H, 1, K))


def test_a_layer_without_a_window_keeps_everything():
    assert type(MultiHeadAttention(D, H).new_cache(7)) is KVCache
