"""Chapter 6: its six stories need both heads, each with a query of its own, and its class is trained."""

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.book.cells import run


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    cells = "def look_twice", "class MultiHead(", "class TableModel(", "def train(", "class BentModel("
    return run("06_multi_head", *cells, until={"def train(": "runs = "})


def readings(page: dict[str, Any], query: Tensor) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the nouns that the two heads are nearest to, for each story."""
    read = {}
    for names in page["stories"]:
        found = page["look_twice"](query, *page["story"](*names))
        read[names] = page["nearest"](found[:2]), page["nearest"](found[2:])
    return read


def test_two_heads_read_each_story(page: dict[str, Any]) -> None:
    assert len(page["stories"]) == 6
    for names, read in readings(page, page["Q"]).items():
        assert read == names


@pytest.mark.parametrize("head", [0, 1])
def test_one_of_them_does_not_suffice(page: dict[str, Any], head: int) -> None:
    read = readings(page, page["Q"])
    assert len({nouns[head] for nouns in read.values()}) == 3 < len(read)


def test_one_wide_head_does_not_tell_a_story_from_its_reverse(page: dict[str, Any]) -> None:
    for lover, loved in page["stories"]:
        there = page["look"](page["Q"], *page["story"](lover, loved))
        back = page["look"](page["Q"], *page["story"](loved, lover))
        assert torch.allclose(there, back, atol=1e-6)


@pytest.mark.parametrize("half", [0, 1])
def test_two_heads_that_ask_the_same_do_not_suffice(page: dict[str, Any], half: int) -> None:
    read = readings(page, page["Q"].view(2, 2)[half].repeat(2))
    assert all(first == second for first, second in read.values())


def test_the_sum_sets_one_story_apart_and_no_head_does(page: dict[str, Any]) -> None:
    column = torch.tensor([1.0, 0, 0, 1])
    parts = {
        names: (page["look_twice"](page["Q"], *page["story"](*names)) * column).view(2, 2).sum(-1)
        for names in page["stories"]
    }
    said = parts.pop(("bears", "dogs"))
    others = torch.stack(list(parts.values()))
    assert said.sum() > 10 * others.sum(-1).max()
    for head in (0, 1):
        assert said[head] - others[:, head].max() < 0.06


def test_with_two_nouns_one_head_would_have_been_enough(page: dict[str, Any]) -> None:
    """So the third is needed."""
    read = readings(page, page["Q"])
    pairs = list(itertools.permutations(("bears", "dogs"), 2))
    assert len({read[names][0] for names in pairs}) == len(pairs)


def both_right(page: dict[str, Any], model: nn.Module) -> float:
    """Return the share of held-out questions of which a model gets both answers right."""
    tables = page["few"]
    with torch.no_grad():
        right: Tensor = model(tables.tokens).argmax(-1) == tables.answers
    return right.all(-1).float().mean().item()


def trained(page: dict[str, Any], n_heads: int) -> tuple[float, float]:
    """Train the page's model as its loop does; return its held-out loss and the share with both right."""
    model, curve = page["train"](n_heads, seed=3, steps=200)
    assert abs(curve["training"][0] - math.log(10)) < 0.2, "it starts from chance"
    return curve["held out"][-1], both_right(page, model)


def test_two_heads_of_the_class_learn_the_tables_as_it_is_printed(page: dict[str, Any]) -> None:
    loss, both = trained(page, 2)
    assert loss < 0.1
    assert both > 0.99


def test_one_head_does_not(page: dict[str, Any]) -> None:
    loss, both = trained(page, 1)
    assert loss > 0.5
    assert both < 0.25


def test_with_the_wrong_split_two_heads_do_not(page: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def split(x: Tensor, n_heads: int) -> Tensor:
        return x.reshape(*x.shape[:-2], n_heads, x.shape[-2], -1)

    def merge(heads: Tensor) -> Tensor:
        return heads.reshape(*heads.shape[:-3], heads.shape[-2], -1)

    monkeypatch.setitem(page, "split", split)
    monkeypatch.setitem(page, "merge", merge)
    assert trained(page, 2)[1] < 0.3


@pytest.mark.parametrize(("bend", "enough"), [(nn.ReLU(), True), (nn.Identity(), False)])
def test_one_head_does_with_a_nonlinearity_behind_it_and_not_with_more_matrices(
    page: dict[str, Any], bend: nn.Module, enough: bool
) -> None:
    def make(n_heads: int) -> Any:
        model = page["BentModel"](n_heads)
        model.bend[1] = bend
        return model

    model, _ = page["train"](1, seed=3, kind=make)
    both = both_right(page, model)
    assert both > 0.99 if enough else both < 0.25


def test_one_wide_head_does_if_a_value_says_who_acts(page: dict[str, Any]) -> None:
    """So the text says that one head fails with the values of the table, and not with any."""
    values = page["VALUES"]
    told = set()
    for lover, loved in page["stories"]:
        keys, _ = page["story"](lover, loved)
        apart = torch.tensor([values[lover] + [0, 0], [0.0] * 4, [0, 0] + values[loved]])
        told.add(tuple(page["look"](page["Q"], keys, apart).round(decimals=3).tolist()))
    assert len(told) == 6
