"""Heads by loops and by matrices, shared keys, caches, masks of every shape, and what is refused."""

import warnings
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrize, prune
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from tests.drawn import random, seeds
from unrolled.nn import (
    ALiBi,
    KVCache,
    MultiHeadAttention,
    PositionRule,
    Rotary,
    causal_mask,
    multi_head_by_loops,
    padding_mask,
)
from unrolled.shapes import ShapeError
from unrolled.tap import record

B, H, T, S, K = 2, 6, 5, 7, 4
D = H * K
repeatable = settings(max_examples=30)


def layer(n_kv_heads=None, **kwargs):
    torch.manual_seed(7)
    made = MultiHeadAttention(D, H, n_kv_heads, **kwargs)
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return made.double()


@pytest.mark.signatures
@pytest.mark.parametrize("n_kv_heads", [1, 2, 3, 6])
@pytest.mark.parametrize(
    "shape", [None, (T,), (T, T), (B, 1, T), (B, T, T), (B, 1, T, T), (1, H, T, T), (B, H, T, 1)]
)
@pytest.mark.parametrize("causal", [False, True])
def test_loops_and_matrices_and_recorded_are_equal(n_kv_heads, shape, causal):
    heads, x = layer(n_kv_heads), random(B, T, D)
    mask = None if shape is None else torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.5
    expected = multi_head_by_loops(heads, x, mask, causal=causal)
    assert_close(heads(x, mask=mask, causal=causal), expected)
    with record(heads, "*.weights") as rec:
        assert_close(heads(x, mask=mask, causal=causal), expected)
    (weights,) = rec["weights"]
    assert weights.shape == (B, H, T, T)
    total = weights.sum(-1)
    assert (torch.isclose(total, torch.ones_like(total)) | total.eq(0)).all()


def test_the_three_projections_are_views_of_one_matrix():
    heads = layer(2)
    assert [tuple(p.weight.shape) for p in (heads.q_proj, heads.k_proj, heads.v_proj)] == [
        (24, 24),
        (8, 24),
        (8, 24),
    ]
    with torch.no_grad():
        heads.k_proj.weight.fill_(7.0)
    assert heads.qkv_proj.weight[24:32].eq(7).all()
    assert heads.qkv_proj.weight.ne(7).sum() == 32 * 24


@repeatable
@given(seed=seeds, order=st.permutations(range(T)))
def test_without_positions_order_is_invisible(seed, order):
    heads, x = layer(), random(B, T, D, seed=seed)
    assert_close(heads(x[:, order]), heads(x)[:, order])


@repeatable
@given(seed=seeds, masked=st.integers(0, T - 1))
def test_what_is_masked_changes_nothing(seed, masked):
    heads, x = layer(3), random(B, T, D, seed=seed)
    mask = torch.arange(T) != masked
    changed = x.clone()
    changed[:, masked] = 100 * random(B, D, seed=seed + 1)
    assert_close(heads(changed, mask=mask)[:, mask], heads(x, mask=mask)[:, mask])
    assert not torch.allclose(heads(changed)[:, mask], heads(x)[:, mask])


@pytest.mark.parametrize("where", ["none", "rotary", "alibi"])
@repeatable
@given(seed=seeds, cuts=st.lists(st.integers(1, 10), max_size=4), n_kv_heads=st.sampled_from([1, 2, 6]))
def test_cached_is_uncached(where, seed, cuts, n_kv_heads):
    n = 11
    rules = {"rotary": Rotary(K, 13).double(), "alibi": ALiBi(H).double(), "none": None}
    heads, x = layer(n_kv_heads, positions=rules[where]), random(B, n, D, seed=seed)
    cache, edges = KVCache(n), sorted({0, *cuts, n})
    with torch.no_grad():
        parts = [heads(x[:, a:b], causal=True, cache=cache) for a, b in pairwise(edges)]
        assert_close(torch.cat(parts, 1), heads(x, causal=True))
    assert cache.length == n


def test_a_source_is_projected_once_into_the_cache():
    heads, x, source = layer(2), random(B, T, D), random(B, S, D, seed=1)
    mask = padding_mask(torch.tensor([3, 7]), S)
    cache = KVCache(S)
    with torch.no_grad():
        for t in range(T):
            step = heads(x[:, t : t + 1], source, mask, cache=cache)
            assert_close(step, heads(x, source, mask)[:, t : t + 1])
        assert cache.length == S
        with pytest.raises(ShapeError, match="S=7 tokens the cache holds, got 5"):
            heads(x, source[:, :5], cache=cache)


def test_beams_reorder_the_cache():
    heads, x, cache = layer(), random(3, T, D), KVCache(T)
    with torch.no_grad():
        heads(x[:, :3], causal=True, cache=cache)
        rows = torch.tensor([2, 0, 0, 1])
        cache.reorder(rows)
        assert_close(heads(x[rows, 3:], causal=True, cache=cache), heads(x[rows], causal=True)[:, 3:])


