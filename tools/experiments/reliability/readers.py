"""Every reader of files, given files that are damaged.

What it says of one has to be one of two things: what the file holds, checked by an independent reading of
it, or an error of the kind that its documentation names, with the name of the file. Any other exception, a
hang or other numbers are a failure; each is printed with the seed that makes it again.
"""

import contextlib
import io
import random
import shutil
import signal
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.experiments.reliability.mutations import damaged

__all__ = ["Reader", "Verdict", "check", "readers"]

_SECONDS = 20


class HangError(BaseException):
    """A reader that has not answered for a long time; no reader may catch it."""


@dataclass(frozen=True)
class Reader:
    """A reader of files, and a sound example.

    Attributes:
        write: writes the example's files into a folder.
        read: reads them, and returns what can be compared.
        errors: what it may raise for a damaged file.
        faithful: whether what was read is what the damaged files say; where a checksum would have told,
            nothing but the original may come.
        files: patterns of those that are damaged.
        names: what an error may call the file besides its name.
    """

    write: Callable[[Path], Any]
    read: Callable[[Path], Any]
    errors: tuple[type[BaseException], ...] = (ValueError,)
    faithful: Callable[[Path, Any], bool] = lambda folder, got: False
    files: tuple[str, ...] = ("*",)
    names: tuple[str, ...] = ()


@dataclass
class Verdict:
    """How one reader answered."""

    answers: Counter[str]
    failures: list[str]


def _ring(*_: object) -> None:
    raise HangError


@contextlib.contextmanager
def _alarm(seconds: int) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, _ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _answer(reader: Reader, folder: Path, file: Path, original: Any) -> tuple[str, str]:
    try:
        with _alarm(_SECONDS), contextlib.redirect_stderr(io.StringIO()):
            got = reader.read(folder)
    except HangError:
        return "hangs", ""
    except reader.errors as error:
        said = str(error)
        if any(name in said for name in (file.name, *reader.names)):
            return "refused", said
        return "refused without its name", "".join(traceback.format_exception(error))[-1500:]
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return "another error", "".join(traceback.format_exception(error))[-1500:]
    if same(got, original):
        return "as it was", ""
    return ("as the file says", "") if reader.faithful(folder, got) else ("other numbers", repr(got)[:300])


def same(a: Any, b: Any) -> bool:
    """Return whether two results are equal to the last bit, tensors and all."""
    if hasattr(a, "shape") and hasattr(b, "shape"):
        return a.shape == b.shape and a.dtype == b.dtype and bool((a == b).all())
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and bool(a == b)


def check(name: str, reader: Reader, n: int, seed: int = 0, first: int = 0) -> Verdict:
    """Give a reader `n` damaged files; what is drawn depends on its name, the seed and the number alone."""
    verdict = Verdict(Counter(), [])
    with tempfile.TemporaryDirectory() as place:
        sound, folder = Path(place, "sound"), Path(place, "damaged")
        sound.mkdir()
        reader.write(sound)
        shutil.copytree(sound, folder)
        original = reader.read(folder)
        files = sorted({path for pattern in reader.files for path in sound.rglob(pattern) if path.is_file()})
        for i in range(first, first + n):
            chance = random.Random(f"{name}-{seed}-{i}")
            path = chance.choice(files)
            here = folder / path.relative_to(sound)
            if chance.random() < 0.01:
                here.unlink()
            else:
                here.write_bytes(damaged(path.read_bytes(), chance, path.suffix))
            how, why = _answer(reader, folder, here, original)
            verdict.answers[how] += 1
            if how not in ("as it was", "as the file says", "refused"):
                verdict.failures.append(f"{name}, seed {seed}, {i}: {how}: {path.name}: {why}")
                print(verdict.failures[-1], flush=True)
            shutil.copyfile(path, here)
    return verdict


def readers() -> dict[str, Reader]:
    """Return every reader of files by name."""
    from tools.experiments.reliability import files_of_others, files_of_runs

    return {**files_of_runs.READERS, **files_of_others.READERS}
