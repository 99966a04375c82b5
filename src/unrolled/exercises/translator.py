"""The checks of chapter 9, encoder and decoder.

>>> from unrolled.exercises.translator import check_smoothed_loss
>>> check_smoothed_loss(lambda logits, answers: logits.sum()).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises._smoothing import check_smoothed_loss
from unrolled.exercises.result import Result
from unrolled.nn import attend, attention_scores, attention_weights, causal_mask

__all__ = ["check_beam_step", "check_decoder_layer", "check_smoothed_loss"]


def look(x: Tensor, source: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attend from `x` to `source` without matrices, ``[..., T, d]``; softmax(x sourceᵀ / √d) source."""
    return attend(attention_weights(attention_scores(x, source, scale=x.shape[-1] ** -0.5), mask), source)


def norm(x: Tensor) -> Tensor:
    """Normalise every vector, without gain and bias."""
    return layer_norm(x, x.shape[-1:])


def back(Y: Tensor) -> Tensor:
    """Let each token of the target look at itself and at those before it."""
    return look(Y, Y, causal_mask(Y.shape[-2]))


def decoder_layer(Y: Tensor, Z: Tensor) -> Tensor:
    """Look back, look across, ``[..., T, d]``; each added to what was there, then normalised."""
    Y = norm(Y + back(Y))
    return norm(Y + look(Y, Z))


def check_decoder_layer(fn: object) -> Result:
    """Check ``fn(Y, Z)``: look back, then across, [..., T, d] and [..., S, d] -> [..., T, d]."""
    cases = [
        Case({"Y": gaussian(*front, T, d), "Z": gaussian(*front, S, d, seed=1)}, batched=bool(front))
        for *front, T, S, d in [(5, 7, 11), (7, 3, 5), (3, 5, 2, 7)]
    ]
    return Exercise("targets", decoder_layer, cases, LAYERS).check(fn)


def _no_residual(Y: Tensor, Z: Tensor) -> Tensor:
    Y = norm(back(Y))
    return norm(look(Y, Z))


def _across_first(Y: Tensor, Z: Tensor) -> Tensor:
    Y = norm(Y + look(Y, Z))
    return norm(Y + back(Y))


def _pre_norm(Y: Tensor, Z: Tensor) -> Tensor:
    Y = Y + back(norm(Y))
    return Y + look(norm(Y), Z)


def _unmasked(Y: Tensor, Z: Tensor) -> Tensor:
    Y = norm(Y + look(Y, Y))
    return norm(Y + look(Y, Z))


def _masked_twice(Y: Tensor, Z: Tensor) -> Tensor:
    Y = norm(Y + back(Y))
    mask = torch.ones(Y.shape[-2], Z.shape[-2], dtype=torch.bool).tril()
    return norm(Y + look(Y, Z, mask))


def _never_across(Y: Tensor, Z: Tensor) -> Tensor:
    Y = norm(Y + back(Y))
    return norm(Y + look(Y, Y))


def _both_at_once(Y: Tensor, Z: Tensor) -> Tensor:
    return norm(Y + back(Y) + look(Y, Z))


def _unscaled(Y: Tensor, Z: Tensor) -> Tensor:
    Y = norm(Y + torch.softmax((Y @ Y.mT).masked_fill(~causal_mask(Y.shape[-2]), -torch.inf), -1) @ Y)
    return norm(Y + torch.softmax(Y @ Z.mT, -1) @ Z)


def _asked_by_the_source(Y: Tensor, Z: Tensor) -> Tensor:
    Y = norm(Y + back(Y))
    return norm(Z + look(Z, Y))


LAYERS = [
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
        "What attention finds takes the place of the tokens. Add it to them: `norm(Y + ...)`.",
    ),
    Misconception(
        "pre-norm",
        _pre_norm,
        "You normalise what goes into each attention, pre-norm. The model of 2017 normalises the sum that "
        "comes out of each step.",
    ),
    Misconception("no scale", _unscaled, "The scores are not scaled. Divide them by √d."),
]


def beam_step(totals: Tensor, log_p: Tensor) -> Tensor:
    """Return the k best continuations, (beam, word) each: ``[..., k], [..., k, V] -> [..., k, 2]``."""
    words = log_p.shape[-1]
    best = (totals[..., None] + log_p).flatten(-2).topk(totals.shape[-1], dim=-1).indices
    return torch.stack([best // words, best % words], dim=-1)


def check_beam_step(fn: object) -> Result:
    """Check ``fn(totals, log_p)``: the k best of all k·V continuations, ids (beam, word), best first."""
    cases = [
        Case(
            {
                "totals": 3 * gaussian(*front, k, seed=7) - 5,
                "log_p": gaussian(*front, k, words, seed=7).log_softmax(-1),
            },
            batched=bool(front),
        )
        for *front, k, words in [(3, 7), (2, 11), (5, 3, 7)]
    ]
    return Exercise("continuations", beam_step, cases, BEAMS).check(fn)


def _each_its_own(totals: Tensor, log_p: Tensor) -> Tensor:
    words = log_p.argmax(-1)
    return torch.stack([torch.arange(words.shape[-1]).expand_as(words), words], dim=-1)


BEAMS = [
    Misconception(
        "each its own",
        _each_its_own,
        "You took the best word of each beam. A beam whose continuations are all poor should go, and a good "
        "one may go on twice: compare all k·V of them.",
    ),
    Misconception(
        "past forgotten",
        lambda totals, log_p: beam_step(torch.zeros_like(totals), log_p),
        "You compared the last words alone. What a beam has collected before, `totals`, belongs to it: "
        "add it.",
    ),
    Misconception(
        "multiplied",
        lambda totals, log_p: beam_step(torch.zeros_like(totals), totals[..., None] * log_p),
        "You multiplied logarithms. Probabilities are multiplied; their logarithms are added.",
    ),
    Misconception(
        "word first",
        lambda totals, log_p: beam_step(totals, log_p).flip(-1),
        "The columns are the wrong way round: first the beam, then the word.",
    ),
    Misconception(
        "worst first",
        lambda totals, log_p: beam_step(totals, log_p).flip(-2),
        "The right ones in the wrong order: the best comes first.",
    ),
    Misconception(
        "the least likely",
        lambda totals, log_p: beam_step(-totals, -log_p),
        "Those are the least likely continuations. A logarithm of a probability is the better the nearer it "
        "is to zero: take the largest.",
    ),
    Misconception(
        "flat places",
        lambda totals, log_p: (totals[..., None] + log_p).flatten(-2).topk(totals.shape[-1], dim=-1).indices,
        "These are places in the flattened table. Divide each by V: the quotient is the beam, the rest is "
        "the word.",
    ),
]
