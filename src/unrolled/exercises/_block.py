"""What chapter 8's checks compare with: the layers of a block, and how they usually go wrong."""

from collections.abc import Callable

import torch
from torch import Tensor

from unrolled.exercises._check import Misconception

__all__ = [
    "BLOCKS",
    "FEED_FORWARD",
    "NORMS",
    "Sublayer",
    "feed_forward",
    "layer_norm",
    "plain_norm",
    "pre_norm",
]

EPS = 1e-5

Sublayer = Callable[[Tensor], Tensor]


def feed_forward(x: Tensor, W_in: Tensor, b_in: Tensor, W_out: Tensor, b_out: Tensor) -> Tensor:
    """Widen, bend, narrow: ``[..., T, d] -> [..., T, d]``."""
    return torch.relu(x @ W_in + b_in) @ W_out + b_out


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    """Norm each token by its own numbers, ``[..., T, d] -> [..., T, d]``."""
    return torch.nn.functional.layer_norm(x, x.shape[-1:], gain, bias, EPS)


def plain_norm(x: Tensor) -> Tensor:
    """Norm each token by its own numbers, without gain and bias."""
    return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=EPS)


def pre_norm(X: Tensor, A: Sublayer, F: Sublayer, norm: Sublayer) -> Tensor:
    """Talk, then think, each normed before and with a way around."""
    X = X + A(norm(X))
    return X + F(norm(X))


FEED_FORWARD = [
    Misconception(
        "no bend",
        lambda x, W_in, b_in, W_out, b_out: (x @ W_in + b_in) @ W_out + b_out,
        "There is no bend. Two linear layers in a row are one linear layer; put `torch.relu` between them.",
    ),
    Misconception(
        "bent at the end",
        lambda x, W_in, b_in, W_out, b_out: torch.relu((x @ W_in + b_in) @ W_out + b_out),
        "You bent what comes out. The bend belongs between the two layers.",
    ),
    Misconception(
        "bent twice",
        lambda x, W_in, b_in, W_out, b_out: torch.relu(feed_forward(x, W_in, b_in, W_out, b_out)),
        "You bent twice. What comes out may be negative: a layer must be able to take something away.",
    ),
    Misconception(
        "bent before the bias",
        lambda x, W_in, b_in, W_out, b_out: (torch.relu(x @ W_in) + b_in) @ W_out + b_out,
        "You bent before you added `b_in`. The bias is the threshold of the bend, so it comes first.",
    ),
    Misconception(
        "no biases",
        lambda x, W_in, b_in, W_out, b_out: torch.relu(x @ W_in) @ W_out,
        "The biases are missing.",
    ),
    Misconception(
        "no last bias",
        lambda x, W_in, b_in, W_out, b_out: torch.relu(x @ W_in + b_in) @ W_out,
        "The second bias, `b_out`, is missing.",
    ),
    Misconception(
        "another bend",
        lambda x, W_in, b_in, W_out, b_out: torch.nn.functional.gelu(x @ W_in + b_in) @ W_out + b_out,
        "That is GELU. It works as well; this exercise asks for ReLU.",
    ),
    Misconception(
        "softmax",
        lambda x, W_in, b_in, W_out, b_out: torch.softmax(x @ W_in + b_in, dim=-1) @ W_out + b_out,
        "A softmax lets the hidden numbers compete. Here each decides for itself: `torch.relu`.",
    ),
    Misconception(
        "a way around",
        lambda x, W_in, b_in, W_out, b_out: x + feed_forward(x, W_in, b_in, W_out, b_out),
        "You added x. The way around belongs to the block; the layer itself returns only what is new.",
    ),
]


def _scaled(x: Tensor, gain: Tensor, bias: Tensor, *dims: int, correction: int = 0) -> Tensor:
    mean = x.mean(dim=dims, keepdim=True)
    return gain * (x - mean) / (x.var(dim=dims, keepdim=True, correction=correction) + EPS).sqrt() + bias


