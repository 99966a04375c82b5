r"""The classic mistakes in :math:`\mathrm{softmax}(QK^\top/\sqrt K)V`, with and without a mask. Chapter 5."""

import math

import torch
from torch import Tensor

from unrolled.exercises._check import Misconception
from unrolled.nn import attend, attention_scores, attention_weights

__all__ = ["ATTENTION", "CAUSAL", "MASKED", "scaled_scores", "whole"]


def whole(Q: Tensor, K: Tensor, V: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the right answer, by the package."""
    return attend(attention_weights(attention_scores(Q, K, scale=K.shape[-1] ** -0.5), mask), V)


def scaled_scores(Q: Tensor, K: Tensor) -> Tensor:
    """Return the scores divided by the root of their width."""
    return Q @ K.mT / math.sqrt(K.shape[-1])


ATTENTION = [
    Misconception(
        "not scaled",
        lambda Q, K, V: torch.softmax(Q @ K.mT, -1) @ V,
        "The scores are not scaled: divide them by the square root of K, the width of queries and keys.",
    ),
    Misconception(
        "divided by the width",
        lambda Q, K, V: torch.softmax(Q @ K.mT / K.shape[-1], -1) @ V,
        "You divided by K; it is the square root of K that keeps the spread of the scores at one.",
    ),
    Misconception(
        "scaled by the number of keys",
        lambda Q, K, V: torch.softmax(Q @ K.mT / math.sqrt(K.shape[-2]), -1) @ V,
        "You divided by the square root of the number of keys. The spread of a score grows with the "
        "number of products in it: `K.shape[-1]`.",
    ),
    Misconception(
        "scaled by the width of the values",
        lambda Q, K, V: torch.softmax(Q @ K.mT / math.sqrt(V.shape[-1]), -1) @ V,
        "You divided by the square root of the width of V. Values have no part in the scores: `K.shape[-1]`.",
    ),
    Misconception(
        "scaled after the softmax",
        lambda Q, K, V: torch.softmax(Q @ K.mT, -1) / math.sqrt(K.shape[-1]) @ V,
        "You divided the weights: now they no longer sum to one. Divide the scores, before the softmax.",
    ),
    Misconception(
        "queries and keys exchanged",
        lambda Q, K, V: torch.softmax(K @ Q.mT / math.sqrt(K.shape[-1]), -1) @ V,
        "Queries and keys are exchanged: your rows are the tokens looked at. Row i belongs to query i: `Q"
        " @ K.transpose(-2, -1)`.",
    ),
    Misconception(
        "columns sum to one",
        lambda Q, K, V: torch.softmax(scaled_scores(Q, K), -2) @ V,
        "The softmax runs over the wrong axis: your columns sum to one. Each query shares out its own "
        "attention: `dim=-1`.",
    ),
    Misconception(
        "keys handed over",
        lambda Q, K, V: torch.softmax(scaled_scores(Q, K), -1) @ K,
        "You mixed the keys. Keys are what a token is matched by; what it hands over are its values: "
        "`weights @ V`.",
    ),
    Misconception(
        "weights returned",
        lambda Q, K, V: torch.softmax(scaled_scores(Q, K), -1),
        "You returned the weights. One step is left: mix the values by them, `weights @ V`.",
    ),
    Misconception(
        "K.T on a batch",
        lambda Q, K, V: (
            torch.softmax(Q @ K.permute(*reversed(range(K.dim()))) / math.sqrt(K.shape[-1]), -1) @ V
        ),
        "A forgotten batch dimension: `K.T` reverses all dimensions. Swap the last two only: "
        "`K.transpose(-2, -1)`.",
    ),
]


def _hidden(Q: Tensor, K: Tensor, mask: Tensor, value: float = -math.inf) -> Tensor:
    return scaled_scores(Q, K).masked_fill(~mask, value)


MASKED = [
    Misconception(
        "no mask",
        lambda Q, K, V, mask: whole(Q, K, V),
        "The mask had no say: tokens attend to what they may not see.",
    ),
    Misconception(
        "NaN",
        lambda Q, K, V, mask: torch.softmax(_hidden(Q, K, mask), -1) @ V,
        "A token that may attend to nothing got NaN: its row is -inf everywhere, and the softmax divides "
        "zero by zero. Its weights should be zeros.",
    ),
    Misconception(
        "blind row is a mean",
        lambda Q, K, V, mask: torch.softmax(_hidden(Q, K, mask, -1e9), -1) @ V,
        "A token that may attend to nothing attends to everything: where all scores are equally low, the "
        "softmax shares evenly. Set the weights of what is masked to zero afterwards.",
    ),
    Misconception(
        "mask turned round",
        lambda Q, K, V, mask: whole(Q, K, V, ~mask),
        "The mask is turned round. Here True means: may attend. (`nn.MultiheadAttention` has it the other"
        " way.)",
    ),
    Misconception(
        "masked with zero",
        lambda Q, K, V, mask: torch.softmax(scaled_scores(Q, K) * mask, -1) @ V,
        "You set masked scores to 0. exp(0) is 1, so what is masked still gets a share. Use minus "
        "infinity, whose power is 0.",
    ),
    Misconception(
        "masked after the softmax",
        lambda Q, K, V, mask: torch.softmax(scaled_scores(Q, K), -1) * mask @ V,
        "You masked the weights only: the rows no longer sum to one. What is masked must not compete: set"
        " its score to minus infinity before the softmax.",
    ),
    Misconception(
        "not scaled",
        lambda Q, K, V, mask: attend(attention_weights(Q @ K.mT, mask), V),
        "The scores are not scaled: divide them by the square root of K, the width of queries and keys.",
    ),
    Misconception(
        "every NaN to zero, also a column",
        lambda Q, K, V, mask: torch.nan_to_num(torch.softmax(_hidden(Q, K, mask), -2)) @ V,
        "The softmax runs over the wrong axis: your columns sum to one. Each query shares out its own "
        "attention: `dim=-1`.",
    ),
]


def _future(scores: Tensor, diagonal: int) -> Tensor:
    return torch.ones_like(scores).triu(diagonal).bool()


CAUSAL = [
    Misconception(
        "no mask",
        lambda s: torch.softmax(s, -1),
        "No mask: every token still attends to what comes after it.",
    ),
    Misconception(
        "looks forward",
        lambda s: torch.softmax(
            s.masked_fill(_future(s, 0).mT & ~torch.eye(s.shape[-1]).bool(), -math.inf), -1
        ),
        "The triangle is upside down: your tokens see themselves and the future. Column j may be seen "
        "from row i where j is at most i: `torch.tril`.",
    ),
    Misconception(
        "not even itself",
        lambda s: torch.softmax(s.masked_fill(_future(s, 0), -math.inf), -1),
        "A token may see itself. Your mask hides the diagonal too, so the first token is left with "
        "nothing, and its row is NaN. `tril` keeps the diagonal.",
    ),
    Misconception(
        "masked after the softmax",
        lambda s: torch.softmax(s, -1).tril(),
        "You hid the future after the softmax: the rows no longer sum to one. Hide the scores before it, "
        "with minus infinity.",
    ),
    Misconception(
        "zeros before the softmax",
        lambda s: torch.softmax(s.tril(), -1),
        "You set the scores of the future to 0. exp(0) is 1, so the future still gets a share. Use minus "
        "infinity.",
    ),
    Misconception(
        "columns sum to one",
        lambda s: torch.softmax(s.masked_fill(_future(s, 1), -math.inf), -2),
        "The softmax runs over the wrong axis: your columns sum to one. `dim=-1`.",
    ),
]
