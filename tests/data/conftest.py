"""A server for the tests of downloads."""

from collections.abc import Iterator

import pytest

from tests.data.server import Server
from unrolled.data.fetch import FOLDER_VARIABLE


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    server = Server()
    yield server
    server.stop()
