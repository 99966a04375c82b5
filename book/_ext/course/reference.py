"""The ``{reference}`` directive: every public name on this page, from its docstring, by Sphinx's autodoc.

What stands on which page, and in which order, is said by `tools.public_names`; what the names of a page have
in common, by the page. The sources are read when the page is, so it is out of date when they change:
`sources` is what `incremental` asks for.
"""

import inspect
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils import new_document
from myst_parser.mocking import MockRSTParser
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.util.docutils import SphinxDirective

from tools.dependencies import digest

__all__ = ["is_reference", "setup", "sources"]

_DIRECTIVE = re.compile(r"^```\{reference(?:-index)?\}", re.MULTILINE)
# The words on where a thing is taught; else a sentence that names chapters for another reason.
_WHERE = r"(?:chapters? \d|the interlude|the appendix)"
_TAUGHT = (
    re.compile(rf"\b[Tt]aught (?:in|from) {_WHERE}[^.;]*"),
    re.compile(rf"(?:[^.;:]|[.:](?=\w))*\b{_WHERE}[^.;]*", re.IGNORECASE),
)


def is_reference(text: str) -> bool:
    """Tell whether a page is made of docstrings, by its source."""
    return _DIRECTIVE.search(text) is not None


def sources(root: Path) -> str:
    """Return a digest of all docstrings and signatures there are."""
    files = sorted((root / "src" / "unrolled").rglob("*.py"))
    return digest(
        *(part for path in files for part in (path.relative_to(root).as_posix(), path.read_bytes()))
    )


def taught(module: str, doc: str) -> str:
    """Return the sentence on where something with the docstring `doc` is taught; empty if that has one."""
    from tools.public_names import modules

    parts = module.split(".")
    packages = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    docs = [doc, *(modules()[name].__doc__ or "" for name in packages if name in modules())]
    for one in docs:
        text = " ".join(one.split())
        for pattern in _TAUGHT:
            if said := pattern.search(text):
                words = said[0].strip()
                return "" if one is doc else words[:1].upper() + words[1:] + "."
    return ""


class Reference(SphinxDirective):
    """A section for each module of the page, an entry for each of its public names."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        from tools.public_names import modules, of_page, public_names

        from .written import entry

        made: list[nodes.Node] = []
        for module, names in of_page(self.env.docname).items():
            doc = inspect.getdoc(modules()[module]) or ""
            # Of a function and its module of the same name, `unrolled.plots.graph`, the function is meant.
            target = (
                [] if module in {public.path for public in public_names()} else [f".. py:module:: {module}"]
            )
            lines = [*target, "", *_google(doc, self.env.app), ""]
            for public in names:
                lines += entry(public)
            section = nodes.section(ids=[nodes.make_id(module)], names=[module], classes=["module"])
            section += nodes.title("", "", nodes.literal("", module))
            section += self._rst(lines, module)
            self.state.document.note_explicit_target(section, section)
            made.append(section)
        return made

    def _rst(self, lines: list[str], module: str) -> list[nodes.Node]:
        """Return what lines of reStructuredText say, which is how docstrings are marked up."""
        document = new_document(f"docstrings of {module}", self.state.document.settings)
        document.reporter = self.state.document.reporter
        MockRSTParser().parse("\n".join(lines), document)
        return list(document.children)


class ReferenceIndex(SphinxDirective):
    """Every page of the reference, with the names on it as links."""

    def run(self) -> list[nodes.Node]:
        """Return a list of definitions: a page, and its names."""
        from tools.public_names import PAGES, of_page

        made = nodes.definition_list(classes=["reference-index"])
        for page in PAGES:
            names = [public for there in of_page(page).values() for public in there]
            term, said = nodes.term(), nodes.paragraph()
            term += addnodes.pending_xref(
                "", nodes.inline("", page), refdomain="std", reftype="doc", reftarget=page, refexplicit=False
            )
            for n, public in enumerate(sorted(names, key=lambda public: public.name.lower())):
                said += nodes.Text(" " if n else "")
                said += nodes.literal("", public.name, target=public.path)
            made += nodes.definition_list_item("", term, nodes.definition("", said))
        return [made]


def _google(doc: str, app: Sphinx) -> list[str]:
    return GoogleDocstring(doc, app.config, app, "module").lines()


def sign(
    app: Sphinx, what: str, name: str, value: Any, options: Any, args: str | None, returned: str | None
) -> tuple[str, str] | None:
    """Put the signature as it is typed in the place of the evaluated one."""
    from .written import signature

    return signature(value) or ("", "")


def say_where(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Add to an entry the sentence on where it is taught, if its docstring has none."""
    from tools.public_names import public_names

    sections = {public.path: public.section for public in public_names()}
    if name in sections:
        where = taught(sections[name], " ".join(lines))
        lines += ["", where, ""] if where else []


def list_no_methods(app: Sphinx, domain: str, objtype: str, content: addnodes.desc_content) -> None:
    """Leave methods and fields out of the contents of a page, which name its classes."""
    if domain == "py" and objtype in {"method", "property", "attribute", "classmethod", "staticmethod"}:
        for line in content.parent.findall(addnodes.desc_signature):
            line["_toc_name"] = ""


def configure(app: Sphinx, config: Any) -> None:
    """Say how docstrings are read: Google's sections, one backtick for code."""
    config.default_role = "literal"
    config.autodoc_member_order = "bysource"
    config.python_maximum_signature_line_length = 60
    config.toc_object_entries_show_parents = "hide"
    config.napoleon_numpy_docstring = False
    config.napoleon_use_ivar = True
    config.napoleon_use_rtype = False
    config.napoleon_custom_sections = ["Reference", "Source"]


def setup(app: Sphinx) -> None:
    """Register the directives, and stand where autodoc asks."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.add_directive("reference", Reference)
    app.add_directive("reference-index", ReferenceIndex)
    app.connect("config-inited", configure)
    app.connect("autodoc-process-signature", sign)
    app.connect("autodoc-process-docstring", say_where, priority=900)
    app.connect("object-description-transform", list_no_methods)
