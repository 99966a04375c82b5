"""A folder as a site on this machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tools import serving

__all__ = ["served"]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve `folder` on this machine; yield the address, with a last slash."""
    server = serving.server(folder)
    # It looks this often, in seconds, whether it is to stop.
    thread = threading.Thread(target=partial(server.serve_forever, 0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