NORMS = [
    Misconception(
        "d - 1",
        lambda x, gain, bias: _scaled(x, gain, bias, -1, correction=1),
        "You divided the squares by d − 1, as `std` and `var` do unless told otherwise. LayerNorm divides "
        "by d: pass `correction=0`.",
    ),
    Misconception(
        "d - 1, then added",
        lambda x, gain, bias: gain * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + EPS) + bias,
        "You divided the squares by d − 1, as `std` and `var` do unless told otherwise. LayerNorm divides "
        "by d: pass `correction=0`.",
    ),
    Misconception(
        "over tokens",
        lambda x, gain, bias: _scaled(x, gain, bias, -2),
        "Mean and spread are those of each place over all tokens. Each token is normed by its own numbers: "
        "`dim=-1`.",
    ),
    Misconception(
        "over everything of a sentence",
        lambda x, gain, bias: _scaled(x, gain, bias, -1, -2),
        "One mean and one spread for all tokens together. Each token has its own: `dim=-1`.",
    ),
    Misconception(
        "over everything",
        lambda x, gain, bias: gain * (x - x.mean()) / (x.var(correction=0) + EPS).sqrt() + bias,
        "One mean and one spread for all tokens together. Each token has its own: `dim=-1`.",
    ),
    Misconception(
        "no gain and bias",
        lambda x, gain, bias: plain_norm(x),
        "The norm is right. Gain and bias are missing.",
    ),
    Misconception(
        "bias before gain",
        lambda x, gain, bias: gain * (plain_norm(x) + bias),
        "You added the bias before you multiplied by the gain. Gain first, then bias.",
    ),
    Misconception(
        "gain before the norm",
        lambda x, gain, bias: plain_norm(gain * x + bias),
        "You scaled and shifted before the norm. They come last: what has been normed is scaled and shifted.",
    ),
    Misconception(
        "not centred",
        lambda x, gain, bias: gain * x / (x.var(-1, keepdim=True, correction=0) + EPS).sqrt() + bias,
        "The mean is still in the numbers: subtract it first.",
    ),
    Misconception(
        "root mean square",
        lambda x, gain, bias: gain * x / (x.square().mean(-1, keepdim=True) + EPS).sqrt() + bias,
        "You divided by the root of the mean square, without taking the mean away. That is RMSNorm, which "
        "some newer models use. LayerNorm subtracts the mean first.",
    ),
    Misconception(
        "variance for its root",
        lambda x, gain, bias: (
            gain * (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, correction=0) + EPS) + bias
        ),
        "You divided by the variance. Divide by its root, the standard deviation.",
    ),
]

BLOCKS = [
    Misconception(
        "post-norm",
        lambda X, A, F, norm: norm(norm(X + A(X)) + F(norm(X + A(X)))),
        "That is post-norm: the norm stands behind the sum. In pre-norm it stands before the sublayer.",
    ),
    Misconception(
        "no way around",
        lambda X, A, F, norm: F(norm(A(norm(X)))),
        "There is no way around: X itself is lost. Add to X what each sublayer brings.",
    ),
    Misconception(
        "one way around",
        lambda X, A, F, norm: F(norm(X + A(norm(X)))),
        "The feed-forward has no way around: add what it brings, too.",
    ),
    Misconception(
        "other way around",
        lambda X, A, F, norm: A(norm(X)) + F(norm(A(norm(X)))),
        "The attention has no way around: add what it brings to X.",
    ),
    Misconception(
        "no norm",
        lambda X, A, F, norm: X + A(X) + F(X + A(X)),
        "The norms are missing: each sublayer reads `norm(X)`.",
    ),
    Misconception(
        "normed stream",
        lambda X, A, F, norm: norm(norm(X) + A(norm(X))) + F(norm(norm(X) + A(norm(X)))),
        "You wrote the norm back into the stream, as in `X = norm(X)`. In pre-norm only the sublayer reads "
        "the normed tokens; what goes around it is X itself.",
    ),
    Misconception(
        "side by side",
        lambda X, A, F, norm: X + A(norm(X)) + F(norm(X)),
        "The feed-forward read the tokens from before the attention. Talk first, then think about it: it "
        "reads the sum.",
    ),
    Misconception(
        "think, then talk",
        lambda X, A, F, norm: X + F(norm(X)) + A(norm(X + F(norm(X)))),
        "You think first and talk second. Attention comes first.",
    ),
    Misconception(
        "only talk",
        lambda X, A, F, norm: X + A(norm(X)),
        "That is the first half. The feed-forward is missing.",
    ),
    Misconception(
        "around the block",
        lambda X, A, F, norm: X + F(norm(A(norm(X)))),
        "You have one way around both sublayers. Each has its own.",
    ),
    Misconception(
        "a norm too many",
        lambda X, A, F, norm: norm(pre_norm(X, A, F, norm)),
        "The block is right, and then you normed what comes out. A pre-norm stack has one such norm behind "
        "its last block, not in each.",
    ),
]
