"""Options with a type, a default, a range and help: dataclass fields that become a command line."""

import argparse
import dataclasses
import math
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

__all__ = ["add_options", "changed_options", "check_options", "from_dict", "option"]

T = TypeVar("T")


def option(
    default: Any, help: str, *, unit: str = "", low: float = -math.inf, high: float = math.inf
) -> Any:  # dataclasses.field lies about its type in the same way
    """Return a dataclass field that explains itself.

    Args:
        default: its value unless given.
        help: what it decides, in a few words.
        unit: what it counts, such as ``"steps"``.
        low: the smallest value allowed.
        high: the largest.
    """
    return dataclasses.field(default=default, metadata={"help": help, "unit": unit, "low": low, "high": high})


def _metadata(cls: type, name: str) -> Mapping[str, Any]:
    """Return what `option` said about a field; a subclass that changes the default need not repeat it."""
    for base in cls.__mro__:
        field = getattr(base, "__dataclass_fields__", {}).get(name)
        if field is not None and field.metadata:
            return dict(field.metadata)
    raise TypeError(f"{cls.__name__}.{name}: expected a field made by option(...), with help")


def _kind(annotation: Any) -> tuple[Any, bool]:
    """Return the type behind ``X | None``, and whether None is admitted."""
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        if len(kinds) == 1:
            return kinds[0], True
    return annotation, False


def _parser(kind: Any, admits_none: bool) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        if admits_none and text.lower() == "none":
            return None
        try:
            return kind(text)
        except ValueError:
            expected = {int: "a whole number", float: "a number"}.get(kind, kind.__name__)
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}") from None

    return parse


def _chooser(choices: tuple[str, ...]) -> Callable[[str], str | None]:
    """Return what reads one of `choices`, or the word none for None.

    argparse's own choices would be held against what has been read, and listed with Python's None.
    """

    def choose(text: str) -> str | None:
        if text not in (*choices, "none"):
            known = ", ".join(map(repr, (*choices, "none")))
            raise argparse.ArgumentTypeError(f"invalid choice: {text!r} (choose from {known})")
        return None if text == "none" else text

    return choose


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def add_options(parser: argparse.ArgumentParser, cls: type) -> None:
    """Add one option for every field of the dataclass `cls`, with help, unit and default."""
    hints = get_type_hints(cls)
    group = parser.add_argument_group("options of the recipe")
    for field in dataclasses.fields(cls):
        about = _metadata(cls, field.name)
        kind, admits_none = _kind(hints[field.name])
        unit = f" [{about['unit']}]" if about["unit"] else ""
        arguments: dict[str, Any] = {
            "dest": field.name,
            "default": argparse.SUPPRESS,
            "help": f"{about['help']}{unit} (default: {_shown(field.default)})".replace("%", "%%"),
        }
        if kind is bool:
            arguments["action"] = argparse.BooleanOptionalAction
        elif get_origin(kind) is Literal and admits_none:
            arguments["type"] = _chooser(get_args(kind))
            arguments["metavar"] = "{" + ",".join((*get_args(kind), "none")) + "}"
        elif get_origin(kind) is Literal:
            arguments["choices"] = get_args(kind)
        else:
            arguments["type"] = _parser(kind, admits_none)
            arguments["metavar"] = {int: "N", float: "X"}.get(kind, "TEXT")
        group.add_argument("--" + field.name.replace("_", "-"), **arguments)


def check_options(options: Any) -> None:
    """Raise unless every field of the dataclass instance has its type and lies in its range.

    Raises:
        ValueError: one does not; the message says what was expected and what came.
    """
    hints = get_type_hints(type(options))
    for field in dataclasses.fields(options):
        value, about = getattr(options, field.name), _metadata(type(options), field.name)
        kind, admits_none = _kind(hints[field.name])
        if value is None and admits_none:
            continue
        if get_origin(kind) is Literal:
            if value not in get_args(kind):
                choices = ", ".join(map(str, get_args(kind)))
                raise ValueError(f"{field.name}: expected one of {choices}, got {value!r}")
            continue
        # True is an int to Python; to a reader who wrote --steps it is not.
        fits = isinstance(value, int | float if kind is float else kind) and isinstance(value, bool) == (
            kind is bool
        )
        if not fits:
            raise ValueError(f"{field.name}: expected {kind.__name__}, got {value!r}")
        if kind in (int, float) and not (about["low"] <= value <= about["high"] and _is_finite(value)):
            low, high = about["low"], about["high"]
            expected = f"{low:g} or more" if high == math.inf else f"{low:g} to {high:g}"
            if low == -math.inf:
                expected = "a finite number" if high == math.inf else f"{high:g} or less"
            raise ValueError(f"{field.name}: expected {expected}, got {value!r}")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float comes near
        return False


def changed_options(options: Any) -> dict[str, Any]:
    """Return the fields that differ from their default."""
    fields = dataclasses.fields(options)
    return {f.name: getattr(options, f.name) for f in fields if getattr(options, f.name) != f.default}


def from_dict(cls: type[T], values: Mapping[str, Any]) -> T:
    """Return the dataclass made of `values`, which must name every field and no other.

    Raises:
        ValueError: a name is missing or unknown, or a value is not allowed.
    """
    names = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if set(values) != names:
        missing, unknown = sorted(names - set(values)), sorted(set(values) - names)
        raise ValueError(f"{cls.__name__}: missing options {missing}, unknown options {unknown}")
    return cls(**values)
