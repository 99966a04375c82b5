"""The tales: cut out of their files, split, fetched, and true of the table where the files are at hand."""

import re

import pytest

from tests.data.server import Server
from tests.data.test_public import REAL
from unrolled.data import fetch as fetching
from unrolled.data import tales as module
from unrolled.data.fetch import DataError, problem
from unrolled.data.tales import PIECES, TALES, Book, body, pieces, split, tales
from unrolled.data.tokenizers import BytePairs

FILE = """﻿Project Gutenberg’s The Bears, by Nobody

*** START OF THIS PROJECT GUTENBERG EBOOK THE BEARS ***




Produced by Anybody and
the Distributed Team


HTML version by Somebody.

THE BEARS

She made transcriber's notes all day long.

{story}
I love bears.

* * *

Transcriber’s Note:

Page 7, a full stop added.

End of the PROJECT GUTENBERG EBook of The Bears, by Nobody

*** END OF THE PROJECT GUTENBERG EBOOK THE BEARS ***

Gutenberg-tm licence
*** START: FULL LICENSE ***
"""


def made(story: str = "Bears won the game.\n\n" * 200) -> str:
    return FILE.format(story=story)


def test_only_the_story_is_left() -> None:
    text = body(made())
    assert text.startswith("THE BEARS\n\nShe made transcriber's notes all day long.\n\nBears won")
    assert text.endswith("Bears won the game.\n\nI love bears.\n")
    assert not re.search(r"gutenberg|produced|html|page 7", text, re.IGNORECASE)


@pytest.mark.parametrize("kept", [r"\*\*\* START OF", r"\*\*\* END OF"])
def test_a_file_without_its_markers_is_refused(kept: str) -> None:
    cut = re.sub(kept + r" TH.*", "", made())
    missing = "START" if "START" in kept else "END"
    with pytest.raises(DataError, match=rf"^The Bears: expected a line '\*\*\* {missing} OF THIS"):
        body(cut, "The Bears")


def test_the_end_of_every_book_is_held_out_at_a_paragraph() -> None:
    books = ["\n\n".join(f"{name} {n} sat." for n in range(97)) + "\n" for name in ("Bear", "Wolf")]
    train, held = split(books, 0.1)
    for book, kept, tested in zip(books, train, held, strict=True):
        assert kept + "\n" + tested == book
        assert 0.09 < len(tested) / len(book) < 0.13
        assert re.match(r"(Bear|Wolf) \d+ sat\.", tested)


def test_one_paragraph_is_split_all_the_same() -> None:
    train, held = split(["bears " * 50], 0.2)
    assert (len(train[0]), len(held[0])) == (240, 60)


def test_split_says_what_it_expected() -> None:
    with pytest.raises(TypeError, match="books: expected a list of texts, got a single text"):
        split("bears")
    for share in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="held_out: expected a share between 0 and 1"):
            split(["bears"], share)


def test_books_are_fetched_once_in_their_order(
    server: Server, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "cache_folder", lambda: tmp_path)
    files = [made("The first.\n\n" * 99).encode(), made("The second.\n\n" * 99).encode()]
    books = tuple(Book(n, f"Book {n}", server.source(file, f"tales/{n}.txt")) for n, file in enumerate(files))
    monkeypatch.setattr(module, "TALES", books)
    server.answers = [("whole", file) for file in files]
    first, second = tales(progress=False)
    assert "The first." in first
    assert "The second." in second
    assert tales(progress=False) == [first, second]
    assert server.requests == ["/tales/0.txt", "/tales/1.txt"]


def test_the_table_is_well_formed_and_true_of_the_real_files_where_they_are_at_hand() -> None:
    assert len({book.number for book in TALES}) == len(TALES) == 18
    for book in TALES:
        assert re.fullmatch(r"[0-9a-f]{64}", book.source.sha256)
        assert re.fullmatch(
            rf"https://raw\.githubusercontent\.com/GITenberg/[\w-]+_{book.number}/[0-9a-f]{{40}}/{book.number}(-0)?\.txt",
            book.source.url,
        )
        path = REAL / book.source.name
        if path.is_file():
            assert problem(path, book.source) is None
            text = body(path.read_text(encoding="utf-8-sig"))
            assert len(text) > 0.75 * book.source.size
            assert not re.search(r"(?i:gutenberg|transcriber|preparer)|^Produced by", text, re.MULTILINE)


def test_the_pieces_are_those_of_the_training_part_and_of_anything_else() -> None:
    known = pieces()
    assert known.vocab_size == PIECES
    typed = "Once upon a time there were three bears: “ours”, भालू 🐻."
    assert known.decode(known.encode(typed)) == typed
    if all((REAL / book.source.name).is_file() for book in TALES):
        train, _ = split(tales(folder=REAL))
        assert BytePairs.train(train, vocab_size=PIECES).encode(train[0]) == known.encode(train[0])
