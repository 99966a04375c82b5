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
from sphinx.writers.latex import LaTeXTranslator

from tools.quiz_syntax import QuizSyntaxError, parse_quiz
from tools.words import Words

from .words import wording


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
    say = wording(self.builder)
    # The style sheet says on paper that the answers are elsewhere.
    said = {"aria-label": say("quiz.label"), "data-printed": say("quiz.printed")}
    self.body.append(self.starttag(node, "section", CLASS="quiz", **said))
    self.body.append(f'<p class="box-title">{say.html("quiz.title")}</p>\n')


def _visit_choice(self: HTML5Translator, node: nodes.Element) -> None:
    # One name for the group: the browser keeps at most one of them open. Without a group all stand open.
    group = {"name": node["group"]} if "group" in node else {"open": "open"}
    self.body.append(self.starttag(node, "details", CLASS="quiz-choice", **group))


def _visit_feedback(self: HTML5Translator, node: nodes.Element) -> None:
    kind, mark = ("right", "✓") if node["right"] else ("wrong", "✗")
    said = _verdict(wording(self.builder), node)
    self.body.append(
        f'<div class="quiz-feedback {kind}"><p class="quiz-verdict">{mark} {self.encode(said)}</p>\n'
    )


def _verdict(say: Words, node: nodes.Element) -> str:
    return say("quiz.right") if node["right"] else say("quiz.wrong")


def _visit_quiz_latex(self: LaTeXTranslator, node: nodes.Element) -> None:
    say = wording(self.builder)
    title = self.encode(say("quiz.title"))
    self.body.append(f"\n\\par\\noindent\\textbf{{{title}.}}\n")


def _visit_feedback_latex(self: LaTeXTranslator, node: nodes.Element) -> None:
    self.body.append(rf"\par\textit{{{self.encode(_verdict(wording(self.builder), node))}}} ")


def setup(app: Sphinx) -> None:
    """Register the directive and how its nodes are written: as folds on a page, in a row on paper."""
    app.add_directive("quiz", QuizDirective)

    def close(tag: str) -> Any:
        return lambda self, node: self.body.append(f"</{tag}>\n")

    def writes(text: str) -> Any:
        return lambda self, node: self.body.append(text)

    def nothing(self: Any, node: nodes.Element) -> None:
        """Leave the children as they are."""

    plain: dict[str, Any] = dict.fromkeys(("text", "man", "texinfo"), (nothing, nothing))
    app.add_node(
        quiz,
        html=(_visit_quiz, close("section")),
        latex=(_visit_quiz_latex, nothing),
        **plain,
    )
    app.add_node(
        quiz_choice,
        html=(_visit_choice, close("details")),
        latex=(writes("\n\\begin{itemize}\n\\item "), writes("\n\\end{itemize}\n")),
        **plain,
    )
    app.add_node(
        quiz_summary,
        html=(writes("<summary><span>"), close("span></summary")),
        latex=(nothing, nothing),
        **plain,
    )
    app.add_node(
        quiz_feedback,
        html=(_visit_feedback, close("div")),
        latex=(_visit_feedback_latex, nothing),
        **plain,
    )
