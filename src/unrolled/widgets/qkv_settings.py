"""What a QKV bench starts from: matrices that fit together, or a message that says which do not."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.inputs import floats
from unrolled.widgets.maps import text_of

__all__ = ["LIMIT", "checked_bench", "read_setting"]

MAX_TOKENS = 6
MAX_FEATURES = 6
MAX_WIDTH = 4
LIMIT = 20.0

_KEYS = (
    "X", "W_q", "W_k", "W_v", "tokens", "features", "source", "source_tokens", "real", "source_real",
    "scale", "causal", "cross", "note",
)  # fmt: skip
_NEEDED = ("X", "W_q", "W_k", "W_v", "tokens")
_SWITCHES = ("scale", "causal", "cross")


def read_setting(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a setting the script can show: names, numbers as lists, and every switch.

    Raises:
        TypeError: no mapping, no numbers, or no strings.
        ValueError: an unknown or a missing key, shapes that do not go together, a number out of range.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"{name}: expected a dict with {', '.join(_NEEDED)}, got {type(given).__name__}")
    for key in given:
        if key not in _KEYS:
            raise ValueError(f"{name}: expected keys among {', '.join(_KEYS)}, got {key!r}")
    for key in _NEEDED:
        if given.get(key) is None:
            raise ValueError(f"{name}: expected {', '.join(_NEEDED)}, got no {key}")
    tokens = _names(f"{name}: tokens", given["tokens"])
    x = _matrix(f"{name}: X", given["X"], len(tokens), None, MAX_TOKENS, MAX_FEATURES)
    d = x.shape[1]
    features = given.get("features")
    features = [str(k + 1) for k in range(d)] if features is None else _names(f"{name}: features", features)
    if len(features) != d:
        raise ValueError(f"{name}: features: expected {d}, one for each column of X, got {len(features)}")
    if given.get("source") is None and given.get("source_tokens") is None and not given.get("cross"):
        source, source_tokens = np.zeros((0, d)), []
    else:
        source_tokens = _names(f"{name}: source_tokens", given.get("source_tokens"))
        source = _matrix(
            f"{name}: source", given.get("source"), len(source_tokens), d, MAX_TOKENS, MAX_FEATURES
        )
    bench = {
        "X": x.tolist(),
        "Z": source.tolist(),
        **{
            key: _matrix(f"{name}: {key}", given[key], d, None, d, MAX_WIDTH).tolist() for key in _NEEDED[1:4]
        },
        "realX": _real(f"{name}: real", given.get("real"), len(tokens)),
        "realZ": _real(f"{name}: source_real", given.get("source_real"), len(source_tokens)),
        **{key: bool(given.get(key, key == "scale")) for key in _SWITCHES},
    }
    return {
        "name": name,
        "tokens": tokens,
        "source_tokens": source_tokens,
        "features": features,
        "note": text_of(f"{name}: note", given.get("note")),
        "bench": checked_bench(name, bench, bench),
    }


def checked_bench(name: str, bench: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """Return `bench` if its matrices have the shapes of `like`, go together and stay within the limit.

    Raises:
        TypeError: no numbers.
        ValueError: a key is missing, a shape differs, a number is not finite or beyond the limit.
    """
    if set(bench) != set(like):
        raise ValueError(f"{name}: expected {', '.join(like)}, got {', '.join(bench)}")
    kept: dict[str, Any] = {}
    for key, model in like.items():
        if key in _SWITCHES:
            kept[key] = bool(bench[key])
        elif key in ("realX", "realZ"):
            kept[key] = _real(f"{name}: {key}", bench[key], len(model))
        elif not model:  # there is no source
            kept[key] = []
        else:
            kept[key] = _matrix(
                f"{name}: {key}", bench[key], len(model), len(model[0]), MAX_TOKENS, MAX_FEATURES
            ).tolist()
    if len(kept["W_q"][0]) != len(kept["W_k"][0]):
        raise ValueError(
            f"{name}: expected W_q and W_k of one width, since queries meet keys, got "
            f"{len(kept['W_q'][0])} and {len(kept['W_k'][0])}"
        )
    if kept["cross"] and not kept["Z"]:
        raise ValueError(f"{name}: cross: expected a source to attend to, got none")
    return kept


def _names(what: str, given: Any) -> list[str]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f"{what}: expected a list of strings, got {type(given).__name__}")
    for i, one in enumerate(given):
        if not isinstance(one, str):
            raise TypeError(f"{what}: expected strings, got {type(one).__name__} at position {i}")
    if not 1 <= len(given) <= MAX_TOKENS:
        raise ValueError(f"{what}: expected 1 to {MAX_TOKENS}, got {len(given)}")
    return list(given)


def _real(what: str, given: Any, count: int) -> list[bool]:
    real = [True] * count if given is None else [bool(one) for one in given]
    if len(real) != count:
        raise ValueError(f"{what}: expected {count}, one for each token, got {len(real)}")
    return real


def _matrix(
    what: str, given: Any, rows: int, columns: int | None, most_rows: int, most_columns: int
) -> NDArray[np.float64]:
    try:
        array = floats(given)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{what}: expected rows of numbers, got {type(given).__name__}: {error}") from None
    fits = array.ndim == 2 and array.shape[0] == rows and 1 <= array.shape[1] <= most_columns
    if not fits or rows > most_rows or (columns is not None and array.shape[1] != columns):
        wide = f"1 to {most_columns}" if columns is None else str(columns)
        raise ValueError(f"{what}: expected {rows} rows of {wide} numbers, got shape {list(array.shape)}")
    if not (np.abs(array) <= LIMIT).all():
        bad = array[~(np.abs(array) <= LIMIT)][0]
        raise ValueError(f"{what}: expected numbers from {-LIMIT:g} to {LIMIT:g}, got {bad}")
    return array
