"""What people hand in: paths with ``~``, lists of texts, JSON, numbers in tensors of any type."""

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["floats", "not_text", "plain", "read_json", "user_path"]

_T = TypeVar("_T")


def user_path(name: str, given: str | os.PathLike[str]) -> Path:
    """Return the path somebody gave, ``~`` and ``~user`` written out.

    Args:
        name: what the caller calls it, for the message.
        given: the path; of a home that is not known it stays as it is.

    Raises:
        TypeError: not a path.
    """
    if not isinstance(given, str | os.PathLike):
        raise TypeError(f"{name}: expected a path, got {type(given).__name__}")
    try:
        return Path(given).expanduser()
    except RuntimeError:  # a home that is not known
        return Path(given)


def not_text(name: str, given: _T, of: str = "texts") -> _T:
    """Return a collection of texts, or of words, as it came.

    Args:
        name: what the caller calls it, for the message.
        given: the collection.
        of: what it should be a list of.

    Raises:
        TypeError: a single text, which would fall apart into letters.
    """
    if isinstance(given, str | bytes):
        raise TypeError(f"{name}: expected a list of {of}, got a single text: {given!r:.60}")
    return given


def read_json(name: object, content: bytes | str, *, kind: type | None = dict) -> Any:
    """Return what JSON says, with or without the byte-order mark of some editors.

    Args:
        name: of the file, for the message.
        content: what is in it.
        kind: what is expected of it: an object unless told, or None for whatever comes.

    Raises:
        ValueError: it is no JSON, or of another kind, or has a number that is none or too large for one; the
            message begins with the name.
    """
    try:
        if isinstance(content, bytes):
            content = content.decode(json.detect_encoding(content))
        found = json.loads(content, parse_constant=_no_number, parse_float=_number)
    except RecursionError as error:
        raise ValueError(f"{name}: expected JSON, got brackets within brackets, too many to read") from error
    except json.JSONDecodeError as error:
        text = error.doc.rstrip()
        early = not text or error.pos >= max(len(text) - 1, 1)
        what = "a file that ends too early" if early else "something else"
        raise ValueError(
            f"{name}: expected JSON, got {what}: {error.msg}, line {error.lineno}, column {error.colno}"
        ) from error
    except ValueError as error:  # no text, or a number that is none
        raise ValueError(f"{name}: expected JSON, got something else: {error}") from error
    if "\\ud" in content.lower() and not _is_text(found):
        raise ValueError(f"{name}: expected JSON, got a text with half a character, which no file can hold")
    if kind is not None and not isinstance(found, kind):
        expected = "a JSON object" if kind is dict else kind.__name__
        raise ValueError(f"{name}: expected {expected}, got {type(found).__name__}")
    return found


def _is_text(found: Any) -> bool:
    r"""Tell whether every text is one: JSON can say ``\ud800``, the first half of a character, alone."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number of JSON's")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number


def plain(values: Any) -> Any:
    """Return what numpy can read: tensors as arrays, narrow floats such as bfloat16 widened to float32.

    Lists and tuples are gone through; anything else stays as it is.
    """
    if hasattr(values, "detach"):  # a torch tensor, without importing torch
        values = values.detach().cpu()
        if values.is_floating_point() and values.element_size() < 4:
            values = values.float()
        return values.numpy()
    if isinstance(values, list | tuple):
        return [plain(value) for value in values]
    return values


def floats(values: Any) -> "NDArray[np.float64]":
    """Return a tensor, an array or nested lists of them as float64.

    Raises:
        TypeError, ValueError: numpy's, for what are not numbers in rows of one length.
    """
    import numpy as np  # `unrolled --help` asks for paths alone

    return np.asarray(plain(values), dtype=np.float64)
