"""The syntax of a quiz question, read once for the book and for the notebooks.

    :label: quiz-symmetric
    Question text, with *markdown* and $math$.

    - [x] right choice :: why it is right
    - [ ] wrong choice :: why it is wrong

Markdown inside the question, the choices and the feedback is left as it stands: the book hands it to MyST,
the notebook generator to Colab.
"""

import re
from dataclasses import dataclass

__all__ = ["Choice", "Quiz", "QuizSyntaxError", "parse_quiz"]

_OPTION = re.compile(r"^:([\w-]+):\s*(.*)$")
_CHOICE = re.compile(r"^[-*] \[(.)\]\s+(.*)$")
_LABEL = re.compile(r"^[a-z][a-z0-9-]*$")
_SEPARATOR = re.compile(r"(?:^|\s)::(?:\s|$)")


class QuizSyntaxError(ValueError):
    """A quiz that a reader could not answer: the message says what was expected and what came."""


@dataclass(frozen=True)
class Choice:
    """One answer a reader may pick, and what the book says to it."""

    right: bool
    text: str
    feedback: str


@dataclass(frozen=True)
class Quiz:
    """A question with two or more choices, exactly one of them right."""

    label: str
    question: str
    choices: tuple[Choice, ...]


def parse_quiz(text: str, label: str | None = None) -> Quiz:
    """Return the quiz that `text`, the inside of a ``{quiz}`` fence, spells.

    Args:
        text: the lines between the fences, the ``:label:`` line included or not.
        label: the label when it was read already, as Sphinx does with a directive's options.

    Raises:
        QuizSyntaxError: no label, an unknown option, no question, a mark other than ``x`` or a blank, text
            after the choices, a choice without feedback, fewer than two choices, or not one right choice.
    """
    lines = text.strip("\n").split("\n")
    while lines and (option := _OPTION.match(lines[0])):
        if option[1] != "label":
            raise QuizSyntaxError(f"quiz: expected the option :label:, got :{option[1]}:")
        label = option[2].strip()
        lines.pop(0)
    if label is None or not _LABEL.match(label):
        raise QuizSyntaxError(
            f"quiz: expected a label of small letters, digits and hyphens such as quiz-softmax, got {label!r}"
        )
    question, marked = _split(lines, label)
    if not question:
        raise QuizSyntaxError(f"quiz {label}: expected a question before the choices, got none")
    choices = tuple(_choice(mark, body, label) for mark, body in marked)
    if len(choices) < 2:
        raise QuizSyntaxError(f"quiz {label}: expected at least two choices '- [ ] …', got {len(choices)}")
    if (right := sum(choice.right for choice in choices)) != 1:
        raise QuizSyntaxError(f"quiz {label}: expected exactly one right choice '- [x] …', got {right}")
    return Quiz(label, question, choices)


def _split(lines: list[str], label: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the question and, for every choice, its mark and its text on one line."""
    question: list[str] = []
    marked: list[tuple[str, str]] = []
    for line in lines:
        if found := _CHOICE.match(line):
            marked.append((found[1], found[2].strip()))
        elif not marked:
            question.append(line)
        elif line.strip() and line[0] in " \t":
            marked[-1] = (marked[-1][0], f"{marked[-1][1]} {line.strip()}".strip())
        elif line.strip():
            raise QuizSyntaxError(
                f"quiz {label}: expected only choices after the first choice, got {line.strip()!r}"
            )
    return "\n".join(question).strip(), marked


def _choice(mark: str, body: str, label: str) -> Choice:
    if mark not in "xX ":
        raise QuizSyntaxError(f"quiz {label}: expected '[x]' or '[ ]' before {body!r}, got '[{mark}]'")
    parts = [part.strip() for part in _SEPARATOR.split(body)]
    if len(parts) != 2 or not all(parts):
        raise QuizSyntaxError(f"quiz {label}: expected 'choice :: feedback', got {body!r}")
    return Choice(mark in "xX", parts[0], parts[1])
