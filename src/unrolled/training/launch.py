"""Start processes that train together, from a notebook or a test, and end them whatever happens.

>>> from unrolled.training.launch import torchrun
>>> torchrun(["-m", "platform"], processes=1, timeout=600) != ""  # doctest: +SKIP
True
"""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from unrolled.inputs import not_text

__all__ = ["LaunchError", "torchrun"]


_PATIENCE = 60.0  # seconds for the launcher to end its workers; it kills those that do not end after 30


class LaunchError(RuntimeError):
    """Processes that failed, or took too long; the message ends with what they said."""


def torchrun(
    words: Sequence[str | Path],
    processes: int,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 600.0,
) -> str:
    """Run a script in several processes of this machine, as ``torchrun`` does; return what they print.

    They find each other through a free port of 127.0.0.1: no name is looked up and no network is needed.

    Args:
        words: the script and its arguments, or ``-m``, a module and its arguments.
        processes: how many.
        folder: where they run; here unless given.
        environment: variables to set for them, beside those of this process.
        timeout: seconds after which all of them are ended.

    Raises:
        TypeError: the words are one text.
        ValueError: there is no process to start.
        LaunchError: one of them failed, or they took longer.
    """
    if processes < 1:
        raise ValueError(f"processes: expected 1 or more, got {processes}")
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}", "--standalone"]
    command += ["--local-addr=127.0.0.1", *map(str, not_text("words", words, "words"))]
    # A session of its own: a key that interrupts this process is passed on by `_end`, and not twice.
    with subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as started:
        try:
            out, err = started.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            _end(started)
            _, err = started.communicate()
            raise LaunchError(f"{processes} processes took longer than {timeout:g} s\n{_last(err)}") from None
        except BaseException:  # such as a notebook's stop button
            _end(started)
            raise
    if started.returncode:
        raise LaunchError(f"one of {processes} processes failed\n{_last(err)}")
    return out


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the processes: one thread each, and gloo on the loopback interface."""
    interfaces = {name for _, name in socket.if_nameindex()} if hasattr(socket, "if_nameindex") else set()
    loopback = next((name for name in ("lo", "lo0") if name in interfaces), None)
    own = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    if loopback is not None:
        own["GLOO_SOCKET_IFNAME"] = loopback
    return {**own, **os.environ, **more}


def _end(started: "subprocess.Popen[str]") -> None:
    """End a launcher and all that it started.

    Its workers are in sessions of their own: it has to end them itself, which it does when it is asked to.
    """
    started.terminate()
    try:
        started.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        started.kill()


def _last(text: str, lines: int = 40) -> str:
    """Return the end of what was said."""
    return "\n".join(text.strip().splitlines()[-lines:])
