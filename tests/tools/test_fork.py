"""A fork, as docs/fork.md tells it: another name, address, language and chapter, and one chapter less."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.book.site_links import broken_links
from tests.repository import ROOT, copy_repository
from tools import address, course

# Put together here: the fork's own tests hold that neither stands in another file than it belongs.
TITLE, SLUG = " ".join(("Atención,", "paso", "a", "paso")), "/".join(("somebody", "attention"))
# One in the middle of the book, whose place in the lists of others shows.
GONE = course.chapters()[-4]
LAST = max(int(page[:2]) for page in course.chapters() if page[:2].isdigit())
ADDED = f"{LAST + 1:02}_rest"
# Where the title is written by hand, beside _config.yml. It stands nowhere else (tests/test_title.py).
TITLED = ("book/_config.yml", "README.md", "book/index.md", "LICENSE", "LICENSE-CONTENT", "pyproject.toml")
WORDS = "book/_words.yml"


def run(root: Path, *command: str) -> str:
    """Run a module of the fork's tools, with nothing of this repository on the path; return what it said."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "GITHUB"))
    }
    environment["PYTHONPATH"] = os.pathsep.join([str(root), str(root / "src")])
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def replace(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text(encoding="utf-8")
    assert old in text, name
    (root / name).write_text(text.replace(old, new), encoding="utf-8")


def translated(text: str) -> str:
    """Return the words of the interface in another language: ours, told apart from English by its marks."""
    words = yaml.safe_load(text)

    def accented(value: object) -> object:
        if isinstance(value, dict):
            return {key: accented(item) for key, item in value.items()}
        if isinstance(value, list):
            return [accented(item) for item in value]
        # What stands in braces is filled in, and what stands in angles is markup.
        parts = re.split(r"(\{[^}]*\}|<[^>]*>)", str(value))
        return "".join(
            p if n % 2 else p.translate(str.maketrans("aeiou", "àèìòù")) for n, p in enumerate(parts)
        )

    return yaml.safe_dump(accented(words), allow_unicode=True, sort_keys=False, width=1000)


@pytest.fixture(scope="module")
def fork(once: Callable[..., Path], built_book: Path) -> Path:
    """The fork, built with warnings as errors."""

    def fill(root: Path) -> None:
        copy_repository(root)
        # What the cells of the chapters gave: they are the same here.
        shutil.copytree(ROOT / "book/_build/.jupyter_cache", root / "book/_build/.jupyter_cache")
        said = run(root, "tools.remove_chapter", GONE[:2])
        # What still leads to it is named with its line; the words there are rewritten by hand.
        for name, line in re.findall(r"^(book/\w+\.md):(\d+): .*\{(?:eq|numref)\}", said, re.MULTILINE):
            lines = (root / name).read_text(encoding="utf-8").split("\n")
            lines[int(line) - 1] = re.sub(r"\{(?:eq|numref)\}`[^`]*`", "there", lines[int(line) - 1])
            (root / name).write_text("\n".join(lines), encoding="utf-8")
        run(root, "tools.new_chapter", ADDED[:2], "rest", "A rest")
        for name in TITLED:
            replace(root, name, course.title(), TITLE)
        replace(root, "pyproject.toml", address.slug(), SLUG)
        replace(root, "book/_config.yml", "language: en", "language: es")
        replace(root, "book/index.md", "An animal.", "Un animal.")
        (root / WORDS).write_text(translated((root / WORDS).read_text(encoding="utf-8")), encoding="utf-8")
        run(root, "tools.notebooks")
        run(root, "tools.citation")
        run(root, "tools.build_book")

    return once("fork", fill)


@pytest.fixture(scope="module")
def pages(fork: Path) -> dict[str, str]:
    html = fork / "book" / "_build" / "html"
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(html.glob("*.html"))}


def test_no_link_of_any_page_is_broken(fork: Path) -> None:
    checked, broken = broken_links(fork / "book" / "_build" / "html")
    assert checked > 1000
    assert broken == []


