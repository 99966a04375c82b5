"""Let pybtex do its work once.

Left alone it reads every installed package at each look for a plugin, and formats a source anew for every
page that cites it.
"""

from functools import cache
from importlib.metadata import distributions
from typing import Any

from pybtex.plugin import register_plugin
from pybtex.style import FormattedEntry

__all__ = ["register"]


@cache
def register() -> None:
    """Read the installed packages once, and register what pybtex may ask for by name."""
    for point in (point for installed in distributions() for point in installed.entry_points):
        # Names by suffix and aliases are looked up for files alone: once, for the .bib file.
        if point.group.startswith("pybtex.") and not point.group.endswith((".aliases", ".suffixes")):
            found = point.load()
            if point.group == "pybtex.style.formatting":
                found = _remembering(found)
            register_plugin(point.group, point.name, found, force=True)


def _remembering(style: type[Any]) -> type[Any]:
    """Return a style that formats each entry once; labels are as they are asked for."""
    formatted: dict[int, tuple[Any, Any]] = {}  # with the entry, whose number no other has while it is kept

    class Remembering(style):  # type: ignore[misc]
        def format_entry(self, label: str, entry: Any, bib_data: Any = None) -> FormattedEntry:
            if id(entry) not in formatted:
                formatted[id(entry)] = entry, super().format_entry(label, entry, bib_data)
            made = formatted[id(entry)][1]
            return FormattedEntry(made.key, made.text, label)

    Remembering.__name__ = Remembering.__qualname__ = style.__name__
    return Remembering
