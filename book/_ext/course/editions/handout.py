"""The handout: the book without solutions, and its quizzes without the answers."""

from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform

from tools.notebooks.generate import generate
from tools.notebooks.handout import HANDOUT
from tools.notebooks.labels import Book
from tools.words import Words

from ..links import Links, links
from ..quiz import quiz, quiz_choice, quiz_summary
from .edition import Edition
from .exercises import is_solution_fold
from .pages import keep_only

_FOR_TEACHERS = {"teaching"}


class WithoutAnswers(SphinxPostTransform):
    """Take the answers out of a page before anything is made of it: its text, its formulas, its search."""

    default_priority = 2

    def run(self, **kwargs: Any) -> None:
        """Remove solutions, and what a quiz says to its choices."""
        for fold in list(self.document.findall(is_solution_fold)):
            fold.parent.remove(fold)
        for question in list(self.document.findall(quiz)):
            choices = nodes.bullet_list(classes=["quiz-choices"])
            for choice in list(question.findall(quiz_choice)):
                (summary,) = choice.findall(quiz_summary)
                choices += nodes.list_item("", nodes.paragraph("", "", *summary.children))
                choice.parent.remove(choice)
            question += choices


def pages(env: BuildEnvironment) -> set[str]:
    """Return all pages but those for teachers, which say what mistakes to expect and what mends them."""
    return set(env.found_docs) - _FOR_TEACHERS


def unlink(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Leave the words of links to pages that are not here."""
    left_out = {
        app.builder.get_relative_uri(docname, page) for page in _FOR_TEACHERS & set(app.env.found_docs)
    }
    for reference in list(doctree.findall(nodes.reference)):
        if reference.get("refuri", "").partition("#")[0] in left_out:
            reference.replace_self(reference.children)


class Handout(Edition):
    """What a teacher hands out before the solutions."""

    is_published = False

    def title(self, title: str, say: Words) -> str:
        """Return the course's title, and that this is not all of it."""
        return say("editions.handout", title=title)

    def connect(self, app: Sphinx) -> None:
        """Take the answers out of every page."""
        app.add_post_transform(WithoutAnswers)
        app.connect("doctree-resolved", unlink, priority=900)
        keep_only(app, pages)

    def links(self, root: Path, docname: str) -> Links:
        """Return the handout's own notebooks alone: the public ones and the page's source have answers."""
        return replace(links(root, docname), colab="", edit="", issue="", binder="", editor="")

    def notebooks(self, root: Path, pages: Container[str], book: Book) -> dict[str, str]:
        """Return notebooks without answers."""
        return generate(root, HANDOUT, pages, book)
