"""`interact` that also works in a page without a kernel: every outcome is computed when the book is built."""

import inspect
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from html import escape
from itertools import product
from typing import Any, ClassVar, NamedTuple

import ipywidgets
import traitlets

from unrolled.widgets.base import Widget, in_book

__all__ = ["Explored", "explore"]

MAX_POINTS = 400
MAX_BYTES = 1_500_000
# Beneath the page's version stands a table of all outcomes, if they are lines of text and no more than these.
MAX_TABLED = 60


class Grid(NamedTuple):
    """The values an argument takes, what each is called, and whether they lie on a line."""

    name: str
    labels: list[str]
    values: list[Any]
    ordered: bool


class Outcome(NamedTuple):
    """What `fn` showed at one point: as HTML, and as text where text says it all."""

    html: str
    text: str | None


class Explored(Widget):
    """The outcomes of a function at every point of a grid, with a control for each argument.

    Made by `explore`. The outcomes are the author's own output: they stand as HTML in the page, one
    ``<template>`` each, and not in a trait.
    """

    name: ClassVar[str] = "explore"

    controls: traitlets.List[Any] = traitlets.List().tag(sync=True)
    texts: traitlets.List[Any] = traitlets.List().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(self, title: str, grids: list[Grid], outcomes: list[Outcome]) -> None:
        self._outcomes = outcomes
        super().__init__(
            title=title,
            controls=[
                {
                    "name": grid.name,
                    "labels": grid.labels,
                    "ordered": grid.ordered,
                    "start": _middle(grid),
                }
                for grid in grids
            ],
            texts=[None if outcome.text is None else outcome.text[:300] for outcome in outcomes],
        )

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
        where = escape(_spell(dict(zip(names, points[middle], strict=True))))
        return (
            f"{kept}<p>{escape(self.title)} at {where}: one of {len(points)} settings. "
            f"The others need a page with JavaScript.</p>{self._outcomes[middle].html}"
        )


def explore(fn: Callable[..., Any], **grids: Iterable[Any] | Mapping[str, Any]) -> Explored | None:
    """Let the reader try `fn` at every point of a grid of arguments, with or without a kernel.

    In a live notebook this is `ipywidgets.interact` with a control for each argument. While the book is
    built, `fn` runs at every point; what it returns, displays and prints is kept in the page. Write it as
    the last line of a cell.

    Args:
        fn: any function that returns, displays or prints something. A matplotlib figure counts too.
        **grids: for each argument of `fn` its values: a list, tuple, range, array, or ``{label: value}``.

    Returns:
        The widget for the page; in a live notebook nothing, as the controls are displayed already.

    Raises:
        TypeError: an argument `fn` does not have, one that is missing, or a grid that is no list of values.
        ValueError: an empty grid, more than 400 points, or outcomes of more than 1.5 MB.
        RuntimeError: `fn` raised an error; the message names the point.

    Example:
        >>> explore(lambda scale: round(scale**0.5, 2), scale=[1, 4, 9])  # doctest: +SKIP
    """
    axes = _grids(fn, grids)
    n_points = math.prod(len(grid.values) for grid in axes)
    if n_points > MAX_POINTS:
        sizes = " x ".join(str(len(grid.values)) for grid in axes)
        raise ValueError(f"explore: expected at most {MAX_POINTS} points, got {sizes} = {n_points:,}")
    if not in_book():
        ipywidgets.interact(fn, **{grid.name: _control(grid) for grid in axes})
        return None
    outcomes: list[Outcome] = []
    size = 0
    for values in product(*(range(len(grid.values)) for grid in axes)):
        at = _spell({grid.name: grid.labels[i] for grid, i in zip(axes, values, strict=True)})
        point = {grid.name: grid.values[i] for grid, i in zip(axes, values, strict=True)}
        outcomes.append(_run(fn, point, at))
        size += len(outcomes[-1].html.encode())
        if size > MAX_BYTES:
            raise ValueError(
                f"explore: expected outcomes of at most {MAX_BYTES / 1e6:g} MB in all, got more than that "
                f"after {len(outcomes)} of {n_points} points; use fewer points or smaller figures"
            )
    return Explored(_title(fn), axes, outcomes)


def _title(fn: Callable[..., Any]) -> str:
    name = getattr(fn, "__name__", "")
    return name.replace("_", " ").strip() if name.isidentifier() else "Outcome"


def _spell(point: dict[str, str]) -> str:
    return ", ".join(f"{name} = {label}" for name, label in point.items())


