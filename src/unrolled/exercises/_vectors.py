"""Checks of chapter 4 whose answer is not a function but vectors: X with a property asked for."""

import torch
from torch import Tensor

from unrolled.exercises._check import blank, describe, failed, passed, unattempted
from unrolled.exercises.result import Result
from unrolled.nn import attend, attention_scores, attention_weights

__all__ = ["check_only_itself", "check_symmetric_pair"]


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


def check_symmetric_pair(X: object, least: float = 0.1) -> Result:
    """Check X [T, d] for two tokens with one score between them but different weights.

    Scores are symmetric, s_ij = s_ji; weights need not be: right is an X in which
    a_ij and a_ji differ by at least `least` for some pair.
    """
    X = _vectors(X, 2)
    if isinstance(X, Result):
        return X
    scores = attention_scores(X, X)
    weights = attention_weights(scores)
    gap = (weights - weights.mT).abs()
    i, j = divmod(int(gap.argmax()), len(X))
    if weights[i, j] < weights[j, i]:
        i, j = j, i
    if i == j:  # all gaps are exactly zero
        i, j = 0, 1
    numbers = (
        f"scores[{i}, {j}] = scores[{j}, {i}] = {scores[i, j]:.2f}, but weights[{i}, {j}] = "
        f"{weights[i, j]:.2f} and weights[{j}, {i}] = {weights[j, i]:.2f}."
    )
    if gap.max() >= least:
        return passed(f"{numbers} One score, two competitions: row {i} and row {j} divide by different sums.")
    lengths = X.norm(dim=-1)
    hint = "Give one of the two a rival that the other does not have."
    alike = torch.allclose(lengths, lengths[:1], atol=1e-6)
    if len(X) == 2:  # no room for a rival: only the lengths are left
        hint = _which_length(X, least, alike)
    elif alike:
        hint = "All your vectors are equally long, which keeps the rows alike. Make one of them longer."
    close = numbers.replace(", but ", "; ")
    return failed(
        f"Expected two tokens whose weights differ by at least {least:g}, got {gap.max():.3f} at most: "
        f"{close} {hint}"
    )


def _which_length(X: Tensor, least: float, alike: bool) -> str:
    """Return which of two vectors to make longer or shorter: what works when it is tried."""

    def helps(row: int, factors: tuple[float, ...]) -> bool:
        for factor in factors:
            tried = X.clone()
            tried[row] *= factor
            weights = attention_weights(attention_scores(tried, tried))
            if (weights - weights.mT).abs().max() >= least:
                return True
        return False

    longer = int(X.norm(dim=-1).argmax())
    if helps(longer, (1.25, 1.5, 2.0, 3.0)):
        if alike:
            return "Your vectors are equally long, which keeps the rows alike. Make one of them longer."
        return "Make the longer of the two longer still: its own score then outweighs the shared one."
    if helps(1 - longer, (0.5, 0.25, 0.1, 0.01, 0.001)):
        which = "one of them shorter" if alike else "the shorter of the two shorter still"
        return (
            f"At these lengths the own scores take nearly all. Make {which}, so the shared one gets a part."
        )
    return "Try two vectors that point apart, one about twice as long as the other."


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
        return failed(
            f"Expected vectors of length {longest:g} at most, got {lengths[t]:.2f} for token {t}. Huge "
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
    return failed(
        f"Expected every token to attend to itself with {least:g} or more, got {own[t]:.3f} for token {t}. "
        f"It gives {weights[t, r]:.3f} to token {r}: score {scores[t, r]:.2f}, against {scores[t, t]:.2f} "
        f"with itself. {hint}"
    )
