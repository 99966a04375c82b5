"""Links to the reference and back: from code to the entry it names, from "chapter 9" to the chapter.

A name is linked at its first mention in each section. Bare names are linked where they can mean one thing
alone: what the page imports, or, where it defines no such name itself, a name that only one object of the
package has and that is no ordinary word (it has a capital or an underscore).
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

__all__ = ["Names", "setup"]

_NAME = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:\(.*\))?", re.DOTALL)
_IMPORT = re.compile(r"^\s*from (unrolled[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
_DEFINED = re.compile(r"^(?:def|class) (\w+)|^(\w+) =", re.MULTILINE)
# What comes from another library under the same name, such as PyTorch's `cross_entropy`.
_FOREIGN = re.compile(r"^\s*(?:from (?!unrolled)[\w.]+ )?import (\([^)]*\)|[^\n]*)", re.MULTILINE)
_CHAPTERS = re.compile(
    r"\b(?:[Cc]hapters? )(\d+(?:(?:, (?:and )?| and | to )\d+)*)|\bthe (interlude|appendix)\b"
)
# Where no link may stand, or where a thing is named to be defined.
_CLOSED = (
    nodes.reference,
    nodes.title,
    nodes.literal_block,
    addnodes.desc_signature,
    nodes.raw,
    nodes.rubric,
)


class Names:
    """The entries there are, found by whatever a text may call them."""

    def __init__(self, env: BuildEnvironment) -> None:
        domain: Any = env.get_domain("py")
        self.entries = {
            name: entry for name, entry in domain.objects.items() if entry.docname in env.found_docs
        }
        # By where it stands: an object may have several paths, and one that it is known by.
        known = {e.node_id: name for name, e in self.entries.items() if not e.aliased}
        self.paths: dict[str, str] = {
            name: known.get(entry.node_id, name) for name, entry in self.entries.items()
        }
        self.of_name: dict[str, set[str]] = {}
        for name, entry in self.entries.items():
            if not entry.aliased and entry.objtype in {"class", "exception", "function", "data"}:
                self.of_name.setdefault(name.rpartition(".")[2], set()).add(name)

    def full(self, path: str) -> str | None:
        """Return the entry with this path, or with the path it is passed on from."""
        for name in (path, f"unrolled.{path}"):
            if name in self.paths:
                return self.paths[name]
        # A package that passes the name on has no entry for it under its own path, nor an internal module.
        front, _, last = path.rpartition(".")
        inside = [name for name in self.of_name.get(last, ()) if front and name.startswith(f"{front}.")]
        return inside[0] if len(inside) == 1 else None

    def meant(self, text: str, imported: dict[str, str], defined: set[str], module: str = "") -> str | None:
        """Return the entry that a piece of code names, if it names one and no other."""
        said = _NAME.fullmatch(text.strip())
        if not said:
            return None
        first, _, rest = said["name"].partition(".")
        if first in imported:
            found = self.full(imported[first] + (f".{rest}" if rest else ""))
            # A word that is a module's name, `bears`, may be that of a recipe or of a folder as well.
            plain = not rest and "_" not in first and found and self.entries[found].objtype == "module"
            return None if plain else found
        if first in defined:
            return None
        if found := self.full(said["name"]) if rest else None:
            return found
        for near in _above(module):
            found = self.full(f"{near}.{said['name']}")
            if found and self.entries[found].objtype != "module":
                return found
        possible = self.of_name.get(first, set())
        if len(possible) != 1 or not re.search(r"[A-Z_]", first):
            return None
        (one,) = possible
        return self.full(f"{one}.{rest}") if rest else one


@cache
def names_of(env: BuildEnvironment) -> Names:
    """Return the entries of a build; all pages have been read."""
    return Names(env)


def _above(module: str) -> Iterator[str]:
    while "." in module:
        yield module
        module = module.rpartition(".")[0]


def imported(code: str) -> dict[str, str]:
    """Return what the cells of a page import of the package, by the names they call it."""
    names = {}
    for module, listed in _IMPORT.findall(code):
        for part in re.sub(r"#[^\n]*|[()]", "", listed).split(","):
            name, _, alias = part.strip().partition(" as ")
            if name:
                names[alias.strip() or name] = f"{module}.{name}"
    return names


def foreign(code: str) -> set[str]:
    """Return what the cells of a page import of other libraries, by the names they call it."""
    parts = (part for listed in _FOREIGN.findall(code) for part in listed.strip("()").split(","))
    return {part.strip().rpartition(" as ")[2] for part in parts}


class Link(SphinxPostTransform):
    """Link names to their entries and, in the reference, numbers of chapters to these."""

    default_priority = 200

    def run(self, **kwargs: Any) -> None:
        """Go over the page."""
        names = names_of(self.env)
        here = self.env.docname
        code = "\n".join(block.astext() for block in self.document.findall(nodes.literal_block))
        known, defined = imported(code), {a or b for a, b in _DEFINED.findall(code)} | foreign(code)
        seen: set[tuple[int, str]] = set()
        for literal in list(self.document.findall(nodes.literal)):
            own = (defined - set(known)) | _arguments(literal)
            target = literal.get("target") or names.meant(literal.astext(), known, own, _module(literal))
            scope = (id(_scope(literal)), str(target))
            if not target or target not in names.entries or scope in seen or not _open(literal, target):
                continue
            seen.add(scope)
            entry = names.entries[target]
            link = make_refnode(
                self.app.builder, here, entry.docname, entry.node_id, literal.deepcopy(), target
            )
            link["classes"].append("name")
            literal.replace_self(link)
        if here.startswith("reference"):
            self.chapters(here)

    def chapters(self, here: str) -> None:
        """Make links of the chapters that docstrings name."""
        pages = {
            page.partition("_")[0].lstrip("0"): page for page in sorted(self.env.found_docs, reverse=True)
        }
        pages |= {"appendix": "look"} if "look" in self.env.found_docs else {}  # the one they speak of

        def link(number: str) -> nodes.Node:
            page = pages.get(number)
            text = nodes.Text(number)
            return make_refnode(self.app.builder, here, page, "", text) if page else text

        for text in list(self.document.findall(nodes.Text)):
            if any(isinstance(parent, (*_CLOSED, nodes.literal)) for parent in _parents(text)):
                continue
            said, made, at = text.astext(), [], 0
            for match in _CHAPTERS.finditer(said):
                group = 1 if match[1] else 2
                for number in re.finditer(r"\d+|interlude|appendix", match[group]):
                    start = match.start(group) + number.start()
                    made += [nodes.Text(said[at:start]), link(number[0])]
                    at = start + len(number[0])
            if made:
                text.parent.replace(text, [*made, nodes.Text(said[at:])])


def _parents(node: nodes.Node) -> Iterator[Any]:
    while node.parent is not None:
        node = node.parent
        yield node


def _classes(node: Any) -> list[str]:
    return node.get("classes", []) if isinstance(node, nodes.Element) else []


def _scope(node: nodes.Node) -> Any:
    """Return the section a mention stands in or, in the reference, the entry."""
    return next((p for p in _parents(node) if isinstance(p, nodes.section | addnodes.desc)), None)


def _module(node: nodes.Node) -> str:
    """Return the module whose docstrings the text is of."""
    sections = (p for p in _parents(node) if isinstance(p, nodes.section) and "module" in p["classes"])
    return next((p["names"][0] for p in sections if p["names"]), "")


def _arguments(node: nodes.Node) -> set[str]:
    """Return the arguments of the entry a text stands in: there, such a name means the argument."""
    entry = next((p for p in _parents(node) if isinstance(p, addnodes.desc)), None)
    lines = [] if entry is None else [p for p in entry.children if isinstance(p, addnodes.desc_signature)]
    given = (found for line in lines for found in line.findall(addnodes.desc_parameter))
    return {str(argument[0].astext()).lstrip("*") for argument in given if argument.children}


def _open(node: nodes.Node, target: str, *, signature: bool = False) -> bool:
    """Tell whether a link may stand here: not in another, in a title, or in the entry it would lead to."""
    for parent in _parents(node):
        # In an exercise, a word of no capital and no underscore is what the learner is to call something.
        if "exercise" in _classes(parent) and re.fullmatch(r"[a-z]+", node.astext()):
            return False
        if isinstance(parent, _CLOSED) and not (signature and isinstance(parent, addnodes.desc_signature)):
            return False
        lines = parent.children if isinstance(parent, addnodes.desc) else []
        if any(target in line["ids"] for line in lines if isinstance(line, addnodes.desc_signature)):
            return False
    return True


class OfSignatures(SphinxPostTransform):
    """Link the types in signatures; one of another library, or of typing, stays as it is written."""

    default_priority = 5  # before Sphinx, which would warn of names that are not ours, or of several things

    def run(self, **kwargs: Any) -> None:
        """Go over the page."""
        names = names_of(self.env)
        for xref in list(self.document.findall(addnodes.pending_xref)):
            if xref.get("refdomain") != "py":
                continue
            content = xref.children
            target = names.meant(xref["reftarget"], {}, set(), _module(xref) or xref.get("py:module") or "")
            if target and target in names.entries and _open(xref, target, signature=True):
                entry = names.entries[target]
                content = [
                    make_refnode(
                        self.app.builder,
                        self.env.docname,
                        entry.docname,
                        entry.node_id,
                        xref.children,
                        target,
                    )
                ]
            xref.replace_self(content)


def setup(app: Sphinx) -> None:
    """Link when all pages are known."""
    app.add_post_transform(Link)
    app.add_post_transform(OfSignatures)
