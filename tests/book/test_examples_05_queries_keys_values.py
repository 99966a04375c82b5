"""Chapter 5: its examples say something else without queries, keys and values, and its class is trained."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.book.cells import run

BEARS, LOVE = 2, 1


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run(
        "05_queries_keys_values",
        "features = [",
        "def qkv_attention",
        "def masked_attention",
        "class Attention(",
        "known, strangers =",
        "class Model(",
        "def wide_head(",
    )


def weights(page: dict[str, Any], W_q: Tensor, W_k: Tensor) -> Tensor:
    X = page["X"]
    return torch.softmax((X @ W_q) @ (X @ W_k).T / W_k.shape[-1] ** 0.5, dim=-1)


def test_bears_hears_love_and_not_itself(page: dict[str, Any]) -> None:
    assert weights(page, page["W_q"], page["W_k"])[BEARS].argmax() == LOVE
    mixed = page["qkv_attention"](page["X"], page["W_q"], page["W_k"], page["W_v"])[BEARS]
    assert mixed[0] > 10 * mixed[1]  # animal


@pytest.mark.parametrize("name", ["W_q", "W_k"])
def test_with_one_matrix_for_both_bears_hears_itself(page: dict[str, Any], name: str) -> None:
    assert weights(page, page[name], page[name])[BEARS].argmax() == BEARS


def test_without_matrices_bears_hears_itself(page: dict[str, Any]) -> None:
    assert weights(page, torch.eye(4), torch.eye(4))[BEARS].argmax() == BEARS


def test_without_a_value_of_its_own_i_hands_something_over(page: dict[str, Any]) -> None:
    X, W_v = page["X"], page["W_v"]
    assert (X[0] @ W_v == 0).all()
    assert (X[0] != 0).any()


def test_equal_weights_would_not_tell_bears(page: dict[str, Any]) -> None:
    mean = (page["X"] @ page["W_v"]).mean(dim=0)
    assert mean[0] <= mean[1]


def test_without_the_mask_a_first_word_hears_what_follows(page: dict[str, Any]) -> None:
    Q, K, V = (page["X"] @ page[name] for name in ("W_q", "W_k", "W_v"))
    all_see, past = torch.ones(3, 3).bool(), torch.ones(3, 3).tril().bool()
    masked = page["masked_attention"]
    assert torch.allclose(masked(Q, K, V, past)[:2], masked(Q[:2], K[:2], V[:2], past[:2, :2]))
    assert not torch.allclose(masked(Q, K, V, all_see)[:2], masked(Q[:2], K[:2], V[:2], all_see[:2, :2]))


@pytest.fixture(scope="module")
def learned(page: dict[str, Any]) -> dict[str, float]:
    """Train the page's machines as its loop does, and return their share of right answers about strangers."""
    shares = {}
    for name in ("one matrix", "masked diagonal", "queries, keys, values"):
        model = page["build"](name, seed=3)
        losses = page["train"](model, seed=3, steps=180)["training"]
        assert abs(losses[0] - math.log(8)) < 0.05, "it starts from chance"
        shares[name] = page["share_right"](model)
    return shares


def test_the_class_learns_the_picnic_as_it_is_printed(learned: dict[str, float]) -> None:
    assert learned["queries, keys, values"] > 0.9


def test_with_one_matrix_it_does_not(learned: dict[str, float]) -> None:
    assert learned["one matrix"] < 0.4 < learned["masked diagonal"] < 0.7


def test_the_root_decides_only_the_size_of_the_first_scores(page: dict[str, Any]) -> None:
    kinds = ((True,), (False,), (False, 4), (True, 0.25))
    rooted, bare, small, large = (page["wide_head"](3, *kind) for kind in kinds)
    x = page["new"].x[:2]
    weights = [model.attention.weights(x, x) for model in (rooted, bare, small, large)]
    assert torch.allclose(weights[0], weights[2], atol=1e-5)
    assert torch.allclose(weights[1], weights[3], atol=1e-5)
    assert weights[1].amax(-1).mean() > 2 * weights[0].amax(-1).mean()
    after = [
        page["train"](model, 3, steps=40, n=32)["training"][-1] for model in (rooted, bare, small, large)
    ]
    assert after[1] > after[0] + 0.3
    assert after[1] > after[2] + 0.3
    assert after[3] > after[0] + 0.3


def test_without_the_friends_name_the_class_only_guesses(page: dict[str, Any]) -> None:
    model = page["build"]("queries, keys, values", seed=3)
    page["train"](model, seed=3, steps=180, question="neighbours_thing")
    assert page["share_right"](model, question="neighbours_thing") < 0.4
