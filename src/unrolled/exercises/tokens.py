"""The checks of the interlude: words cut by GPT-2's rule, a tie, and from ids back to a text.

>>> from unrolled.exercises.tokens import check_cut
>>> check_cut(["two", "spaces"]).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from unrolled.data.tokenizers import byte_alphabet, gpt2_words
from unrolled.exercises._said import attempt, blank, describe, failed, passed, refusal, unattempted
from unrolled.exercises.result import Result

__all__ = ["LINE", "check_cut", "check_decode", "check_tie"]

LINE = "  two  bears, it's 1812"
"""What `check_cut` asks for."""

_PIECES = {
    5: b"b",
    7: b"ears",
    11: b" ",
    13: "Grü".encode()[:3],  # the first of the two bytes of ü
    17: "ü".encode()[1:] + "ße".encode(),
    19: "🐻".encode()[:1],
    23: "🐻".encode()[1:],
    29: b" honey",
}
_CASES = [[5, 7], [13, 17, 29], [19, 23, 11, 5, 7], [13], [29, 19], []]


def check_cut(words: object) -> Result:
    """Check a list of the words into which GPT-2's rule cuts `LINE`."""
    if blank(words):
        return unattempted("Replace the placeholder by your list of words.")
    if isinstance(words, str) or not isinstance(words, Sequence):
        return failed(f"Expected a list of words, got {describe(words)}.")
    expected, got = gpt2_words(LINE), list(words)
    if got == expected:
        return passed(f"{expected}: every character is in exactly one word, so nothing is lost.")
    if any(not isinstance(word, str) or not word for word in got):
        return failed("Expected words of one character or more.")
    if "".join(got) != LINE:
        if "".join(got) == LINE.replace(" ", ""):
            said = "The spaces are gone. Here no character is thrown away: a space belongs to a word too."
        else:
            said = f"Put together, your words are {''.join(got)!r}, and the line is {LINE!r}."
        return failed(said)
    told = {
        "  two": "Only one space goes with the word behind it; the others are a word by themselves.",
        "  ": "White space stops one character early when a word follows: the last space goes with the word.",
        "it's": "The rule takes endings such as 's first, as words of their own, also behind letters.",
        " bears,": "Letters and other marks never share a word.",
        "1": "Digits that stand together are one word in GPT-2's rule.",
    }
    wrong = next((told[word] for word in got if word in told and word not in expected), "")
    place = next(i for i, pair in enumerate(zip(got, expected, strict=False)) if pair[0] != pair[1])
    end = f"Word {place + 1}: expected another than {got[place]!r}."
    return failed(f"{wrong}\n{end}" if wrong else end)


def check_tie(text: object) -> Result:
    """Check a text whose first merge depends on which of equally frequent pairs is taken."""
    if blank(text):
        return unattempted("Replace the placeholder by your text.")
    if not isinstance(text, str):
        return failed(f"Expected a text, got {describe(text)}.")
    if len(text) > 5:
        return failed(f"Expected five characters or fewer, got {len(text)}.")
    if printed := sorted(set(text) & set("bears bed") - {" "}):
        return failed(f"Expected other letters than those of the line on the page, got {', '.join(printed)}.")
    if not text.isascii() or not text.isprintable():
        return failed("Expected letters, spaces and marks of English, which are one byte each.")
    counts = Counter(pair for word in gpt2_words(text) for pair in pairwise(word))
    if not counts:
        return failed("No word of your text has two characters, so there is nothing to merge.")
    most = max(counts.values())
    if most == 1:
        return failed("No pair of your text comes twice, so nothing is merged.")
    tied = [pair for pair, n in counts.items() if n == most]  # in the order in which they were seen
    if len(tied) == 1:
        return failed(
            f"There is no tie: {_shown(tied[0])} comes {most} times and every other pair less often, so both "
            "rules take it."
        )
    place = {chr(byte): i for i, byte in enumerate(byte_alphabet().values())}
    smallest = min(tied, key=lambda pair: (place[pair[0]], place[pair[1]]))
    if smallest == tied[0]:
        return failed(
            f"There is a tie of {len(tied)} pairs, and both rules take {_shown(smallest)}: it is the first "
            "seen and has the smallest ids too. Let a pair with larger ids come first."
        )
    return passed(
        f"{len(tied)} pairs come {most} times. First seen is {_shown(tied[0])}, the smallest ids has "
        f"{_shown(smallest)}: from here on the two vocabularies differ."
    )


def check_decode(fn: object) -> Result:
    """Check ``fn(ids, pieces)``: the text of a list of ids, each of which stands for some bytes."""
    if refused := refusal(fn, ["ids", "pieces"]):
        return refused
    assert callable(fn)
    for ids in _CASES:
        case = f"for the pieces {[_PIECES[i] for i in ids]}"
        got, ended = attempt(fn, list(ids), dict(_PIECES), case=case)
        if ended:
            return ended
        expected = b"".join(_PIECES[i] for i in ids).decode("utf-8", errors="replace")
        if got == expected:
            continue
        end = f"{case[0].upper()}{case[1:]}: expected {expected!r}, got "
        end += f"{got!r:.60}." if isinstance(got, str) else f"{describe(got)}."
        known = {wrong: said for said, wrong in _mistakes(ids, _PIECES).items()}
        told = known.get(got, "") if isinstance(got, str) else ""
        return failed(f"{told}\n{end}" if told else end)
    return passed(
        "Right for letters, for a ü and a bear in two pieces each, and for a text that ends too early."
    )


def _mistakes(ids: Collection[int], pieces: Mapping[int, bytes]) -> dict[str, str]:
    """Return what comes out where it is done wrong, by what to say of it."""
    parts = [pieces[i] for i in ids]
    return {
        "You put spaces between the pieces. The spaces are in the pieces already.": b" ".join(parts).decode(
            errors="replace"
        ),
        "You read each byte as a character. That is right for English letters only: put the bytes together "
        "and read them as UTF-8.": b"".join(parts).decode("latin-1"),
        "You left out what is no whole character. A reader should see that something is missing: "
        'errors="replace" writes � for it.': b"".join(parts).decode(errors="ignore"),
        "You read each piece as a text of its own. A character may begin in one piece and end in the next: "
        "put all bytes together first.": "".join(part.decode(errors="replace") for part in parts),
    }


def _shown(pair: tuple[str, str]) -> str:
    return " + ".join("␣" if character == " " else character for character in pair)
