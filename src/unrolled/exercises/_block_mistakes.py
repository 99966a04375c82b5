"""What chapter 8's checks compare with: the layers of a block, and how they usually go wrong."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import silu

from unrolled.exercises._check import Misconception

__all__ = ["GATES", "NORMS", "PARALLEL", "Sublayer", "parallel", "plain_norm", "rms_norm", "swiglu"]

EPS = 1e-5

Sublayer = Callable[[Tensor], Tensor]


def rms_norm(x: Tensor, gain: Tensor) -> Tensor:
    """Divide each token by the root of its mean square, ``[..., T, d] -> [..., T, d]``."""
    return torch.nn.functional.rms_norm(x, x.shape[-1:], gain, EPS)


def swiglu(x: Tensor, W_gate: Tensor, W_in: Tensor, W_out: Tensor) -> Tensor:
    """Widen twice, gate one by the other, narrow: ``[..., T, d] -> [..., T, d]``."""
    return (silu(x @ W_gate) * (x @ W_in)) @ W_out


def plain_norm(x: Tensor) -> Tensor:
    """Norm each token by its own numbers, without gain and bias."""
    return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=EPS)


def parallel(X: Tensor, A: Sublayer, F: Sublayer, norm: Sublayer) -> Tensor:
    """Let both sublayers read the same normed tokens, and add both outputs."""
    normed = norm(X)
    return X + A(normed) + F(normed)


def _by(mean_square: Tensor, x: Tensor, gain: Tensor) -> Tensor:
    return gain * x / (mean_square + EPS).sqrt()


NORMS = [
    Misconception(
        "layer norm",
        lambda x, gain: gain * plain_norm(x),
        "That is LayerNorm: you took the mean away first. RMSNorm only divides.",
    ),
    Misconception(
        "centred divisor",
        lambda x, gain: _by(x.var(-1, keepdim=True, correction=0), x, gain),
        "You divided by the standard deviation, which measures from the mean. RMSNorm squares the components "
        "as they are.",
    ),
    Misconception(
        "standard deviation by d - 1",
        lambda x, gain: _by(x.var(-1, keepdim=True), x, gain),
        "You divided by the standard deviation, with d − 1. RMSNorm takes the mean of the squares of the "
        "components as they are.",
    ),
    Misconception(
        "length",
        lambda x, gain: gain * x / x.norm(dim=-1, keepdim=True),
        "You divided by the length, the root of the *sum* of the squares. RMSNorm takes the root of their "
        "mean: a normed token has the length √d, not 1.",
    ),
    Misconception(
        "no root",
        lambda x, gain: gain * x / (x.square().mean(-1, keepdim=True) + EPS),
        "You divided by the mean square. Divide by its root.",
    ),
    Misconception(
        "over tokens",
        lambda x, gain: _by(x.square().mean(-2, keepdim=True), x, gain),
        "You took the mean over the tokens. Each token is normed by its own components: `dim=-1`.",
    ),
    Misconception(
        "over everything",
        lambda x, gain: _by(x.square().mean(), x, gain),
        "One mean square for all tokens together. Each token has its own: `dim=-1`.",
    ),
    Misconception(
        "no gain",
        lambda x, gain: rms_norm(x, torch.ones_like(gain)),
        "The norm is right. The gain is missing.",
    ),
    Misconception(
        "gain first",
        lambda x, gain: rms_norm(gain * x, torch.ones_like(gain)),
        "You multiplied by the gain before you normed, so it changed the mean square as well. It comes last.",
    ),
]

GATES = [
    Misconception(
        "no gate",
        lambda x, W_gate, W_in, W_out: silu(x @ W_in) @ W_out,
        "`W_gate` is not used. SwiGLU multiplies two hidden vectors.",
    ),
    Misconception(
        "no product",
        lambda x, W_gate, W_in, W_out: silu(x @ W_gate) @ W_out,
        "`W_in` is not used. SwiGLU multiplies two hidden vectors.",
    ),
    Misconception(
        "sum",
        lambda x, W_gate, W_in, W_out: (silu(x @ W_gate) + x @ W_in) @ W_out,
        "You added the two hidden vectors. ⊙ multiplies them, component by component.",
    ),
    Misconception(
        "the other gate",
        lambda x, W_gate, W_in, W_out: swiglu(x, W_in, W_gate, W_out),
        "SiLU stands around `x @ W_in`. It belongs around `x @ W_gate`.",
    ),
    Misconception(
        "both",
        lambda x, W_gate, W_in, W_out: (silu(x @ W_gate) * silu(x @ W_in)) @ W_out,
        "Both hidden vectors went through SiLU. Only the gate does.",
    ),
    Misconception(
        "around the product",
        lambda x, W_gate, W_in, W_out: silu((x @ W_gate) * (x @ W_in)) @ W_out,
        "SiLU stands around the product. It belongs around `x @ W_gate` alone.",
    ),
    Misconception(
        "sigmoid",
        lambda x, W_gate, W_in, W_out: (torch.sigmoid(x @ W_gate) * (x @ W_in)) @ W_out,
        "That is the original GLU: a sigmoid as the gate. SiLU is s · σ(s), so the gate is multiplied by its "
        "own sigmoid.",
    ),
    Misconception(
        "relu",
        lambda x, W_gate, W_in, W_out: (torch.relu(x @ W_gate) * (x @ W_in)) @ W_out,
        "That is ReGLU: a ReLU as the gate. SwiGLU takes SiLU, s · σ(s).",
    ),
    Misconception(
        "gelu",
        lambda x, W_gate, W_in, W_out: (torch.nn.functional.gelu(x @ W_gate) * (x @ W_in)) @ W_out,
        "That is GeGLU: a GELU as the gate. SwiGLU takes SiLU, s · σ(s).",
    ),
    Misconception(
        "residual",
        lambda x, W_gate, W_in, W_out: x + swiglu(x, W_gate, W_in, W_out),
        "You added x. The residual connection belongs to the block; the layer returns only what is new.",
    ),
]

PARALLEL = [
    Misconception(
        "one after the other",
        lambda X, A, F, norm: X + A(norm(X)) + F(norm(X + A(norm(X)))),
        "That is the block of the chapter: the feed-forward layer read what attention had added. Here both "
        "read `norm(X)`.",
    ),
    Misconception(
        "post-norm",
        lambda X, A, F, norm: norm(X + A(X) + F(X)),
        "The norm stands after the sum. Both sublayers read `norm(X)`, and nothing is normed after.",
    ),
    Misconception(
        "no norm",
        lambda X, A, F, norm: X + A(X) + F(X),
        "The norm is missing: both sublayers read `norm(X)`.",
    ),
    Misconception(
        "no residual connection",
        lambda X, A, F, norm: A(norm(X)) + F(norm(X)),
        "There is no residual connection: X itself is lost.",
    ),
    Misconception(
        "two residual connections",
        lambda X, A, F, norm: (X + A(norm(X))) + (X + F(norm(X))),
        "You added X twice. There is one residual connection around both sublayers.",
    ),
    Misconception(
        "normed stream",
        lambda X, A, F, norm: norm(X) + A(norm(X)) + F(norm(X)),
        "You added to `norm(X)`. Only the sublayers read the normed tokens; the sum starts from X itself.",
    ),
    Misconception(
        "in a row",
        lambda X, A, F, norm: X + F(A(norm(X))),
        "The feed-forward layer read what attention made of the tokens, and no norm. Both read `norm(X)`.",
    ),
    Misconception(
        "only attention", lambda X, A, F, norm: X + A(norm(X)), "The feed-forward layer is missing."
    ),
    Misconception("only feed-forward", lambda X, A, F, norm: X + F(norm(X)), "Attention is missing."),
]
