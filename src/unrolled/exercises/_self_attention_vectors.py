"""Checks of chapter 4 whose answer is not a function: vectors, or a number, with a property asked for."""

import math

import torch
from torch import Tensor

from unrolled.exercises._said import apart, blank, describe, failed, passed, unattempted
from unrolled.exercises.result import Result
from unrolled.nn import attend, attention_scores, attention_weights

__all__ = ["check_only_itself", "check_symmetric_pair", "check_temperature"]


def _vectors(X: object, least: int) -> Tensor | Result:
    """Return X in float64, or the result that says why it cannot be used."""
    if blank(X):
        return unattempted("Replace the placeholder by a tensor X of shape [T, d].")
    wanted = f"a torch tensor X of shape [T, d] with T of at least {least}"
    if not isinstance(X, Tensor):
        return failed(f"Expected {wanted}, got {describe(X)}. `torch.tensor(...)` makes one of nested lists.")
    if X.dim() != 2 or X.shape[0] < least or X.shape[1] < 1:
        return failed(f"Expected {wanted}, got shape {list(X.shape)}.")
    if X.is_complex() or X.dtype == torch.bool:
        return failed(f"Expected real numbers in X, got {X.dtype}.")
    numbers = X.detach().to("cpu", torch.float64)
    bad = (~torch.isfinite(numbers)).nonzero()
    if len(bad):
        t, k = bad[0].tolist()
        return failed(f"Expected finite numbers in X, got X[{t}, {k}] = {numbers[t, k].item()}.")
    return numbers


def check_symmetric_pair(X: object, times: float = 3.0) -> Result:
    """Check X [2, d] for two tokens with one score between them but weights that differ by far.

    Scores are symmetric, s_12 = s_21; weights need not be: right is an X in which a_12 is
    at least `times` a_21.
    """
    X = _vectors(X, 2)
    if isinstance(X, Result):
        return X
    if len(X) > 2:
        return failed(f"Expected two tokens, got {len(X)}. Find it without a third that competes.")
    scores = attention_scores(X, X)
    weights = attention_weights(scores)
    there, back = float(weights[0, 1]), float(weights[1, 0])
    numbers = (
        f"scores[0, 1] = scores[1, 0] = {scores[0, 1]:.2f}, weights[0, 1] = {there:.3g} and weights[1, 0] = "
        f"{back:.3g}"
    )
    if there > 0 and there >= times * back:
        return passed(f"{numbers}. One score, two competitions: the two rows divide by different sums.")
    said = f"Expected weights[0, 1] to be at least {times:g} times weights[1, 0], got {numbers}."
    if there == back == 0:
        return failed(f"The own scores take everything. Make both vectors much shorter.\n{said}")
    if back >= times * there:
        return failed(f"It is the other way round: exchange the two rows.\n{said}")
    first, second = X.norm(dim=-1).tolist()
    if math.isclose(first, second, rel_tol=1e-6):
        return failed(
            f"Your vectors are equally long, which keeps the rows alike. Make the second longer.\n{said}"
        )
    which = "the second longer still" if second > first else "the second the longer of the two"
    return failed(
        f"Make {which}: the higher its own score, the less it leaves to the one they share.\n{said}"
    )


def check_only_itself(X: object, least: float = 0.99, longest: float = 3.0) -> Result:
    """Check X [T, d], T at least 3, for tokens that each attend to themselves with `least` or more.

    No vector may be longer than `longest`: with huge vectors almost any directions would do.
    """
    X = _vectors(X, 3)
    if isinstance(X, Result):
        return X
    lengths = X.norm(dim=-1)
    t = int(lengths.argmax())
    if lengths[t] > longest + 1e-6:
        got = apart(longest, float(lengths[t]), 2)[1]
        return failed(
            f"Expected vectors of length {longest:g} at most, got {got} for token {t}. Huge "
            "vectors make any competition one-sided; find directions that do it with short ones."
        )
    zeros = (lengths == 0).nonzero().flatten().tolist()
    if zeros:
        which = "All your vectors are" if len(zeros) == len(X) else f"X[{zeros[0]}] is"
        return failed(
            f"Expected every token to attend to itself with {least:g} or more. {which} zero: all scores with "
            "a zero vector are 0, so it attends to every token alike. Give it a length and a direction."
        )
    scores = attention_scores(X, X)
    weights = attention_weights(scores)
    own = weights.diagonal()
    t = int(own.argmin())
    if own[t] >= least:
        moved = (attend(weights, X) - X).norm(dim=-1).max()
        return passed(
            f"Every token attends to itself with at least {own[t]:.4f}, so attention changes next to "
            f"nothing: no vector moved by more than {moved:.3f}."
        )
    others = weights[t].clone()
    others[t] = -1
    r = int(others.argmax())
    hint = (
        "Two equal vectors always share: move them apart."
        if torch.allclose(X[t], X[r], atol=1e-6)
        else "The gap decides: a longer vector raises its own score, a wider angle lowers the other."
    )
    got = apart(least, float(own[t]), 3)[1]
    return failed(
        f"Expected every token to attend to itself with {least:g} or more, got {got} for token {t}. "
        f"It gives {weights[t, r]:.3f} to token {r}: score {scores[t, r]:.2f}, against {scores[t, t]:.2f} "
        f"with itself. {hint}"
    )


BEARS = torch.tensor([[0.0, 1.0, 3.0]], dtype=torch.float64)  # the scores of "bears" in "I love bears"


def check_temperature(temperature: object, share: float = 0.5, within: float = 0.005) -> Result:
    """Check the temperature at which "bears" of *I love bears* gives itself `share` of its attention."""
    if blank(temperature):
        return unattempted("Replace the placeholder by a number.")
    try:
        tau = float(temperature)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return failed(f"Expected a number, got {describe(temperature)}.")
    if not math.isfinite(tau) or tau == 0:
        return failed(f"Expected a finite temperature other than 0, got {tau}.")

    def own(factor: float) -> float:
        return float(attention_weights(factor * BEARS)[0, 2])

    got = own(1 / tau)
    if abs(got - share) <= within:
        return passed(
            f"At a temperature of {tau:g} the weights of “bears” are "
            f"{', '.join(f'{w:.2f}' for w in attention_weights(BEARS / tau)[0].tolist())}."
        )
    came = f"At a temperature of {tau:g} “bears” gives itself {apart(share, got, 3)[1]}, not {share:g}."
    if tau < 0:
        return failed(f"{came} A negative temperature turns the order round: the lowest score gets the most.")
    if abs(own(tau) - share) <= within:
        return failed(f"{came} You gave the factor c. The temperature divides the scores: it is 1/c.")
    if abs(got - own(1) / 2) <= within:
        return failed(f"{came} That is half of the {own(1):.3f} it gave itself, not half of its attention.")
    hint = "That is still too sharp: go higher." if got > share else "That is too even already: go lower."
    return failed(f"{came} {hint}")
