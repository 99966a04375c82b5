"""What a check answers: passed, not yet, or not attempted, with a message, wherever it is shown.

Used from chapter 1 on.
"""

import re
from dataclasses import dataclass
from html import escape
from typing import Literal

__all__ = ["Result"]

State = Literal["passed", "failed", "unattempted"]

HEADINGS: dict[State, str] = {"passed": "Right.", "failed": "Not yet.", "unattempted": "Not attempted yet:"}
SIGNS: dict[State, str] = {"passed": "✓", "failed": "✗", "unattempted": "○"}
# Of middle lightness: each stands out on a white and on a dark page by at least 3:1.
COLOURS: dict[State, str] = {"passed": "#1f8a5b", "failed": "#cf5a12", "unattempted": "#7a7a7a"}


@dataclass(frozen=True, repr=False)
class Result:
    """The outcome of a check.

    A check never raises because of what a learner wrote, so a notebook with open exercises runs from top
    to bottom. The last line of a cell shows the result; `print` and a plain terminal show the same words.

    Attributes:
        passed: whether the answer is right.
        attempted: whether there was an answer at all.
        message: what is right or wrong, in plain text, with what was expected and what came.

    Example:
        >>> from unrolled.exercises.self_attention import check_weights
        >>> print(check_weights(None))
        ○ Not attempted yet: Replace the placeholder by your function.
    """

    passed: bool
    attempted: bool
    message: str

    @property
    def state(self) -> State:
        """The outcome in one word."""
        if not self.attempted:
            return "unattempted"
        return "passed" if self.passed else "failed"

    def __str__(self) -> str:
        return f"{SIGNS[self.state]} {HEADINGS[self.state]} {self.message}"

    # A notebook that shows no HTML falls back on the repr: it should read like the rest.
    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return one box, styled inline because Colab and the book share no style sheet; all text escaped."""
        state = self.state
        message = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(self.message))
        return (
            f'<div class="unrolled-check" data-state="{state}" style="border-left:4px solid {COLOURS[state]};'
            'padding:.25em .8em;margin:.5em 0;white-space:pre-line;overflow-wrap:anywhere">'
            f'<strong><span aria-hidden="true">{SIGNS[state]} </span>{HEADINGS[state]}</strong> '
            f"{message}</div>"
        )

    def _repr_markdown_(self) -> str:
        """Return the same as a quotation, with everything that Markdown would read as markup escaped."""
        text = re.sub(r"([\\`*_\[\]<>#$|~&])", r"\\\1", self.message).replace("\n", "  \n> ")
        return f"> **{SIGNS[self.state]} {HEADINGS[self.state]}** {text}"
