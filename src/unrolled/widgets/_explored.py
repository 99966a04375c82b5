"""The outcomes of a function as a page holds them."""

from html import escape
from itertools import product
from typing import Any

from unrolled.widgets._grids import Grid, spell
from unrolled.widgets._outcomes import Outcome
from unrolled.widgets.base import page_html

__all__ = ["Explored"]

# Beneath the page's version stands a table of all outcomes, if they are lines of text and no more than these.
MAX_TABLED = 60


class Explored:
    """The outcomes of a function at every point of a grid, with a control for each argument.

    Made by `explore`. It has no kernel to talk to and is no widget: it shows as the HTML of one. The outcomes
    are the author's own output: they stand as HTML in the page, one ``<template>`` each.

    Attributes:
        title: a heading.
        controls: for each argument its name, its labels, whether they lie on a line, and where it starts.
        texts: what each outcome says in text, None where that is not all it shows.
    """

    name = "explore"

    def __init__(self, title: str, grids: list[Grid], outcomes: list[Outcome]) -> None:
        self.title = title
        self.controls: list[dict[str, Any]] = [
            {"name": grid.name, "labels": grid.labels, "ordered": grid.ordered, "start": grid.start}
            for grid in grids
        ]
        self.texts = [None if outcome.text is None else outcome.text[:300] for outcome in outcomes]
        self._outcomes = outcomes

    def state(self) -> dict[str, Any]:
        """Return what the script reads, ready for JSON."""
        return {"controls": self.controls, "texts": self.texts, "title": self.title}

    def static_html(self) -> str:
        """Return the widget for a page without a kernel."""
        return page_html(self.name, self.state(), self.fallback_html())

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return {"text/html": self.static_html(), "text/plain": f"{type(self).__name__}()"}, {}

    def fallback_html(self) -> str:
        """Return all outcomes for the script to choose from, and what is read where none runs."""
        kept = "".join(
            f'<template data-point="{i}">{outcome.html}</template>'
            for i, outcome in enumerate(self._outcomes)
        )
        names = [control["name"] for control in self.controls]
        points = list(product(*(control["labels"] for control in self.controls)))
        texts = [outcome.text for outcome in self._outcomes]
        if len(points) <= MAX_TABLED and all(text is not None and "\n" not in text for text in texts):
            head = "".join(f'<th scope="col">{escape(text)}</th>' for text in [*names, "outcome"])
            body = "".join(
                "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in [*point, text or ""]) + "</tr>"
                for point, text in zip(points, texts, strict=True)
            )
            caption = f"<caption>{escape(self.title)}: every outcome</caption>"
            return f"{kept}<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        middle = 0
        for control in self.controls:
            middle = middle * len(control["labels"]) + control["start"]
        where = escape(spell(dict(zip(names, points[middle], strict=True))))
        return (
            f"{kept}<p>{escape(self.title)} at {where}: one of {len(points)} settings. "
            f"The others need a page with JavaScript.</p>{self._outcomes[middle].html}"
        )
