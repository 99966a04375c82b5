"""The reference holds every public name, says where it is taught, and chapters lead to it."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tools import course
from tools.public_names import INTERNAL, PAGES, modules, page_of, public_names

BOOK = Path(__file__).parents[2] / "book"
# The links from names in a chapter to their entries.
_LINK = re.compile(r'<a class="[^"]*\bname\b[^"]*" href="([^"#]+)#([^"]+)"')
_IMPORT = re.compile(r"^\s*from (unrolled[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)


class Entries(HTMLParser):
    """The entries of a page: what stands under each name, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, str] = {}
        self.links: dict[str, list[str]] = {}
        self.open: list[tuple[str, str | None]] = []
        self.last: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name = None
        if tag == "dt" and (given.get("class") or "").startswith("sig "):
            self.last = given.get("id")
        if tag == "dd" and self.last:
            name, self.last = self.last, None
            self.said.setdefault(name, "")
        if tag == "a":
            for inside in self._inside():
                self.links.setdefault(inside, []).append(given.get("href") or "")
        if tag in {"dl", "dt", "dd"}:
            self.open.append((tag, name))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"dl", "dt", "dd"}:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        for name in self._inside():
            self.said[name] += data

    def _inside(self) -> list[str]:
        return [name for _, name in self.open if name]


def entries(path: Path) -> Entries:
    found = Entries()
    found.feed(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def reference(built_book: Path) -> dict[str, Entries]:
    """Return what stands on each page of the reference."""
    return {page: entries(built_book / f"{page}.html") for page in PAGES}


def test_every_public_name_is_there_and_documented(reference: dict[str, Entries]) -> None:
    pages = {public.path: str(page_of(public.section)) for public in public_names()}
    assert len(pages) > 500
    assert [path for path, page in pages.items() if path not in reference[page].said] == []
    assert [path for path, page in pages.items() if len(reference[page].said[path].strip()) < 10] == []


def test_every_entry_says_where_it_is_taught_and_the_link_leads_there(
    reference: dict[str, Entries], built_book: Path
) -> None:
    wrong = []
    for public in public_names():
        if public.kind == "data":
            continue  # its module says so
        links = [
            urlsplit(link).path for link in reference[str(page_of(public.section))].links.get(public.path, [])
        ]
        taught = [
            link
            for link in links
            if link == "look.html" or (course.is_chapter(link) and (built_book / link).is_file())
        ]
        if not taught:
            wrong.append(public.path)
    assert wrong == []


def test_what_a_page_imports_is_public() -> None:
    known = {(public.section, public.name) for public in public_names()}
    known |= {(public.home, public.name) for public in public_names()}
    known |= {(public.path.rpartition(".")[0], public.name) for public in public_names()}
    known |= {(module, name) for module, loaded in modules().items() for name in loaded.__all__}
    wrong = set()
    for page in BOOK.glob("*.md"):
        for module, listed in _IMPORT.findall(page.read_text(encoding="utf-8")):
            for part in re.sub(r"#[^\n]*|[()]", "", listed).split(","):
                name = part.strip().split(" as ")[0]
                if name and (module, name) not in known and f"{module}.{name}" not in modules():
                    wrong.add(f"{page.stem}: {module}.{name}")
    assert wrong == set()


def test_a_module_is_on_a_page_or_internal_and_not_both() -> None:
    assert set(INTERNAL) <= set(modules())
    assert [name for name in modules() if page_of(name) is None and name not in INTERNAL] == []


def test_the_signature_is_the_one_that_was_typed(built_book: Path) -> None:
    page = (built_book / "reference_nn.html").read_text(encoding="utf-8")
    entry = page[page.index('id="unrolled.nn.padding_mask"') :].partition("</dt>")[0]
    assert re.sub(r"<[^>]*>|¶|#\s*$", "", entry.partition(">")[2]).split()
    for target in ("unrolled.shapes.Lengths", "unrolled.shapes.Mask"):
        assert f'href="reference_shapes.html#{target}"' in entry
    assert "= None" in re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", entry))
    assert "0x" not in page


def test_a_formula_of_a_docstring_is_set(built_book: Path) -> None:
    page = (built_book / "reference_nn.html").read_text(encoding="utf-8")
    assert page.count("<math") > 40
    assert ":math:" not in page
    assert "``" not in page


@pytest.mark.parametrize("page", course.chapters())
def test_a_chapter_leads_to_the_entries_of_what_it_imports(built_book: Path, page: str) -> None:
    text = (built_book / f"{page}.html").read_text(encoding="utf-8")
    links = _LINK.findall(text)
    assert links
    for file, target in links:
        assert f'id="{target}"' in (built_book / file).read_text(encoding="utf-8"), (file, target)
    # One link to a name in a section is enough.
    for section in re.split(r"<section ", text):
        within = [target for _, target in _LINK.findall(section)]
        assert len(within) == len(set(within))


@pytest.mark.parametrize(
    ("chapter", "path"),
    [
        ("10", "unrolled.training.cross_entropy"),  # it speaks of PyTorch's, which it imports
        ("11", "module-unrolled.data.bears"),  # it speaks of the recipe
        ("interlude", "unrolled.data.tales.pieces"),  # so an exercise calls a dictionary
        ("04", "unrolled.nn.attention"),  # which it defines itself
    ],
)
def test_a_word_that_means_something_else_is_no_link(built_book: Path, chapter: str, path: str) -> None:
    for page in built_book.glob(f"{chapter}_*.html"):  # none where a fork has taken it out
        targets = {target for _, target in _LINK.findall(page.read_text(encoding="utf-8"))}
        assert targets
        assert path not in targets
