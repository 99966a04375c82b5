"""Chapter 13: what its hand examples say is due to the idea they teach, and changes without it."""

import re
from typing import Any

import pytest
import torch

from tests.book.cells import BOOK, run
from unrolled.costs import KNOWN, Hardware, cache_bytes, operations, traffic
from unrolled.costs.ours import gpt_sizes
from unrolled.nn import GPT, GPTConfig


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    torch.manual_seed(0)
    return run("13_what_it_costs", "def count(run", "def recurrent(", "def in_blocks(", "def my_parameters(")


@pytest.mark.parametrize(("left_out", "instead"), [("correct * z + ", "z + "), ("correct * c + ", "c + ")])
def test_without_its_correction_the_online_softmax_is_wrong(
    page: dict[str, Any], left_out: str, instead: str
) -> None:
    text = (BOOK / "13_what_it_costs.md").read_text(encoding="utf-8")
    found = re.search(r"^def in_blocks\(.*?^    return c / z$", text, re.DOTALL | re.MULTILINE)
    assert found
    assert left_out in found[0]
    scope: dict[str, Any] = {"torch": torch}
    exec(found[0].replace(left_out, instead), scope)
    query, key, value = torch.randn(3, 1, 5, 7)
    right = page["pairs"](query, key, value)
    assert torch.allclose(page["in_blocks"](query, key, value, 1), right, atol=1e-5)
    assert not torch.allclose(scope["in_blocks"](query, key, value, 1), right, atol=1e-2)


def test_operations_follow_the_length_of_the_pairs_alone_squared(page: dict[str, Any]) -> None:
    count, d = page["count"], 6

    def grown(run: Any, *weights: torch.Tensor, times: int = 1) -> float:
        short, long = (count(run, *[torch.randn(T, d)] * times, *weights) for T in (5, 10))
        ratio: float = long / short
        return ratio

    assert grown(page["recurrent"], torch.randn(d, d), torch.randn(d, d)) == 2
    assert grown(page["projections"], torch.randn(d, 3 * d), torch.randn(d, d)) == 2
    assert grown(page["pairs"], times=3) == 4


@pytest.mark.parametrize(("words", "length", "d", "layers"), [(7, 5, 6, 1), (19, 11, 10, 3)])
def test_the_readers_own_counts_are_those_of_a_model(
    page: dict[str, Any], words: int, length: int, d: int, layers: int
) -> None:
    config = GPTConfig(words, length, d, n_heads=2, n_layers=layers)
    model, tokens = GPT(config), torch.zeros(1, length, dtype=torch.long)
    assert page["my_parameters"](words, length, d, layers) == sum(p.numel() for p in model.parameters())
    counted = page["count"](model, tokens)
    assert (
        page["my_operations"](words, length, d, layers)
        == counted
        == operations(gpt_sizes(config), length).total
    )


def test_writing_waits_for_memory_because_each_weight_serves_one_token() -> None:
    card, s = Hardware(312e12, 2.039e12), KNOWN["Llama 2 7B"].sizes

    def bound(length: int, batch: int, phase: Any, machine: Hardware = card) -> str:
        counted, moved = operations(s, length, batch, phase).total, traffic(s, length, batch, phase)
        return machine.bound(counted, moved)

    assert (bound(4096, 1, "prefill"), bound(4096, 1, "decode")) == ("arithmetic", "memory")
    # A prompt of one token is as slow; and with memory fast enough nothing waits for it.
    assert bound(1, 1, "prefill") == "memory"
    assert bound(4096, 1, "decode", Hardware(312e12, 400e12)) == "arithmetic"
    assert bound(1, 154, "decode") == "arithmetic"


def test_the_cache_shrinks_by_shared_heads_alone() -> None:
    def cache(n_heads: int, shared: int) -> int:
        return cache_bytes(gpt_sizes(GPTConfig(11, 13, 24, n_heads, 2, n_kv_heads=shared)), 7)

    assert cache(2, 2) == cache(12, 12) == 4 * cache(12, 3)
