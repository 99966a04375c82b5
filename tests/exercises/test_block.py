"""The checks of chapter 8: right solutions pass, and each wrong one is told what is wrong with it."""

import pytest
import torch
from torch import Tensor, nn

from tests.exercises.solutions import Fn, told
from unrolled.exercises import block as check
from unrolled.nn import EncoderBlock


def rms_by_torch(x: Tensor, gain: Tensor) -> Tensor:
    return nn.functional.rms_norm(x, x.shape[-1:], gain, 1e-5)


def rms_by_hand(x: Tensor, gain: Tensor) -> Tensor:
    return x * (x.pow(2).sum(-1, keepdim=True) / x.shape[-1] + 1e-5) ** -0.5 * gain


def gated(x: Tensor, W_gate: Tensor, W_in: Tensor, W_out: Tensor) -> Tensor:
    return (nn.SiLU()(x @ W_gate) * (x @ W_in)) @ W_out


def by_einsum(x: Tensor, W_gate: Tensor, W_in: Tensor, W_out: Tensor) -> Tensor:
    gate, new = (torch.einsum("...d,df->...f", x, W) for W in (W_gate, W_in))
    return torch.einsum("...f,fd->...d", gate / (1 + torch.exp(-gate)) * new, W_out)


def parallel(X: Tensor, A: Fn, F: Fn, norm: Fn) -> Tensor:
    return sum((part(norm(X)) for part in (A, F)), start=X)


def size_by_the_package(d: int) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in EncoderBlock(d, 1, 4 * d).parameters())


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_rms_norm, rms_by_torch),
    (check.check_rms_norm, rms_by_hand),
    (check.check_swiglu, gated),
    (check.check_swiglu, by_einsum),
    (check.check_parallel_block, parallel),
    (check.check_parameters, size_by_the_package),
    (check.check_parameters, lambda d: 12.0 * d**2 + 13 * d),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def size(x: Tensor) -> Tensor:
    return x.square().mean(-1, keepdim=True)


def one_after_the_other(X: Tensor, A: Fn, F: Fn, norm: Fn) -> Tensor:
    X = X + A(norm(X))
    return X + F(norm(X))


def swish(x: Tensor) -> Tensor:
    return x * x.sigmoid()


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_rms_norm, lambda x, g: nn.functional.layer_norm(x, x.shape[-1:]) * g, "That is LayerNorm"),
    (
        check.check_rms_norm,
        lambda x, g: g * x / x.std(-1, keepdim=True, correction=0),
        "measures from the mean",
    ),
    (check.check_rms_norm, lambda x, g: g * x / x.std(-1, keepdim=True), "with d − 1"),
    (check.check_rms_norm, lambda x, g: g * nn.functional.normalize(x, dim=-1), "length √d, not 1"),
    (check.check_rms_norm, lambda x, g: g * x / size(x), "Divide by its root"),
    (check.check_rms_norm, lambda x, g: g * x / x.square().mean(-2, keepdim=True).sqrt(), "over the tokens"),
    (check.check_rms_norm, lambda x, g: g * x / x.square().mean().sqrt(), "for all tokens together"),
    (check.check_rms_norm, lambda x, g: x / size(x).sqrt(), "The gain is missing"),
    (check.check_rms_norm, lambda x, g: g * x / size(g * x).sqrt(), "It comes last"),
    (check.check_swiglu, lambda x, G, W, V: swish(x @ W) @ V, "`W_gate` is not used"),
    (check.check_swiglu, lambda x, G, W, V: swish(x @ G) @ V, "`W_in` is not used"),
    (check.check_swiglu, lambda x, G, W, V: (swish(x @ G) + x @ W) @ V, "You added the two"),
    (check.check_swiglu, lambda x, G, W, V: (x @ G * swish(x @ W)) @ V, "belongs around `x @ W_gate`."),
    (check.check_swiglu, lambda x, G, W, V: (swish(x @ G) * swish(x @ W)) @ V, "Only the gate does"),
    (check.check_swiglu, lambda x, G, W, V: swish((x @ G) * (x @ W)) @ V, "stands around the product"),
    (check.check_swiglu, lambda x, G, W, V: ((x @ G).sigmoid() * (x @ W)) @ V, "the original GLU"),
    (check.check_swiglu, lambda x, G, W, V: ((x @ G).relu() * (x @ W)) @ V, "That is ReGLU"),
    (check.check_swiglu, lambda x, G, W, V: (nn.GELU()(x @ G) * (x @ W)) @ V, "That is GeGLU"),
    (check.check_swiglu, lambda x, G, W, V: x + gated(x, G, W, V), "You added x"),
    (check.check_parallel_block, one_after_the_other, "the block of the chapter"),
    (check.check_parallel_block, lambda X, A, F, norm: norm(X + A(X) + F(X)), "nothing is normed after"),
    (check.check_parallel_block, lambda X, A, F, norm: X + A(X) + F(X), "The norm is missing"),
    (check.check_parallel_block, lambda X, A, F, norm: A(norm(X)) + F(norm(X)), "no residual connection"),
    (check.check_parallel_block, lambda X, A, F, norm: 2 * X + A(norm(X)) + F(norm(X)), "X twice"),
    (check.check_parallel_block, lambda X, A, F, norm: parallel(norm(X), A, F, lambda x: x), "starts from X"),
    (check.check_parallel_block, lambda X, A, F, norm: X + F(A(norm(X))), "and no norm"),
    (check.check_parallel_block, lambda X, A, F, norm: X + A(norm(X)), "feed-forward layer is missing"),
    (check.check_parallel_block, lambda X, A, F, norm: X + F(norm(X)), "Attention is missing"),
    (check.check_parallel_block, lambda X: X, "got a function with the arguments (X)"),
    (check.check_parameters, lambda d: 12 * d**2, "Biases and norms are missing"),
    (check.check_parameters, lambda d: 12 * d**2 + 9 * d, "either the two norms"),
    (check.check_parameters, lambda d: 12 * d**2 + 4 * d, "biases are missing"),
    (check.check_parameters, lambda d: 12 * d**2 + 11 * d, "There are two norms"),
    (check.check_parameters, lambda d: 11 * d**2 + 12 * d, "The fourth puts the heads together"),
    (check.check_parameters, lambda d: 12 * d**2 + 10 * d, "not d + d"),
    (check.check_parameters, lambda d: 12 * d**2 + 16 * d, "not 4 d + 4 d"),
    (check.check_parameters, lambda d: 8 * d**2 + 13 * d, "8 d², not 4 d²"),
    (check.check_parameters, lambda d: 6 * d**2 + 10 * d, "d wide in between"),
    (check.check_parameters, lambda d: 8 * d**2 + 9 * d, "attention is missing"),
    (check.check_parameters, lambda d: 4 * d**2 + 8 * d, "feed-forward is missing"),
    (check.check_parameters, lambda d: 7, "expected 28272, got 7"),
    (check.check_parameters, lambda d: d / 0, "stopped with ZeroDivisionError"),
    (check.check_parameters, lambda d: "many", "expected a number"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in told(result)


CHECKS = [check.check_rms_norm, check.check_swiglu, check.check_parallel_block, check.check_parameters]


@pytest.mark.parametrize("checked", CHECKS)
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "block", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed
