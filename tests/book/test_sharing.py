"""What other sites are told of the book, the page for lost readers, and all notebooks in one file."""

import io
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tools import address, course, edition
from tools.cards import SIZE
from tools.run_times import measured_times

ROOT = Path(__file__).parents[2]
NewPage = Callable[..., Page]
HOME = address.pages_url()
# Pages that are for nobody to find.
APART = {"404.html", "search.html"}


def told(page: Path) -> dict[str, str]:
    """Return what a page tells by its meta elements."""
    found = re.findall(r'<meta (?:property|name)="([^"]*)" content="([^"]*)">', page.read_text("utf-8"))
    assert len(found) == len(dict(found))
    return dict(found)


def test_every_page_tells_its_title_words_and_picture(site: Path) -> None:
    pages = {path.name: path for path in site.glob("*.html") if path.name not in APART}
    assert len(pages) >= 3
    for name, path in pages.items():
        url = HOME if name == "index.html" else HOME + name
        about = told(path)
        assert about["og:url"] == url
        assert f'<link rel="canonical" href="{url}">' in path.read_text(encoding="utf-8")
        assert about["og:title"]
        assert about["og:site_name"] == course.title()
        assert about.get("og:description") == about.get("description")
        assert about["og:type"] == ("website" if name == "index.html" else "article")
        assert about["og:image"].startswith(HOME)
        picture = (site / about["og:image"].removeprefix(HOME)).read_bytes()
        assert len(picture) < 25_000
        assert Image.open(io.BytesIO(picture)).size == SIZE
        assert (about["og:image:width"], about["og:image:height"]) == tuple(map(str, SIZE))
    titles = {told(path)["og:title"] for path in pages.values()}
    pictures = {path.read_bytes() for path in (site / "cards").iterdir()}
    assert len(titles) == len(pictures) == len(pages)
    for name in APART:
        assert "og:url" not in told(site / name)
        assert told(site / name)["robots"] == "noindex"


def test_the_map_of_the_site_has_every_page(site: Path) -> None:
    schema = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    entries = ElementTree.parse(site / "sitemap.xml").getroot().findall(f"{schema}url")
    places = [entry.findtext(f"{schema}loc") or "" for entry in entries]
    there = {path.name for path in site.glob("*.html")} - APART
    assert {place.removeprefix(HOME) or "index.html" for place in places} == there
    assert len(places) == len(there)


def test_a_page_says_which_edition_it_is(built_book: Path) -> None:
    days = edition.changed(ROOT)
    known = 0
    for path in built_book.glob("*.html"):
        if path.name == "404.html":
            continue
        (said,) = re.findall(
            r"<p>Version ([\d.]*\d)(?:; this page was last changed on <time>([^<]*)</time>)?\. <a",
            path.read_text("utf-8"),
        )
        assert said == (edition.version(), days.get(path.stem, ""))
        known += said[1] != ""
    assert known == len(days.keys() & {path.stem for path in built_book.glob("*.html")})


def test_all_notebooks_lie_in_one_file(site: Path) -> None:
    with zipfile.ZipFile(site / "notebooks.zip") as archive:
        assert archive.testzip() is None
        held = {Path(name).name: archive.read(name) for name in archive.namelist()}
        assert {name.split("/")[0] for name in archive.namelist()} == {"attention-unrolled"}
    assert edition.version().encode() in held.pop("README.txt")
    assert held == {path.name: path.read_bytes() for path in (site / "notebooks").iterdir()}


def test_a_chapter_leads_to_its_notebook_everywhere(site: Path) -> None:
    for notebook in (site / "notebooks").iterdir():
        text = (site / f"{notebook.stem}.html").read_text(encoding="utf-8")
        facts = text.split('<dl class="chapter-facts">')[1].split("</dl>")[0].replace("&amp;", "&")
        links = re.findall(r'href="([^"]*)"', facts)
        path = f"notebooks/{notebook.name}"
        assert links == [
            address.colab_url(path),
            address.binder_url(path),
            path,
            "notebooks.zip",
            address.clone_url(),
        ]