def test_a_token_that_sees_nothing_leaves_the_bias_of_the_output():
    heads, x = layer(), random(B, T, D)
    mask = torch.ones(B, T, T, dtype=torch.bool)
    mask[1, 2] = False
    assert_close(heads(x, mask=mask)[1, 2], heads.out_proj.bias)


def test_alibi_lowers_the_scores_by_distance_in_every_form():
    heads, x = layer(positions=ALiBi(H).double()), random(B, T, D)
    plain = layer()
    with record(heads, "*.weights") as rec, record(plain, "*.weights") as without:
        recorded = heads(x, causal=True)
        plain(x, causal=True)
    assert_close(heads(x, causal=True), recorded)
    shifted = without["weights"][0].log() + heads.positions(T, T)
    assert_close(rec["weights"][0], shifted.softmax(-1))


def test_half_precision_by_autocast():
    heads, x = layer().float(), random(B, T, D).float()
    with torch.autocast("cpu", torch.bfloat16):
        fused = heads(x, causal=True)
        with record(heads, "*.weights"):
            recorded = heads(x, causal=True)
    assert fused.dtype == torch.bfloat16
    assert_close(fused, recorded, rtol=0.05, atol=0.05)
    assert_close(fused.float(), heads(x, causal=True), rtol=0.1, atol=0.1)


@pytest.mark.parametrize(
    ("sizes", "kwargs", "said"),
    [
        ((13, 3), {}, "d_model to be a multiple of n_heads, got 13 and 3"),
        ((12, 0), {}, "n_heads: expected a positive integer, got 0"),
        ((12, 6, 4), {}, "n_heads to be a multiple of n_kv_heads, got 6 and 4"),
        ((12, 3), {"positions": Rotary(6)}, "rotary of d_head=4, got d_head=6"),
        ((12, 3), {"positions": ALiBi(5)}, "alibi of n_heads=3, got n_heads=5"),
    ],
)
def test_sizes_that_cannot_be(sizes, kwargs, said):
    with pytest.raises(ValueError, match=said):
        MultiHeadAttention(*sizes, **kwargs)


def test_inputs_that_are_refused():
    heads, x = layer(), random(B, T, D)
    with pytest.raises(ShapeError, match=r"x: expected shape \[B, T, D\] with D=24, got \[5, 24\]"):
        heads(x[0])
    with pytest.raises(
        ShapeError, match=r"source: expected shape \[B, S, D\] with B=2, D=24, got \[1, 5, 24\]"
    ):
        heads(x, x[:1])
    with pytest.raises(ShapeError, match=r"scores \[2, 6, 5, 5\], got \[5, 7\]"):
        heads(x, mask=causal_mask(T, S))
    with pytest.raises(TypeError, match="boolean"):
        heads(x, mask=torch.zeros(T, T))


