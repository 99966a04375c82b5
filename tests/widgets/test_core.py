"""The JavaScript of attention equals `unrolled.nn` in float64."""

import math
from typing import Any

import torch
from playwright.sync_api import Page
from torch import Tensor

from unrolled.nn import attend, attention_scores, attention_weights, causal_mask
from unrolled.widgets import bundle

TOLERANCE = 1e-12
N_CASES = 240


def in_browser(page: Page, body: str, argument: Any) -> Any:
    """Run `body` in the browser with the bundled core and `given`."""
    return page.evaluate(f"(given) => {{ {bundle._inline(['core'])} {body} }}", argument)


def cases() -> list[dict[str, Any]]:
    """Return random cases: sizes from 1, scores up to hundreds, every kind of mask, silent rows."""
    g = torch.Generator().manual_seed(4)
    made = []
    for n in range(N_CASES):
        t, s, k, d = (int(torch.randint(1, 9, (), generator=g)) for _ in range(4))
        size = [0.3, 1.0, 3.0, 20.0][n % 4]
        mask: Tensor | None = None
        if n % 3 == 1:
            mask = torch.rand(t, s, generator=g) < 0.6
            mask[int(torch.randint(t, (), generator=g))] = n % 2 == 0
        elif n % 3 == 2:
            s = max(s, t)
            mask = causal_mask(t, s)
        made.append(
            {
                "query": torch.randn(t, k, generator=g, dtype=torch.float64) * size,
                "key": torch.randn(s, k, generator=g, dtype=torch.float64) * size,
                "value": torch.randn(s, d, generator=g, dtype=torch.float64),
                "mask": mask,
                "scale": [1.0, k**-0.5, 0.0, 2.5][n % 4 if n % 5 else 1],
            }
        )
    return made


def as_lists(case: dict[str, Any]) -> dict[str, Any]:
    return {key: value.tolist() if isinstance(value, Tensor) else value for key, value in case.items()}


def farthest(got: list[list[float]], expected: Tensor) -> float:
    values = torch.tensor(got, dtype=torch.float64)
    assert values.shape == expected.shape
    assert bool(values.isfinite().all())
    # Against the size of the numbers, where they exceed one: float64 carries 16 digits, not 16 decimals.
    return float(((values - expected).abs() / expected.abs().clamp(min=1)).max())


def test_attention_equals_torch(page: Page) -> None:
    many = cases()
    body = """return given.map(({ query, key, value, mask, scale }) => {
        const scores = $core.attentionScores(query, key, scale);
        const weights = $core.attentionWeights(scores, mask);
        return { scores, weights, context: $core.attend(weights, value) };
    });"""
    shown = in_browser(page, body, [as_lists(case) for case in many])
    silent = 0
    for case, got in zip(many, shown, strict=True):
        scores = attention_scores(case["query"], case["key"], scale=case["scale"])
        weights = attention_weights(scores, case["mask"])
        context = attend(weights, case["value"])
        silent += int((weights.sum(-1) == 0).sum())
        assert farthest(got["scores"], scores) < TOLERANCE
        assert farthest(got["weights"], weights) < TOLERANCE
        assert farthest(got["context"], context) < TOLERANCE
    assert silent >= 20


def test_scores_of_hundreds_neither_overflow_nor_vanish(page: Page) -> None:
    rows = [[700.0, -700.0, 699.0], [-700.0, -700.0, -701.0], [1e4, 1e4, -1e4], [710.0, 0.0, 710.5]]
    masks = [[True, True, True], [True, False, True], [False, True, True], [False, False, False]]
    got = in_browser(
        page, "return $core.attentionWeights(given.rows, given.masks);", {"rows": rows, "masks": masks}
    )
    expected = attention_weights(torch.tensor(rows, dtype=torch.float64), torch.tensor(masks))
    assert farthest(got, expected) < TOLERANCE
    assert got[3] == [0, 0, 0]
    assert math.isclose(sum(got[0]), 1)


def test_the_causal_mask_is_the_same(page: Page) -> None:
    sizes = [(t, s) for t in range(1, 6) for s in range(t, 8)]
    got = in_browser(page, "return given.map(([T, S]) => $core.causalMask(T, S));", sizes)
    assert got == [causal_mask(t, s).tolist() for t, s in sizes]
