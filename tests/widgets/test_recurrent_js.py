"""The JavaScript of recurrent networks equals torch.nn.RNN and torch.nn.LSTM in float64."""

from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from unrolled.nn import LSTM
from unrolled.tap import record
from unrolled.widgets import bundle

TOLERANCE = 1e-12
SIZES = [(7, 3, 5), (1, 2, 1), (23, 5, 8), (2, 1, 3)]  # T, D, H


def in_browser(page: Page, body: str, argument: Any) -> Any:
    return page.evaluate(f"(given) => {{ {bundle._inline(['recurrent'])} {body} }}", argument)


def make(kind: str, t: int, d: int, h: int, size: float = 1.0) -> tuple[Tensor, list[Tensor]]:
    """Return an input ``[T, D]`` and the four weights of a cell, of whatever size is asked for."""
    g = torch.Generator().manual_seed(t + d + h)
    rows = 4 * h if kind == "lstm" else h
    shapes = [(rows, d), (rows, h), (rows,), (rows,)]
    weights = [torch.randn(shape, generator=g, dtype=torch.float64) * size for shape in shapes]
    return torch.randn(t, d, generator=g, dtype=torch.float64), weights


def given(
    kind: str, x: Tensor, weights: list[Tensor], forced: dict[str, float] | None = None
) -> dict[str, Any]:
    parts = zip(("wx", "wh", "bx", "bh"), weights, strict=True)
    cell = {name: weight.tolist() for name, weight in parts}
    return {"kind": kind, "x": x.tolist(), "cell": cell, "forced": forced or {}}


def by_torch(kind: str, x: Tensor, weights: list[Tensor]) -> Tensor:
    """Return torch's hidden states ``[T, H]``."""
    module = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM}[kind]
    model = module(x.shape[1], weights[1].shape[1], dtype=torch.float64)
    for parameter, weight in zip(model.parameters(), weights, strict=True):
        parameter.data.copy_(weight)
    with torch.no_grad():
        output: Tensor = model(x)[0]
    return output


def double(numbers: Any) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def close(got: Any, expected: Tensor) -> None:
    torch.testing.assert_close(double(got), expected, rtol=0, atol=TOLERANCE)


UNROLL = "return $recurrent.unroll(given.kind, given.x, given.cell, given.forced);"


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
@pytest.mark.parametrize(("t", "d", "h"), SIZES)
@pytest.mark.parametrize("size", [0.3, 3.0, 300.0])
def test_hidden_states_equal_torch(page: Page, kind: str, t: int, d: int, h: int, size: float) -> None:
    x, weights = make(kind, t, d, h, size)
    steps = in_browser(page, UNROLL, given(kind, x, weights))
    assert len(steps) == t
    close([step["h"] for step in steps], by_torch(kind, x, weights))


@pytest.mark.parametrize(("t", "d", "h"), SIZES)
def test_gates_and_cell_state_equal_the_package(page: Page, t: int, d: int, h: int) -> None:
    x, weights = make("lstm", t, d, h)
    model = LSTM(d, h).double()
    for parameter, weight in zip(model.cells[0].kernel_weights(), weights, strict=True):  # type: ignore[operator]
        parameter.data.copy_(weight)
    with record(model) as heard:
        model(x[None])
    steps = in_browser(page, UNROLL, given("lstm", x, weights))
    gates = torch.cat(heard["cells.0.gates"])  # [T, 4, H]
    for n, gate in enumerate("ifgo"):
        close([step[gate] for step in steps], gates[:, n])
    close([step["c"] for step in steps], torch.cat(heard["cells.0.memory"]))
    parts = [[step["from"]["f"]["word"], step["from"]["f"]["memory"]] for step in steps]
    close([step["f"] for step in steps], double(parts).sum(1).sigmoid())


def test_a_forced_gate_is_what_it_was_forced_to(page: Page) -> None:
    x, weights = make("lstm", 7, 3, 5)
    steps = in_browser(page, UNROLL, given("lstm", x, weights, {"f": 0, "o": 1}))
    c = double([step["i"] for step in steps]) * double([step["g"] for step in steps])
    assert all(step["f"] == [0] * 5 and step["o"] == [1] * 5 for step in steps)
    close([step["c"] for step in steps], c)
    close([step["h"] for step in steps], c.tanh())


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_the_trace_compares_with_a_reading_that_begins_a_word_later(page: Page, kind: str) -> None:
    x, weights = make(kind, 7, 3, 5)
    body = "return $recurrent.firstWordTrace(given.kind, given.x, given.cell, given.forced);"
    whole, late = by_torch(kind, x, weights), by_torch(kind, x[1:], weights)
    close(
        in_browser(page, body, given(kind, x, weights)),
        (whole - torch.cat([0 * whole[:1], late])).norm(dim=1),
    )
    close(in_browser(page, body, given(kind, x[:1], weights)), whole[:1].norm(dim=1))


def test_sums_of_hundreds_neither_overflow_nor_vanish(page: Page) -> None:
    sums = [0.0, 800.0, -800.0, 36.0, -36.0, -700.0]
    got = in_browser(page, "return given.map($recurrent.sigmoid);", sums)
    torch.testing.assert_close(
        double(got),
        double(sums).sigmoid(),
        rtol=1e-12,
        atol=0,
    )
