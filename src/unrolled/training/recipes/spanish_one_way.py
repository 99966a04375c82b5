"""English into Spanish through one vector, read in one direction only. Taught in chapter 2.

The encoder of `Spanish` reads in both directions, half of its state for each. Here one LSTM of the same state
reads from the first word to the last, or from the last to the first, as Sutskever et al. (2014) fed theirs.
What the two differ in is the order of the source alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from torch import nn

from unrolled.data.spanish import SOURCE_VOCABULARY, pairs
from unrolled.data.tokenizers import Words
from unrolled.training.options import option
from unrolled.training.recipes.spanish import SOURCE, Spanish, SpanishTask, arrived
from unrolled.training.translation_recipe import Architecture, ScoreName

__all__ = ["BackwardWords", "SpanishOneWay", "SpanishOneWayTask"]

_LONG = 28  # words: long enough to lose some, short enough to have been learned


class BackwardWords(Words):
    """Words of a text from its last to its first."""

    def encode(self, text: str) -> list[int]:
        """Return one id per word, the last word first."""
        return super().encode(text)[::-1]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text whose words, from the last to the first, have these ids."""
        return super().decode(list(ids)[::-1])


_BACKWARD = BackwardWords(SOURCE_VOCABULARY, lowercase=True, strict=True)


@dataclass(frozen=True, kw_only=True)
class SpanishOneWay(Spanish):
    """Options of the translation with an encoder that reads in one direction, without attention."""

    name = "spanish-one-way"
    about = "English into Spanish through one vector, by an encoder that reads in one direction"
    legend: ClassVar[Mapping[str, str]] = {
        **Spanish.legend,
        "arrived *": (
            f"share (0 to 1) of the nouns, verbs and adjectives of sentences of {_LONG} words whose "
            "counterpart is in the greedy translation, by fifth of the English sentence"
        ),
    }
    bidirectional = False

    steps: int = 3200
    score: ScoreName | None = None
    reads: Literal["forward", "backward"] = option("forward", "from which end")

    def __post_init__(self) -> None:
        """Refuse what has no one vector."""
        super().__post_init__()
        fixed: dict[str, Architecture | None] = {"architecture": "lstm", "score": None}
        for name, value in fixed.items():
            if getattr(self, name) != value:
                raise ValueError(f"{name}: expected {value or 'none'}, got {getattr(self, name)}")

    def task(self, data: Path | None = None) -> "SpanishOneWayTask":
        """Return the task; nothing is read from `data`, and no sentence is made before it is needed."""
        source = {"forward": SOURCE, "backward": _BACKWARD}[self.reads]
        return SpanishOneWayTask(self, source)


class SpanishOneWayTask(SpanishTask):
    """As `SpanishTask`, measured by place as well."""

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the figures of `SpanishTask`, and ``arrived 1`` to ``arrived 5``: see `arrived`."""
        tested = pairs(120, 11, _LONG, _LONG, "held_out")
        shares = arrived(tested, self.translate(model, [" ".join(pair.source) for pair in tested]))
        by_place = {f"arrived {fifth}": share for fifth, share in enumerate(shares.tolist(), 1)}
        return super().evaluate(model) | by_place
