"""Start kernels as forks of one process that has loaded what chapters import: ``python -m tools.forks``.

Loading torch, matplotlib and widgets takes a kernel about three seconds of processor time, as long as a
short chapter needs for all its cells. A fork has them at once, and shares nothing that a cell may change.
"""

import atexit
import ctypes
import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

__all__ = ["ForkProvisioner", "Forks"]

# What most chapters import. A module is loaded in vain where none does, and a chapter loads what is not here.
LOADED = (
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipywidgets",
    # Not pyplot, which looks at the kernel it is loaded in.
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "torch",
    # The first optimizer loads it.
    "torch._dynamo",
)
_LAUNCHER = "ipykernel_launcher"
# PR_SET_PDEATHSIG of Linux.
_DIES_WITH_PARENT = 1


class Forks:
    """The process that is forked, for as long as the context lasts; kernels that still run end with it."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.forks"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self._process.communicate()

    @staticmethod
    def possible() -> bool:
        """Whether this system can fork a process that has loaded torch, and watch one that is no child."""
        try:
            os.close(os.pidfd_open(os.getpid()))
        except (AttributeError, OSError):  # not Linux, or a container that does not let one
            return False
        return True

    def start(self, arguments: list[str], folder: str, variables: dict[str, str]) -> "_Forked":
        """Start a kernel.

        Args:
            arguments: of the command line.
            folder: where it works.
            variables: its environment. What is read when a module is loaded was read already.

        Raises:
            ChildProcessError: the process to be forked has ended, or the kernel at once.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._one_at_a_time, suppress(BrokenPipeError):
            print(json.dumps([arguments, folder, variables]), file=self._process.stdin, flush=True)
            if answer := self._process.stdout.readline():
                with suppress(ProcessLookupError):  # it has ended already
                    return _Forked(int(answer))
        raise ChildProcessError(
            "tools.forks: expected a kernel that runs, and it, or what is forked, has ended"
        )


class _Forked:
    """A process that is no child of this one; has what provisioners ask of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self._watched = os.pidfd_open(pid)
        self.pid, self._ends = pid, select.poll()
        self._ends.register(self._watched)

    def poll(self) -> int | None:
        """Return None while it runs. How it ended only its parent is told; 0 says that it has."""
        return 0 if self._ends.poll(0) else None

    def wait(self) -> int:
        """Wait until it has ended."""
        self._ends.poll()
        return 0

    def send_signal(self, number: int) -> None:
        """Send it a signal; raise ProcessLookupError if it has ended."""
        signal.pidfd_send_signal(self._watched, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def __del__(self) -> None:
        if hasattr(self, "_watched"):
            os.close(self._watched)


class ForkProvisioner(LocalProvisioner):
    """Has `Forks` start a kernel, where a `LocalProvisioner` starts an interpreter."""

    def __init__(self, forks: Forks, **traits: Any) -> None:
        super().__init__(**traits)
        self._forks = forks

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel that the command would have started."""
        if _LAUNCHER not in cmd:  # another language's
            return await super().launch_kernel(cmd, **kwargs)
        arguments = cmd[cmd.index(_LAUNCHER) + 1 :]
        folder = str(kwargs.get("cwd") or Path.cwd())
        started = self._forks.start(arguments, folder, kwargs["env"])
        self.process = started  # type: ignore[assignment]
        self.pid = self.pgid = started.pid
        self.cwd = folder
        return self.connection_info


def main() -> None:
    """Load the modules; then fork for each line that comes, until no more can come."""
    # A kernel says so before it loads matplotlib, which asks but once.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    for name in LOADED:
        try:
            import_module(name)
        except Exception:  # the chapter that imports it says what is wrong with it
            continue
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what kernels print is no answer
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the forks
    gc.collect()
    gc.freeze()  # or each fork's collector would copy every page of memory
    for line in sys.stdin:
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            answers.close()
            _become_kernel(parent, *json.loads(line))
        print(pid, file=answers, flush=True)


def _become_kernel(parent: int, arguments: list[str], folder: str, variables: dict[str, str]) -> None:
    from ipykernel import kernelapp

    status = 1
    try:
        # A kernel ends when the process does that it was forked from.
        ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            return
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        for name in ("numpy.random", "torch.random"):
            if name in sys.modules:
                sys.modules[name].seed()  # else all forks would draw the same numbers
        sys.argv[1:] = [*arguments, f"--IPKernelApp.parent_handle={parent}"]
        kernelapp.launch_new_instance()
        atexit._run_exitfuncs()
        status = 0
    except BaseException:  # nothing of it may go on in what was forked
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Without taking down the interpreter, which torch makes long.
        os._exit(status)


if __name__ == "__main__":
    main()
