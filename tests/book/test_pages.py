"""Every page of the book in a real browser: over http and from disk, light and dark, wide and narrow."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import axe_playwright_python
import pytest
from playwright.sync_api import Page, Response, expect

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE = {"width": 375, "height": 740}
NewPage = Callable[..., Page]
Serve = Callable[[Path], str]


def names(site: Path) -> list[str]:
    """Return the pages of a site; there is always a first page, a chapter and the search."""
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert {"index.html", "references.html", "search.html"} < set(found)
    return found


def test_every_page_opens_in_peace_and_mounts_each_widget_once(
    site: Path, address: str, new_page: NewPage
) -> None:
    """`new_page` fails on a console error and on a request that leaves the machine."""
    page = new_page()
    wrong = []
    for name in names(site):
        page.goto(address + name)
        written = 'class="unrolled-widget"' in (site / name).read_text(encoding="utf-8")
        # What `explore` keeps for other choices waits in templates, where no locator looks.
        there = page.locator(".unrolled-widget").count()
        mounted = page.locator('.unrolled-widget[data-mounted="true"] > .unrolled-live').count()
        scripts = page.locator('script[src*="unrolled-widgets"]').count()
        if (written, there, min(there, 1)) != (there > 0, mounted, scripts):
            wrong.append(f"{name}: {there} widgets, {mounted} mounted, {scripts} widget scripts")
    assert wrong == []


def test_nothing_is_wider_than_a_phone(site: Path, address: str, new_page: NewPage) -> None:
    page = new_page(viewport=PHONE, has_touch=True)
    wide = {}
    for name in names(site):
        page.goto(address + name)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide[name] = width
    assert wide == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(
    site: Path, serve: Serve, new_page: NewPage, scheme: str, viewport: dict[str, int]
) -> None:
    page = new_page(color_scheme=scheme, viewport=viewport)
    # From a server: axe reads the style sheets once more, which a page from disk may not.
    url = serve(site)
    found = []
    for name in names(site):
        page.goto(url + name)
        for fold in page.locator("article details").all():
            fold.evaluate("fold => { fold.removeAttribute('name'); fold.open = true; }")
        page.evaluate(AXE)
        result = page.evaluate("tags => axe.run(document, { runOnly: { type: 'tag', values: tags } })", WCAG)
        assert len(result["passes"]) > 10, name
        found += [
            f"{name}: {violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
    assert found == []


def test_a_page_weighs_at_most_300_kilobytes(site: Path, serve: Serve, new_page: NewPage) -> None:
    """Gzipped, what the browser really asks for: HTML, scripts, styles and fonts."""
    url = serve(site)
    weights = {}
    for name in names(site):
        page = new_page()
        asked: dict[str, Response] = {}
        page.on("response", lambda response, asked=asked: asked.setdefault(response.url, response))
        page.goto(url + name, wait_until="networkidle")
        page.evaluate("document.fonts.ready")
        counted = [
            r
            for r in asked.values()
            if r.request.resource_type in {"document", "script", "stylesheet", "font"}
        ]
        assert len(counted) >= 3, name
        weights[name] = sum(
            len(body) if response.request.resource_type == "font" else len(gzip.compress(body, 6))
            for response in counted
            for body in [response.body()]
        )
    assert {name: weight for name, weight in weights.items() if weight > 300_000} == {}


def test_a_chapter_reads_without_javascript(site: Path, new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    for name in names(site):
        page.goto(f"{site.as_uri()}/{name}")
        expect(page.locator("h1").first).to_be_visible()
        for fallback in page.locator(".unrolled-fallback").all():
            expect(fallback).to_be_visible()
            # A table of the numbers, or the picture at the point the widget starts from.
            expect(fallback.locator("table, svg[role=img]").first).to_be_visible()
        # Buttons that only a script could answer are not there.
        expect(page.locator(".theme-switch")).to_be_hidden()


def test_links_between_pages_lead_somewhere(site: Path) -> None:
    ids: dict[Path, set[str]] = {}
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        ids[path.resolve()] = set(re.findall(r'\sid="([^"]+)"', text))
    broken = []
    checked = 0
    for path in ids:
        text = path.read_text(encoding="utf-8")
        for link in re.findall(
            r'(?:href|src|action)="([^"]*)"', re.sub(r"<script.*?</script>", "", text, flags=re.S)
        ):
            parts = urlsplit(link.replace("&amp;", "&"))
            if parts.scheme or not (parts.path or parts.fragment):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            checked += 1
            if not target.is_file() or (
                parts.fragment and unquote(parts.fragment) not in ids.get(target, set())
            ):
                broken.append(f"{path.name}: {link}")
    assert checked > 20
    assert broken == []


def test_an_id_stands_once_in_a_page(site: Path) -> None:
    for path in site.rglob("*.html"):
        # What stands in a template is no part of the page.
        text = re.sub(r"<template.*?</template>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        found = re.findall(r'\sid="([^"]+)"', text)
        assert found
        assert sorted(found) == sorted(set(found)), path.name


def test_the_mathematics_is_all_in_our_font(site: Path) -> None:
    font = Path(__file__).parents[2] / "book" / "_assets" / "fonts" / "unrolled-math.txt"
    have = set(font.read_text(encoding="utf-8")) | set("\n\t ")
    formulas = 0
    for path in site.rglob("*.html"):
        for formula in re.findall(r"<math.*?</math>", path.read_text(encoding="utf-8"), re.S):
            formulas += 1
            text = re.sub(r"<[^>]*>", "", re.sub(r"<mtext.*?</mtext>", "", formula, flags=re.S))
            text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
            assert set(text) <= have, f"{path.name}: {set(text) - have} in {text}"
    assert formulas > 10


def test_the_theme_button_goes_round_and_is_remembered(site: Path, serve: Serve, new_page: NewPage) -> None:
    page = new_page(color_scheme="light")
    url = serve(site)
    page.goto(url + "index.html")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    button = page.get_by_role("button", name="Colours")
    expect(button).to_have_accessible_name("Colours: as the system")
    button.click()
    expect(button).to_have_accessible_name("Colours: light")
    button.click()
    expect(button).to_have_accessible_name("Colours: dark")
    assert page.evaluate(ground) != light
    page.goto(url + "references.html")
    expect(page.get_by_role("button", name="Colours")).to_have_accessible_name("Colours: dark")
    assert page.evaluate(ground) != light


def test_the_contents_open_and_close_on_a_phone(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(viewport=PHONE)
    page.goto(f"{sample_book.as_uri()}/index.html")
    contents = page.get_by_role("navigation", name="The book")
    expect(contents).to_be_hidden()
    page.get_by_role("link", name="Contents of the book").click()
    expect(contents).to_be_visible()
    page.keyboard.press("Escape")
    expect(contents).to_be_hidden()


def test_the_search_finds_a_page_from_disk(sample_book: Path, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{sample_book.as_uri()}/index.html")
    assert page.locator('input[type="search"]').count() == 1
    page.get_by_role("searchbox", name="Search the book").fill("numerators")
    page.keyboard.press("Enter")
    expect(page.locator("#search-results li a").first).to_contain_text("Everything a chapter may hold")
    assert page.locator('input[type="search"]').count() == 1
