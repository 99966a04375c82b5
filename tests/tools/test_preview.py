"""The preview builds what changed, once for each change, and outlives what does not build."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import preview
from tools.build_book import BuildError
from tools.preview import state, watch


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "book" / "_build").mkdir(parents=True)
    (tmp_path / "src").mkdir()
    (tmp_path / "book" / "page.md").write_text("one")
    return tmp_path


def run(root: Path, steps: list[Callable[[], object]], fail: bool = False) -> tuple[int, list[str]]:
    """Watch while `steps` happen, one between two looks; return how often it built, and what it said."""
    built, said, waiting = [], [], iter(steps)

    def wait() -> bool:
        step = next(waiting, None)
        if step:
            step()
        return step is not None

    def make() -> None:
        built.append(1)
        if fail:
            raise BuildError("page.md:3: a role is missing")

    watch(root, make, said.append, wait)
    return len(built), said


def nothing() -> None:
    pass


def test_a_change_is_built_once(root: Path) -> None:
    page = root / "book" / "page.md"
    times, said = run(root, [nothing, lambda: page.write_text("three"), nothing, nothing])
    assert times == 1
    assert said[0] == "book/page.md changed: building"
    assert said[1].startswith("Built in ")


def test_new_and_removed_files_count_and_what_a_build_makes_does_not(root: Path) -> None:
    new, out, hidden = (
        root / "src" / "new.py",
        root / "book" / "_build" / "page.html",
        root / "src" / ".new.swp",
    )
    steps = [
        lambda: out.write_text("html"),
        lambda: hidden.write_text(""),
        lambda: new.write_text(""),
        new.unlink,
    ]
    times, said = run(root, steps)
    assert times == 2
    assert [line for line in said if "changed" in line] == ["src/new.py changed: building"] * 2


def test_what_does_not_build_is_said_and_the_next_change_is_built(root: Path) -> None:
    page = root / "book" / "page.md"
    steps = [lambda: page.write_text("three"), lambda: page.write_text("seven.")]
    times, said = run(root, steps, fail=True)
    assert times == 2
    assert "page.md:3: a role is missing" in said[1]
    assert "the pages are as they were" in said[3]


def test_a_change_during_a_build_is_built_next(root: Path) -> None:
    page = root / "book" / "page.md"
    built = []

    def make() -> None:
        built.append(page.read_text())
        if len(built) == 1:
            page.write_text("while it builds")

    waits = iter([True, True, True, False])

    def wait() -> bool:
        if not built and page.read_text() == "one":
            page.write_text("three")
        return next(waits)

    watch(root, make, lambda line: None, wait)
    assert built == ["three", "while it builds"]


def test_the_state_of_the_real_repository_holds_pages_and_sources_alone() -> None:
    found = state(preview.ROOT)
    assert {
        "book/index.md",
        "book/_toc.yml",
        "src/unrolled/tap.py",
        "book/_ext/course/__init__.py",
    } <= found.keys()
    assert not [path for path in found if "_build/" in path or "__pycache__" in path]


def test_a_port_that_is_taken_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(preview, "build", lambda say: root)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert preview.main(["--port", str(port)]) == 1
    assert f"port {port}: " in capsys.readouterr().err


def test_a_book_that_does_not_build_is_not_served(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(say: object) -> Path:
        raise BuildError("page.md:3: a role is missing")

    monkeypatch.setattr(preview, "build", refuse)
    assert preview.main([]) == 1
    assert "page.md:3: a role is missing" in capsys.readouterr().err