def test_the_first_page_adds_up_what_the_chapters_state(built_book: Path) -> None:
    text = (built_book / "index.html").read_text(encoding="utf-8")
    table = text.split("course-times")[1].split("</details>")[0]
    rows = re.findall(
        r'href="([^"]*)\.html">[^<]*</a></th><td>(\d+)</td><td>(\d+)</td><td>([^<]*)</td>', table
    )
    assert [row[0] for row in rows] == course.chapters()
    measured = measured_times(ROOT)
    for name, reading, exercises, running in rows:
        page = (built_book / f"{name}.html").read_text(encoding="utf-8")
        facts = page.split('<dl class="chapter-facts">')[1].split("</dl>")[0]
        assert f"<dt>Reading</dt><dd>about {reading} min</dd>" in facts
        assert f"<dt>Exercises</dt><dd>about {exercises} min</dd>" in facts
        assert f"<dt>Running</dt><dd>{running} on " in facts
        source = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
        stated = re.findall(r"^\*Difficulty: .*?About (\d+) minutes", source, re.MULTILINE)
        assert len(stated) == source.count("```{exercise}")
        assert int(exercises) == sum(map(int, stated))
        assert name in measured
    sums = re.search(r"All chapters</th><td>(\d+)</td><td>(\d+)</td>", table)
    assert sums
    assert sums.groups() == tuple(str(sum(int(row[k]) for row in rows)) for k in (1, 2))


class Pages(SimpleHTTPRequestHandler):
    """As GitHub Pages: the site lies in a folder, and what is not there is answered with the page for it."""

    def __init__(self, *args: Any, site: Path, folder: str, **options: Any) -> None:
        self.site, self.folder = site, folder
        super().__init__(*args, directory=str(site), **options)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        inside = path.removeprefix(self.folder.rstrip("/"))
        if path.startswith(self.folder) and Path(self.translate_path(inside)).exists():
            self.path = inside
            super().do_GET()
            return
        body = (self.site / "404.html").read_bytes()
        # Status 200: the browser logs a 404 as an error, and the watch would take it for one of the page.
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(params=[urlsplit(HOME).path, "/"])
def published(request: pytest.FixtureRequest, sample_book: Path) -> Iterator[str]:
    """Where the sample is published: in the folder of the declared address, or on a site of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, site=sample_book, folder=request.param))
    thread = threading.Thread(target=partial(server.serve_forever, 0.02), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{request.param}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("lost", ["gone.html", "old/folder/gone.html", "a/b/c/"])
def test_a_lost_reader_finds_back_from_any_depth(published: str, new_page: NewPage, lost: str) -> None:
    page = new_page()
    page.goto(published + lost)
    expect(page.get_by_role("heading", level=1)).to_have_text("This page is not here")
    page.get_by_role("link", name="Everything a chapter may hold").click()
    assert page.url == f"{published}04_everything.html"
    expect(page.get_by_role("heading", level=1)).to_contain_text("Everything a chapter may hold")
    page.go_back()
    page.get_by_role("searchbox").fill("numerators")
    page.keyboard.press("Enter")
    expect(page.locator("#search-results li a").first).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Start").click()
    assert page.url == f"{published}index.html"


def test_a_lost_reader_without_scripts_gets_the_address(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{sample_book.as_uri()}/404.html")
    expect(page.get_by_role("link", name=HOME)).to_have_attribute("href", HOME)
    expect(page.get_by_role("navigation")).to_be_hidden()


def test_the_page_of_changes_begins_with_this_version() -> None:
    heads = {
        name: re.findall(r"^## (.*)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        for name in ("book/changes.md", "CHANGELOG.md")
    }
    assert heads["book/changes.md"] == [f"Version {head}" for head in heads["CHANGELOG.md"]]
    assert heads["CHANGELOG.md"][0].split(",")[0] == edition.version()