def test_one_chapter_is_gone_and_one_is_there(fork: Path, pages: dict[str, str]) -> None:
    html = fork / "book" / "_build" / "html"
    assert GONE not in pages
    assert ADDED in pages
    held = [path for path in html.rglob("*") if path.suffix in {".html", ".js", ".xml", ".ipynb", ".json"}]
    assert [path.name for path in held if GONE in path.read_text(encoding="utf-8")] == []
    assert sorted(path.stem for path in (html / "notebooks").glob("*.ipynb")) == sorted(
        path.stem for path in (fork / "notebooks").glob("*.ipynb")
    )
    assert (fork / "notebooks" / f"{ADDED}.ipynb").exists()
    assert f"{ADDED}.html" in (html / "sitemap.xml").read_text(encoding="utf-8")
    assert ADDED in (html / "searchindex.js").read_text(encoding="utf-8")


def test_the_contents_of_every_page_list_the_forks_chapters_in_their_order(
    fork: Path, pages: dict[str, str]
) -> None:
    chapters = course.chapters(fork)
    assert chapters[-1] == ADDED
    assert len(chapters) == len(course.chapters())
    for page, text in pages.items():
        contents = re.search(r'<nav class="(?:toctree|needs-js)".*?</nav>', text, re.DOTALL)
        assert contents, page
        # A page has no file name for itself.
        listed = re.findall(r'href="(?:([\w]+)\.html)?#?"', contents[0])
        assert [name or page for name in listed if (name or page) in chapters] == chapters, page


def test_chapters_follow_each_other_over_the_gap(fork: Path, pages: dict[str, str]) -> None:
    chapters = course.chapters(fork)
    at = course.chapters().index(GONE)
    before, after = chapters[at - 1 : at + 1]
    assert re.search(rf'href="{after}\.html" rel="next"', pages[before])
    assert re.search(rf'href="{before}\.html" rel="prev"', pages[after])


def test_exercises_carry_the_number_of_their_chapter(fork: Path, pages: dict[str, str]) -> None:
    for page in (page for page in course.chapters(fork) if page[:2].isdigit()):
        numbers = re.findall(r'class="caption-number">\s*\S+ (\d+)\.(\d+)', pages[page])
        chapter = str(int(page[:2]))
        assert numbers == [(chapter, str(n)) for n in range(1, len(numbers) + 1)], page
        assert len(numbers) >= 4, page


def test_the_new_name_and_address_stand_on_every_page_and_the_old_nowhere(
    fork: Path, pages: dict[str, str]
) -> None:
    for page, text in pages.items():
        assert f"{TITLE}</title>" in text, page
        assert course.title() not in text, page
        assert address.slug() not in text, page
    for path in (fork / "notebooks").glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert f"github.com/{SLUG}" in text, path.name
        assert address.slug() not in text, path.name
    assert f"github.com/{SLUG}" in (fork / "CITATION.cff").read_text(encoding="utf-8")


def test_the_words_around_the_text_are_in_the_other_language(pages: dict[str, str]) -> None:
    assert "Un animal." in pages["index"]
    for page, text in pages.items():
        assert '<html lang="es"' in text, page
        assert ">Skip to the text<" not in text, page


def test_its_own_tests_of_name_and_address_pass(fork: Path) -> None:
    """The fork is a repository of its own: git answers for what stands in it."""
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=fork, check=True)
    run(fork, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_title.py", "tests/test_address.py")


def test_the_guide_names_what_was_done_here() -> None:
    text = (ROOT / "docs" / "fork.md").read_text(encoding="utf-8")
    for name in ("tools.remove_chapter", "tools.new_chapter", "make notebooks citation", "language:"):
        assert name in text
    linked = {name.replace("\\", "") for name in re.findall(r"\]\(\.\./([^)]+)\)", text)}
    assert set(TITLED) | {WORDS} <= linked
