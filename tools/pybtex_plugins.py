"""Let pybtex find its plugins at once: left alone it reads every installed package at each of its looks."""

from functools import cache
from importlib.metadata import distributions

from pybtex.plugin import register_plugin

__all__ = ["register"]


@cache
def register() -> None:
    """Read the installed packages once, and register what pybtex may ask for by name."""
    for point in (point for installed in distributions() for point in installed.entry_points):
        # Names by suffix and aliases are looked up for files alone: once, for the .bib file.
        if point.group.startswith("pybtex.") and not point.group.endswith((".aliases", ".suffixes")):
            register_plugin(point.group, point.name, point.load(), force=True)
