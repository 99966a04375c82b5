"""Take a chapter out of the book: ``python -m tools.remove_chapter 11``, or ``interlude``.

Removes its page, its notebook, the tests of its page, its line in ``book/_toc.yml``, its run time, and its
part and lessons in ``book/teaching.md``. Links to it become their text. What speaks of it in words cannot be
mended by a program: it is listed, line by line. The package is left alone.
"""

import argparse
import re
import sys
from pathlib import Path

from tools import course
from tools.notebooks.labels import read_book
from tools.run_times import keep_times, measured_times
from tools.teaching import without_chapter

__all__ = ["main"]

ROOT = Path(__file__).parents[1]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.remove_chapter", description="Remove a chapter.")
    parser.add_argument("number", help="two digits, such as 05, or interlude")
    number = parser.parse_args(arguments).number
    found = sorted((root / "book").glob(f"{number}_*.md")) if re.fullmatch(r"\d\d|interlude", number) else []
    if len(found) != 1:
        there = ", ".join(page.split("_")[0] for page in course.chapters(root))
        print(f"number: expected a chapter of the book ({there}), got {number!r}", file=sys.stderr)
        return 1
    page = found[0].stem
    remaining = {path: path.read_text(encoding="utf-8") for path in sorted((root / "book").glob("*.md"))}
    labels = [name for name, label in read_book({page: remaining.pop(found[0])}).labels.items()]
    removed = [found[0], root / "notebooks" / f"{page}.ipynb", *own_tests(page, root)]
    for path in removed:
        path.unlink(missing_ok=True)
    toc = root / "book" / "_toc.yml"
    _drop_lines(toc, rf"\s*- file: {page}\s*")
    # A part whose only chapter it was goes with it.
    parts = toc.read_text(encoding="utf-8")
    toc.write_text(re.sub(r" *- caption: .*\n *chapters:\n(?= *- caption|\Z)", "", parts), encoding="utf-8")
    times = measured_times(root)
    if times.pop(page, None):
        keep_times(root, times)
    print("Removed", ", ".join(path.relative_to(root).as_posix() for path in removed))
    for path, text in remaining.items():
        new = without_links(without_chapter(text, page) if path.stem == "teaching" else text, page)
        if new != text:
            path.write_text(new, encoding="utf-8")
        for line, said in mentions(new, number, labels):
            print(f"{path.relative_to(root).as_posix()}:{line}: {said}")
    print("Rewrite what is listed, then: make notebooks book test")
    return 0


def own_tests(page: str, root: Path) -> list[Path]:
    """Return the tests of a chapter's page, its answers and its examples: those named by its number."""
    tests = root / "tests" / "book"
    return sorted(
        path
        for kind in ("answers", "examples")
        for path in tests.glob(f"test_{kind}_{page.split('_')[0]}*.py")
    )


def without_links(text: str, page: str) -> str:
    """Return `text` with the links to `page` turned into what they say."""
    return re.sub(rf"\[([^\]\n]+)\]\({page}\.md(?:#[^)]*)?\)", r"\1", text)


def mentions(text: str, number: str, labels: list[str]) -> list[tuple[int, str]]:
    """Return the lines that speak of a chapter by its number, or refer to what only it has."""
    by_number = rf"\bchapters?\b(?:\s|\d|,|and|to|–|-)*\b{number.lstrip('0')}\b"
    spoken = re.compile(by_number if number.isdigit() else rf"\b{number}\b", re.IGNORECASE)
    names = "|".join(map(re.escape, labels)) or "(?!)"
    referred = re.compile(rf"\{{[\w:]+\}}`(?:[^`]*<)?(?:{names})>?`|\]\(#(?:{names})\)", re.IGNORECASE)
    return [
        (line, said.strip()[:160])
        for line, said in enumerate(text.split("\n"), start=1)
        if spoken.search(said) or referred.search(said)
    ]


def _drop_lines(path: Path, pattern: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not re.fullmatch(pattern, line)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
