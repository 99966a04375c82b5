"""The checks of chapter 3: right solutions pass, and each wrong one is told what is wrong with it."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.exercises.solutions import Fn, told
from unrolled.exercises import attention as check
from unrolled.nn.score import AdditiveScore
from unrolled.nn.seq2seq import Seq2Seq, Seq2SeqConfig
from unrolled.tap import record


def additive_by_loop(h: Tensor, states: Tensor, W_1: Tensor, W_2: Tensor, u: Tensor) -> Tensor:
    if h.dim() > 2:
        return torch.stack([additive_by_loop(a, b, W_1, W_2, u) for a, b in zip(h, states, strict=True)])
    return torch.stack(
        [torch.stack([u @ torch.tanh(W_1 @ one + W_2 @ other) for other in states]) for one in h]
    )


def additive_by_the_package(h: Tensor, states: Tensor, W_1: Tensor, W_2: Tensor, u: Tensor) -> Tensor:
    score = AdditiveScore(h.shape[-1], states.shape[-1], len(u)).double()
    weights = {"query_proj.weight": W_1, "key_proj.weight": W_2, "score_proj.weight": u[None]}
    score.load_state_dict(weights)
    h, other = (x.reshape(-1, *x.shape[-2:]) for x in (h, states))
    return score(h, other).detach().view(*states.shape[:-2], h.shape[-2], states.shape[-2])


def local_by_loop(scores: Tensor, reach: Tensor) -> Tensor:
    if scores.dim() > 2:
        return torch.stack([local_by_loop(one, reach) for one in scores])
    weights = torch.zeros_like(scores)
    for i in range(len(scores)):
        near = [j for j in range(scores.shape[1]) if abs(i - j) <= reach]
        weights[i, near] = torch.softmax(scores[i, near], 0)
    return weights


def far(scores: Tensor, reach: Tensor) -> Tensor:
    T, S = scores.shape[-2:]
    outside: Tensor = (torch.arange(T)[:, None] - torch.arange(S)).abs() > reach
    return outside


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_local, local_by_loop),
    (check.check_local, lambda s, r: torch.softmax(s - 1e9 * far(s, r), -1)),
    (check.check_additive, additive_by_loop),
    (check.check_additive, additive_by_the_package),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def pairs(h: Tensor, states: Tensor, W_1: Tensor, W_2: Tensor) -> Tensor:
    return (h @ W_1.mT)[..., :, None, :] + (states @ W_2.mT)[..., None, :, :]


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_local, lambda s, r: torch.softmax(s, -1) * ~far(s, r), "no longer adds up to one"),
    (check.check_local, lambda s, r: torch.softmax(s * ~far(s, r), -1), "still get a share"),
    (check.check_local, lambda s, r: torch.softmax(s - 1e9 * ~far(s, r), -1), "turned round"),
    (check.check_local, lambda s, r: local_by_loop(s, r - 1), "exactly `reach` places away"),
    (
        check.check_local,
        lambda s, r: torch.softmax(s.tril().masked_fill(s.tril() == 0, -torch.inf) - 1e9 * far(s, r), -1),
        "looks back only",
    ),
    (
        check.check_local,
        lambda s, r: torch.softmax(
            s - 1e9 * (torch.arange(s.shape[-2])[:, None] - torch.arange(s.shape[-1]) > r), -1
        ),
        "Only one side is cut off",
    ),
    (
        check.check_local,
        lambda s, r: torch.softmax(s.masked_fill(far(s, r), -math.inf), -2),
        "columns sum to one",
    ),
    (check.check_local, lambda s, r: torch.softmax(s, -1), "Every step still looks at every word"),
    (check.check_additive, lambda h, s, a, b, u: pairs(h, s, a, b) @ u, "tanh is missing"),
    (
        check.check_additive,
        lambda h, s, a, b, u: (
            (torch.tanh(h @ a.mT) @ u)[..., :, None] + (torch.tanh(s @ b.mT) @ u)[..., None, :]
        ),
        "before adding",
    ),
    (
        check.check_additive,
        lambda h, s, a, b, u: torch.tanh(pairs(h, s, b, a)) @ u,
        "W_1 and W_2 are exchanged",
    ),
    (check.check_additive, lambda h, s, a, b, u: torch.tanh(pairs(s, h, b, a)) @ u, "Rows and columns"),
    (check.check_additive, lambda h, s, a, b, u: torch.tanh(pairs(h, s, a, b)).sum(-1), "multiply by u"),
    (
        check.check_additive,
        lambda h, s, a, b, u: torch.softmax(torch.tanh(pairs(h, s, a, b)) @ u, -1),
        "weights already",
    ),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in told(result)


@pytest.mark.parametrize("checked", [check.check_additive, check.check_local])
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "context", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed


@pytest.mark.parametrize(
    "matrix",
    [
        [[0.0, 0.0], [20.0, 0.0]],  # whoever says go asks for let's
        torch.tensor([[3.0, 0.0], [19.0, -5.0]]),  # ... and against what is only go
    ],
)
def test_a_matrix_that_finds_the_word_passes(matrix: Any) -> None:
    result = check.check_score_matrix(matrix)
    assert result.passed, result


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], "about the same"),
        ([[0.0, 0.0], [-20.0, 0.0]], "prefer the “now”s"),
        # Louder is not enough: go remembers let's.
        ([[20.0, 0.0], [0.0, 20.0]], "The word is vamos, but you point at “go”."),
        ([[0.0, 0.0], [0.0, 20.0]], "you point at “go”"),
        ([[0.0, 0.0], [13.0, 0.0]], "“let's” gets less than half"),
        ([1.0, 2.0], "four finite numbers"),
        ([[math.nan, 0.0], [0.0, 0.0]], "four finite numbers"),
        ("[[1, 0], [0, 1]]", "2 × 2"),
        ([["a", "b"], ["c", "d"]], "2 × 2"),
    ],
)
def test_a_matrix_that_does_not_is_told_why(matrix: Any, message: str) -> None:
    result = check.check_score_matrix(matrix)
    assert result.attempted
    assert not result.passed
    assert message in told(result)


def test_no_matrix_is_no_answer_yet() -> None:
    assert not check.check_score_matrix(...).attempted
    assert not check.check_score_matrix(None).attempted


def test_the_hand_made_machine_is_a_seq2seq() -> None:
    """The check computes what the package's model computes with the chapter's weights."""
    config = Seq2SeqConfig(3, 3, 2, 2, bidirectional=False, score="general")
    model = Seq2Seq(config).double().requires_grad_(False)
    W = torch.tensor([[0.3, -1.7], [2.3, 5.9]], dtype=torch.float64)
    for parameter in model.parameters():
        parameter.zero_()
    model.source_embedding.weight[:2] = torch.eye(2)
    model.target_embedding.weight[0, 1] = 0.3
    model.score.load_state_dict({"key_proj.weight": W})  # type: ignore[union-attr]
    for lstm, forget in ((model.encoder, 0.0), (model.decoder, 40.0)):
        cell = lstm.cells[0]
        cell.input_proj.weight[4:6] = torch.eye(2)  # type: ignore[index, union-attr]
        cell.input_proj.bias[:] = torch.tensor([40, 40, forget, forget, 0, 0, 40, 40])  # type: ignore[index, union-attr]
    memory = model.encode(torch.tensor([[0, 1, 2, 2, 2]]))
    with record(model, "weights") as heard:
        model.decode(torch.tensor([[0]]), memory)
    weights, found = check._hand_made([(1.0, 0.0), (0.0, 1.0), *[(0.0, 0.0)] * 3], W)
    torch.testing.assert_close(heard["weights"][0][0, 0], weights)
    torch.testing.assert_close((heard["weights"][0] @ memory.outputs)[0, 0], found)
