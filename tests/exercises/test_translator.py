"""The checks of chapter 9: right solutions pass, and each wrong one is told what is wrong with it."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, layer_norm
from torch.nn.functional import scaled_dot_product_attention as sdpa

from tests.exercises.solutions import Fn, told
from unrolled.exercises import translator as check
from unrolled.training.loss import cross_entropy as package_loss


def norm(x: Tensor) -> Tensor:
    return layer_norm(x, x.shape[-1:])


def first(Y: Tensor, causal: bool = True) -> Tensor:
    h = norm(Y)
    return Y + sdpa(h, h, h, is_causal=causal)


def by_sdpa(Y: Tensor, Z: Tensor, causal: bool = True) -> Tensor:
    Y = first(Y, causal)
    return Y + sdpa(norm(Y), Z, Z)


def by_hand(Y: Tensor, Z: Tensor) -> Tensor:
    h = (Y - Y.mean(-1, keepdim=True)) / (Y.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()
    rows = []
    for i in range(Y.shape[-2]):
        q, seen = h[..., i : i + 1, :], h[..., : i + 1, :]
        y = Y[..., i : i + 1, :] + torch.softmax(q @ seen.mT / Y.shape[-1] ** 0.5, -1) @ seen
        q = (y - y.mean(-1, keepdim=True)) / (y.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()
        rows.append(y + torch.softmax(q @ Z.mT / Y.shape[-1] ** 0.5, -1) @ Z)
    return torch.cat(rows, -2)


def loss_by_hand(logits: Tensor, answers: Tensor) -> Tensor:
    V = logits.shape[-1]
    q = 0.9 * torch.nn.functional.one_hot(answers, V) + 0.1 / V
    return -(q * logits.log_softmax(-1)).sum(-1).mean()


def loss_in_parts(logits: Tensor, answers: Tensor) -> Tensor:
    hard = cross_entropy(logits.flatten(0, -2), answers.flatten())
    return 0.9 * hard - 0.1 * logits.log_softmax(-1).mean()


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_pre_norm_decoder, by_sdpa),
    (check.check_pre_norm_decoder, by_hand),
    (check.check_smoothed_loss, loss_by_hand),
    (check.check_smoothed_loss, loss_in_parts),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def loss_of_package(logits: Tensor, answers: Tensor) -> Tensor:
    total, count = package_loss(logits, answers, label_smoothing=0.1)
    return total / count


def loss_of_function(logits: Tensor, answers: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, -2), answers.flatten(), label_smoothing=0.1)


def loss_of_module(logits: Tensor, answers: Tensor) -> Tensor:
    loss: Tensor = torch.nn.CrossEntropyLoss(label_smoothing=0.1)(logits.flatten(0, -2), answers.flatten())
    return loss


@pytest.mark.parametrize("short", [loss_of_function, loss_of_module, loss_of_package])
def test_who_lets_pytorch_smooth_is_told_to_do_it_by_hand(short: Fn) -> None:
    result = check.check_smoothed_loss(short)
    assert result.attempted
    assert not result.passed
    assert "leave `label_smoothing=` out" in result.message


def post_norm(Y: Tensor, Z: Tensor) -> Tensor:
    Y = norm(Y + sdpa(Y, Y, Y, is_causal=True))
    return norm(Y + sdpa(Y, Z, Z))


def across_first(Y: Tensor, Z: Tensor) -> Tensor:
    return first(Y + sdpa(norm(Y), Z, Z))


def scaled_up(Y: Tensor, Z: Tensor) -> Tensor:
    h = norm(Y)
    Y = Y + sdpa(h, h, h, is_causal=True, scale=1.0)
    return Y + sdpa(norm(Y), Z, Z, scale=1.0)


def normed_path(Y: Tensor, Z: Tensor) -> Tensor:
    h = norm(Y)
    h = norm(h + sdpa(h, h, h, is_causal=True))
    return h + sdpa(h, Z, Z)


def asking_only(Y: Tensor, Z: Tensor) -> Tensor:
    Y = Y + sdpa(norm(Y), Y, Y, is_causal=True)
    return Y + sdpa(norm(Y), Z, Z)


def others_only(logits: Tensor, answers: Tensor) -> Tensor:
    V = logits.shape[-1]
    hot = torch.nn.functional.one_hot(answers, V)
    q = 0.9 * hot + 0.1 / (V - 1) * (1 - hot)
    return -(q * logits.log_softmax(-1)).sum(-1).mean()


def right_p(logits: Tensor, answers: Tensor) -> Tensor:
    return logits.softmax(-1).gather(-1, answers.unsqueeze(-1)).squeeze(-1)


L, S = check.check_pre_norm_decoder, check.check_smoothed_loss
WRONG: list[tuple[Fn, Fn, str]] = [
    (L, lambda Y, Z: by_sdpa(Y, Z, causal=False), "still to be written"),
    (L, lambda Y, Z: first(Y) + sdpa(norm(first(Y)), Z, Z, is_causal=True), "masked too"),
    (L, across_first, "across first"),
    (L, lambda Y, Z: first(Y) + sdpa(norm(Y), Z, Z), "to the same Y"),
    (L, lambda Y, Z: first(Y) + sdpa(norm(first(Y)), norm(first(Y)), norm(first(Y))), "never looked at"),
    (L, lambda Y, Z: Z + sdpa(Z, norm(first(Y)), norm(first(Y))), "the source asks"),
    (L, lambda Y, Z: sdpa(norm(first(Y) - Y), Z, Z), "takes the place"),
    (L, post_norm, "post-norm"),
    (L, normed_path, "add to the normalised tokens"),
    (L, asking_only, "keys and values come from norm(Y) too"),
    (L, lambda Y, Z: by_sdpa(Y, norm(Z)), "You normalise Z"),
    (L, scaled_up, "not scaled"),
    (S, lambda x, y: -right_p(x, y).log().mean(), "plain cross-entropy"),
    (S, lambda x, y: -right_p(x, y).log().mean() - 0.1 * x.log_softmax(-1).mean(), "add up to 1.1"),
    (S, others_only, "over the other words alone"),
    (S, lambda x, y: loss_by_hand(x, y) * y.numel(), "Take their mean"),
    (S, lambda x, y: -loss_by_hand(x, y), "sign is wrong"),
    (S, lambda x, y: -(0.9 * right_p(x, y) + 0.1 / x.shape[-1]).log().mean(), "what the model says"),
    (S, lambda x, y: -(0.9 * x.gather(-1, y[..., None]).mean() + 0.1 * x.mean()), "took the logits"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in told(result)


@pytest.mark.parametrize("checked", [L, S])
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "loss", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed
