"""The checks of chapter 12: how much a head is an induction head, and which letter it votes for.

>>> from unrolled.exercises.reading import check_votes
>>> check_votes(lambda found, W_o, U: found).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises.result import Result

__all__ = ["check_induction_score", "check_votes"]

# No letter comes more than twice, nor twice in a row.
SEQUENCES = [[0, 1, 2, 0, 1], [5, 3, 6, 1, 3, 0, 6], [4, 2, 7, 9, 1, 2, 7, 9, 3, 8, 4]]
HEADS = (3, 2, 5)
SIZES = [(3, 5, 7, 11), (2, 7, 5, 13)]  # heads, letters, width of a head, alphabet: different primes


def check_induction_score(fn: object) -> Result:
    """Check ``fn(weights, tokens)``: the mean weight of each head where an induction head would look.

    ``[H, T, T]`` and ``[T]`` -> ``[H]``: over all places whose letter has stood before, the weight on the
    letter that followed it then. No letter comes more than twice.
    """
    cases = []
    for n_heads, letters in zip(HEADS, SEQUENCES, strict=True):
        t = len(letters)
        past = torch.tril(torch.ones(t, t, dtype=torch.bool))
        scores = (2 * gaussian(n_heads, t, t)).masked_fill(~past, -torch.inf)
        cases.append(Case({"weights": torch.softmax(scores, -1), "tokens": torch.tensor(letters)}))
    return Exercise("scores", _induction, cases, SCORES).check(fn)


def _places(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return the places that ask, and where the same letter stood before."""
    same = (tokens[:, None] == tokens).tril(-1)
    return same.any(-1).nonzero()[:, 0], same.int().argmax(-1)[same.any(-1)]


def _induction(weights: Tensor, tokens: Tensor) -> Tensor:
    asks, earlier = _places(tokens)
    return weights[:, asks, earlier + 1].mean(-1)


def _elsewhere(offset: int) -> Callable[[Tensor, Tensor], Tensor]:
    def score(weights: Tensor, tokens: Tensor) -> Tensor:
        asks, earlier = _places(tokens)
        return weights[:, asks, earlier + offset].mean(-1)

    return score


def _over_all(weights: Tensor, tokens: Tensor) -> Tensor:
    asks, earlier = _places(tokens)
    return weights[:, asks, earlier + 1].sum(-1) / len(tokens)


def _turned(weights: Tensor, tokens: Tensor) -> Tensor:
    asks, earlier = _places(tokens)
    return weights[:, earlier + 1, asks].mean(-1)


def _summed(weights: Tensor, tokens: Tensor) -> Tensor:
    asks, earlier = _places(tokens)
    return weights[:, asks, earlier + 1].sum(-1)


SCORES = [
    Misconception(
        "the copy itself",
        _elsewhere(0),
        "You took the weight on the earlier copy of the letter. A head that looks there finds the letter it "
        "has already. An induction head looks one further: at what followed.",
    ),
    Misconception(
        "one before",
        _elsewhere(-1),
        "You took the weight on the letter before the earlier copy. What followed stands one after it.",
    ),
    Misconception(
        "over all places",
        _over_all,
        "You divided by the number of letters. Most of them have not stood before and ask nothing: the mean "
        "is over those that have.",
    ),
    Misconception("the sum", _summed, "You added the weights up. The score is their mean, between 0 and 1."),
    Misconception(
        "turned",
        _turned,
        "Rows and columns have changed places: a row is the place that looks, a column what is looked at.",
    ),
    Misconception(
        "the previous letter",
        lambda weights, tokens: weights.diagonal(-1, -2, -1).mean(-1),
        "That is the previous-token score: how much a head looks at the letter just before.",
    ),
    Misconception(
        "mean of the heads",
        lambda weights, tokens: _induction(weights, tokens).mean(),
        "You averaged over the heads as well. One score for each head is asked for.",
    ),
]


def check_votes(fn: object) -> Result:
    """Check ``fn(found, W_o, U)``: what each head adds to the logit of each letter.

    ``[H, T, K]``, ``[d, d]`` and ``[V, d]`` -> ``[H, T, V]``: what a head found, times its rows of `W_o`,
    times `U` transposed.
    """
    cases = []
    for n_heads, t, k, vocabulary in SIZES:
        d = n_heads * k
        inputs = {
            "found": gaussian(n_heads, t, k),
            "W_o": gaussian(d, d, seed=1),
            "U": gaussian(vocabulary, d, seed=2),
        }
        cases.append(Case(inputs))
    return Exercise("votes", _votes, cases, VOTES).check(fn)


def _votes(found: Tensor, W_o: Tensor, U: Tensor) -> Tensor:
    return found @ W_o.view(len(found), -1, W_o.shape[1]) @ U.T


def _interleaved(found: Tensor, W_o: Tensor, U: Tensor) -> Tensor:
    n_heads = len(found)
    return torch.stack([found[h] @ W_o[h::n_heads] @ U.T for h in range(n_heads)])


VOTES = [
    Misconception(
        "columns",
        lambda found, W_o, U: found @ W_o.unflatten(1, (len(found), -1)).permute(1, 2, 0) @ U.T,
        "You took the columns of `W_o` that belong to a head. Heads stand on the left of `W_o` and meet its "
        "rows; PyTorch's `nn.Linear` keeps the transposed matrix, and there they are columns.",
    ),
    Misconception(
        "one sum",
        lambda found, W_o, U: _votes(found, W_o, U).sum(0),
        "You added the heads up. Then nobody can tell who voted for what: return them apart, [H, T, V].",
    ),
    Misconception(
        "probabilities",
        lambda found, W_o, U: _votes(found, W_o, U).softmax(-1),
        "You took a softmax of each head's vote. Only logits add up to the model's; probabilities do not.",
    ),
    Misconception(
        "in the stream",
        lambda found, W_o, U: found @ W_o.unflatten(0, (len(found), -1)),
        "That is what each head writes into the stream, [H, T, d]. Which letter it speaks for is one step "
        "further: times `U` transposed.",
    ),
    Misconception(
        "interleaved",
        _interleaved,
        "You gave head h every H-th row of `W_o`. The rows of a head stand together: K of them, from h K on.",
    ),
    Misconception(
        "the first rows for all",
        lambda found, W_o, U: found @ W_o[: found.shape[-1]] @ U.T,
        "All of your heads write by the first K rows of `W_o`. Each head has rows of its own.",
    ),
]
