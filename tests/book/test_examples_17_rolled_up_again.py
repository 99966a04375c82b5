"""Chapter 17: its hand examples change without the idea, and the classes it prints learn."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tests.book.cells import run
from unrolled.data.recall import pairs_to_recall
from unrolled.nn import attention, linear_attention


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    until = {"class Memory(nn.Module)": "runs = {", "def delta_loop(": "_, corrected"}
    return run("17_rolled_up_again", "def loop(", "def delta_loop(", "class Memory(nn.Module)", until=until)


def test_without_the_softmax_alone_a_state_is_enough(page: dict[str, Any]) -> None:
    """With a softmax the state of the loop gives other numbers than attention; without, the same."""
    torch.manual_seed(1)
    query, key, value = torch.randn(3, 11, 5, dtype=torch.float64)
    by_state, _ = page["loop"](query, key, value)
    torch.testing.assert_close(by_state, page["parallel"](query, key, value))
    torch.testing.assert_close(by_state, linear_attention(query, key, value)[0])
    assert not torch.allclose(by_state, attention(query, key, value, causal=True), atol=0.1)


def test_without_overlap_there_is_no_interference(page: dict[str, Any]) -> None:
    """Bruno gets honey and nothing else where Misha's key is at a right angle to his."""
    keys, values = page["keys"].clone(), page["values"]
    asked = torch.tensor([1.0, 0.0])
    assert not torch.equal(asked @ page["loop"](keys, keys, values)[1], values[0])
    keys[2] = torch.tensor([0.0, 1.0])
    assert torch.equal(asked @ page["loop"](keys, keys, values)[1], values[0])


def test_without_the_difference_the_newest_is_not_exact(page: dict[str, Any]) -> None:
    """The delta rule gives Misha both; a plain sum gives more."""
    keys, values = page["keys"], page["values"]
    corrected = page["delta_loop"](keys, keys, values, torch.ones(3))[1]
    torch.testing.assert_close(keys[2] @ corrected, values[2])
    assert not torch.allclose(keys[2] @ page["loop"](keys, keys, values)[1], values[2], atol=0.1)


def _falls(model: torch.nn.Module) -> tuple[float, float]:
    drawn, optimizer = torch.Generator().manual_seed(0), torch.optim.AdamW(model.parameters(), lr=0.01)
    losses: list[Tensor] = []
    for _ in range(60):
        keys, values, answers = pairs_to_recall(32, 3, drawn, writes=2)
        losses.append(cross_entropy(model(keys, values)[:, -3:].flatten(0, 1), answers.flatten()))
        optimizer.zero_grad()
        losses[-1].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return float(losses[0].detach()), float(torch.stack(losses[-5:]).detach().mean())


@pytest.mark.parametrize("rule", ["sums", "differences"])
def test_the_class_as_printed_learns(page: dict[str, Any], rule: str) -> None:
    torch.manual_seed(0)
    first, last = _falls(page["Memory"](page[rule]))
    assert last < 0.75 * first


def test_a_rule_that_remembers_nothing_does_not_learn(page: dict[str, Any]) -> None:
    torch.manual_seed(0)
    first, last = _falls(page["Memory"](lambda q, k, v, beta: torch.zeros_like(v)))
    assert last > 0.85 * first
