"""What every widget of the course shares: one script, one style sheet, and a life without a kernel."""

import os
from collections.abc import Mapping
from html import escape
from typing import Any, ClassVar

import anywidget

from unrolled.widgets import bundle
from unrolled.widgets.checks import checked, state_text

__all__ = ["Widget", "in_book", "number", "page_html", "table_html"]


def in_book() -> bool:
    """Tell whether the book is being built: its pages are read without a kernel."""
    return os.environ.get("UNROLLED_BOOK") == "1"


class Widget(anywidget.AnyWidget):
    """A widget that answers in a live notebook, in a static page, without JavaScript, and on paper.

    A subclass sets `name`, the name of its module ``js/<name>.mjs`` (which exports ``render({model, el})``),
    tags its traits ``sync=True``, and says in `fallback_html` what a reader without JavaScript gets: the
    same numbers in a real table. Arrays go in as nested lists; no trait ever holds a model or a tensor.
    """

    name: ClassVar[str]
    _css = bundle.stylesheet()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in vars(cls):
            cls._esm = bundle.esm(cls.name)
        if "__init__" in vars(cls):
            cls.__init__ = checked(cls.__init__)  # type: ignore[method-assign]

    def open(self) -> None:
        """Meet the notebook's front end, unless the book is being built.

        A page of the book holds `static_html` alone. A comm would add the script once more for every widget,
        under an id that differs from build to build.
        """
        if not in_book():
            super().open()

    def state(self) -> dict[str, Any]:
        """Return the traits the script reads, ready for JSON."""
        inherited = set(anywidget.AnyWidget.class_trait_names())
        return {
            key: getattr(self, key)
            for key in sorted(self.trait_names(sync=True))
            if key not in inherited and not key.startswith("_")
        }

    def fallback_html(self) -> str:
        """Return what stands in place of the widget where no script runs."""
        raise NotImplementedError

    def static_html(self) -> str:
        """Return the widget for a page without a kernel: its state, and beneath it the fallback."""
        return page_html(self.name, self.state(), self.fallback_html())

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add the static page's HTML to what a live notebook gets; in the book, offer it alone."""
        if self.comm is None:
            return {"text/html": self.static_html(), "text/plain": f"{type(self).__name__}()"}, {}
        shown = super()._repr_mimebundle_(**kwargs)
        data, metadata = shown if isinstance(shown, tuple) else (shown or {}, {})
        return {**data, "text/html": self.static_html()}, metadata


def page_html(name: str, state: Mapping[str, Any], fallback: str) -> str:
    """Return what a page holds of a widget: its script's name, its state, and what stands beneath.

    Args:
        name: of the module ``js/<name>.mjs``.
        state: what the script reads.
        fallback: HTML.
    """
    # "<" is written as an escape so that no text a reader typed can close the script element.
    written = state_text(state).replace("<", "\\u003c")
    return (
        f'<div class="unrolled-widget" data-widget="{escape(name)}">'
        f'<script type="application/json">{written}</script>'
        f'<div class="unrolled-fallback">{fallback}</div></div>'
    )


def number(value: float, digits: int = 2) -> str:
    """Return `value` as the scripts write it: fixed digits, a real minus sign, and no minus zero."""
    text = f"{abs(value):.{digits}f}"
    return f"−{text}" if value < 0 and float(text) else text


def table_html(
    caption: str,
    columns: list[str],
    rows: list[tuple[str, list[float]]],
    digits: int = 2,
    *,
    full: float | None = None,
) -> str:
    """Return a captioned table with row and column headers; every text is escaped.

    Args:
        caption: what the numbers are.
        columns: a header for each column.
        rows: a header and the numbers of each row.
        digits: after the point.
        full: when given, each cell is coloured on the attention scale, whose full colour is this value.
    """

    def cell(value: float) -> str:
        shade = ""
        if full is not None:
            share = min(1.0, max(0.0, value / full))
            shade = f' class="u-shade" style="--w:{share:.3f}"'
        return f"<td{shade}>{number(value, digits)}</td>"

    head = "".join(f'<th scope="col">{escape(c)}</th>' for c in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(label)}</th>{"".join(map(cell, values))}</tr>' for label, values in rows
    )
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr><td></td>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )
