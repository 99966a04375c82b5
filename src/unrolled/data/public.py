"""Public data sets, fetched once: Multi30k (German and English captions) and tiny Shakespeare.

Neither is ours, and the course carries neither: the first use downloads the files from the repositories of
those who publish them, checks size and sha256, and keeps them in the user's cache folder. A folder that
holds them already is used instead when it is named, by ``folder=`` or the environment variable
``UNROLLED_DATA``; a file lies there as ``multi30k/train.de.gz`` or as ``train.de.gz``.

Multi30k: Elliott, Frank, Sima'an and Specia, Multi30K: Multilingual English-German Image Descriptions, 2016.
Tiny Shakespeare: Karpathy, char-rnn, 2015. Taught in chapters 9 and 10.
"""

import gzip
from pathlib import Path
from typing import Literal

from unrolled.data.fetch import DataError, Source, fetch

__all__ = ["MULTI30K", "MULTI30K_PAIRS", "TINY_SHAKESPEARE", "multi30k", "tiny_shakespeare"]

_URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"

Part = Literal["train", "val", "test"]

# part -> what its files are called; (part, language) -> size in bytes and sha256, as published.
_NAMES = {"train": "train", "val": "val", "test": "test_2016_flickr"}
_PUBLISHED = {
    ("train", "de"): (637_044, "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6"),
    ("train", "en"): (568_929, "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f"),
    ("val", "de"): (24_681, "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a"),
    ("val", "en"): (21_650, "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28"),
    ("test", "de"): (22_890, "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8"),
    ("test", "en"): (21_077, "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9"),
}


def _source(part: str, language: str) -> Source:
    size, sha256 = _PUBLISHED[part, language]
    name = f"{_NAMES[part]}.{language}.gz"
    return Source(f"multi30k/{name}", _URL + name, sha256, size)


MULTI30K = {key: _source(*key) for key in _PUBLISHED}
"""Where each part is found in each language, and its checksum."""
MULTI30K_PAIRS = {"train": 29_000, "val": 1_014, "test": 1_000}
"""How many pairs each part has."""

TINY_SHAKESPEARE = Source(
    "tinyshakespeare/input.txt",
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    1_115_394,
)
"""Where tiny Shakespeare is found, and its checksum."""


def multi30k(
    part: Part = "train", *, folder: str | Path | None = None, progress: bool = True
) -> list[tuple[str, str]]:
    """Return the (German, English) captions of one part: 29,000, 1,014 or 1,000 pairs.

    Args:
        part: ``train``, ``val`` or ``test``, the one of 2016 from Flickr.
        folder: where the files are; without one they are downloaded once and cached.
        progress: whether a download says on standard error how far it is.

    Raises:
        ValueError: there is no such part.
        DataError: the files cannot be had; the message says what to do.
    """
    if part not in MULTI30K_PAIRS:
        raise ValueError(f"part: expected one of {', '.join(map(repr, MULTI30K_PAIRS))}, got {part!r}")
    german, english = (
        _lines(fetch(MULTI30K[part, language], folder=folder, progress=progress)) for language in ("de", "en")
    )
    if len(german) != len(english):
        raise DataError(
            f"multi30k {part}: expected as many German lines as English, got {len(german)} and {len(english)}"
        )
    return list(zip(german, english, strict=True))


def tiny_shakespeare(*, folder: str | Path | None = None, progress: bool = True) -> str:
    """Return tiny Shakespeare, 1,115,394 characters; arguments and errors as for `multi30k`."""
    return fetch(TINY_SHAKESPEARE, folder=folder, progress=progress).read_text(encoding="utf-8")


def _lines(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return [line.strip() for line in file]
