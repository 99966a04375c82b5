"""The checks of chapter 11: BERT's masking rule, and WordPiece's longest match first.

Each takes what the learner made and returns a `Result`; see `unrolled.exercises.self_attention`.
"""

from collections.abc import Collection

import torch
from torch import Tensor

from unrolled.data.special_tokens import SPECIAL
from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian, ids
from unrolled.exercises._said import blank, describe, failed, passed, unattempted
from unrolled.exercises.result import Result

__all__ = ["check_fate", "check_greedy"]

# B and T are different primes, so that no wrong axis fits by chance.
SHAPES = [(5, 31), (7, 23)]
VOCABULARY = 29
WORD = "unbearable"


def _words(*shape: int) -> Tensor:
    return ids(VOCABULARY, *shape, low=len(SPECIAL))


def check_fate(fn: object) -> Result:
    """Check ``fn(tokens, chosen, fate, words)``: what the model sees with BERT's 80/10/10, all [B, T]."""
    cases = []
    for shape in SHAPES:
        fate = gaussian(*shape, seed=3).erf().add(1).div(2)  # between 0 and 1
        chosen = gaussian(*shape, seed=2) < 0
        # Some of either kind in each of the three parts, whatever was drawn.
        fate[0, :6] = torch.tensor([0.1, 0.85, 0.95] * 2, dtype=fate.dtype)
        chosen[0, :6] = torch.tensor([True] * 3 + [False] * 3)
        tokens = _words(*shape)
        words = (tokens - len(SPECIAL) + 1) % (VOCABULARY - len(SPECIAL)) + len(SPECIAL)  # never the same
        cases.append(Case({"tokens": tokens, "chosen": chosen, "fate": fate, "words": words}))
    return Exercise("what the model sees", _fate, cases, FATES).check(fn)


def check_greedy(pieces: object) -> Result:
    """Check a set of pieces that spell *unbearable*, and with which longest match first gives it up."""
    from tokenizers.models import WordPiece

    if blank(pieces):
        return unattempted("Replace the placeholder by your pieces.")
    if isinstance(pieces, str) or not isinstance(pieces, Collection):
        return failed(f"Expected a set of pieces, got {describe(pieces)}.")
    odd = next((p for p in pieces if not isinstance(p, str) or not p.removeprefix("##")), None)
    if odd is not None:
        return failed(f"Expected pieces of one letter or more, got {odd!r}.")
    names = ["[UNK]", *sorted(set(pieces) - {"[UNK]"})]
    model = WordPiece({name: i for i, name in enumerate(names)}, unk_token="[UNK]")
    found = [token.value for token in model.tokenize(WORD)]
    spelled = _spell(WORD, set(pieces))
    if spelled is None:
        bare = {p.removeprefix("##") for p in pieces}
        if _spell(WORD, bare | {f"##{p}" for p in bare}):
            return failed(
                f"Your pieces spell {WORD!r} only if ## is forgotten: a piece that goes on a word is looked "
                "up with ## in front, and one that begins it without."
            )
        return failed(
            f"No choice of your pieces spells {WORD!r}: then [UNK] is the right answer. They must spell it, "
            "and longest match first must miss it."
        )
    if found != ["[UNK]"]:
        return failed(
            f"Longest match first spells it with your pieces: {' '.join(found)}. It must take a piece that "
            "is longer than it should be, and be left with a rest that no piece begins."
        )
    first = max((p for p in pieces if WORD.startswith(p)), key=len)
    return passed(
        f"{' '.join(spelled)} would do. Longest match first takes {first!r} for a beginning, cannot finish, "
        "and does not go back."
    )


def _spell(rest: str, pieces: set[str], inside: bool = False) -> list[str] | None:
    """Return pieces that make up `rest`, found by trying every one that begins it, or None."""
    if not rest:
        return []
    for end in range(1, len(rest) + 1):
        piece = ("##" if inside else "") + rest[:end]
        if piece in pieces and (more := _spell(rest[end:], pieces, True)) is not None:
            return [piece, *more]
    return None


def _fate(tokens: Tensor, chosen: Tensor, fate: Tensor, words: Tensor) -> Tensor:
    seen = tokens.masked_fill(chosen & (fate < 0.8), SPECIAL.mask)
    return torch.where(chosen & (fate >= 0.9), words, seen)


FATES = [
    Misconception(
        "unchanged",
        lambda tokens, chosen, fate, words: tokens,
        "The tokens are as they were. The chosen ones must be hidden, replaced or kept, as `fate` says.",
    ),
    Misconception(
        "always hidden",
        lambda tokens, chosen, fate, words: tokens.masked_fill(chosen, SPECIAL.mask),
        "You hid all chosen words. Of ten of them BERT hides eight.",
    ),
    Misconception(
        "all words",
        lambda tokens, chosen, fate, words: torch.where(
            fate >= 0.9, words, tokens.masked_fill(fate < 0.8, SPECIAL.mask)
        ),
        "You let `fate` decide about all words. 80, 10 and 10 are shares of the chosen ones; others stay.",
    ),
    Misconception(
        "random words anywhere",
        lambda tokens, chosen, fate, words: torch.where(
            fate >= 0.9, words, tokens.masked_fill(chosen & (fate < 0.8), SPECIAL.mask)
        ),
        "You put random words in places that were not chosen. The model is not asked there: it would be told "
        "something wrong for nothing.",
    ),
    Misconception(
        "no word stays",
        lambda tokens, chosen, fate, words: torch.where(
            chosen & (fate >= 0.8), words, tokens.masked_fill(chosen & (fate < 0.8), SPECIAL.mask)
        ),
        "With you no chosen word stays as it is: that is 80/20/0. Between 0.8 and 0.9 the word stays.",
    ),
    Misconception(
        "no random word",
        lambda tokens, chosen, fate, words: tokens.masked_fill(chosen & (fate < 0.8), SPECIAL.mask),
        "With you no word is replaced by another: that is 80/0/20. From 0.9 on, take the random word.",
    ),
    Misconception(
        "stays and random exchanged",
        lambda tokens, chosen, fate, words: torch.where(
            chosen & (fate >= 0.8) & (fate < 0.9),
            words,
            tokens.masked_fill(chosen & (fate < 0.8), SPECIAL.mask),
        ),
        "The shares are right, but the last two are exchanged: between 0.8 and 0.9 the word stays, from 0.9 "
        "on it becomes the random one.",
    ),
]
