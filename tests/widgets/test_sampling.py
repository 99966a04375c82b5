"""Temperature, top-k and top-p in JavaScript give the shares `unrolled.generate` draws with."""

import math
from typing import Any

import torch
from playwright.sync_api import Page
from torch import Tensor

from unrolled.generate.sampling import keep_top_k, keep_top_p
from unrolled.widgets import bundle


def run(page: Page, body: str, given: Any) -> Any:
    return page.evaluate(f"(given) => {{ {bundle._inline(['sampling'])} {body} }}", given)


def by_torch(logits: Tensor, temperature: float, top_k: int | None, top_p: float | None) -> Tensor:
    """Return the shares `sample_next` draws with."""
    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(), len(logits)).double()
    logits = logits / temperature
    logits = logits if top_k is None else keep_top_k(logits, top_k)
    logits = logits if top_p is None else keep_top_p(logits, top_p)
    return logits.softmax(-1)


def test_shares_equal_those_of_the_package(page: Page) -> None:
    g = torch.Generator().manual_seed(2)
    cases = []
    for n in range(120):
        logits = torch.randn(13, generator=g, dtype=torch.float64) * [0.5, 3.0, 40.0][n % 3]
        temperature = [0.0, 0.1, 1.0, 2.5][n % 4]
        top_k = [None, 1, 4, 13, 50][n % 5]
        top_p = [None, 1.0, 0.9, 0.3, 0.01, 0.999][n % 6]
        cases.append((logits, temperature, top_k, top_p))
    given = [{"logits": x.tolist(), "how": {"temperature": t, "topK": k, "topP": p}} for x, t, k, p in cases]
    got = run(page, "return given.map(({ logits, how }) => $sampling.shares(logits, how));", given)
    ruled_out = 0
    for case, row in zip(cases, got, strict=True):
        expected = by_torch(*case)
        torch.testing.assert_close(torch.tensor(row, dtype=torch.float64), expected, rtol=1e-9, atol=1e-12)
        ruled_out += int((expected == 0).sum())
    assert ruled_out > 200


def test_ties_stay_together_under_top_k(page: Page) -> None:
    got = run(page, "return $sampling.topK(given, 2);", [1.0, 3.0, 2.0, 2.0, 0.0])
    assert got == [False, True, True, True, False]
    assert got == (keep_top_k(torch.tensor([1.0, 3.0, 2.0, 2.0, 0.0]), 2) > -math.inf).tolist()


def test_what_is_drawn_follows_from_the_seed_and_comes_as_often_as_its_share(page: Page) -> None:
    body = """const random = $sampling.chance(given.seed);
    return Array.from({ length: 4000 }, () => $sampling.draw(given.shares, random()));"""
    shares = [0.5, 0.0, 0.3, 0.2]
    first = run(page, body, {"seed": 3, "shares": shares})
    assert first == run(page, body, {"seed": 3, "shares": shares})
    assert first != run(page, body, {"seed": 4, "shares": shares})
    counts = torch.bincount(torch.tensor(first), minlength=4) / 4000
    torch.testing.assert_close(counts, torch.tensor(shares), atol=0.03, rtol=0)
    assert counts[1] == 0


def test_rounding_leaves_no_draw_without_a_word(page: Page) -> None:
    assert run(page, "return $sampling.draw([0.3, 0.6999], 0.99999);", None) == 1
