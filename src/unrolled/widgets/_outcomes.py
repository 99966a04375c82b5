"""What a function prints, displays, returns and draws, as HTML and, where text says it all, as text."""

import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, NamedTuple

__all__ = ["Outcome", "run"]


class Outcome(NamedTuple):
    """What `fn` showed at one point: as HTML, and as text where text says it all."""

    html: str
    text: str | None


def run(fn: Callable[..., Any], point: dict[str, Any], at: str) -> Outcome:
    """Return what `fn` shows at one point, which a message and a picture call `at`.

    Raises:
        RuntimeError: `fn` raised an error.
    """
    from IPython.utils.capture import capture_output

    try:
        with _new_figures() as drawn, capture_output(stdout=True, stderr=False, display=True) as shown:
            result = fn(**point)
    except Exception as error:
        raise RuntimeError(f"explore: {type(error).__name__} at {at}: {error}") from error
    bundles = [{"text/plain": shown.stdout.rstrip("\n")}] if shown.stdout.strip() else []
    bundles += [output.data for output in shown.outputs]
    own = _figure(result)
    bundles += [_bundle(figure, at) for figure in drawn if figure is not own]
    bundles += [_bundle(result, at)] if result is not None else []
    parts = [_html(bundle, at) for bundle in bundles]
    plain = all(text is not None for _, text in parts)
    return Outcome(
        "".join(html for html, _ in parts), "\n".join(text or "" for _, text in parts) if plain else None
    )


@contextmanager
def _new_figures() -> Iterator[list[Any]]:
    """Let what runs within draw in figures of its own: list those it leaves open, and close them.

    A figure that is open before is out of reach meanwhile. `pyplot.plot` would draw in it, and nothing of
    that would be seen here.
    """
    drawn: list[Any] = []
    before = dict(_managers())
    _managers().clear()
    try:
        yield drawn
    finally:
        drawn += [manager.canvas.figure for manager in _managers().values()]
        if drawn:
            sys.modules["matplotlib.pyplot"].close("all")
        _managers().update(before)


def _managers() -> dict[int, Any]:
    """Return pyplot's register of open figures itself: pyplot has no way to set a figure aside."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    return helpers.Gcf.figs if helpers else {}


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
            png = b64encode(png).decode()
        return f'<img src="data:image/png;base64,{png.strip()}" alt="Outcome at {escape(at)}">', None
    text = str(data.get("text/plain", ""))
    return f"<pre>{escape(text)}</pre>", text
