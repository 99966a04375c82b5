"""Look for misspelt words in the pages and documents: ``python -m tools.spelling``.

A word is known if it, or another of the same stem, stands in ``words.txt`` beside this file: the list needs
no plurals and no tenses. ``--add`` puts what is unknown on the list. Read what it prints: the book takes it
for right from then on.
"""

import argparse
import difflib
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import snowballstemmer  # type: ignore[import-untyped]

__all__ = ["Vocabulary", "documents", "main", "prose", "words"]

ROOT = Path(__file__).parents[1]
WORDS = Path(__file__).with_name("words.txt")
# What readers and contributors meet first. Decisions are read by few, and use words that nothing else does.
_DOCUMENTS = ("book/*.md", "*.md")
# Directives whose content is text; of all others, as of code, nothing is read.
_OF_TEXT = {"dropdown", "exercise", "figure", "glossary", "quiz"}
_OF_TEXT |= {"admonition", "attention", "caution", "danger", "hint", "important", "note", "tip", "warning"}
_FENCE = re.compile(r"^(?P<indent>\s*)(?P<fence>`{3,}|~{3,}|:{3,})(?:\{(?P<name>[\w-]+)\})?(?P<rest>.*)$")
# What in a line is no word of the text, in the order in which it is taken out.
_ASIDE = (
    re.compile(r"<!--.*?-->|^%.*|^:[\w-]+:.*"),
    re.compile(r"(?:\{[\w:-]+\})?(`+).*?\1"),
    re.compile(r"\$\$.*?\$\$|(?<!\\)\$[^$\n]+\$"),
    re.compile(r"\]\([^)\s]*(?:\s\"[^\"]*\")?\)|\]\[[^\]]*\]|\[\^[^\]]*\]"),
    re.compile(r"<[^>\s][^>]*>|https?://\S+|&\w+;|\{[^}]*\}|\S+@\S+"),
    # Names of files and of code that stand bare.
    re.compile(r"\S*\w[_/]\w\S*|\b\w+\.(?:py|md|cff|toml|txt|json|svg|html|org|com)\b"),
)
_WORD = re.compile(r"(?<![\w’'])[^\W\d_]+(?:[’'][^\W\d_]+)*(?![\w])")


def documents(root: Path = ROOT) -> list[Path]:
    """Return the files that are looked through."""
    return sorted({path for pattern in _DOCUMENTS for path in root.glob(pattern)})


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Return the lines of a document that are text, with their numbers: no code, formulas, addresses."""
    fences: list[tuple[str, bool]] = []
    in_front = in_formula = False
    for number, line in enumerate(text.split("\n"), start=1):
        if line == "---" and (number == 1 or in_front):
            in_front = number == 1
            continue
        found = _FENCE.match(line)
        if (
            fences
            and found
            and found["fence"].startswith(fences[-1][0])
            and not (found["name"] or found["rest"].strip())
        ):
            fences.pop()
            continue
        is_text = all(read for _, read in fences)
        if found and is_text:
            reads = found["name"] in _OF_TEXT
            fences.append((found["fence"], reads))
            line = found["rest"] if reads else ""
        if in_front or not is_text:
            continue
        if (line.strip().startswith("$$") and line.count("$$") == 1) or (in_formula and "$$" in line):
            in_formula = not in_formula
            continue
        if not in_formula:
            for aside in _ASIDE:
                line = aside.sub(" ", line)
            yield number, line


def words(text: str) -> Iterator[tuple[int, str]]:
    """Return the words of a document's text, each with the number of its line.

    What has a capital within it, such as ReLU and GPT, is a name and no word.
    """
    for number, line in prose(text):
        for found in _WORD.findall(line):
            word = re.sub(r"[’']s?$", "", found.replace("'", "’"))
            if len(word) > 1 and word[1:] == word[1:].lower():
                yield number, word.lower()


@cache
def _stem(word: str) -> str:
    stem: str = _stemmer().stemWord(word)
    return stem


@cache
def _stemmer() -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer("english")


class Vocabulary:
    """The words that are known."""

    def __init__(self, known: Iterator[str] | list[str]) -> None:
        self.words = set(known)
        self.stems = {_stem(word) for word in self.words}

    @classmethod
    def read(cls, path: Path = WORDS) -> "Vocabulary":
        """Read the list: one word a line.

        Raises:
            ValueError: a line is no small word; the message names it.
        """
        lines = path.read_text(encoding="utf-8").split()
        for line in lines:
            if not re.fullmatch(r"[^\W\d_]+(?:’[^\W\d_]+)*", line) or line != line.lower():
                raise ValueError(f"{path.name}: expected a word in small letters, got {line!r}")
        return cls(lines)

    def __contains__(self, word: str) -> bool:
        return word in self.words or _stem(word) in self.stems

    def like(self, word: str) -> str:
        """Return the known word that is most like `word`, or nothing."""
        near = difflib.get_close_matches(word, sorted(self.words), n=1, cutoff=0.75)
        return near[0] if near else ""

    def write(self, path: Path = WORDS) -> None:
        """Write the list, in the order of the alphabet."""
        path.write_text("".join(f"{word}\n" for word in sorted(self.words)), encoding="utf-8")


def main(arguments: list[str] | None = None, root: Path = ROOT, path: Path = WORDS) -> int:
    """Run the command; return its exit status: 1 if a word is unknown."""
    parser = argparse.ArgumentParser(prog="python -m tools.spelling", description="Look for misspelt words.")
    parser.add_argument(
        "--add", action="store_true", help="put all unknown words on the list, and print them"
    )
    options = parser.parse_args(arguments)
    known = Vocabulary.read(path)
    unknown: dict[str, list[str]] = {}
    for document in documents(root):
        for line, word in words(document.read_text(encoding="utf-8")):
            if word not in known:
                unknown.setdefault(word, []).append(f"{document.relative_to(root).as_posix()}:{line}")
    if options.add:
        # The shortest of each stem: it stands for the others.
        for word in sorted(unknown, key=lambda one: (len(one), one)):
            if word not in known:
                known = Vocabulary([*known.words, word])
                print(f"{word} ({unknown[word][0]})")
        known.write(path)
        return 0
    for word, places in unknown.items():
        like = known.like(word)
        print(f"{places[0]}: “{word}” is not a known word{f'; “{like}” is' if like else ''}", file=sys.stderr)
    if unknown:
        print("Where they are right: python -m tools.spelling --add", file=sys.stderr)
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
