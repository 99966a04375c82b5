"""A bounded wait for Chromium, which itself would wait for ever, and word of how long it has taken so far."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error

from .site import PdfError

__all__ = ["PATIENCE", "Patience"]

Say = Callable[[str], object]
PATIENCE = 600.0
"""How long one step may take, in seconds: the longest takes about a minute where nothing else runs."""
_WORD = 30.0


class Patience:
    """How long each step may take, and who is told how far it is.

    Neither printing nor a script in a page can be given a time limit, so that a Chromium that does not
    answer is ended from outside. It is then lost for whoever else uses it.

    Args:
        say: is called with a line.
        seconds: a step has.
        word: the seconds between two lines on a step that takes longer.
    """

    def __init__(self, say: Say = lambda line: None, seconds: float = PATIENCE, word: float = _WORD) -> None:
        self.say = say
        self.seconds = seconds
        self.word = word

    @contextmanager
    def step(self, browser: Browser, what: str) -> Iterator[None]:
        """Bound what is done within.

        Args:
            browser: does it.
            what: is done, for a sentence that begins with it.

        Raises:
            PdfError: it was not done in time.
        """
        process = _process(browser)
        done, late = threading.Event(), threading.Event()

        def watch() -> None:
            started = time.monotonic()
            while (left := started + self.seconds - time.monotonic()) > 0:
                if done.wait(min(self.word, left)):
                    return
                self.say(f"  {what}: {time.monotonic() - started:.0f} s so far")
            late.set()
            os.kill(process, getattr(signal, "SIGKILL", signal.SIGTERM))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        except Error as error:
            if late.is_set():
                raise PdfError(
                    f"{what}: not done after {self.seconds:.0f} s, so Chromium was ended. On a busy machine, "
                    "wait longer: --patience SECONDS"
                ) from error
            raise
        finally:
            done.set()
            watcher.join()


def _process(browser: Browser) -> int:
    """Return the number of the process of `browser`."""
    session = browser.new_browser_cdp_session()
    told = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return next(int(one["id"]) for one in told if one["type"] == "browser")
