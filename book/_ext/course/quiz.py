"""The ``{quiz}`` directive: a question that answers without JavaScript.

Every choice is a ``<details>`` of one group: opening it shows what the book says to it, and closes the
others. The syntax is read by `tools.quiz_syntax`, which the notebook generator uses too.
"""

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from tools.quiz_syntax import QuizSyntaxError, parse_quiz


class _Part(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils ships no types
    """A part of a quiz."""


class quiz(_Part):
    """The question and its choices."""


class quiz_choice(_Part):
    """One choice: a `quiz_summary` and a `quiz_feedback`."""


class quiz_summary(_Part):
    """The text of a choice."""


class quiz_feedback(_Part):
    """What the book says when the choice is opened."""


class QuizDirective(SphinxDirective):
    """Read one quiz; a quiz nobody could answer is an error that names the line."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"label": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the question as nodes."""
        try:
            read = parse_quiz("\n".join(self.content), self.options.get("label"))
        except QuizSyntaxError as error:
            raise self.error(str(error)) from error
        place = quiz(ids=[read.label], label=read.label)
        self.set_source_info(place)
        self.state.document.note_explicit_target(place)
        place += self._parsed(read.question, nodes.container(classes=["quiz-question"]))
        for choice in read.choices:
            summary = quiz_summary()
            for child in self._parsed(choice.text, nodes.container()).children:
                summary += child.children if isinstance(child, nodes.paragraph) else [child]
            feedback = self._parsed(choice.feedback, quiz_feedback(right=choice.right))
            place += quiz_choice("", summary, feedback, group=read.label)
        return [place]

    def _parsed(self, text: str, into: nodes.Element) -> nodes.Element:
        lines = StringList(text.split("\n"), source=self.env.doc2path(self.env.docname))
        self.state.nested_parse(lines, self.content_offset, into)
        return into


def _visit_quiz(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append(self.starttag(node, "section", CLASS="quiz", **{"aria-label": "Question"}))
    self.body.append('<p class="box-title">Check yourself</p>\n')


def _visit_choice(self: HTML5Translator, node: nodes.Element) -> None:
    # One name for the group: the browser keeps at most one of them open.
    self.body.append(self.starttag(node, "details", name=node["group"], CLASS="quiz-choice"))


def _visit_feedback(self: HTML5Translator, node: nodes.Element) -> None:
    kind, mark = ("right", "✓ Right.") if node["right"] else ("wrong", "✗ Not quite.")
    self.body.append(f'<div class="quiz-feedback {kind}"><p class="quiz-verdict">{mark}</p>\n')


def setup(app: Sphinx) -> None:
    """Register the directive and how its nodes are written."""
    app.add_directive("quiz", QuizDirective)

    def close(tag: str) -> Any:
        return lambda self, node: self.body.append(f"</{tag}>\n")

    app.add_node(quiz, html=(_visit_quiz, close("section")))
    app.add_node(quiz_choice, html=(_visit_choice, close("details")))
    app.add_node(
        quiz_summary,
        html=(lambda self, node: self.body.append("<summary><span>"), close("span></summary")),
    )
    app.add_node(quiz_feedback, html=(_visit_feedback, close("div")))