class LowRank(nn.Module):
    """An adapter: the layer stays, and a small change beside it learns."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.low = nn.Linear(layer.in_features, 2, bias=False, dtype=torch.float64)
        self.high = nn.Linear(2, layer.out_features, bias=False, dtype=torch.float64)

    def forward(self, x):
        return self.layer(x) + self.high(self.low(x))


def self_attention(heads, x):
    return heads(x)


def cross_attention(heads, x):
    return heads(x, random(B, S, D, seed=1).to(x.dtype))


def cached_cross_attention(heads, x):
    if torch.is_grad_enabled():
        return heads(x, random(B, S, D, seed=1).to(x.dtype))
    source, cache = random(B, S, D, seed=1).to(x.dtype), KVCache(S)
    return torch.cat([heads(x[:, t : t + 1], source, cache=cache) for t in range(T)], 1)


everywhere = pytest.mark.parametrize(
    "use", [self_attention, cross_attention, cached_cross_attention, multi_head_by_loops]
)


@everywhere
@torch.no_grad()
def test_a_hook_on_the_projections_is_called_and_may_edit(use):
    heads, x, calls = layer(2), random(B, T, D), []
    before = use(heads, x)
    handle = heads.qkv_proj.register_forward_hook(lambda *_: calls.append(1))
    assert_close(use(heads, x), before)
    assert calls
    handle.remove()
    handle = heads.qkv_proj.register_forward_hook(lambda module, given, output: 2 * output)
    edited = use(heads, x)
    handle.remove()
    with torch.no_grad():
        for weight in heads.qkv_proj.parameters():
            weight *= 2
    assert_close(edited, use(heads, x))


@everywhere
def test_an_adapter_around_the_projections_counts_and_learns(use):
    heads, x = layer(2), random(B, T, D)
    torch.manual_seed(11)
    adapter = LowRank(heads.qkv_proj)
    heads.qkv_proj = adapter
    adapted = use(heads, x)
    adapted.square().sum().backward()
    for part in (adapter.low, adapter.high):
        # Queries, keys and values all have their share.
        assert part.weight.grad.abs().amax(1).gt(0).all()
    merged = layer(2)
    with torch.no_grad():
        merged.qkv_proj.weight += adapter.high.weight @ adapter.low.weight
    assert_close(adapted, use(merged, x))


@everywhere
def test_pruned_projections_can_be_trained_step_after_step(use):
    heads, x = layer(), random(B, T, D)
    prune.l1_unstructured(heads.qkv_proj, "weight", amount=0.5)
    optimizer = torch.optim.SGD(heads.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        use(heads, x).square().mean().backward()
        optimizer.step()
    use(heads, x)
    assert heads.qkv_proj.weight.eq(0).sum() >= 3 * D * D // 2
    dense = layer()
    dense.load_state_dict(
        {name.removesuffix("_orig"): w for name, w in heads.state_dict().items() if "mask" not in name}
    )
    with torch.no_grad():
        dense.qkv_proj.weight *= heads.qkv_proj.weight_mask
    assert_close(use(heads, x), use(dense, x))


@everywhere
@torch.no_grad()
def test_parametrized_projections_count(use):
    class Doubled(nn.Module):
        def forward(self, weight):
            return 2 * weight

    heads, twice, x = layer(), layer(), random(B, T, D)
    parametrize.register_parametrization(heads.qkv_proj, "weight", Doubled())
    with torch.no_grad():
        twice.qkv_proj.weight *= 2
    assert_close(use(heads, x), use(twice, x))


@everywhere
def test_quantised_projections_are_asked(use):
    heads, x = layer().float(), random(B, T, D).float()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch moves it to a package of its own
        small = torch.ao.quantization.quantize_dynamic(heads, {nn.Linear})
    with torch.no_grad():
        exact, rounded = use(heads, x), use(small, x)
    assert_close(rounded, exact, rtol=0.0, atol=0.1 * float(exact.abs().max()))
    assert not torch.equal(rounded, exact)


def test_the_views_call_what_stands_in_the_layers_place():
    heads, x = layer(2), random(B, T, D)
    heads.qkv_proj = LowRank(heads.qkv_proj)
    whole = heads.qkv_proj(x)
    assert_close(torch.cat([proj(x) for proj in (heads.q_proj, heads.k_proj, heads.v_proj)], -1), whole)


@pytest.mark.parametrize(
    "positions", [Rotary(K, 13), ALiBi(H), PositionRule()], ids=["rotary", "alibi", "own"]
)
def test_positions_along_one_sequence_refuse_a_source(positions):
    heads, x, source = layer(positions=positions), random(B, T, D), random(B, S, D, seed=1)
    for cache in (None, KVCache(S)):
        with (
            torch.no_grad(),
            pytest.raises(ValueError, match="source: positions inside attention count along one sequence"),
        ):
            heads(x, source, cache=cache)
    with pytest.raises(ValueError, match="expected one without positions and mask rule"):
        multi_head_by_loops(heads, x)


@pytest.mark.parametrize("edit", ["register_forward_hook", "register_forward_pre_hook"])
def test_a_hook_on_the_weights_is_called_whoever_records_and_edits_what_comes_out(edit):
    heads, x, calls = layer(), random(B, T, D), []

    def only_the_first_key(module, given, *output):
        calls.append(1)
        return torch.zeros_like(given[0]).index_fill(-1, torch.tensor(0), 1.0)

    getattr(heads.weights, edit)(only_the_first_key)
    edited = heads(x)
    assert calls == [1]
    first = multi_head_by_loops(layer(), x, torch.arange(T) == 0)
    assert_close(edited, first)
    with record(heads, "weights"):
        assert_close(heads(x), edited)


def test_a_plain_layer_is_asked_for_no_more_rows_than_are_needed():
    class Widths(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            output = func(*args, **kwargs or {})
            if func.overloadpacket in (torch.ops.aten.addmm, torch.ops.aten.mm):
                seen.append(output.shape[-1])
            return output

    heads, seen = layer(2), []
    with Widths():
        heads(random(B, T, D), random(B, S, D, seed=1))
    assert sorted(seen) == [2 * K, 2 * K, D, D]  # keys, values, queries, what comes out


def test_no_source_at_all_is_silence():
    heads, x = layer(), random(B, T, D)
    assert_close(heads(x, random(B, 0, D)), heads.out_proj.bias.expand(B, T, D))
    assert multi_head_by_loops(heads, random(0, T, D)).shape == heads(random(0, T, D)).shape == (0, T, D)


def test_what_a_cache_refuses():
    heads, x = layer(), random(B, T, D)
    with pytest.raises(RuntimeError, match="no_grad"):
        heads(x, causal=True, cache=KVCache(T))
    with pytest.raises(ValueError, match="max_len: expected a positive integer, got 0"):
        KVCache(0)
    with pytest.raises(RuntimeError, match="nothing was appended"):
        KVCache(3).held()
    cache = KVCache(T)
    with torch.no_grad():
        heads(x, causal=True, cache=cache)
        with pytest.raises(ValueError, match="no room for 1 more tokens after 5, max_len=5"):
            heads(x[:, :1], causal=True, cache=cache)
        roomy = KVCache(2 * T)
        heads(x, causal=True, cache=roomy)
        with pytest.raises(ShapeError, match=r"expected keys \[2, 6, T, 4\] as before, got \[1, 6, 5, 4\]"):
            heads(x[:1], causal=True, cache=roomy)
