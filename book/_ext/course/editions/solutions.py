"""The solutions book: of every chapter the exercises with hints and solutions, and the quizzes answered."""

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import is_exercise_node  # type: ignore[import-untyped]

from tools import address, course
from tools.words import Words

from ..quiz import quiz_choice
from ..words import wording
from .edition import ToLookAt
from .exercises import is_fold, is_task, name_of
from .pages import in_order, keep_only, without_terms

# Behind whatever resolves references and numbers, before a fold becomes HTML.
_RESOLVED = 150


def pages(env: BuildEnvironment) -> set[str]:
    """Return the first page and the chapters."""
    return {page for page in env.found_docs if course.is_chapter(page)} | {env.config.root_doc}


class TasksOnly(SphinxPostTransform):
    """Leave of a chapter its title, and each section's exercises, folds and quizzes, unfolded."""

    default_priority = _RESOLVED

    def run(self, **kwargs: Any) -> None:
        """Keep what is kept; the first page becomes a list of it."""
        # Sphinx writes the other pages too, with whatever else it does to them, and `keep_only` removes them.
        if self.env.docname not in pages(self.env):
            return
        (top,) = self.document.findall(
            lambda node: isinstance(node.parent, nodes.document) and _is_section(node)
        )
        if self.env.docname == self.config.root_doc:
            top.children = []
            top += _front(self.env, wording(self.app))
            return
        kept = [part for section in top.findall(nodes.section) if (part := _tasks(section, top))]
        top.children = [child for child in top.children if isinstance(child, nodes.title)]
        top += kept
        self._unfold()

    def _unfold(self) -> None:
        for fold in self.document.findall(is_fold):
            fold["opened"] = True
        for choice in self.document.findall(quiz_choice):
            # Without a group, which keeps one of them open, all stand open.
            del choice["group"]


def lead_to_the_book(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Let references to what is not here lead to the published book."""
    if docname == app.config.root_doc:
        return
    without_terms(doctree)
    here = {name for node in doctree.findall(nodes.Element) for name in node.get("ids", [])}
    tasks = set(getattr(app.env, "sphinx_exercise_registry", {}))
    for reference in doctree.findall(nodes.reference):
        if not reference.get("internal"):
            continue
        page, _, name = str(reference.get("refuri", "")).partition("#")
        name = name or reference.get("refid", "")
        if (not page and name in here) or name in tasks:
            continue
        place = address.pages_url() + (page or f"{docname}.html") + (f"#{name}" if name else "")
        reference.attributes.pop("refid", None)
        reference["refuri"], reference["internal"] = place, False


def _is_section(node: nodes.Node) -> bool:
    return isinstance(node, nodes.section)


def _tasks(section: nodes.section, top: nodes.section) -> nodes.section | None:
    """Return the section with nothing but tasks and folds; None where it has no task."""
    own = [child for child in section.children if not _is_section(child)]
    if not any(is_task(child) for child in own):
        return None
    if section is top:
        raise ValueError(
            "expected exercises and quizzes in a section of their own, got some before the first heading"
        )
    title = next(child for child in own if isinstance(child, nodes.title))
    made = nodes.section("", title, ids=section["ids"], names=section["names"])
    made += [child for child in own if is_task(child) or is_fold(child)]
    return made


def _front(env: BuildEnvironment, say: Words) -> list[nodes.Node]:
    listed = nodes.bullet_list()
    for page in in_order(env):
        if not course.is_chapter(page):
            continue
        link = nodes.reference("", env.titles[page].astext(), refuri=f"{page}.html", internal=True)
        listed += nodes.list_item("", nodes.paragraph("", "", link))
    return [
        nodes.title("", say("editions.solutions_title")),
        nodes.paragraph("", say("editions.solutions_about")),
        listed,
    ]


def list_exercises(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Let the contents of a page name its exercises."""
    context["description"] = context["page_contents"] = ""
    if doctree is not None:
        numbers = app.env.toc_fignumbers.get(pagename, {}).get("exercise", {})
        found = [(node["ids"][0], name_of(node, numbers)) for node in doctree.findall(is_exercise_node)]
        rows = "".join(f'<li><a href="#{name}">{escape(title)}</a></li>' for name, title in found)
        context["page_contents"] = f"<ul>{rows}</ul>" if rows else ""


class Solutions(ToLookAt):
    """What a teacher keeps."""

    def title(self, title: str, say: Words) -> str:
        """Return the course's title, and that these are its solutions."""
        return say("editions.solutions", title=title)

    def connect(self, app: Sphinx) -> None:
        """Leave the tasks of every page."""
        app.add_post_transform(TasksOnly)
        app.connect("doctree-resolved", lead_to_the_book, priority=900)
        app.connect("html-page-context", list_exercises, priority=995)
        keep_only(app, pages)
