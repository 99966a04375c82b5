"""Citations by author and year, and the list of what was cited."""

import re
from pathlib import Path
from typing import Any

from pybtex.database import BibliographyData, Entry, parse_file
from pybtex.plugin import find_plugin
from pybtex.richtext import Text

from tools.notebooks.context import Context, anchor
from tools.pybtex_plugins import register

__all__ = ["cite", "read_bibliography", "sources"]


def read_bibliography(path: Path) -> BibliographyData:
    """Return the entries of a ``.bib`` file; an empty set when there is no such file."""
    return parse_file(str(path), bib_format="bibtex") if path.is_file() else BibliographyData()


def _last_name(person: Any) -> str:
    parts = [*person.rich_prelast_names, *person.rich_last_names]
    return " ".join(str(part) for part in parts)


def authors(entry: Entry) -> str:
    """Return "Vaswani et al.", "Levy and Goldberg" or "Elman"."""
    names = [_last_name(person) for person in entry.persons.get("author", entry.persons.get("editor", []))]
    if not names:
        return str(Text.from_latex(entry.fields.get("title", entry.key)))
    if len(names) > 2 or names[-1] == "others":
        return f"{names[0]} et al."
    return " and ".join(names)


def cite(role: str, body: str, line: int, ctx: Context) -> str:
    """Return one citation of one or more keys, linked to the list of sources.

    ``{cite:t}`` makes the authors part of the sentence; ``{cite}`` stands in brackets.
    """
    shown = []
    for key in (part.strip() for part in body.split(",")):
        if key not in ctx.bibliography.entries:
            ctx.problem(line, f"cites {key!r}, which stands in no bibliography")
            continue
        if key not in ctx.cited:
            ctx.cited.append(key)
        entry = ctx.bibliography.entries[key]
        who, year = authors(entry), entry.fields.get("year", "n. d.")
        said = f"{who} ({year})" if role == "cite:t" else f"{who}, {year}"
        shown.append(f"[{said}](#cite-{key})")
    return ", ".join(shown) if role == "cite:t" else f"({'; '.join(shown)})"


def sources(ctx: Context) -> str:
    """Return the cited sources as a list in the order of the alphabet."""
    register()
    style = find_plugin("pybtex.style.formatting", "plain")()
    backend = find_plugin("pybtex.backends", "markdown")()
    keys = sorted(ctx.cited, key=lambda key: (authors(ctx.bibliography.entries[key]).lower(), key))
    listed = style.format_bibliography(ctx.bibliography, keys)
    # The backend escapes every full stop and starts new lines; neither is needed within a list item.
    texts = {e.key: re.sub(r"\\([.-])", r"\1", " ".join(e.text.render(backend).split())) for e in listed}
    return "\n".join(f"- {anchor(f'cite-{key}')}{texts[key]}" for key in keys)
