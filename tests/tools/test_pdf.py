"""What the PDF is made with, each by itself: pages, links, what is taken apart, and the file's own format."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from playwright.sync_api import Browser

from tools.pdf.__main__ import main
from tools.pdf.apart import Apart, take_apart, unfold
from tools.pdf.document import Document
from tools.pdf.make import make
from tools.pdf.pages import Book, section
from tools.pdf.site import PdfError, SitePage, contents
from tools.pdf.stills import Still, put
from tools.pdf.values import Name, Ref, value

ADDRESS = "https://example.org/book/"
INDEX = """<html lang="en"><head><title>Little</title></head><body><nav class="toctree">
<ul><li><a href="#">Start</a></li></ul>
<p class="caption"><span>Part I. Few</span></p><ul><li><a href="01_one.html">One</a>
<ul><li><a href="one_below.html">Below</a></li></ul></li></ul>
<p class="caption"><span>Ends</span></p><ul><li><a href="two.html">Two</a></li></ul></nav>
<article><h1>Little</h1></article></body></html>"""
ONE = """<html><body><article><section id="one"><h1>One<a class="headerlink" href="#one">#</a></h1>
<p id="here"><a href="two.html#here">there</a> <a href="#here">here</a> <a href="two.html">two</a>
<a href="notebooks/01_one.ipynb" download>take</a> <a href="https://example.com/?a=1#b">out</a>
<a href="vscode://vscode.git/clone?url=https%3A%2F%2Fexample.com%2Fcode">clone</a></p>
<svg viewBox="0 0 1 1"><defs><clipPath id="clip"></clipPath></defs>
<path clip-path="url(#clip)" d="M0 0"/><use href="#clip"/></svg>
<label for="here">x</label><script>1</script><template><p>waits</p></template>
</section></article></body></html>"""
TWO = '<html><body><article><h1>Two</h1><h2 id="here">Here</h2></article></body></html>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, text in (("index", INDEX), ("01_one", ONE), ("two", TWO)):
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_one.ipynb").write_text("{}")
    return tmp_path


def book_of(site: Path) -> tuple[Book, SitePage, SitePage]:
    index, parts = contents(site)
    (one,), (two,) = (part.pages for part in parts)
    return Book([index, one, two], ADDRESS), one, two


def test_the_contents_are_read_from_the_first_page(site: Path) -> None:
    index, parts = contents(site)
    assert index.title == "Little"
    assert [(part.title, [page.title for page in part.pages]) for part in parts] == [
        ("Part I. Few", ["One"]),
        ("Ends", ["Two"]),
    ]


def test_a_folder_without_a_whole_book_is_refused(site: Path, tmp_path: Path) -> None:
    with pytest.raises(
        PdfError, match=r"expected a built book in .*nowhere, found no index.html: run `make book`"
    ):
        contents(tmp_path / "nowhere")
    (site / "two.html").unlink()
    with pytest.raises(PdfError, match=r"name two.html, which is not there: build the book again"):
        contents(site)
    (site / "index.html").write_text("<nav class='toctree'></nav><article><h1>Empty</h1></article>")
    with pytest.raises(PdfError, match="expected contents that name pages, found none"):
        contents(site)
    (site / "index.html").write_text("<p>Nothing</p>")
    with pytest.raises(PdfError, match="expected a page of the book"):
        _ = SitePage(site / "index.html").title


def test_the_command_says_what_is_wrong_and_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--site", str(tmp_path), "--output", str(tmp_path / "made.pdf")]) == 1
    assert "The PDF was not made.\n\nexpected a built book in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_too_large_is_refused_and_the_old_one_stays(
    site: Path, browser: Browser, tmp_path: Path
) -> None:
    old = tmp_path / "made" / "course.pdf"
    old.parent.mkdir()
    old.write_bytes(b"old")
    with pytest.raises(PdfError, match=r"expected a file of at most 0.001 MB, made one of 0\.\d MB"):
        make(site, old, browser, limit=0.001)
    assert old.read_bytes() == b"old"
    assert list(old.parent.iterdir()) == [old]


def test_ids_are_a_pages_own_and_links_stay_in_the_document(site: Path) -> None:
    book, one, two = book_of(site)
    made = section(book, one, 1)
    assert made.xpath(".//@id") == ["01_one", "01_one.one", "01_one.here", "01_one.clip"]
    assert [link.get("href") for link in made.xpath(".//a")] == [
        "#two.here",
        "#01_one.here",
        "#two",
        f"{ADDRESS}notebooks/01_one.ipynb",
        "https://example.com/?a=1#b",
        "https://example.com/code",
    ]
    assert not made.xpath(".//a/@download")
    assert made.xpath(".//path/@clip-path") == ["url(#01_one.clip)"]
    assert made.xpath(".//use/@href") == ["#01_one.clip"]
    assert made.xpath(".//label/@for") == ["01_one.here"]
    assert not made.xpath(".//script | .//template | .//*[@class='headerlink']")
    assert [heading.tag for heading in made.xpath(".//h1 | .//h2")] == ["h2"]
    assert section(book, two, 0).xpath("./h1 | ./h2")[0].tag == "h1"
    # The site's own pages stay as they are.
    assert one.article.xpath(".//h1")
    assert one.article.xpath(".//script")


@pytest.mark.parametrize(
    ("href", "says"),
    [
        ("two.html#gone", r"01_one.html links to two.html#gone: two.html has nothing of the id 'gone'"),
        ("#gone", "01_one.html has nothing of the id 'gone'"),
        ("three.html", "01_one.html links to three.html, which the built book does not hold"),
        ("vscode://file/x", "01_one.html links to vscode://file/x, which is not a web address"),
        ("javascript:f('?url=x')", "01_one.html links to javascript:.*, which is not a web address"),
    ],
)
def test_a_link_that_leads_nowhere_is_named(site: Path, href: str, says: str) -> None:
    book, one, _ = book_of(site)
    with pytest.raises(PdfError, match=says):
        book.target(one, href)


FOLDS = """<article id="p"><div class="exercise" id="p.ex"><p class="admonition-title">Exercise 1</p></div>
<details class="sd-dropdown"><summary>Hint</summary>
<div class="sd-summary-content"><p>Think.</p></div></details>
<details class="sd-dropdown"><summary>Solution</summary>
<div class="sd-summary-content"><p>So.</p></div></details>
<details class="sd-dropdown"><summary>Aside</summary>
<div class="sd-summary-content"><p>By the way.</p></div></details>
<details class="hide"><summary><p>Show</p></summary><pre>code</pre></details></article>"""


def test_hints_go_to_the_end_and_asides_stay_open() -> None:
    page = html.fromstring(FOLDS)
    apart = Apart()
    take_apart(page, "One", apart)
    unfold(page)
    assert page.xpath("string(.//p[@class='where'])") == "Hint: page 000 · Solution: page 000"
    assert "Think." not in page.text_content()
    assert "So." not in page.text_content()
    assert "By the way." in page.text_content()
    assert "code" in page.text_content()
    assert "Show" not in page.text_content()
    assert not page.xpath(".//details")
    assert [(id_, title) for id_, title, _ in apart.sections(1)] == [
        ("hints", "Hints"),
        ("solutions", "Solutions"),
    ]
    (_, _, hints), _ = apart.sections(1)
    assert [heading.tag for heading in hints.xpath(".//h2 | .//h3")] == ["h2", "h3"]


def test_a_hint_without_an_exercise_is_refused() -> None:
    page = html.fromstring(FOLDS.replace('class="exercise"', 'class="other"'))
    with pytest.raises(
        PdfError, match="One: expected an exercise with a label before a fold named 'Hint', found none"
    ):
        take_apart(page, "One", Apart())


def widget(rows: int) -> html.HtmlElement:
    table = "<tr><td>1</td></tr>" * rows
    return html.fromstring(
        '<article id="p"><div class="unrolled-widget"><div class="unrolled-fallback">'
        f"<table>{table}</table></div></div></article>"
    )


@pytest.mark.parametrize(("rows", "kept"), [(0, 0), (16, 1), (17, 0)])
def test_a_still_stands_above_its_numbers_where_these_are_few(tmp_path: Path, rows: int, kept: int) -> None:
    page = widget(rows)
    put(page, [Still(tmp_path / "a.svg", 300, 200, "What it shows")], f"{ADDRESS}p.html")
    assert page.xpath(".//img/@alt") == ["What it shows"]
    assert page.xpath(".//figcaption/a/@href") == [f"{ADDRESS}p.html"]
    assert len(page.xpath(".//table")) == kept
    with pytest.raises(PdfError, match="p: expected a still of each of 1 widgets, got 0"):
        put(widget(1), [], ADDRESS)


def test_values_of_the_format_are_read() -> None:
    text = b"% a remark\n<</A [1 -2.5 .5 (a\\(b\\)\\\\ \\101 (in) c\n) <4a4B5> (d\\\r\ne)]"
    text += b" /B#20c 3 0 R /D true /E null /F /G>> rest"
    read, end = value(text)
    assert read == {
        "A": [1, -2.5, 0.5, b"a(b)\\ A (in) c\n", b"JKP", b"de"],
        "B c": Ref(3),
        "D": True,
        "E": None,
        "F": Name("G"),
    }
    assert text[end:] == b" rest"
    with pytest.raises(PdfError, match="expected a value of a PDF at byte 0"):
        value(b"<< /A")


@given(st.binary(max_size=80))
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(PdfError, match="expected a PDF from its head to its end"):
        Document(data)
