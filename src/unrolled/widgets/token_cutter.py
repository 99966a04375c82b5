"""The token cutter: any text cut into pieces, merge by merge. Used in the interlude."""

import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import traitlets

from unrolled.data.tokenizers import byte_alphabet, gpt2_words
from unrolled.widgets.base import Widget, table_html

__all__ = ["TokenCutter", "visible"]

LONGEST = 600
"""Characters of a text."""

_SHOWN = {" ": "␣", "\n": "↵", "\t": "⇥"}


class TokenCutter(Widget):
    """Byte-pair encoding at work: the reader types, and a slider says how many merges have been learned.

    A text is cut into words as GPT-2 does, each word into its bytes, and then neighbours are merged, the
    earliest rule first. The ids are those of `BytePairs.encode`. Taught in the interlude.

    Args:
        merges: the rules in their order, ``(left, right, made)``, as `BytePairs.merges` gives them.
        text: to begin with, at most 600 characters.
        n_special: how many ids at the front are special tokens, which nobody can type.
        rules: how many of the rules are applied to begin with; all unless given.
        title: a heading, if any.

    Raises:
        ValueError: the rules are not numbered one after another behind special tokens and bytes, use what no
            earlier one has made, or the text or the number of rules is out of range.
    """

    name: ClassVar[str] = "token-cutter"

    merges = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    byte_ids = traitlets.List(traitlets.Int()).tag(sync=True)
    first = traitlets.Int().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    rules = traitlets.Int().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        merges: Sequence[tuple[int, int, int]],
        text: str,
        *,
        n_special: int = 5,
        rules: int | None = None,
        title: str | None = None,
    ) -> None:
        first = n_special + 256
        for n, (left, right, made) in enumerate(merges):
            if made != first + n or not all(n_special <= part < made for part in (left, right)):
                raise ValueError(
                    f"merges: expected rule {n} to make token {first + n} of two between {n_special} and "
                    f"{first + n - 1}, got {(left, right, made)}"
                )
        place = {byte: n_special + n for n, byte in enumerate(byte_alphabet().values())}
        super().__init__(
            merges=[[int(left), int(right)] for left, right, _ in merges],
            byte_ids=[place[byte] for byte in range(256)],
            first=first,
            text=text,
            rules=len(merges) if rules is None else rules,
            title=title or "",
        )

    @traitlets.validate("text")
    def _check_text(self, proposal: Any) -> Any:
        if len(proposal["value"]) > LONGEST:
            raise ValueError(f"text: expected at most {LONGEST} characters, got {len(proposal['value'])}")
        return proposal["value"]

    @traitlets.validate("rules")
    def _check_rules(self, proposal: Any) -> Any:
        if not 0 <= proposal["value"] <= len(self.merges):
            raise ValueError(f"rules: expected 0 to {len(self.merges)}, got {proposal['value']}")
        return proposal["value"]

    def cut(self) -> list[tuple[int, bytes]]:
        """Return the tokens of the text by the rules applied: each one's id and its bytes."""
        ranks = {(left, right): n for n, (left, right) in enumerate(self.merges[: self.rules])}
        meaning = {i: bytes([byte]) for byte, i in enumerate(self.byte_ids)}
        for n, (left, right) in enumerate(self.merges):
            meaning[self.first + n] = meaning[left] + meaning[right]
        cut: list[tuple[int, bytes]] = []
        for word in gpt2_words(self.text):
            ids = [self.byte_ids[byte] for byte in word.encode("utf-8", "replace")]
            while known := [ranks[pair] for pair in pairwise(ids) if pair in ranks]:
                ids = _merged(ids, self.merges[min(known)], self.first + min(known))
            cut += [(i, meaning[i]) for i in ids]
        return cut

    def fallback_html(self) -> str:
        """Return the tokens, their ids and how many bytes each has, as a table."""
        cut = self.cut()
        caption = (
            f"The text in {len(cut)} tokens by {self.rules} of {len(self.merges)} merges. "
            "Each row: a token, its id and its bytes."
        )
        return table_html(caption, ["id", "bytes"], [(visible(b), [i, len(b)]) for i, b in cut], digits=0)


def _merged(ids: list[int], pair: Sequence[int], made: int) -> list[int]:
    out: list[int] = []
    for i in ids:
        if out and [out[-1], i] == list(pair):
            out[-1] = made
        else:
            out.append(i)
    return out


def visible(piece: bytes) -> str:
    """Return a token that can be seen; js/tokens.mjs does the same."""
    try:
        text = piece.decode("utf-8")
    except UnicodeDecodeError:
        return piece.hex(" ").upper()
    shown = "".join(_shown(character) for character in text)
    return f"◌{shown}" if unicodedata.category(text[0]).startswith("M") else shown


def _shown(character: str) -> str:
    if character in _SHOWN:
        return _SHOWN[character]
    unseen = unicodedata.category(character) in ("Cc", "Cf", "Co", "Zs", "Zl", "Zp")
    return f"‹U+{ord(character):04X}›" if unseen else character
