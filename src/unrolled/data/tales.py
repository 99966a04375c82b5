"""Eighteen public-domain books of tales, 5 MB of real English: what the larger language models read.

Alice, Oz, Grimm, Andersen, the Jungle Book, and English Fairy Tales with *The Story of the Three Bears* in
it. The course carries none of them. They are fetched once from the repositories of GITenberg, at fixed
commits, and checked, or taken from a folder that holds them (`unrolled.data.fetch`); a book lies there as
``tales/11.txt`` or ``11.txt``, under its number at Project Gutenberg, whose header, footer and notes on the
making of the file are cut off. What the course does carry is the alphabet of pieces their training part is
cut into (`pieces`). Taught in chapters 10 and 15, and read by the model of the playground.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from unrolled.data.fetch import DataError, Source, fetch
from unrolled.data.tokenizers import BytePairs, load
from unrolled.inputs import not_text

__all__ = ["MOST_PIECES", "PIECES", "TALES", "Book", "body", "pieces", "split", "tales"]

PIECES = 1536
"""How many pieces `pieces` knows unless told; at most `MOST_PIECES`."""
MOST_PIECES = 2048
"""The most pieces that can be asked for."""


@dataclass(frozen=True)
class Book:
    """A book: its number at Project Gutenberg, its title, and the file that is fetched."""

    number: int
    title: str
    source: Source


def _book(number: int, repository: str, path: str, commit: str, size: int, sha256: str) -> Book:
    url = f"https://raw.githubusercontent.com/GITenberg/{repository}_{number}/{commit}/{path}"
    title = repository.replace("-s-", "'s-").replace("-", " ")
    return Book(number, title, Source(f"tales/{number}.txt", url, sha256, size))


TALES = tuple(
    _book(*row)
    for row in (
        (
            11,
            "Alice-s-Adventures-in-Wonderland",
            "11-0.txt",
            "7f18748e114b994d5d9454d5793581bc0b9cf9d7",
            173_595,
            "49a0b2726606e1290ac03a63978fa1dd1bd38a8d805704d98265f393533ea094",
        ),
        (
            12,
            "Through-the-Looking-Glass",
            "12-0.txt",
            "46dc9d18c6a61f94f15e9fb8977416c167fb3415",
            193_607,
            "24bae70935e7fce7be74357779c53861c0cd04b3687f3005c1a8687f2b909988",
        ),
        (
            16,
            "Peter-Pan",
            "16-0.txt",
            "ab78bfda01b61a6649d5591e934d933e4856b460",
            290_755,
            "b1e7ade0c061259293c7b07fe3f8ba445b4cf3353e6c657c8cdcd0223bbe0eb8",
        ),
        (
            54,
            "The-Marvelous-Land-of-Oz",
            "54.txt",
            "4b3fa2049e9b540472fa8acbed4297b8b778939c",
            269_641,
            "ed840664386fb16386a7e3e3a69ff6e2a9099a1cbb714a6eed4401205c5deb46",
        ),
        (
            55,
            "The-Wonderful-Wizard-of-Oz",
            "55.txt",
            "d19a4315b7c6f4471de8840a1a81609b34841dff",
            232_789,
            "18274f31ae11aea07ea9b4f707998636c6f75d784c60d7e8fea0b4d5c2d77af6",
        ),
        (
            113,
            "The-Secret-Garden",
            "113-0.txt",
            "0031c0badd0d3fc83860c941d2f39d4aa345c51b",
            475_383,
            "8a7aebc835ae37baef0f7b9362ed9fc6372a360e8001f9481c13acf9194cb483",
        ),
        (
            236,
            "The-Jungle-Book",
            "236-0.txt",
            "4176c01078ec4c3db938df1245bca1cd81db86d0",
            304_376,
            "2f9486eb4776d23baf1064eebb73bb0093b808b13e10516e81e20d1dbe4909c9",
        ),
        (
            289,
            "The-Wind-in-the-Willows",
            "289-0.txt",
            "9032846214f647204585df2572cd19dd7fbc3c73",
            358_153,
            "f875d0ae7c153741c516d4db2f3c1686f8dd79e341ea27dbc2167178a09cd587",
        ),
        (
            486,
            "Ozma-of-Oz",
            "486.txt",
            "464750b85f8552b44c38f8e0be426dba0fbd404e",
            240_027,
            "8363483af3b4c13501df617a41321f3535b19372ce63aaa2f6be8bb49ac8bc12",
        ),
        (
            500,
            "The-Adventures-of-Pinocchio",
            "500-0.txt",
            "25f470c90848f57d430eb2ec2a45bc74b2594e56",
            245_659,
            "00b17e32606763a70c05a5687d36c238f4414cbaa2b7e3f426a8f671bb7fe119",
        ),
        (
            501,
            "The-Story-of-Doctor-Dolittle",
            "501-0.txt",
            "70fe0d5a937f7d024d4dba77dcaa0d0ee47101f1",
            174_081,
            "5a1f308acfe19e341ea2cec8650b1642725e27bb40fb1142aff9d6638b140682",
        ),
        (
            503,
            "The-Blue-Fairy-Book",
            "503-0.txt",
            "4d594f378f0dcaa61acc1791fafc6e6b0053ea41",
            774_841,
            "1dc3c13543d1a3b7baaa76f84dd45f444652cad9ea434c4849c32b66f073a29b",
        ),
        (
            708,
            "The-Princess-and-the-Goblin",
            "708.txt",
            "7ed7090ace0c8b73b456c519358173364f17edda",
            301_040,
            "103c5634780f3aacb7cd2384335305b6fba46b52971516ae8801ffff5b6d2387",
        ),
        (
            1597,
            "Andersen-s-Fairy-Tales",
            "1597-0.txt",
            "7061c8473942cec0e218a97ef9b10e4389a4ab01",
            329_102,
            "694271fa06569b61c5c3041f08cca1d4ff92341ec8a867f6c38b23862edb3adb",
        ),
        (
            2557,
            "Old-Mother-West-Wind",
            "2557-0.txt",
            "c360fe58e1aa659f153e9e19b1203301cd0300cd",
            114_460,
            "e155d8a84af0830485c698f0373d9d757b825cb16a4fa80c9a052d3405919b8d",
        ),
        (
            2591,
            "Grimms-Fairy-Tales",
            "2591-0.txt",
            "9991a30953853be9b40751408c3ad0d3af314fb7",
            560_166,
            "3090ed9c87b91509ee59a4d8124cc9f09b80d513c446124059bdb6f214a4481b",
        ),
        (
            2781,
            "Just-So-Stories",
            "2781-0.txt",
            "7bac330e58eb319627c16b125f0f9f05957b57b4",
            186_086,
            "18f8327c5d85c370333bb9b0ba989517821560012db858d1e52df54c9130ea6c",
        ),
        (
            7439,
            "English-Fairy-Tales",
            "7439-0.txt",
            "3194dc00b8f7b4e3d364ee5b3d7625b47a6be9d1",
            355_496,
            "deef11602e7230a78e940aeed23e8b06d4690c44aa6cff4a20db3a4ee354e887",
        ),
    )
)
"""The books, with their addresses and checksums."""

# What stands between the markers and is not the book: who made the file, and what they changed.
_START = re.compile(
    r"^\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG EBOOK\b.*$", re.MULTILINE | re.IGNORECASE
)
_END = re.compile(r"^\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG EBOOK\b.*$", re.MULTILINE | re.IGNORECASE)
_MAKERS = re.compile(r"(?:Produced by|HTML version by|Dashes; small checks)\b", re.IGNORECASE)
_PREPARER = re.compile(r"^PREPARER.S NOTE\n.*?\n{3,}", re.MULTILINE | re.DOTALL)
_CLOSING = re.compile(r"^End of (?:the )?Project Gutenberg", re.MULTILINE | re.IGNORECASE)
_NOTES = re.compile(r"^(?:[ *]+\n\s*)?\[?Transcriber['’]?s?['’]? Notes?\b", re.MULTILINE | re.IGNORECASE)


def tales(*, folder: str | Path | None = None, progress: bool = True) -> list[str]:
    """Return the books as texts, in the order of `TALES`.

    Args:
        folder: where the files are; without one they are downloaded once and cached.
        progress: whether a download says on standard error how far it is.

    Raises:
        DataError: a file cannot be had, or has no beginning or end; the message says what to do.
    """
    return [
        body(fetch(book.source, folder=folder, progress=progress).read_text(encoding="utf-8-sig"), book.title)
        for book in TALES
    ]


def body(text: str, title: str = "text") -> str:
    """Return what the author wrote: without Project Gutenberg's header, footer and notes.

    Args:
        text: a file of Project Gutenberg.
        title: what the error message calls it.

    Raises:
        DataError: the markers that enclose the book are not both there, in that order.
    """
    start = _START.search(text)
    end = _END.search(text, start.end()) if start else None
    if start is None or end is None:
        missing = "START" if start is None else "END"
        raise DataError(
            f"{title}: expected a line '*** {missing} OF THIS PROJECT GUTENBERG EBOOK …', got none"
        )
    inside = text[start.end() : end.start()]
    for pattern in (_CLOSING, _NOTES):
        # Only near the end: a story may speak of notes too.
        found = pattern.search(inside, len(inside) - len(inside) // 20)
        inside = inside[: found.start()] if found else inside
    inside = _PREPARER.sub("", inside, count=1)
    paragraphs = re.split(r"\n\s*\n", inside.strip())
    while paragraphs and _MAKERS.match(paragraphs[0].strip()):
        del paragraphs[0]
    return "\n\n".join(paragraphs).strip() + "\n"


def split(books: Iterable[str], held_out: float = 0.05) -> tuple[list[str], list[str]]:
    """Return the beginnings of all books to train on, and their last parts to be tested with.

    Args:
        books: texts.
        held_out: the share of each book's characters that is kept back, between 0 and 1.

    Raises:
        TypeError: `books` is one text.
        ValueError: the share is not between 0 and 1.
    """
    not_text("books", books)
    if not 0 < held_out < 1:
        raise ValueError(f"held_out: expected a share between 0 and 1, got {held_out}")
    train, held = [], []
    for book in books:
        # At the start of a paragraph, so that neither part begins in mid-sentence.
        cut = len(book) - int(len(book) * held_out)
        cut = max(book.rfind("\n\n", 0, cut), 0) or cut
        train.append(book[:cut].rstrip() + "\n")
        held.append(book[cut:].lstrip())
    return train, held


def pieces(count: int = PIECES) -> BytePairs:
    """Return the byte pairs learned from the training part of the tales: `count` of them.

    They ship with the package, so that a model can be made and asked without the books.

    Raises:
        ValueError: more than `MOST_PIECES`, or fewer than the bytes and special tokens.
    """
    known = load(Path(__file__).with_name("tales_pieces.json"))
    assert isinstance(known, BytePairs)
    return known.first(count)
