"""The checks of chapter 9, encoder and decoder.

>>> from unrolled.exercises.translator import check_smoothed_loss
>>> check_smoothed_loss(lambda logits, answers: logits.sum()).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import torch
from torch import Tensor

from unrolled.exercises._block_mistakes import plain_norm as norm
from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises._label_smoothing import check_smoothed_loss
from unrolled.exercises.result import Result
from unrolled.nn import attend, attention_scores, attention_weights, causal_mask

__all__ = ["check_pre_norm_decoder", "check_smoothed_loss"]


def look(x: Tensor, source: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attend from `x` to `source` without matrices, ``[..., T, d]``; softmax(x sourceᵀ / √d) source."""
    return attend(attention_weights(attention_scores(x, source, scale=x.shape[-1] ** -0.5), mask), source)


def back(Y: Tensor) -> Tensor:
    """Let each token of the target look at itself and at those before it."""
    return look(Y, Y, causal_mask(Y.shape[-2]))


def pre_norm_decoder(Y: Tensor, Z: Tensor) -> Tensor:
    """Look back, look across, ``[..., T, d]``, each with a norm before it; x + attend(norm(x))."""
    Y = Y + back(norm(Y))
    return Y + look(norm(Y), Z)


def check_pre_norm_decoder(fn: object) -> Result:
    """Check ``fn(Y, Z)``: pre-norm; look back, then across, [..., T, d] and [..., S, d] -> [..., T, d]."""
    cases = [
        Case({"Y": 3 * gaussian(*front, T, d), "Z": gaussian(*front, S, d, seed=1)}, batched=bool(front))
        for *front, T, S, d in [(5, 7, 11), (7, 3, 5), (3, 5, 2, 7)]
    ]
    return Exercise("targets", pre_norm_decoder, cases, LAYERS).check(fn)


def _no_residual(Y: Tensor, Z: Tensor) -> Tensor:
    return look(norm(back(norm(Y))), Z)


def _across_first(Y: Tensor, Z: Tensor) -> Tensor:
    Y = Y + look(norm(Y), Z)
    return Y + back(norm(Y))


def _post_norm(Y: Tensor, Z: Tensor) -> Tensor:
    Y = norm(Y + back(Y))
    return norm(Y + look(Y, Z))


def _unmasked(Y: Tensor, Z: Tensor) -> Tensor:
    Y = Y + look(norm(Y), norm(Y))
    return Y + look(norm(Y), Z)


def _masked_twice(Y: Tensor, Z: Tensor) -> Tensor:
    Y = Y + back(norm(Y))
    mask = torch.ones(Y.shape[-2], Z.shape[-2], dtype=torch.bool).tril()
    return Y + look(norm(Y), Z, mask)


def _never_across(Y: Tensor, Z: Tensor) -> Tensor:
    Y = Y + back(norm(Y))
    return Y + look(norm(Y), norm(Y))


def _both_at_once(Y: Tensor, Z: Tensor) -> Tensor:
    return Y + back(norm(Y)) + look(norm(Y), Z)


def _unscaled(Y: Tensor, Z: Tensor) -> Tensor:
    X = norm(Y)
    Y = Y + torch.softmax((X @ X.mT).masked_fill(~causal_mask(Y.shape[-2]), -torch.inf), -1) @ X
    return Y + torch.softmax(norm(Y) @ Z.mT, -1) @ Z


def _asked_by_the_source(Y: Tensor, Z: Tensor) -> Tensor:
    Y = Y + back(norm(Y))
    return Z + look(Z, norm(Y))


def _normed_residual(Y: Tensor, Z: Tensor) -> Tensor:
    Y = norm(Y) + back(norm(Y))
    return norm(Y) + look(norm(Y), Z)


def _queries_only(Y: Tensor, Z: Tensor) -> Tensor:
    Y = Y + look(norm(Y), Y, causal_mask(Y.shape[-2]))
    return Y + look(norm(Y), Z)


def _memory_normed(Y: Tensor, Z: Tensor) -> Tensor:
    Y = Y + back(norm(Y))
    return Y + look(norm(Y), norm(Z))


LAYERS = [
    Misconception(
        "post-norm",
        _post_norm,
        "You normalise the sum that comes out of each step, as the page does: post-norm. In pre-norm the "
        "norm stands before each attention, and nothing is done to the sum.",
    ),
    Misconception(
        "the residual path normalised",
        _normed_residual,
        "You add to the normalised tokens. In pre-norm the tokens themselves are carried past the norm and "
        "the attention: `Y + look(norm(Y), ...)`.",
    ),
    Misconception(
        "queries only",
        _queries_only,
        "Looking back, you normalise the tokens that ask and not those that answer. They are the same "
        "tokens: the norm stands before the whole attention, so keys and values come from norm(Y) too.",
    ),
    Misconception(
        "the memory normalised again",
        _memory_normed,
        "You normalise Z. It has been through the encoder's last norm already; here only the tokens of the "
        "target are normalised before they ask.",
    ),
    Misconception(
        "no mask",
        _unmasked,
        "The first attention has no mask: a token of the target sees the words that are still to be written. "
        "Let it see itself and what stands before it.",
    ),
    Misconception(
        "masked twice",
        _masked_twice,
        "The second attention is masked too. The source has been read to its end before the first word is "
        "written: every token of the target may look at all of it.",
    ),
    Misconception(
        "across first",
        _across_first,
        "You look across first and back second. Here it is the other way round: first back at the target, "
        "then across to the source.",
    ),
    Misconception(
        "both at once",
        _both_at_once,
        "You add both attentions to the same Y. The second should ask with what the first has made: its "
        "queries come from the result of the first step.",
    ),
    Misconception(
        "never across",
        _never_across,
        "Z is never looked at: the second attention is one of the target to itself again. Keys and values "
        "come from Z there.",
    ),
    Misconception(
        "the source asks",
        _asked_by_the_source,
        "In your second attention the source asks and the target answers. It is the target that wants to "
        "know something: queries from it, keys and values from Z.",
    ),
    Misconception(
        "nothing added",
        _no_residual,
        "What attention finds takes the place of the tokens. Add it to them: `Y + look(...)`.",
    ),
    Misconception("no scale", _unscaled, "The scores are not scaled. Divide them by √d."),
]
