"""The bench's mathematics in JavaScript equals `unrolled.nn` in float64, and its arithmetic adds up."""

import math
import re
from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from unrolled.nn import SingleHeadAttention, attend, attention_scores, attention_weights, causal_mask
from unrolled.widgets import bundle

N_CASES = 300
TOLERANCE = 1e-9
RESULTS = ("Q", "K", "V", "scores", "weights", "context")


def in_browser(page: Page, body: str, argument: Any) -> Any:
    return page.evaluate(f"(given) => {{ {bundle._inline(['qkv'])} {body} }}", argument)


def case(n: int) -> dict[str, Any]:
    """Return the n-th random bench: every combination of the switches, sizes from 1, whole rows masked."""
    g = torch.Generator().manual_seed(n)

    def numbers(rows: int, columns: int) -> list[list[float]]:
        size = (0.5, 2.0, 9.0)[n % 3]
        drawn: list[list[float]] = (
            torch.randn(rows, columns, generator=g, dtype=torch.float64) * size
        ).tolist()
        return drawn

    t, s, d = (int(torch.randint(1, 7, (), generator=g)) for _ in range(3))
    k, v = (int(torch.randint(1, 5, (), generator=g)) for _ in range(2))

    def real(count: int) -> list[bool]:
        if n % 7 == 0:
            return [False] * count
        some: list[bool] = (torch.rand(count, generator=g) < 0.6).tolist()
        return some if n % 2 else [True] * count

    return {
        "X": numbers(t, d), "Z": numbers(s, d),
        "W_q": numbers(d, k), "W_k": numbers(d, k), "W_v": numbers(d, v),
        "realX": real(t), "realZ": real(s), "scale": bool(n & 1), "causal": bool(n & 2), "cross": bool(n & 4),
    }  # fmt: skip


def by_torch(bench: dict[str, Any]) -> dict[str, Tensor]:
    x, z, w_q, w_k, w_v = (
        torch.tensor(bench[key], dtype=torch.float64) for key in ("X", "Z", "W_q", "W_k", "W_v")
    )
    source, real = (z, bench["realZ"]) if bench["cross"] else (x, bench["realX"])
    mask = torch.tensor(real).expand(len(x), -1)
    if bench["causal"] and not bench["cross"]:
        mask = mask & causal_mask(len(x))
    query, key, value = x @ w_q, source @ w_k, source @ w_v
    scores = attention_scores(query, key, scale=query.shape[1] ** -0.5 if bench["scale"] else 1.0)
    weights = attention_weights(scores, mask)
    context = attend(weights, value)
    return dict(zip(RESULTS, (query, key, value, scores, weights, context), strict=True)) | {"mask": mask}


def test_every_matrix_equals_torch(page: Page) -> None:
    benches = [case(n) for n in range(N_CASES)]
    blind = 0
    for bench, made in zip(
        benches, in_browser(page, "return given.map($qkv.attentionOf);", benches), strict=True
    ):
        expected = by_torch(bench)
        blind += int((~expected["mask"].any(-1)).sum())
        assert made["mask"] == expected["mask"].tolist()
        for name in RESULTS:
            got = torch.tensor(made[name], dtype=torch.float64)
            # Against the size of the numbers, where they exceed one.
            torch.testing.assert_close(got, expected[name], rtol=TOLERANCE, atol=TOLERANCE, msg=name)
    assert blind > 50  # rows that may attend to nothing were among them


def test_the_layer_of_the_package_agrees(page: Page) -> None:
    """The bench computes what `SingleHeadAttention` does with the same matrices, self and cross."""
    for n in (1, 5, 11, 15, 23):  # scaled, as the layer always is
        bench = case(n)
        w = {key: torch.tensor(bench[key], dtype=torch.float64) for key in ("W_q", "W_k", "W_v")}
        if w["W_v"].shape != w["W_q"].shape:
            bench["W_v"] = bench["W_q"]
            w["W_v"] = w["W_q"]
        layer = SingleHeadAttention(*w["W_q"].shape).double()
        for proj, key in ((layer.q_proj, "W_q"), (layer.k_proj, "W_k"), (layer.v_proj, "W_v")):
            proj.weight.data = w[key].mT
        x, z = (torch.tensor(bench[key], dtype=torch.float64) for key in ("X", "Z"))
        real = torch.tensor(bench["realZ" if bench["cross"] else "realX"])
        with torch.no_grad():
            expected = layer(
                x, z if bench["cross"] else None, real, causal=bench["causal"] and not bench["cross"]
            )
        got = torch.tensor(
            in_browser(page, "return $qkv.attentionOf(given).context;", bench), dtype=torch.float64
        )
        torch.testing.assert_close(got, expected, rtol=TOLERANCE, atol=TOLERANCE)


