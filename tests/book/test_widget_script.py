"""The scripts and styles of widgets: a page's own and no others, lighter than their sources, nothing lost."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from book._ext.course.page import PICTURES, lighter, script_name, style_name, widgets_of
from book._ext.course.styles import lighter_style, widget_style
from tools import course
from unrolled.widgets import bundle

COMMENT = re.compile(r"^\s*(?://|/?\*)")


def test_it_loses_comments_and_no_space_of_a_text() -> None:
    source = bundle.page_script(bundle.WIDGETS)
    written = lighter(source)
    assert len(written) < 0.75 * len(source)
    code = [line.split(" // ")[0].strip() for line in source.splitlines() if not COMMENT.match(line)]
    single = {line[line.index("`") : line.rindex("`") + 1] for line in code if line.count("`") == 2}
    # A template within a template, such as the "over 3 seeds" of the length curves: the whole line.
    nested = {line for line in code if line.count("`") > 2}
    assert any("`, over ${seeds} seeds`" in line for line in nested)
    assert len(single) > 100
    assert sorted(text for text in single | nested if text not in written) == []


def test_every_page_loads_the_widgets_it_has_and_no_others(sample_book: Path, built_book: Path) -> None:
    seen = set()
    for site in (sample_book, built_book):
        for page in site.rglob("*.html"):
            text = page.read_text(encoding="utf-8")
            there = sorted(set(re.findall(r'data-widget="([\w-]+)"', text)))
            loaded = re.findall(r'src="[./]*_static/(unrolled-widgets-\w+\.js)\?v=\w+"', text)
            assert loaded == ([script_name(tuple(there))] if there else []), page.name
            styles = re.findall(r'href="[./]*_static/(unrolled-widgets-\w+\.css)\?v=\w+"', text)
            assert styles == ([style_name(tuple(there))] if there else []), page.name
            assert all((site / "_static" / name).is_file() for name in styles)
            for name in loaded:
                script = (site / "_static" / name).read_text(encoding="utf-8")
                mounted = re.findall(r'"([\w-]+)":\$\w+\.render', script)
                assert sorted(mounted) == there, page.name
            seen.update(there)
    for site in (sample_book, built_book):
        assert (site / "_static" / PICTURES).read_text(encoding="utf-8") == lighter(bundle.picture_script())
    # What no page shows need not be loaded by any.
    assert len(seen) > 10
    assert not list(built_book.rglob("unrolled-widgets.*"))


def test_styles_lose_comments_alone() -> None:
    sheet = '/* What\n it is. */\n.a {\n  content: "a  b"; /* so */\n}\n\n.b { color: red }\n'
    assert lighter_style(sheet) == '.a {\ncontent: "a  b";\n}\n.b { color: red }\n'
    assert widget_style(bundle.WIDGETS) == lighter_style(bundle.stylesheet())


# The selectors of the whole style sheet that a page leaves out, and that something in it would match.
MISSED = """([everything, written]) => {
  const rules = (list) => [...list].flatMap((rule) => [rule, ...(rule.cssRules ? rules(rule.cssRules) : [])]);
  const selectors = (sheet) => rules(sheet.cssRules).map((rule) => rule.selectorText).filter(Boolean);
  const whole = new CSSStyleSheet();
  whole.replaceSync(everything);
  const link = document.querySelector("link[href*='unrolled-widgets-']");
  const here = new Set(selectors(link.sheet));
  const left = selectors(whole).filter((selector) => !here.has(selector));
  // Whatever the pointer, the focus or the state of a field is; and as the page is where no script runs.
  const states = /::?(?:hover|focus[\\w-]*|active|checked|disabled|before|after|marker|-[\\w-]+)/g;
  const unscripted = new DOMParser().parseFromString(written, "text/html");
  const found = left.filter((selector) =>
    [document, unscripted].some((one) => one.querySelector(`:is(${selector.replace(states, "")})`)));
  return [here.size, left.length, found];
}"""


def test_no_style_that_a_page_leaves_out_is_missed_in_it(
    built_book: Path, serve: Callable[[Path], str], new_page: Callable[..., Page]
) -> None:
    """Over http: what is in the style sheet of a page from disk is not told."""
    everything = bundle.stylesheet()
    page, site = new_page(), serve(built_book)
    lighter = 0
    for name in [*course.chapters(), "look", "playground"]:
        written = (built_book / f"{name}.html").read_text(encoding="utf-8")
        if not widgets_of(written):
            continue
        page.goto(f"{site}{name}.html")
        expect(page.locator(".unrolled-widget:not([data-mounted])")).to_have_count(0)
        loaded, left_out, missed = page.evaluate(MISSED, [everything, written])
        assert loaded > 50
        assert missed == [], name
        lighter += left_out > 50
    assert lighter > 5


def test_widgets_that_wait_behind_a_choice_are_found() -> None:
    hidden = '<template><div class="unrolled-widget" data-widget="attention-map"></div></template>'
    assert widgets_of('<div class="unrolled-widget" data-widget="explore">' + hidden) == (
        "attention-map",
        "explore",
    )
    assert widgets_of("<code>data-widget</code>") == ()
