"""A folder as a site on this machine, for whoever looks at pages while they change."""

from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["server"]


class _Handler(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        """Have a browser ask again: by its own rule it keeps an older file without asking."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def send_header(self, keyword: str, value: str) -> None:
        """Leave out when a file changed, in whole seconds: two may come and go within one."""
        if keyword != "Last-Modified":
            super().send_header(keyword, value)

    def log_message(self, *args: object) -> None:
        """Say nothing of each file: the browser reports what is missing."""


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of `folder` for this machine alone, not yet serving, at a free port unless told.

    Raises:
        OSError: the port is taken.
    """
    handler: Callable[..., _Handler] = partial(_Handler, directory=str(folder))
    return ThreadingHTTPServer(("127.0.0.1", port), handler)