def _middle(grid: Grid) -> int:
    return (len(grid.values) - 1) // 2 if grid.ordered else 0


def _label(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _grids(fn: Callable[..., Any], grids: Mapping[str, Any]) -> list[Grid]:
    """Return the grids, each checked, or say which argument is wrong."""
    if not grids:
        raise TypeError("explore: expected a grid for at least one argument, got none")
    parameters = inspect.signature(fn).parameters.values()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    takes = f"{getattr(fn, '__name__', 'fn')} takes {', '.join(names) or 'none'}"
    for name in grids:
        if name not in names and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            raise TypeError(f"explore: expected arguments of the function, got {name!r}; {takes}")
    for p in parameters:
        if p.name in names and p.default is p.empty and p.name not in grids:
            raise TypeError(f"explore: expected a grid for {p.name!r}, got none; {takes}")
    return [_grid(name, given) for name, given in grids.items()]


def _grid(name: str, given: Any) -> Grid:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"explore: {name}: expected a list of values, got {type(given).__name__}")
    named = isinstance(given, Mapping)
    values = list(given.values()) if isinstance(given, Mapping) else list(given)
    labels = [str(label) for label in given] if named else [_label(value) for value in values]
    if not values:
        raise ValueError(f"explore: {name}: expected at least one value, got an empty {type(given).__name__}")
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    ordered = not named and numbers and values in (sorted(values), sorted(values, reverse=True))
    return Grid(name, labels, values, ordered and len(values) > 2)


def _control(grid: Grid) -> Any:
    """Return the live control: a slider along the values, or a choice among names."""
    kind = ipywidgets.SelectionSlider if grid.ordered else ipywidgets.Dropdown
    options = list(zip(grid.labels, grid.values, strict=True))
    return kind(options=options, index=_middle(grid), description=grid.name)


def _run(fn: Callable[..., Any], point: dict[str, Any], at: str) -> Outcome:
    """Return what `fn` prints, displays, returns and draws at one point."""
    from IPython.utils.capture import capture_output

    before = _open_figures()
    try:
        with capture_output(stdout=True, stderr=False, display=True) as shown:
            result = fn(**point)
    except Exception as error:
        raise RuntimeError(f"explore: {type(error).__name__} at {at}: {error}") from error
    bundles = [{"text/plain": shown.stdout.rstrip("\n")}] if shown.stdout.strip() else []
    bundles += [output.data for output in shown.outputs]
    drawn = [figure for number, figure in _open_figures().items() if number not in before]
    own = _figure(result)
    bundles += [_bundle(figure, at) for figure in drawn if figure is not own]
    bundles += [_bundle(result, at)] if result is not None else []
    parts = [_html(bundle, at) for bundle in bundles]
    plain = all(text is not None for _, text in parts)
    return Outcome(
        "".join(html for html, _ in parts), "\n".join(text or "" for _, text in parts) if plain else None
    )


def _open_figures() -> dict[int, Any]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return {n: pyplot.figure(n) for n in pyplot.get_fignums()} if pyplot else {}


def _figure(value: Any) -> Any:
    """Return the matplotlib figure that `value` is or stands in, if any."""
    if "matplotlib.figure" not in sys.modules:
        return None
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

    if isinstance(value, Figure):
        return value
    return value.get_figure(root=True) if isinstance(value, Artist) else None


def _bundle(value: Any, at: str) -> dict[str, Any]:
    """Return all that Jupyter could show of `value`."""
    if (figure := _figure(value)) is not None:
        from unrolled.plots import show

        value = show(figure, alt=f"Figure at {at}")
    from IPython.core.formatters import DisplayFormatter
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    formatter: Any = (shell and shell.display_formatter) or DisplayFormatter()
    data: dict[str, Any] = formatter.format(value)[0]
    return data


def _html(data: dict[str, Any], at: str) -> tuple[str, str | None]:
    """Return the richest of what Jupyter could show as HTML, and the text where there is nothing richer."""
    if "text/html" in data:
        return str(data["text/html"]), None
    if "image/svg+xml" in data:
        return str(data["image/svg+xml"]), None
    if "image/png" in data:
        png = data["image/png"]
        if isinstance(png, bytes):
            from base64 import b64encode

            png = b64encode(png).decode()
        return f'<img src="data:image/png;base64,{png.strip()}" alt="Outcome at {escape(at)}">', None
    text = str(data.get("text/plain", ""))
    return f"<pre>{escape(text)}</pre>", text
