"""What the checks say: of a function that stops, of a value that is no answer, and the result at the end."""

import inspect
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from unrolled.exercises.result import Result

__all__ = [
    "apart",
    "attempt",
    "blank",
    "describe",
    "failed",
    "passed",
    "refusal",
    "stopped",
    "takes",
    "unattempted",
    "unwritten",
]


_RAISES = "Your function still raises NotImplementedError."
_RETURNS = "Your function still returns its placeholder."


def unwritten(value: object, error: Exception | None, output: str) -> str | None:
    """Return which placeholder a learner's function still holds, or None if it has been written."""
    if isinstance(error, NotImplementedError):
        return _RAISES
    if error is not None or not blank(value):
        return None
    if value is None:
        return f"Your function returns None. If you have written it, is `return {output}` missing?"
    return _RETURNS


def attempt(
    fn: Callable[..., Any], *arguments: object, case: str = "", returns: str = _RETURNS
) -> tuple[Any, Result | None]:
    """Call a learner's function once; return its value, and a result if it stopped or is not written.

    `case` says for what it was called, and `returns` what is said of a placeholder that it returns.
    """
    try:
        value = fn(*arguments)
    except NotImplementedError:
        return None, unattempted(_RAISES)
    except Exception as error:  # a learner's code may raise anything
        return None, failed(stopped(fn, error, case))
    return value, unattempted(returns) if blank(value) else None


def stopped(fn: Callable[..., Any], error: Exception, case: str = "") -> str:
    """Return what a learner's function raised, for which case, and the line of the function that did."""
    kind, text = type(error).__name__, str(error).strip() or "no message"
    said = f"Your function stopped with {kind}: {text}" + (f" ({case})" if case else "")
    own = getattr(getattr(inspect.unwrap(fn), "__code__", None), "co_filename", None)
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == own]
    if not lines:
        return f"{said.rstrip('.')}."
    return f"{said}, in line {lines[-1].lineno}" + (f": `{lines[-1].line}`." if lines[-1].line else ".")


def apart(want: float, came: float, least: int = 4) -> tuple[str, str]:
    """Return two numbers with as many decimals as tell them apart, `least` of them or more."""
    for digits in range(least, 17):
        right, wrong = f"{want:.{digits}f}", f"{came:.{digits}f}"
        if right != wrong:
            return right, wrong
    return repr(want), repr(came)


def refusal(fn: object, names: Sequence[str]) -> Result | None:
    """Return why `fn` cannot be checked at all, or None if it is a function of these arguments."""
    if blank(fn):
        return unattempted("Replace the placeholder by your function.")
    wanted = f"a function of {' and '.join(names)}"
    if not callable(fn):
        return failed(f"Expected {wanted}, got {describe(fn)}.")
    if not takes(fn, len(names)):
        return failed(
            f"Expected {wanted}, got a function with the arguments {inspect.signature(fn)}. "
            "Hand over the function itself, without calling it."
        )
    return None


def takes(fn: Callable[..., Any], count: int) -> bool:
    """Whether `fn` can be called with `count` positional arguments, as far as Python can tell."""
    try:
        inspect.signature(fn).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # some built-in functions have no signature: let the call decide
        return True
    return True


def blank(value: object) -> bool:
    """Whether a value is one of the placeholders of an exercise."""
    return value is None or value is Ellipsis or value is NotImplemented


def describe(value: object) -> str:
    """Return a value's type with what a learner needs to find it: a shape, a length, a number."""
    kind = type(value).__name__
    if isinstance(value, Tensor):
        return f"a tensor of shape {list(value.shape)}"
    if inspect.isfunction(value):
        return f"a function with the arguments {inspect.signature(value)}"
    if isinstance(value, tuple | list):
        return f"a {kind} of {len(value)}"
    if value is None or isinstance(value, bool | int | float | str):
        return "None" if value is None else f"{kind} {value!r:.60}"
    return f"{type(value).__module__}.{kind}" if type(value).__module__ != "builtins" else kind


def passed(message: str) -> Result:
    """Return the result of a right answer."""
    return Result(passed=True, attempted=True, message=message)


def failed(message: str) -> Result:
    """Return the result of a wrong answer."""
    return Result(passed=False, attempted=True, message=message)


def unattempted(message: str) -> Result:
    """Return the result of no answer."""
    return Result(passed=False, attempted=False, message=message)
