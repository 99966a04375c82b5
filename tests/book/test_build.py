"""A build does what is out of date and nothing else, and makes the pages that a build from nothing makes."""

import os
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.book.little import TOC, by_hand, edit, files, lay_out
from tools.build_book import BuildError, build, tidy


def build_little(root: Path) -> None:
    """Lay out the little book and build it: both chapters run."""
    assert ran(lay_out(root)) == ["01_first", "02_second"]


@pytest.fixture(scope="session")
def little_root(once: Callable[..., Path]) -> Path:
    """The repository of the little book with its built pages, which nobody changes."""
    return once("little", build_little)


@pytest.fixture
def root(little_root: Path, tmp_path: Path) -> Path:
    """A copy of the little book and of its outputs, for a test that changes it.

    Its pages are out of date: Sphinx knows the place of what it has read. So the first build writes them all.
    """
    return Path(shutil.copytree(little_root, tmp_path / "little", symlinks=True))


def pages(root: Path) -> Path:
    return root / "book" / "_build" / "html"


def ran(root: Path, output: Path | None = None) -> list[str]:
    """Build; return the chapters that ran, in the order of their names."""
    said: list[str] = []
    build(root, output, say=said.append)
    return sorted(line.split(":")[0].strip() for line in said if line.startswith("  "))


def afresh(root: Path, output: Path) -> dict[str, bytes]:
    """Return the pages of a build from nothing."""
    return files(build(root, output))


def test_only_what_imports_a_changed_module_runs_again(root: Path) -> None:
    assert ran(root) == []
    edit(root / "src" / "little" / "leaf.py", "2", "5")
    assert ran(root) == ["01_first"]
    assert "leaf 5" in (root / "book/_build/html/01_first.html").read_text()
    edit(root / "src" / "little" / "deep.py", "3", "7")
    assert ran(root) == ["02_second"]
    assert "7" in (root / "book/_build/html/02_second.html").read_text()
    edit(root / "book" / "02_second.md", "print(core.core())", "print(core.core() * 11)")
    assert ran(root) == ["02_second"]
    assert "77" in (root / "book/_build/html/02_second.html").read_text()


def test_a_page_is_what_it_would_be_in_a_build_from_nothing(root: Path, tmp_path: Path) -> None:
    html = build(root)
    first, second = root / "book" / "01_first.md", root / "book" / "02_second.md"
    others = html / "02_second.html", html / "notebooks" / "02_second.ipynb"
    unchanged = [path.stat().st_mtime_ns for path in others]
    edit(first, "The first speaks", f"The first{' often' * 500} now\nspeaks")
    assert ran(root) == []
    # The first page says how long each takes.
    assert "<td>3</td><td>0</td>" in (html / "index.html").read_text()
    assert [path.stat().st_mtime_ns for path in others] == unchanged
    assert "now\nspeaks" in (html / "01_first.html").read_text()
    assert "often now" in (html / "notebooks" / "01_first.ipynb").read_text()
    assert files(html) == afresh(root, tmp_path / "a")
    # What the other page and the contents show of this one changes with it.
    edit(second, "# The second", "# The last")
    edit(second, "The second imports", "$$ e = f $$ (eq-before)\n\nIt imports")
    assert ran(root) == []
    assert "The last" in (html / "01_first.html").read_text()
    assert "(2.2)" in (html / "01_first.html").read_text()
    assert files(html) == afresh(root, tmp_path / "b")
    # A chapter goes, and its page with it.
    (root / "book" / "_toc.yml").write_text(TOC.replace("  - file: 02_second\n", ""))
    second.unlink()
    edit(first, "[the second](02_second.md) and of {eq}`eq-other`", "nothing")
    assert ran(root) == []
    assert not (html / "02_second.html").exists()
    assert files(html) == afresh(root, tmp_path / "c")


def test_a_commit_changes_the_day_of_its_pages_and_of_no_other(root: Path) -> None:
    def commit(day: str) -> None:
        for command in (("add", "book/*.md"), ("commit", "-m", "a", f"--date={day}T12:00:00")):
            who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
            subprocess.run(["git", *who, *command], cwd=root, check=True, capture_output=True)

    def days() -> list[str]:
        return [
            re.findall(r"<time>(.*)</time>", (pages(root) / f"{name}.html").read_text())[0]
            for name in ("01_first", "02_second")
        ]

    subprocess.run(["git", "init"], cwd=root, check=True, capture_output=True)
    commit("2026-03-01")
    edit(root / "book" / "01_first.md", "The first speaks", "The first now speaks")
    assert ran(root) == []
    assert days() == ["2026-03-01", "2026-03-01"]
    commit("2026-04-02")
    assert ran(root) == []
    assert days() == ["2026-04-02", "2026-03-01"]


def test_a_search_still_finds_the_terms_of_a_page_that_stayed(root: Path, tmp_path: Path) -> None:
    (root / "book" / "_toc.yml").write_text(TOC + "  - file: words\n")
    words = "# Words\n\n```{glossary}\nquokka\n  It smiles. First in [chapter 2](02_second.md).\n```\n"
    (root / "book" / "words.md").write_text(words)
    first, second = root / "book" / "01_first.md", root / "book" / "02_second.md"
    edit(second, "The second imports", "The quokka imports")
    html = build(root)
    edit(first, "The first speaks", "The first now speaks")
    assert ran(root) == []
    index = (html / "searchindex.js").read_text()
    assert '["term", "term-quokka", "quokka", [], "It smiles.", ""]' in index
    assert "The first now speaks" in index
    assert files(html) == afresh(root, tmp_path / "a")
    # The page of the glossary says where the term stands, and each chapter what it means.
    edit(second, "The quokka imports", "It imports")
    edit(second, "\n$$ c = d", "\n## Below\n\nA quokka.\n\n$$ c = d")
    edit(root / "book" / "words.md", "smiles", "grins")
    assert ran(root) == []
    assert "<em>Below</em>" in (html / "words.html").read_text()
    assert "It grins." in (html / "02_second.html").read_text()
    assert files(html) == afresh(root, tmp_path / "b")