NAMES = {"tokens": ["I", "love", "bears"], "keys": ["I", "love", "bears"], "source": "X"}
HAND = {
    "X": [[0, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 0]], "Z": [],
    "W_q": [[0, 1], [1, 0], [1, 0], [0, 0]], "W_k": [[1, 0], [-1, 0], [-1, 0], [0, 1]],
    "W_v": [[1, 0], [0, 1], [0, 1], [0, 0]], "realX": [True] * 3, "realZ": [],
    "scale": True, "causal": False, "cross": False,
}  # fmt: skip


def spelled(page: Page, bench: dict[str, Any], table: str, i: int, j: int) -> dict[str, Any]:
    body = "return $qkv.arithmetic(given.bench, $qkv.attentionOf(given.bench), given.cell, given.names);"
    given = {"bench": bench, "cell": {"table": table, "i": i, "j": j}, "names": NAMES}
    told: dict[str, Any] = in_browser(page, body, given)
    return told


@pytest.mark.parametrize(
    ("table", "i", "j", "lines"),
    [
        ("Q", 2, 0, ["Row bears of X times column 1 of W_q:", "1·0 + 1·1 + 1·1 + 0·0 = 2"]),
        ("K", 2, 0, ["Row bears of X times column 1 of W_k:", "1·1 + 1·(−1) + 1·(−1) + 0·0 = −1"]),
        ("V", 2, 1, ["Row bears of X times column 2 of W_v:", "1·0 + 1·1 + 1·1 + 0·0 = 2"]),
        ("scores", 2, 1, ["q(bears) · k(love) = 2·1 + 1·1 = 3", "3 / √2 = 2.12"]),
        ("weights", 2, 1, ["exp(2.12) = 8.34", "Sum of the row: 2.03 + 8.34 + 0.24 = 10.61",
                           "Weight: 8.34 / 10.61 = 0.79"]),
        ("context", 2, 0, ["Weights of bears times column 1 of V:", "0.19·0 + 0.79·1 + 0.02·1 = 0.81"]),
    ],
)  # fmt: skip
def test_the_chapters_numbers_are_spelled_out(
    page: Page, table: str, i: int, j: int, lines: list[str]
) -> None:
    told = spelled(page, HAND, table, i, j)
    assert told["lines"] == lines
    assert told["title"].split()[0] == {"Q": "query", "K": "key", "V": "value", "scores": "score",
                                        "weights": "weight", "context": "context"}[table]  # fmt: skip


def test_masks_give_their_reason(page: Page) -> None:
    causal = HAND | {"causal": True}
    assert "love stands after I" in spelled(page, causal, "scores", 0, 1)["lines"][-1]
    assert spelled(page, causal, "weights", 0, 1)["lines"][-1].endswith("Its weight is 0.")
    padded = HAND | {"realX": [True, False, True]}
    assert "love is padding" in spelled(page, padded, "weights", 2, 1)["lines"][0]
    sums = spelled(page, padded, "weights", 2, 0)["lines"][1]
    assert sums == "Sum of the row: 2.03 + 0.24 = 2.27"
    silent = HAND | {"realX": [False] * 3}
    assert "nothing to distribute" in spelled(page, silent, "weights", 1, 1)["lines"][0]
    assert "every weight is 0" in spelled(page, silent, "context", 1, 1)["lines"][0]


def test_large_scores_are_shifted_and_the_share_is_still_right(page: Page) -> None:
    huge = HAND | {"X": [[0, 0, 0, 20], [20, 0, 0, 20], [20, 20, 20, 0]]}
    lines = spelled(page, huge, "weights", 2, 1)["lines"]
    assert "Take the row’s largest score" in lines[0]
    assert lines[1] == "exp(0) = 1"
    assert lines[-1] == "Weight: 1 / 1 = 1"
    weights = by_torch(huge)["weights"]
    assert weights[2, 1] > 0.999


def test_a_spelled_out_sum_adds_up(page: Page) -> None:
    """The terms on the page, with their two digits, come to the number on the page."""
    for n in (1, 4, 9, 13, 16, 21):
        bench = case(n)
        names = {"tokens": list("abcdef")[: len(bench["X"])], "keys": list("uvwxyz"), "source": "X"}
        body = "return $qkv.arithmetic(given.bench, $qkv.attentionOf(given.bench), given.cell, given.names);"
        given = {"bench": bench, "cell": {"table": "Q", "i": 0, "j": 0}, "names": names}
        terms, total = in_browser(page, body, given)["lines"][1].replace("−", "-").split(" = ")
        pairs = [term.split("·") for term in terms.split(" + ")]
        got = sum(float(re.sub("[()]", "", a)) * float(re.sub("[()]", "", b)) for a, b in pairs)
        assert math.isclose(got, float(total), abs_tol=0.4)


@pytest.mark.parametrize(
    ("x", "text"),
    [(0, "0"), (-0.0, "0"), (1, "1"), (100, "100"), (0.5, "0.5"), (-0.25, "−0.25"), (2.1213, "2.12"),
     (1e-7, "1.0e−7"), (123456, "1.2e5"), (0.006, "0.01")],
)  # fmt: skip
def test_numbers_are_short(page: Page, x: float, text: str) -> None:
    assert in_browser(page, "return $qkv.short(given);", x) == text
