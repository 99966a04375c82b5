"""The checks of chapter 12: right solutions pass, and each wrong one is told what is wrong with it."""

import pytest
import torch
from torch import Tensor

from tests.exercises.solutions import Fn, told
from unrolled.data.sequences import repeated
from unrolled.exercises import reading as check
from unrolled.nn import MultiHeadAttention
from unrolled.probe import map_score
from unrolled.tap import record


def by_loop(weights: Tensor, tokens: Tensor, offset: int = 1) -> Tensor:
    found, letters = [], tokens.tolist()
    for t, letter in enumerate(letters):
        if letter in letters[:t]:
            found.append(weights[:, t, letters.index(letter) + offset])
    return torch.stack(found).mean(0)


def votes_by_loop(found: Tensor, W_o: Tensor, U: Tensor) -> Tensor:
    k = found.shape[-1]
    return torch.stack([one @ W_o[h * k : (h + 1) * k] @ U.T for h, one in enumerate(found)])


def votes_at_once(found: Tensor, W_o: Tensor, U: Tensor) -> Tensor:
    return torch.einsum("htk,hkd,vd->htv", found, W_o.view(len(found), -1, W_o.shape[1]), U)


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_induction_score, by_loop),
    (check.check_votes, votes_by_loop),
    (check.check_votes, votes_at_once),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def test_the_score_is_the_packages() -> None:
    drawn = repeated(7, seed=3, length=13, n_symbols=17)
    weights = torch.rand(7, 3, 13, 13).softmax(-1)
    for b in range(7):
        asked = drawn.looked_up[b] & torch.ones(13, dtype=torch.bool)
        if asked.sum() < 1:
            continue
        # The package asks at all of the second stretch but its last letter, whose follower is new.
        last = int(asked.nonzero()[-1]) + 2
        mine = check._induction(weights[b, :, : last - 1, : last - 1], drawn.tokens[b, : last - 1])
        assert torch.allclose(mine, map_score(weights[b : b + 1], drawn.alignment[b : b + 1]))


def test_votes_add_up_to_what_the_layer_adds_to_the_logits() -> None:
    layer = MultiHeadAttention(6, 2, bias=False).double()
    U = torch.randn(7, 6, dtype=torch.float64)
    x = torch.randn(1, 5, 6, dtype=torch.float64)
    with record(layer, "context") as heard, torch.no_grad():
        added = layer(x, causal=True)[0]
    votes = votes_by_loop(heard["context"][0][0], layer.out_proj.weight.T, U)
    assert torch.allclose(votes.sum(0), added @ U.T)


def columns(found: Tensor, W_o: Tensor, U: Tensor) -> Tensor:
    k = found.shape[-1]
    return torch.stack([one @ W_o[:, h * k : (h + 1) * k].T @ U.T for h, one in enumerate(found)])


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_induction_score, lambda w, t: by_loop(w, t, 0), "one further: at what followed"),
    (check.check_induction_score, lambda w, t: by_loop(w, t, -1), "the letter before the earlier copy"),
    (
        check.check_induction_score,
        lambda w, t: by_loop(w, t) * (len(t) - len(set(t.tolist()))) / len(t),
        "over those that have",
    ),
    (
        check.check_induction_score,
        lambda w, t: by_loop(w, t) * (len(t) - len(set(t.tolist()))),
        "their mean, between 0 and 1",
    ),
    (check.check_induction_score, lambda w, t: by_loop(w.mT, t), "Rows and columns"),
    (
        check.check_induction_score,
        lambda w, t: torch.stack([w[:, i, i - 1] for i in range(1, len(t))]).mean(0),
        "the previous-token score",
    ),
    (check.check_induction_score, lambda w, t: by_loop(w, t).mean(), "One score for each head"),
    (check.check_votes, columns, "meet its rows"),
    (check.check_votes, lambda f, W, U: votes_by_loop(f, W, U).sum(0), "return them apart"),
    (check.check_votes, lambda f, W, U: votes_by_loop(f, W, U).softmax(-1), "Only logits add up"),
    (check.check_votes, lambda f, W, U: votes_by_loop(f, W, torch.eye(len(W)).double()), "into the stream"),
    (
        check.check_votes,
        lambda f, W, U: torch.stack([one @ W[h :: len(f)] @ U.T for h, one in enumerate(f)]),
        "from h K on",
    ),
    (check.check_votes, lambda f, W, U: f @ W[: f.shape[-1]] @ U.T, "rows of its own"),
    (check.check_votes, lambda f, W, U: f @ W, "stopped with RuntimeError"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in told(result), result.message


@pytest.mark.parametrize("checked", [check.check_induction_score, check.check_votes])
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "heads", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed
