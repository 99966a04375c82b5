"""Files from elsewhere: downloaded once, checked, cached, or taken from a folder the user names.

What is checked is size and sha256. A file in the cache that is truncated or altered is refused and fetched
anew; one in the user's own folder is refused and left as it is. A download is written to a file of its own
beside the final one and moved there when it is whole and right, so that a kill at any moment leaves either
nothing or the right file, and two processes may fetch the same file at the same time.

With ``UNROLLED_OFFLINE=1`` nothing is had at all unless the code names a folder, whatever this machine has in
its cache: the book is built that way, so that its pages are the same everywhere. Used in chapter 10.
"""

import hashlib
import http.client
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from unrolled.inputs import user_path

__all__ = ["FOLDER_VARIABLE", "OFFLINE_VARIABLE", "DataError", "Source", "cache_folder", "fetch", "problem"]

FOLDER_VARIABLE = "UNROLLED_DATA"
"""The environment variable that names a folder to take files from."""
OFFLINE_VARIABLE = "UNROLLED_OFFLINE"
"""The environment variable that forbids downloads."""

_CHUNK = 1 << 16
_TIMEOUT = 30.0  # seconds without a byte
_STALE = 3600.0  # seconds after which an unfinished download belongs to nobody any more


class DataError(RuntimeError):
    """A file that cannot be had or is not what it should be; the message says what to do."""


@dataclass(frozen=True)
class Source:
    """A file somebody publishes.

    Attributes:
        name: where it lies in the cache or in the user's folder, such as ``multi30k/train.de.gz``.
        url: where it is downloaded from.
        sha256: of its content, 64 hexadecimal digits.
        size: bytes.
    """

    name: str
    url: str
    sha256: str
    size: int


def cache_folder() -> Path:
    """Return where downloads are kept: the user's cache folder on this system."""
    return Path(platformdirs.user_cache_dir("unrolled", appauthor=False))


def fetch(
    source: Source,
    *,
    folder: str | Path | None = None,
    cache: str | Path | None = None,
    progress: bool = True,
    attempts: int = 3,
) -> Path:
    """Return the path of `source`'s file, its content checked.

    Args:
        source: the file.
        folder: where the user keeps it; the environment variable ``UNROLLED_DATA`` unless given. With
            either, nothing is downloaded.
        cache: where downloads are kept; `cache_folder` unless given.
        progress: whether to say on standard error how far a download is.
        attempts: how often a download that breaks off or brings something else is tried, 1 or more.

    Raises:
        DataError: the file is not in the user's folder, or is not the right one there; or it cannot be
            downloaded, or ``UNROLLED_OFFLINE`` forbids it. The message names URL, file and folder.
        ValueError: `attempts` is below 1.
    """
    if attempts < 1:
        raise ValueError(f"attempts: expected 1 or more, got {attempts}")
    if not folder and os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0"):
        raise DataError(
            f"{source.name} is not asked for: {OFFLINE_VARIABLE} is set. Unset it to have {source.url} "
            f"({source.size:,} bytes) downloaded, or name the folder that holds it: folder=…"
        )
    folder = folder or os.environ.get(FOLDER_VARIABLE)
    if folder:
        return _from_folder(source, user_path("folder", folder))
    path = (cache_folder() if cache is None else user_path("cache", cache)) / source.name
    if path.is_file():
        wrong = problem(path, source)
        if wrong is None:
            return path
        _say(progress, f"{path}: {wrong}; downloading it anew\n")
    for attempt in range(1, attempts + 1):
        try:
            _download(source, path, progress)
            return path
        except _SpoiltDownloadError as error:
            wrong = str(error)
            _say(progress, f"{source.name}: {wrong} (attempt {attempt} of {attempts})\n")
    raise DataError(f"cannot download {source.url}: {wrong}. {_advice(source)}")


def problem(path: Path, source: Source) -> str | None:
    """Return what is wrong with the file, or None if it is `source`'s to the last bit.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        size = path.stat().st_size
        if size != source.size:
            what = "truncated" if size < source.size else "altered"
            return f"{what}: expected {source.size} bytes, got {size}"
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    return None if found == source.sha256 else f"altered: expected sha256 {source.sha256}, got {found}"


def _from_folder(source: Source, folder: Path) -> Path:
    places = (folder / source.name, folder / Path(source.name).name)
    for path in places:
        if path.is_file():
            wrong = problem(path, source)
            if wrong is None:
                return path
            raise DataError(
                f"{path} is {wrong}. It lies in your own folder and is left as it is: replace it by "
                f"{source.url}, or name no folder to have it downloaded"
            )
    raise DataError(
        f"expected {places[0]} or {places[1]}, got neither. Download {source.url} to there, or name no "
        f"folder (folder=, {FOLDER_VARIABLE}) to have it downloaded"
    )


class _SpoiltDownloadError(Exception):
    """What came is not the whole file, or not the right one: worth another try."""


def _download(source: Source, path: Path, progress: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in _received(source, progress):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            wrong = problem(part, source)
            if wrong is not None:
                raise _SpoiltDownloadError(f"what came is {wrong}")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}. {_advice(source)}") from error


def _received(source: Source, progress: bool) -> Iterator[bytes]:
    """Yield what the server sends, up to one byte more than there should be."""
    received = 0
    try:
        with urllib.request.urlopen(source.url, timeout=_TIMEOUT) as response:
            while received <= source.size:
                chunk = response.read(min(_CHUNK, source.size + 1 - received))
                if not chunk:
                    break
                received += len(chunk)
                _say(progress, f"\r{source.name}: {received:,} of {source.size:,} bytes")
                yield chunk
    except urllib.error.HTTPError as error:
        error.close()
        what = f"the server says {error.code} {error.reason}"
        raise DataError(f"cannot download {source.url}: {what}. {_advice(source)}") from error
    except urllib.error.URLError as error:
        what = f"no connection ({error.reason})"
        raise DataError(f"cannot download {source.url}: {what}. {_advice(source)}") from error
    except (http.client.HTTPException, OSError) as error:
        raise _SpoiltDownloadError(f"the connection broke ({error or type(error).__name__})") from error
    finally:
        _say(progress and received > 0, "\n")


def _sweep(path: Path) -> None:
    """Remove what downloads of this file that were killed left behind."""
    for part in path.parent.glob(f"{path.name}.*.part"):
        if time.time() - part.stat().st_mtime > _STALE:
            part.unlink(missing_ok=True)


def _say(progress: bool, text: str) -> None:
    if progress:
        sys.stderr.write(text)
        sys.stderr.flush()


def _advice(source: Source) -> str:
    return (
        f"Without a network, get {source.url} ({source.size:,} bytes) on another machine, put it into a "
        f"folder as {source.name}, and name that folder: folder=… or the environment variable "
        f"{FOLDER_VARIABLE}"
    )
