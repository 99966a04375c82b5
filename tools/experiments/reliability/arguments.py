"""Every widget, given arguments that somebody may have got wrong.

What a widget is made of in `tests.widgets.every` is taken as it is, one or two places of it are changed, and
the widget is made again. It has to be refused with a `ValueError` or a `TypeError` that says what was
expected, or to come out whole: state that is JSON without a NaN, HTML in which no text has become markup.
"""

import dataclasses
import functools
import inspect
import json
import random
import re
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from tools.experiments.reliability.mutations import hostile
from tools.experiments.reliability.readers import HangError, Verdict, _alarm
from unrolled.widgets.base import Widget

__all__ = ["check_arguments", "recorded"]

_NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    1,
    2,
    10**9,
    -0.0,
    0.5,
    1e-320,
    1e308,
    -1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    True,
    None,
    "1",
)
_OTHERS: tuple[Any, ...] = (None, 0, "", [], {}, object(), float("nan"), b"x", [[]], range(0), ())


@dataclasses.dataclass
class Made:
    """How a widget was made: its class or a function that makes it, and what it was given."""

    make: Any
    given: dict[str, Any]


def recorded(name: str) -> Made:
    """Return how the widget of `tests.widgets.every` is made."""
    from tests.widgets.every import WIDGETS
    from tests.widgets.playgrounds import store

    calls: list[tuple[type, dict[str, Any]]] = []
    real = Widget.__new__

    def keep(cls: type, *args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(cls.__init__).bind(None, *args, **kwargs)  # type: ignore[misc]
        given: dict[str, Any] = {}
        for key, value in list(bound.arguments.items())[1:]:
            of = bound.signature.parameters[key].kind
            given.update(value if of is inspect.Parameter.VAR_KEYWORD else {key: value})
        calls.append((cls, given))
        return real(cls, *args, **kwargs)

    with mock.patch.object(Widget, "__new__", keep, create=True):
        widget = WIDGETS[name].make()
    for cls, given in reversed(calls):
        for key, value in given.items():
            if isinstance(value, Path):  # the example's own file is gone with its folder
                given[key] = store(Path(tempfile.mkdtemp()) / value.name)
        if isinstance(widget, cls):
            return Made(cls, given)
    raise ValueError(f"{name}: expected a widget")


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the ways to what an argument is made of, few of them where there are many."""
    yield place
    if isinstance(value, dict):
        items: Any = list(value.items())
    elif isinstance(value, list | tuple):
        items = list(enumerate(value))
    else:
        return
    for key, inner in items[:12]:
        yield from _places(inner, (*place, key))


def _changed(value: Any, place: tuple[Any, ...], chance: random.Random) -> Any:
    if not place:
        return _other(value, chance)
    key, *rest = place
    inner = _changed(value[key], tuple(rest), chance)
    if isinstance(value, dict):
        if not rest and isinstance(key, str) and chance.random() < 0.3:
            return {(hostile(chance) if each == key else each): x for each, x in value.items()}
        return {**value, key: inner}
    if hasattr(value, "_replace"):  # a named tuple
        return value._replace(**{value._fields[key]: inner})
    return type(value)([*value[:key], inner, *value[key + 1 :]])


def _other(value: Any, chance: random.Random) -> Any:
    """Return something else where this was: mostly of its kind."""
    how = chance.random()
    if how < 0.08:
        return chance.choice(_OTHERS)
    if isinstance(value, str):
        return chance.choice(
            (hostile(chance), hostile(chance), value + hostile(chance), "\ud800", value * 300)
        )
    if isinstance(value, bool):
        return chance.choice((not value, None, 2, "yes"))
    if isinstance(value, int | float):
        return chance.choice(_NUMBERS) if how < 0.8 else value + chance.choice((-1, 1, 0.5, 100))
    if isinstance(value, torch.Tensor):
        return torch.from_numpy(_array(value.detach().double().numpy(), chance))
    if isinstance(value, np.ndarray):
        return _array(value, chance)
    if isinstance(value, list | tuple) and value:
        kind = type(value) if type(value) in (list, tuple) else list
        return chance.choice(
            (kind(value[:-1]), kind([*value, value[-1]]), kind(value[::-1]), kind(), kind(value[:1]))
        )
    if isinstance(value, dict) and value:
        first = next(iter(value))
        return chance.choice(
            ({}, {hostile(chance): value[first], **value}, {k: v for k, v in value.items() if k != first})
        )
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        field = chance.choice(dataclasses.fields(value))
        return dataclasses.replace(value, **{field.name: _other(getattr(value, field.name), chance)})
    return chance.choice(_OTHERS) if how < 0.5 else value


@np.errstate(all="ignore")
def _array(value: Any, chance: random.Random) -> Any:
    value = np.array(value, dtype=float)
    how = chance.randrange(6)
    if how == 0 or not value.size:
        return value[..., :0]
    if how == 1:
        return value[None]
    if how == 2:
        return value[0] if value.ndim else value
    if how == 3:
        return value * chance.choice((1e308, 1e-308, -1, 0))
    value.flat[chance.randrange(value.size)] = chance.choice([x for x in _NUMBERS if type(x) in (int, float)])
    return value


class _Markup(HTMLParser):
    """Finds what no widget's HTML has: scripts of its own, pictures, handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what could run."""
        data = tag == "script" and ("type", "application/json") in attrs
        if (tag in ("script", "iframe", "object", "embed", "img") and not data) or any(
            name.startswith("on") or (value or "").strip().lower().startswith("javascript:")
            for name, value in attrs
        ):
            self.found.append(f"<{tag} {attrs}>")


_NO_NUMBER = re.compile(r"\b(nan|inf|Infinity|undefined|None)\b", re.IGNORECASE)


def _whole(widget: Any) -> str | None:
    """Return what is wrong with a widget that was made, or None."""
    json.dumps(widget.state(), allow_nan=False)
    page = widget.static_html()
    page.encode()
    markup = _Markup()
    markup.feed(page)
    if markup.found:
        return f"markup: {markup.found[0]}"
    text = re.sub(r"<script.*?</script>|<[^>]*>", " ", page, flags=re.DOTALL)
    found = _NO_NUMBER.search(text)
    return f"no number: {text[max(0, found.start() - 40) : found.end() + 10]!r}" if found else None


def check_arguments(name: str, n: int, seed: int = 0) -> tuple[Verdict, list[Any]]:
    """Make a widget `n` times of changed arguments; return how that went, and some that were made."""
    made = recorded(name)
    verdict = Verdict(Counter(), [])
    kept: list[Any] = []
    # What an argument may be called in a message: its name, or that of a part of it.
    places = [(key, place) for key, value in made.given.items() for place in _places(value)]
    for i in range(n):
        chance = random.Random(f"{name}-{seed}-{i}")
        given, changed = dict(made.given), []
        for _ in range(chance.choice((1, 1, 1, 2))):
            key, place = chance.choice(places)
            changed.append((key, place))
            try:
                given[key] = _changed(given[key], place, chance)
            except (LookupError, TypeError, ValueError, AttributeError):
                continue  # the second place is gone with the first, or a part refuses what it is given
        how, why = _made(functools.partial(made.make, **given))
        verdict.answers[how] += 1
        if how == "made":
            if len(kept) < 200:
                kept.append(why)
        elif how != "refused":
            verdict.failures.append(f"{name}, arguments, seed {seed}, {i}: {how}: {changed}: {why}")
            print(verdict.failures[-1], flush=True)
    return verdict, kept


def _made(make: Any) -> tuple[str, Any]:
    try:
        with _alarm(20):
            widget = make()
    except HangError:
        return "hangs", ""
    except OSError as error:  # a file that is not there
        return "refused", str(error)
    except (ValueError, TypeError) as error:
        inner = traceback.extract_tb(error.__traceback__)[-1].filename
        said = str(error)
        if "/unrolled/" in inner or "expected" in said:
            return "refused", said
        return "refused by a library", "".join(traceback.format_exception(error))[-900:]
    except Exception as error:
        return "another error", "".join(traceback.format_exception(error))[-900:]
    try:
        with _alarm(20):
            wrong = _whole(widget)
    except HangError:
        return "hangs", ""
    except Exception as error:
        return "no page", "".join(traceback.format_exception(error))[-900:]
    return ("made", widget) if wrong is None else ("wrong page", wrong)
