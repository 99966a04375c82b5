"""Find a browser for the tests, and fetch one where there is none.

Run ``python -m tools.browser`` to print the path of the browser the tests will drive. In this order:

1. the environment variable ``CHROMIUM``;
2. a Chromium or Chrome of the system, first of all the one without windows;
3. the one Playwright has installed already;
4. ``playwright install chromium``;
5. Debian's package, where we may install it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

__all__ = ["BrowserNotFoundError", "arguments", "find", "find_or_fetch"]

# What has no windows opens a page in a third of the processor time: around each page of the others are the
# tabs, bars and menus that nobody sees, pages themselves.
NAMES = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


class BrowserNotFoundError(RuntimeError):
    """No browser, and none could be fetched; the message lists what was tried."""


def arguments() -> list[str]:
    """Return the switches the tests start the browser with: quiet, and with no name resolution."""
    switches = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--disable-gpu",
        # A page that asks for another machine fails, also where there is a network.
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    ]
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    # Chromium refuses to start as root with its sandbox, which is how containers run it.
    return ["--no-sandbox", *switches] if as_root else switches


def starts(path: str | Path) -> bool:
    """Tell whether the program at `path` answers ``--version``: Ubuntu's stub for a missing snap does not."""
    try:
        answer = subprocess.run(
            [str(path), "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def of_the_system() -> Path | None:
    """Return the system's Chromium or Chrome, if one starts."""
    found = [shutil.which(name) for name in NAMES] + [app for app in APPLICATIONS if Path(app).is_file()]
    return next((Path(path) for path in found if path and starts(path)), None)


def of_playwright() -> Path | None:
    """Return the browser Playwright has installed, if one starts."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.is_file() and starts(path) else None


def run(command: list[str]) -> str:
    """Run `command` without input; return what went wrong, or an empty string."""
    print("+", " ".join(command), file=sys.stderr, flush=True)
    try:
        # What the installers print goes to stderr, so that stdout holds the path alone.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    except OSError as error:
        return str(error)
    return "" if done.returncode == 0 else f"exit status {done.returncode}"


def fetch_playwright() -> str:
    """Let Playwright download its Chromium; return what went wrong, or an empty string."""
    return run([sys.executable, "-m", "playwright", "install", "chromium"])


def fetch_debian() -> str:
    """Install Debian's package, as root or by a sudo that asks nothing; return what went wrong."""
    if not shutil.which("apt-get"):
        return "no apt-get here"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        become = []
    elif shutil.which("sudo"):
        become = ["sudo", "-n"]
    else:
        return "not root, and no sudo"
    if problem := run([*become, "apt-get", "update", "-q"]):
        return problem
    # The other brings the fonts that it recommends. Not every distribution has the first.
    for packages in (["chromium-headless-shell", "chromium"], ["chromium"]):
        if not (problem := run([*become, "apt-get", "install", "-y", "-q", *packages])):
            break
    return problem


def find() -> Path | None:
    """Return a browser that is already here, or None.

    Raises:
        BrowserNotFoundError: ``CHROMIUM`` is set and names no program that starts.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        path = shutil.which(named)
        if path is None or not starts(path):
            raise BrowserNotFoundError(f"CHROMIUM: expected a browser that starts, got {named!r}")
        return Path(path)
    return of_the_system() or of_playwright()


def find_or_fetch() -> Path:
    """Return a browser, fetched if need be.

    Raises:
        BrowserNotFoundError: there is none and none could be fetched; the message lists what was tried.
    """
    path = find()
    if path is not None:
        return path
    tried = [
        f"on PATH: {', '.join(NAMES)}: none starts",
        "Playwright's own: not installed, or does not start",
    ]
    ways: list[tuple[str, Callable[[], str], Callable[[], Path | None]]] = [
        ("playwright install chromium", fetch_playwright, of_playwright),
        ("apt-get install chromium-headless-shell", fetch_debian, of_the_system),
    ]
    for name, fetch, look in ways:
        problem = fetch()
        path = None if problem else look()
        if path is not None:
            return path
        tried.append(f"{name}: {problem or 'installed, but it does not start'}")
    raise BrowserNotFoundError(
        "No browser for the tests. Install Chromium or Chrome, or set CHROMIUM to the path of one. Tried:\n  "
        + "\n  ".join(tried)
    )


if __name__ == "__main__":
    try:
        print(find_or_fetch())
    except BrowserNotFoundError as error:
        sys.exit(str(error))
