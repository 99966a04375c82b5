"""explore(): ipywidgets' interact in a notebook, every outcome in the page, and no dead control."""

import json
from collections.abc import Callable
from typing import Any

import ipywidgets
import pytest
from playwright.sync_api import Page, expect

from unrolled import plots
from unrolled.widgets import AttentionMap, bundle, explore
from unrolled.widgets.explore import Explored


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_BOOK", "1")


def explored(fn: Callable[..., Any], **grids: Any) -> Explored:
    widget = explore(fn, **grids)
    assert isinstance(widget, Explored)
    return widget


def power(base: int, exponent: int) -> int:
    return base**exponent


def shout(word: str, times: int) -> None:
    print(word * times)


class TestLive:
    @pytest.fixture(autouse=True)
    def kernel(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("UNROLLED_BOOK", raising=False)

    def test_with_a_kernel_it_is_what_interact_displays(self, capsys: pytest.CaptureFixture[str]) -> None:
        calls = []
        grids: dict[str, Any] = {"scale": [0.5, 1.0, 2.0], "kind": {"by dot": "dot", "by sum": "add"}}
        shown = explore(lambda scale, kind: calls.append((scale, kind)), **grids)
        assert isinstance(shown, ipywidgets.interactive)
        assert shown.auto_display  # what the function returns is displayed, as by `interact`
        assert "interactive" not in capsys.readouterr().out  # the cell displays it, once
        seen = {one.description: one for one in shown.children[:-1]}
        assert isinstance(seen["scale"], ipywidgets.SelectionSlider)
        assert isinstance(seen["kind"], ipywidgets.Dropdown)
        assert list(seen) == ["scale", "kind"]
        assert seen["scale"].options == (("0.5", 0.5), ("1", 1.0), ("2", 2.0))
        seen["scale"].value = 2.0
        seen["kind"].value = "add"
        assert calls == [(1.0, "dot"), (2.0, "dot"), (2.0, "add")]

    def test_the_limits_hold_there_too(self) -> None:
        with pytest.raises(ValueError, match="at most 400 points, got 30 x 30 = 900"):
            explore(power, base=range(30), exponent=range(30))


@pytest.mark.usefixtures("book")
class TestInput:
    @pytest.mark.parametrize(
        ("fn", "grids", "error", "message"),
        [
            (power, {}, TypeError, "a grid for at least one argument, got none"),
            (
                power,
                {"base": [], "exponent": [1]},
                ValueError,
                "base: expected at least one value, got an empty list",
            ),
            (power, {"base": [1], "exponet": [1]}, TypeError, r"got 'exponet'; power takes base, exponent"),
            (power, {"base": [1]}, TypeError, r"a grid for 'exponent', got none; power takes base, exponent"),
            (power, {"base": 3, "exponent": [1]}, TypeError, "base: expected a list of values, got int"),
            (power, {"base": "abc", "exponent": [1]}, TypeError, "base: expected a list of values, got str"),
            (
                power,
                {"base": range(401), "exponent": [1]},
                ValueError,
                "at most 400 points, got 401 x 1 = 401",
            ),
        ],
    )
    def test_a_wrong_grid_is_named(self, fn: Any, grids: Any, error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=f"explore: .*{message}"):
            explore(fn, **grids)

    def test_an_error_names_its_point(self) -> None:
        with pytest.raises(RuntimeError, match=r"ZeroDivisionError at base = 0, exponent = −1: ") as caught:
            explore(power, base=[1, 0], exponent=[1, -1])
        assert isinstance(caught.value.__cause__, ZeroDivisionError)

    def test_outcomes_have_a_limit(self) -> None:
        with pytest.raises(
            ValueError, match=r"at most 1\.5 MB in all, got more than that after 4 of 9 points"
        ):
            explore(lambda n: "x" * 400_000, n=range(9))

    def test_defaults_need_no_grid(self) -> None:
        def scaled(x: int, by: int = 10) -> int:
            return x * by

        assert explored(scaled, x=[1, 2, 3]).texts == ["10", "20", "30"]


@pytest.mark.usefixtures("book")
class TestPage:
    def test_every_point_shows_its_outcome_by_keyboard(self, page: Page, mount: Callable[..., None]) -> None:
        widget = explored(power, base=[2, 3, 5], exponent=range(4))
        mount(page, widget)
        base, exponent = page.get_by_label("base"), page.get_by_label("exponent")
        outcome = page.locator(".u-outcome")
        expect(outcome).to_have_text("3")  # The middle: 3 ** 1.
        base.focus()
        page.keyboard.press("Home")
        for b in (2, 3, 5):
            expect(base).to_have_attribute("aria-valuetext", str(b))
            exponent.focus()
            page.keyboard.press("Home")
            for e in range(4):
                expect(outcome).to_have_text(str(b**e))
                expect(page.locator("p[role='status']")).to_have_text(f"base = {b}, exponent = {e}: {b**e}")
                page.keyboard.press("ArrowRight")
            base.focus()
            page.keyboard.press("ArrowRight")

    def test_names_and_printed_text(self, page: Page, mount: Callable[..., None]) -> None:
        mount(
            page,
            explored(shout, word={"quiet": "a", "<b>loud</b>": "<img src=x onerror=alert(1)>"}, times=[1, 2]),
        )
        expect(page.locator(".u-outcome")).to_have_text("a")
        page.get_by_label("word").select_option("<b>loud</b>")
        page.get_by_label("times").select_option("2")
        expect(page.locator(".u-outcome pre")).to_have_text("<img src=x onerror=alert(1)>" * 2)
        expect(page.locator("main img")).to_have_count(0)

    def test_touch_moves_the_slider(self, new_page: Callable[..., Page], mount: Callable[..., None]) -> None:
        page = new_page(has_touch=True, viewport={"width": 320, "height": 640})
        mount(page, explored(lambda n: n * n, n=range(1, 10)))
        box = page.get_by_label("n =", exact=True).bounding_box()
        assert box is not None
        assert box["height"] >= 24
        page.touchscreen.tap(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
        expect(page.locator(".u-outcome")).to_have_text("81")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320

    def test_figures_are_drawn_once_and_closed(self, page: Page, mount: Callable[..., None]) -> None:
        from matplotlib import pyplot

        def returned(n: int) -> Any:
            return pyplot.subplots()[0]

        def left_open(n: int) -> None:
            pyplot.plot([0, n])

        def axes(n: int) -> Any:
            return pyplot.subplots()[1]

        mine = pyplot.figure()  # a cell may have one open
        widgets = [explored(fn, n=[1, 2, 3]) for fn in (returned, left_open, axes)]
        assert not mine.axes
        assert pyplot.gcf() is mine
        assert pyplot.get_fignums() == [1]
        mount(page, *widgets)
        expect(page.locator(".u-outcome svg[role='img'][aria-label='Figure at n = 2']")).to_have_count(3)
        page.get_by_label("n =", exact=True).first.press("End")
        expect(page.locator(".u-outcome svg[aria-label='Figure at n = 3']")).to_have_count(1)

    def test_an_outcome_may_be_a_widget(self, page: Page, mount: Callable[..., None]) -> None:
        mount(page, explored(lambda w: AttentionMap([[w, 1 - w]], ["a"], ["a", "b"]), w=[0.0, 0.25, 1.0]))
        page.get_by_label("w =", exact=True).press("End")
        expect(page.locator(".u-outcome td[data-j]")).to_have_text(["1.00", "0.00"])
        page.get_by_label("w =", exact=True).press("Home")
        expect(page.locator(".u-outcome td[data-j]")).to_have_text(["0.00", "1.00"])

    def test_a_figure_adds_no_empty_space(self, page: Page, mount: Callable[..., None]) -> None:
        mount(
            page,
            explored(lambda n: plots.show(plots.attention_map([[n / 3]], ["a"]), alt="A map"), n=[1, 2, 3]),
        )
        page.add_style_tag(content="figure { margin: 2rem 0 }")  # as in the book
        figure, outcome = page.locator(".u-outcome figure"), page.locator(".u-outcome")
        inner, outer = figure.bounding_box(), outcome.bounding_box()
        assert inner
        assert outer
        assert abs(inner["height"] - outer["height"]) < 1
        expect(page.get_by_label("n =", exact=True)).to_have_count(1)

    def test_without_javascript_all_texts_stand_in_a_table(
        self, new_page: Callable[..., Page], mount: Callable[..., None]
    ) -> None:
        page = new_page(java_script_enabled=False)
        mount(page, explored(power, base=[2, 3, 5], exponent=[1, 2]))
        expect(page.locator("tbody tr")).to_have_text(["212", "224", "313", "329", "515", "5225"])

    def test_without_javascript_one_outcome_stands_for_many(
        self, new_page: Callable[..., Page], mount: Callable[..., None]
    ) -> None:
        page = new_page(java_script_enabled=False)
        mount(page, explored(lambda n: print(f"first\nsecond {n}"), n=[1, 2, 3]))
        expect(page.locator("main pre")).to_have_text("first\nsecond 2")
        expect(page.locator("main p")).to_contain_text("at n = 2: one of 3 settings")

    def test_the_book_displays_html_alone(self) -> None:
        widget = explored(power, base=[2, 3], exponent=[1, 2])
        data, _ = widget._repr_mimebundle_()
        assert data == {"text/html": widget.static_html(), "text/plain": "Explored()"}

    def test_the_script_asks_only_for_what_it_is_given(self, page: Page) -> None:
        """Outcomes of another widget around it are none of its own."""
        code = (
            bundle._inline(["explore"])
            + """
            const around = document.createElement("div");
            around.className = "unrolled-widget";
            around.innerHTML = '<div class="unrolled-fallback"><template>theirs</template></div>';
            const el = around.appendChild(document.createElement("div"));
            const beneath = document.createElement("div");
            beneath.innerHTML = "<template>one</template><template>two</template>";
            const state = { title: "t", texts: ["one", "two"],
                controls: [{ name: "n", labels: ["1", "2"], ordered: false, start: 1 }] };
            const page = { recalled: {}, start: state, beneath, remembers() {}, tables() {} };
            $explore.render({ el, model: { page, get: (name) => state[name] } });
            return el.querySelector(".u-outcome").textContent;"""
        )
        assert page.evaluate(f"() => {{ {code} }}") == "two"

    def test_two_builds_are_equal(self) -> None:
        def build() -> str:
            return explored(power, base=[2, 3], exponent=[1, 2, 3]).static_html()

        assert build() == build()

    def test_the_outcomes_stay_out_of_the_state(self) -> None:
        widget = explored(lambda n: AttentionMap([[1.0]], [f"t{n}"]), n=[1, 2, 3])
        assert widget.texts == [None, None, None]
        assert "t1" not in json.dumps(widget.state())

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_axe_finds_nothing(
        self, page: Page, mount: Callable[..., None], violations: Callable[[Page], list[str]], theme: str
    ) -> None:
        many = [
            explored(power, base=[2, 3, 5], exponent=[1, 2]),
            explored(shout, word=["a", "b"], times=[1, 2, 3]),
        ]
        mount(page, *many, theme=theme)
        for button in page.get_by_role("button").all():
            button.click()
        assert violations(page) == []