def test_the_old_pages_stay_when_the_new_ones_come_to_nothing(root: Path) -> None:
    html = build(root)
    before = files(html)
    page = root / "book" / "01_first.md"
    edit(page, "leaf()", "leaf() / 0")
    with pytest.raises(BuildError, match="ZeroDivisionError"):
        build(root)
    assert files(html) == before
    edit(page, "leaf() / 0", "leaf()")
    edit(page, "{eq}`eq-other`", "{eq}`eq-nowhere`")
    # A second build of what failed fails again: what was read is not taken for right.
    for _ in range(2):
        with pytest.raises(BuildError, match="eq-nowhere"):
            build(root)
    assert files(html) == before
    edit(page, "{eq}`eq-nowhere`", "{eq}`eq-other`")
    assert files(build(root)) == before


@contextmanager
def one_core() -> Iterator[None]:
    """Two chapters that are out of date are then more than run at once, so their kernels are forked."""
    used = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(used)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, used)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("stale", [["01_first"], ["01_first", "02_second"]], ids=["started", "forked"])
def test_a_build_that_is_told_to_stop_leaves_whole_pages_and_nothing_at_work(
    root: Path, stale: list[str]
) -> None:
    html = build(root)
    before = files(html)
    os.mkfifo(root / "kernel")
    waits = f"import os, threading\n\nopen({str(root / 'kernel')!r}, 'w').write(str(os.getpid()))"
    for name in stale:
        page = root / "book" / f"{name}.md"
        edit(page, "```{code-cell}\n", f"```{{code-cell}}\n{waits}\nthreading.Event().wait()\n")
    command = "from pathlib import Path; from tools import build_book as tool; build = tool.build\n"
    command += (
        f"tool.build = lambda **told: build(Path({str(root)!r}), **told)\nraise SystemExit(tool.main([]))"
    )
    with (
        one_core(),
        subprocess.Popen([sys.executable, "-c", command], stderr=subprocess.PIPE, text=True) as running,
    ):
        kernel = os.pidfd_open(int((root / "kernel").read_text()))
        running.terminate()
        assert running.communicate()[1] == "Stopped. No page of the book is half made.\n"
    assert running.returncode == 130
    assert files(html) == before
    ended = select.poll()
    ended.register(kernel)
    assert ended.poll()
    os.close(kernel)


def test_a_stream_that_came_in_pieces_is_printed_as_it_was_written(little_root: Path) -> None:
    page = (pages(little_root) / "02_second.html").read_text()
    assert "the row goes on\n\n  and its second line\n3\n" in page
    assert page.count('class="output stream') == 1


def test_a_book_built_by_hand_is_the_same(little_root: Path, tmp_path: Path) -> None:
    typed = by_hand(little_root, tmp_path / "typed")
    assert typed.returncode == 0, typed.stdout[-3000:] + typed.stderr[-3000:]
    assert files(tmp_path / "typed" / "_build" / "html") == files(pages(little_root))


def test_a_chapter_whose_kernel_was_forked_is_the_same(little_root: Path, root: Path, tmp_path: Path) -> None:
    with one_core():
        made = afresh(root, tmp_path)
        assert made == files(pages(little_root))
        edit(root / "book" / "01_first.md", 'print("leaf"', 'import sys\n\nprint("torch" in sys.modules')
        edit(root / "book" / "02_second.md", "import sys\n", "import sys  # again\n")
        assert ran(root, tmp_path) == ["01_first", "02_second"]
    assert "True 2" in (tmp_path / "_build/html/01_first.html").read_text()


def test_a_formatted_error_names_the_cell_when_built_by_hand(root: Path, tmp_path: Path) -> None:
    edit(root / "book" / "01_first.md", "leaf()", "leaf() / 0")
    typed = by_hand(root, tmp_path / "typed")
    assert typed.returncode != 0
    assert "01_first.md failed:" in typed.stdout + typed.stderr


@pytest.mark.parametrize(("builder", "page"), [("singlehtml", "index.html"), ("latex", "*.tex")])
def test_other_builders_write_the_sample(sample_root: Path, tmp_path: Path, builder: str, page: str) -> None:
    cache = "_build/.jupyter_cache"  # the cells have run for the pages
    shutil.copytree(sample_root / "book" / cache, tmp_path / "typed" / cache)
    typed = by_hand(sample_root, tmp_path / "typed", "--builder", builder, "-n", "-W", "--keep-going")
    assert typed.returncode == 0, typed.stdout[-3000:] + typed.stderr[-3000:]
    (made,) = (tmp_path / "typed" / "_build" / builder).glob(page)
    text = made.read_text(encoding="utf-8")
    assert "The dot product does not care for order." in text
    assert "Try two vectors" in text


def test_a_picture_within_a_page_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "_static").mkdir()
    for name in ("asked.png", "unasked.png"):
        (tmp_path / "_static" / name).touch()
    picture = "data:image/png;base64," + "A" * 5000
    (tmp_path / "index.html").write_text(f'<img src="{picture}"><img src="_static/asked.png">')
    tidy(tmp_path)
    assert [path.name for path in (tmp_path / "_static").iterdir()] == ["asked.png"]
