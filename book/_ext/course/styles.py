"""The style sheets of pages: of its widgets a page loads what they need, and nothing of the others."""

import re
from functools import cache

from unrolled.widgets import bundle

__all__ = ["lighter_style", "widget_style"]

_SHARED = "widgets.css"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CLASS = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")
_SELECTORS = re.compile(r"([^{}@;]+)\{")


def lighter_style(sheet: str) -> str:
    """Return a style sheet of ours without comments and indents."""
    lines = (line.strip() for line in _COMMENT.sub("", sheet).splitlines())
    return "".join(f"{line}\n" for line in lines if line)


@cache
def widget_style(names: tuple[str, ...]) -> str:
    """Return what styles these widgets: what all share, and each sheet that the scripts of these need.

    A sheet goes with the module of its name, and with whatever script may draw what one of its rules is for:
    one widget draws what another draws.
    """
    words = set(re.findall(r"[\w-]+", bundle.page_script(names)))
    # A script writes "u-mark-" and a number behind it.
    begun = tuple(word for word in words if re.fullmatch(r"u-.*-", word))

    def is_for_them(sheet: str) -> bool:
        each = (one for found in _SELECTORS.findall(_COMMENT.sub("", sheet)) for one in found.split(","))
        return any(
            classes and all(name in words or (begun and name.startswith(begun)) for name in classes)
            for classes in map(_CLASS.findall, each)
        )

    sheets = {path.name: path.read_text(encoding="utf-8") for path in sorted(bundle.JS.glob("*.css"))}
    shared = sheets.pop(_SHARED)
    own = {f"{name}.css" for name in names}
    needed = [sheet for name, sheet in sheets.items() if name in own or is_for_them(sheet)]
    return lighter_style("".join([shared, *needed]))
