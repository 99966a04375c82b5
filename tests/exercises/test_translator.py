"""The checks of chapter 9: right solutions pass, and each wrong one is told what is wrong with it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, layer_norm
from torch.nn.functional import scaled_dot_product_attention as sdpa

from unrolled.exercises import translator as check
from unrolled.training.loss import cross_entropy as package_loss

Fn = Callable[..., Any]


def norm(x: Tensor) -> Tensor:
    return layer_norm(x, x.shape[-1:])


def by_sdpa(Y: Tensor, Z: Tensor, causal: bool = True) -> Tensor:
    Y = norm(Y + sdpa(Y, Y, Y, is_causal=causal))
    return norm(Y + sdpa(Y, Z, Z))


def by_hand(Y: Tensor, Z: Tensor) -> Tensor:
    rows = []
    for i in range(Y.shape[-2]):
        q, seen = Y[..., i : i + 1, :], Y[..., : i + 1, :]
        y = q + torch.softmax(q @ seen.mT / Y.shape[-1] ** 0.5, -1) @ seen
        y = (y - y.mean(-1, keepdim=True)) / (y.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()
        y = y + torch.softmax(y @ Z.mT / Y.shape[-1] ** 0.5, -1) @ Z
        rows.append((y - y.mean(-1, keepdim=True)) / (y.var(-1, keepdim=True, correction=0) + 1e-5).sqrt())
    return torch.cat(rows, -2)


def loss_by_hand(logits: Tensor, answers: Tensor) -> Tensor:
    V = logits.shape[-1]
    q = 0.9 * torch.nn.functional.one_hot(answers, V) + 0.1 / V
    return -(q * logits.log_softmax(-1)).sum(-1).mean()


def loss_of_package(logits: Tensor, answers: Tensor) -> Tensor:
    total, count = package_loss(logits, answers, label_smoothing=0.1)
    return total / count


def step_by_loop(totals: Tensor, log_p: Tensor) -> Tensor:
    if totals.dim() > 1:
        return torch.stack([step_by_loop(t, p) for t, p in zip(totals, log_p, strict=True)])
    longer = [(float(-t - p), b, v) for b, t in enumerate(totals) for v, p in enumerate(log_p[b])]
    return torch.tensor([[b, v] for _, b, v in sorted(longer)[: len(totals)]])


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_decoder_layer, by_sdpa),
    (check.check_decoder_layer, by_hand),
    (check.check_smoothed_loss, loss_by_hand),
    (check.check_smoothed_loss, loss_of_package),
    (check.check_beam_step, step_by_loop),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def test_who_lets_pytorch_smooth_is_told_to_try_by_hand() -> None:
    def short(logits: Tensor, answers: Tensor) -> Tensor:
        return cross_entropy(logits.flatten(0, -2), answers.flatten(), label_smoothing=0.1)

    result = check.check_smoothed_loss(short)
    assert result.passed
    assert "by hand" in result.message
    assert "by hand" not in check.check_smoothed_loss(loss_by_hand).message


def pre_norm(Y: Tensor, Z: Tensor) -> Tensor:
    h = norm(Y)
    Y = Y + sdpa(h, h, h, is_causal=True)
    return Y + sdpa(norm(Y), Z, Z)


def first(Y: Tensor) -> Tensor:
    return norm(Y + sdpa(Y, Y, Y, is_causal=True))


def across_first(Y: Tensor, Z: Tensor) -> Tensor:
    return first(norm(Y + sdpa(Y, Z, Z)))


def scaled_up(Y: Tensor, Z: Tensor) -> Tensor:
    Y = norm(Y + sdpa(Y, Y, Y, is_causal=True, scale=1.0))
    return norm(Y + sdpa(Y, Z, Z, scale=1.0))


def others_only(logits: Tensor, answers: Tensor) -> Tensor:
    V = logits.shape[-1]
    hot = torch.nn.functional.one_hot(answers, V)
    q = 0.9 * hot + 0.1 / (V - 1) * (1 - hot)
    return -(q * logits.log_softmax(-1)).sum(-1).mean()


def right_p(logits: Tensor, answers: Tensor) -> Tensor:
    return logits.softmax(-1).gather(-1, answers.unsqueeze(-1)).squeeze(-1)


def best(table: Tensor, k: int) -> Tensor:
    flat = table.flatten(-2).topk(k, dim=-1).indices
    return torch.stack([flat // table.shape[-1], flat % table.shape[-1]], -1)


L, S, G = check.check_decoder_layer, check.check_smoothed_loss, check.check_beam_step
WRONG: list[tuple[Fn, Fn, str]] = [
    (L, lambda Y, Z: by_sdpa(Y, Z, causal=False), "still to be written"),
    (L, lambda Y, Z: norm(first(Y) + sdpa(first(Y), Z, Z, is_causal=True)), "masked too"),
    (L, across_first, "across first"),
    (L, lambda Y, Z: norm(Y + sdpa(Y, Y, Y, is_causal=True) + sdpa(Y, Z, Z)), "to the same Y"),
    (L, lambda Y, Z: norm(first(Y) + sdpa(first(Y), first(Y), first(Y))), "never looked at"),
    (L, lambda Y, Z: norm(Z + sdpa(Z, first(Y), first(Y))), "the source asks"),
    (L, lambda Y, Z: norm(sdpa(norm(sdpa(Y, Y, Y, is_causal=True)), Z, Z)), "takes the place"),
    (L, pre_norm, "pre-norm"),
    (L, scaled_up, "not scaled"),
    (S, lambda x, y: -right_p(x, y).log().mean(), "plain cross-entropy"),
    (S, lambda x, y: -right_p(x, y).log().mean() - 0.1 * x.log_softmax(-1).mean(), "add up to 1.1"),
    (S, others_only, "over the other words alone"),
    (S, lambda x, y: loss_by_hand(x, y) * y.numel(), "Take their mean"),
    (S, lambda x, y: -loss_by_hand(x, y), "sign is wrong"),
    (S, lambda x, y: -(0.9 * right_p(x, y) + 0.1 / x.shape[-1]).log().mean(), "what the model says"),
    (S, lambda x, y: -(0.9 * x.gather(-1, y[..., None]).mean() + 0.1 * x.mean()), "took the logits"),
    (G, lambda t, p: torch.stack([torch.arange(t.shape[-1]).expand_as(t), p.argmax(-1)], -1), "of each beam"),
    (G, lambda t, p: best(p, t.shape[-1]), "last words alone"),
    (G, lambda t, p: best(t[..., None] * p, t.shape[-1]), "multiplied logarithms"),
    (G, lambda t, p: best(t[..., None] + p, t.shape[-1])[..., [1, 0]], "wrong way round"),
    (G, lambda t, p: best(t[..., None] + p, t.shape[-1]).flip(-2), "wrong order"),
    (G, lambda t, p: best(-t[..., None] - p, t.shape[-1]), "least likely"),
    (G, lambda t, p: (t[..., None] + p).flatten(-2).topk(t.shape[-1], -1).indices, "flattened table"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in result.message


@pytest.mark.parametrize("checked", [L, S, G])
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "loss", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed
