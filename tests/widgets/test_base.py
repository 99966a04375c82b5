"""What every widget shares: a state a page can hold, a table beneath, and a script a notebook can load."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import ClassVar

import pytest
import traitlets
from playwright.sync_api import Page, expect

from unrolled.widgets import AttentionMap, bundle
from unrolled.widgets.base import Widget, number, table_html

HOSTILE = "<img src=x onerror=document.title='hit'></script><script>document.title='hit'</script>&amp;"


def pair(*tokens: str) -> AttentionMap:
    return AttentionMap([[0.75, 0.25], [0.5, 0.5]], tokens or ("we", "look"))


def test_state_holds_our_traits_alone() -> None:
    assert set(pair().state()) == {
        "weights", "tokens", "key_tokens", "title", "layer_names", "head_names", "layer", "head",
    }  # fmt: skip


def test_no_text_can_close_the_state_element() -> None:
    html = pair(HOSTILE, "b").static_html()
    assert html.count("<script") == 1
    assert html.count("</script>") == 1
    state = re.search(r'<script type="application/json">(.*?)</script>', html)
    assert state is not None
    assert json.loads(state[1])["tokens"][0] == HOSTILE


def test_a_state_that_is_no_json_is_refused() -> None:
    class Broken(Widget):
        value = traitlets.Float(float("nan")).tag(sync=True)

        def fallback_html(self) -> str:
            return ""

    Broken.name = "broken"
    with pytest.raises(ValueError, match=r"value: expected finite numbers of a size below .*, got nan"):
        Broken().static_html()


def test_the_table_escapes_and_writes_minus_signs() -> None:
    html = table_html("<c>", ["<a>"], [("<r>", [-0.001]), ("s", [-1.5])])
    assert "<c>" not in html
    assert "<a>" not in html
    assert "<r>" not in html
    assert "<td>0.00</td>" in html
    assert "<td>−1.50</td>" in html


def test_python_and_javascript_write_numbers_alike(page: Page) -> None:
    values = [0.125, 0.375, 0.625, 0.005, 1.005, 2.675, 0.995, -0.004, -0.125, -2.0, 7, 0.0, 1e-9, 123456.125]
    values += [n / 64 for n in range(65)]
    many = [(value, digits) for value in values for digits in range(6)]
    body = f"{bundle._inline(['dom'])} return many.map(([x, digits]) => $dom.number(x, digits));"
    assert page.evaluate(f"(many) => {{ {body} }}", many) == [number(*one) for one in many]
    assert [number(0.125), number(-0.004), number(-2)] == ["0.12", "0.00", "−2.00"]


def test_a_live_notebook_gets_the_widget_and_the_page_html() -> None:
    data, _ = pair()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert 'data-widget="attention-map"' in data["text/html"]


def test_the_book_gets_html_alone_and_opens_no_comm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_BOOK", "1")
    widget = pair()
    assert widget.comm is None
    data, _ = widget._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
    assert data["text/html"] == pair().static_html()


def test_every_widget_loads_as_anywidget_loads_it(page: Page) -> None:
    for name in bundle.WIDGETS:
        kind = page.evaluate(
            """async (source) => {
                const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
                return typeof (await import(url)).default.render;
            }""",
            bundle.esm(name),
        )
        assert kind == "function", name


def test_the_host_mounts_once_and_keeps_the_table(page: Page, mount: Callable[..., None]) -> None:
    mount(page, pair(), pair("a", "b"))
    page.evaluate("document.dispatchEvent(new Event('unrolled:added'))")
    expect(page.locator(".unrolled")).to_have_count(2)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((el) => el.id)")
    assert len(ids) == len(set(ids))
    table = page.locator(".unrolled-fallback table").first
    expect(table).to_be_hidden()
    page.get_by_role("button", name="Show as a table").first.click()
    expect(table).to_be_visible()
    expect(page.locator(".unrolled-fallback table").nth(1)).to_be_hidden()
    page.get_by_role("button", name="Hide the table").click()
    expect(table).to_be_hidden()


def test_paper_gets_the_table(page: Page, mount: Callable[..., None]) -> None:
    mount(page, pair(), theme="dark")
    page.emulate_media(media="print")
    expect(page.locator(".unrolled-fallback table")).to_be_visible()
    expect(page.locator(".unrolled")).to_be_hidden()
    expect(page.get_by_role("button", name="Show as a table")).to_be_hidden()
    # The light theme's ink, on white paper. (The table is made anew for it, so it is asked for again.)
    expect(page.locator(".unrolled-fallback th").first).to_have_css("color", "rgb(27, 36, 48)")


def test_without_javascript_the_table_stands(
    new_page: Callable[..., Page], mount: Callable[..., None]
) -> None:
    page = new_page(java_script_enabled=False)
    mount(page, pair())
    expect(page.locator("td.u-shade")).to_have_text(["0.75", "0.25", "0.50", "0.50"])


def test_an_unknown_widget_leaves_its_table(page: Page) -> None:
    page.set_content(pair().static_html().replace("attention-map", "gone"))
    page.evaluate("console.error = (text) => void (window.said = text)")
    page.add_script_tag(content=bundle.page_script(bundle.WIDGETS))
    expect(page.locator(".unrolled-fallback table")).to_be_visible()
    assert page.evaluate("window.said") == 'gone: no widget is called "gone"'


THEMES: dict[str, tuple[str, str]] = {
    "the book's button": ('<html data-theme="dark">', "dark"),
    "Colab": ('<html theme="dark">', "dark"),
    "the book's button, light": ('<html data-theme="light">', "light"),
    "JupyterLab": ('<html><body data-jp-theme-light="false">', "dark"),
    "JupyterLab, light": ('<html><body data-jp-theme-light="true">', "light"),
}


class TestThemes:
    PAPER: ClassVar[dict[str, str]] = {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 28, 36)"}

    def paper(self, page: Page) -> str:
        color: str = page.locator(".unrolled").evaluate("(el) => getComputedStyle(el).backgroundColor")
        return color

    @pytest.mark.parametrize("where", THEMES)
    def test_a_page_that_says_its_theme_is_followed(self, new_page: Callable[..., Page], where: str) -> None:
        opening, theme = THEMES[where]
        page = new_page(color_scheme="light" if theme == "dark" else "dark")
        page.set_content(
            f"<!doctype html>{opening}<style>{bundle.stylesheet()}</style><div class='unrolled'></div>"
        )
        assert self.paper(page) == self.PAPER[theme]

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_a_page_that_says_nothing_follows_the_system(
        self, new_page: Callable[..., Page], theme: str
    ) -> None:
        page = new_page(color_scheme=theme)
        page.set_content(f"<!doctype html><style>{bundle.stylesheet()}</style><div class='unrolled'></div>")
        assert self.paper(page) == self.PAPER[theme]


def test_widgets_import_no_models() -> None:
    code = (
        "import sys, unrolled.widgets\n"
        "print([m for m in sys.modules if m in ('torch', 'matplotlib') or m.startswith('unrolled.nn')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
