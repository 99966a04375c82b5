"""What holds of every widget: it comes back as its reader left it, and its table says what it shows now."""

import contextlib
import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.waiting import wait_until
from tests.widgets.conftest import NO_ICON, widget_page
from tests.widgets.every import WIDGETS, change, looks, tables, wait_for_tables
from unrolled.widgets import PositionClock, bundle

Open = Callable[[Page, str], None]


def test_every_widget_is_here() -> None:
    assert {name.split(",")[0] for name in WIDGETS} == set(bundle.WIDGETS)


# A page that is left may be ended at once, before it hears of it.
NO_LAST_MOMENT = """for (const name of ["pagehide", "beforeunload", "unload", "visibilitychange"])
    addEventListener(name, (event) => event.stopImmediatePropagation(), true);"""


@pytest.fixture(params=["file", "http"])
def open_it(request: pytest.FixtureRequest, tmp_path: Path, serve: Callable[[Path], str]) -> Open:
    """Return a function that opens a page with one widget, beside a page without any."""
    where = serve(tmp_path) if request.param == "http" else f"{tmp_path.as_uri()}/"

    def open_page(page: Page, name: str) -> None:
        page.add_init_script(NO_LAST_MOMENT)
        (tmp_path / "page.html").write_text(widget_page(WIDGETS[name].make()), encoding="utf-8")
        other = f'<!doctype html><html lang="en"><title>Other</title>{NO_ICON}'
        (tmp_path / "other.html").write_text(other, encoding="utf-8")
        page.goto(f"{where}page.html")

    return open_page


# What the widgets keep, once it has stayed the same for some frames: a picture may still be on its way.
AT_REST = """async () => {
  // On a busy machine there may be no frame for long.
  const frame = () => new Promise((go) => { requestAnimationFrame(go); setTimeout(go, 200); });
  const kept = () => sessionStorage.getItem(`unrolled-visit:${history.state?.["unrolled-visit"]}`);
  let last = kept();
  for (let same = 0; same < 5; same++) {
    await frame();
    if (kept() !== last) [last, same] = [kept(), -1];
  }
  return last;
}"""


KEPT = "sessionStorage.getItem(`unrolled-visit:${history.state?.['unrolled-visit']}`)"


class ForgottenError(Exception):
    """The browser does not know in one page what another had in its storage."""


def unless_forgotten(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test again if the browser forgot what a page had stored.

    Once in some hundred times, on a busy machine, Chromium does when two files follow each other.
    A page that stored nothing, or came back without what is stored, fails at once.
    """

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        for _ in range(2):
            with contextlib.suppress(ForgottenError):
                return test(*arguments, **named)
        return test(*arguments, **named)

    return run


def leave(page: Page) -> None:
    """Go to the other page, and wait there for all that the widgets left: it may be another process."""
    left = page.evaluate(AT_REST)
    name = page.evaluate("`unrolled-visit:${history.state['unrolled-visit']}`")
    assert left
    page.goto(page.url.split("#")[0].replace("page.html", "other.html"))
    try:
        wait_until(
            page, "([name, left]) => sessionStorage.getItem(name) === left", arg=[name, left], within=9
        )
    except PlaywrightTimeoutError as error:
        raise ForgottenError from error


def away_and_back(page: Page) -> None:
    leave(page)
    page.go_back()
    expect(page.locator(".unrolled-live").first).to_be_attached()
    if page.evaluate("history.state?.['unrolled-visit']") and page.evaluate(KEPT) is None:
        raise ForgottenError
    page.evaluate(AT_REST)


@pytest.mark.parametrize("name", WIDGETS)
@unless_forgotten
def test_back_brings_controls_and_picture_as_they_were(page: Page, open_it: Open, name: str) -> None:
    open_it(page, name)
    start = looks(page)
    change(page, WIDGETS[name])
    page.evaluate(AT_REST)
    left = looks(page)
    assert left != start
    away_and_back(page)
    # What the browser still knew, should they differ.
    known = "JSON.stringify([history.state, performance.getEntriesByType('navigation'), {...sessionStorage}])"
    assert looks(page) == left, page.evaluate(known)


@unless_forgotten
def test_a_link_and_a_reload_begin_anew(page: Page, open_it: Open) -> None:
    open_it(page, "position-clock")
    start = looks(page)
    change(page, WIDGETS["position-clock"])
    page.reload()
    assert looks(page) == start
    change(page, WIDGETS["position-clock"])
    leave(page)
    page.goto(page.url.replace("other.html", "page.html"))
    assert looks(page) == start


@unless_forgotten
def test_a_place_on_the_page_is_the_same_visit(page: Page, open_it: Open) -> None:
    open_it(page, "paint-mixer")
    change(page, WIDGETS["paint-mixer"])
    left = looks(page)
    page.goto(f"{page.url}#there")
    away_and_back(page)
    assert page.url.endswith("#there")
    assert looks(page) == left


@pytest.mark.parametrize("open_it", ["file"], indirect=True)  # a server's page would come from the cache
@unless_forgotten
def test_another_edition_of_the_page_begins_anew(page: Page, open_it: Open, tmp_path: Path) -> None:
    open_it(page, "position-clock")
    change(page, WIDGETS["position-clock"])
    leave(page)
    html = widget_page(WIDGETS["position-clock, rotary"].make())
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page.go_back()
    assert page.locator(".unrolled select").input_value() == "1"
    expect(page.get_by_role("slider", name="Position t, solid hands")).to_have_value("7")


@unless_forgotten
def test_what_no_longer_fits_is_forgotten(page: Page, open_it: Open, tmp_path: Path) -> None:
    open_it(page, "decoder-stepper")
    start = looks(page)
    change(page, WIDGETS["decoder-stepper"])
    leave(page)
    page.evaluate(
        """() => Object.keys(sessionStorage).forEach((key) => {
            const all = JSON.parse(sessionStorage.getItem(key));
            all[0].left.recalled.at = 99;
            sessionStorage.setItem(key, JSON.stringify(all));
        })"""
    )
    page.go_back()
    assert looks(page) == start


def test_a_page_without_storage_has_its_widgets(page: Page, open_it: Open) -> None:
    locked = "{ get() { throw new Error('locked'); } }"
    page.add_init_script(f"Object.defineProperty(window, 'sessionStorage', {locked})")
    open_it(page, "paint-mixer")
    start = looks(page)
    change(page, WIDGETS["paint-mixer"])
    page.goto(page.url.replace("page.html", "other.html"))
    page.go_back()
    expect(page.locator(".unrolled-live").first).to_be_attached()
    assert looks(page) == start


@unless_forgotten
def test_reset_goes_back_to_the_start_and_not_to_what_was_left(page: Page, open_it: Open) -> None:
    for name in ("bears-plane", "paint-mixer", "unroller"):
        open_it(page, name)
        start = looks(page)[0][1]
        change(page, WIDGETS[name])
        away_and_back(page)
        for tab in page.get_by_role("tab").all()[:1]:
            tab.click()
        page.get_by_role("button", name="Reset", exact=True).click()
        assert looks(page)[0][1] == start, name


@unless_forgotten
def test_folds_and_the_table_stay_open(page: Page, open_it: Open) -> None:
    open_it(page, "decoder-stepper, attending")
    page.locator("details summary").last.click()
    page.get_by_role("button", name="Show as a table").click()
    away_and_back(page)
    expect(page.locator("details").first).not_to_have_attribute("open", "")
    expect(page.locator("details").last).to_have_attribute("open", "")
    expect(page.get_by_role("button", name="Hide the table")).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".unrolled-fallback table")).to_be_visible()


@pytest.fixture
def open_one(page: Page, mount: Callable[..., None]) -> Callable[[str], None]:
    """Return a function that opens a widget by its name in this list."""
    return lambda name: mount(page, WIDGETS[name].make())


TABLED = [name for name, example in WIDGETS.items() if example.table]


@pytest.mark.parametrize("name", TABLED)
def test_the_table_is_of_what_is_shown(page: Page, open_one: Callable[[str], None], name: str) -> None:
    open_one(name)
    by_python = tables(page)
    page.get_by_role("button", name="Show as a table").click()
    start = tables(page)
    if name.startswith("decoder-stepper"):  # it has written one word; Python has written them all
        page.get_by_role("button", name="To the end").click()
        assert tables(page)[-1] in by_python
    else:
        assert start[0] == by_python[0]
    change(page, WIDGETS[name])
    now = tables(page)
    page.get_by_role("button", name="Hide the table").click()
    if name == "explore":  # its table is of all outcomes, and marks the one that is shown
        row = page.locator(".unrolled-fallback tr[aria-current]")
        expect(row.locator("td").last).to_have_text(page.locator(".u-outcome").inner_text())
    else:
        assert now != start
    # On paper the same, whether or not it was open when something changed.
    page.reload()
    change(page, WIDGETS[name])
    page.emulate_media(media="print")
    wait_for_tables(page, now)
    expect(page.locator(".unrolled-fallback table").first).to_be_visible()
    expect(page.locator(".unrolled")).to_be_hidden()


def test_pictures_without_a_table_print_the_one_that_is_shown(
    page: Page, open_one: Callable[[str], None]
) -> None:
    open_one("explore, pictures")
    page.get_by_role("slider", name="w =").press("End")
    page.emulate_media(media="print")
    expect(page.get_by_text("w = 2", exact=True).first).to_be_visible()
    expect(page.get_by_role("slider", name="w =")).to_be_hidden()
    shown = page.locator(".u-outcome > .unrolled-widget > .unrolled-fallback")
    expect(shown).to_be_visible()
    expect(page.locator(".prints-itself > .unrolled-fallback")).to_be_hidden()


@pytest.mark.parametrize("kind", ["sinusoidal", "rotary"])
def test_a_clocks_table_is_that_of_python_wherever_its_hands_stand(
    page: Page, mount: Callable[..., None], kind: Any
) -> None:
    vectors: dict[str, Any] = {
        "query": [0.5, -1.0, 2.0, 0.25, 1.5, -0.75],
        "key": [1.0, 3.0, -2.0, 0.5, 0.0, 1.25],
    }
    mount(page, PositionClock(6, 31, kind=kind, t=11, s=23, **vectors))
    by_python = tables(page)
    mount(page, PositionClock(6, 31, t=10, s=24, **vectors))
    page.get_by_label("How positions come in").select_option(index=["sinusoidal", "rotary"].index(kind))
    page.get_by_role("slider", name="Position t").press("ArrowRight")
    page.get_by_role("slider", name="Position s").press("ArrowLeft")
    page.get_by_role("button", name="Show as a table").click()
    assert tables(page) == by_python


# What shows a number by how far it is filled, or by how dark it is.
FILLED = [
    ".u-shade",
    ".u-bar",
    ".u-share-bar",
    ".u-signed",
    ".u-cell i",
    ".u-mini",
    ".u-legend-bar",
    ".u-cache-strip",
    ".u-numbers .u-number",
    ".u-swatch",
    ".u-stack",
    ".u-head-colour",
]


STATE = "el => ['pressed', 'selected', 'checked'].map((name) => el.getAttribute(`aria-${name}`)).join()"


def colours(shots: list[bytes]) -> set[tuple[int, ...]]:
    """Return the colours that cover a twentieth of one picture or more."""
    found = set()
    for shot in shots:
        picture = Image.open(io.BytesIO(shot)).convert("RGB")
        pixels = picture.getcolors(picture.width * picture.height)
        assert pixels
        found |= {colour for count, colour in pixels if 20 * count >= picture.width * picture.height}
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", WIDGETS)
def test_with_the_systems_colours_numbers_and_states_are_seen(
    new_page: Callable[..., Page], mount: Callable[..., None], name: str, scheme: str
) -> None:
    page = new_page(forced_colors="active", color_scheme=scheme)
    mount(page, WIDGETS[name].make())
    widget = page.locator(".unrolled").first
    for kind in FILLED:
        marks = widget.locator(f"{kind}:visible").all()[:9]
        if marks:
            assert len(colours([mark.screenshot() for mark in marks])) > 1, kind
    for button in page.get_by_role("button", name="To the end").all():
        button.click()  # so that there is more than one step to choose
    # A state is told from the other by more than the focus.
    for state in ("button[aria-pressed]", "[role='tab']", "button[role='radio']"):
        for control in widget.locator(f"{state}:visible").all()[:2]:
            looked = []
            for _ in range(2):
                page.mouse.move(0, 0)
                page.evaluate("document.activeElement.blur()")
                said = control.evaluate(STATE)
                looked.append((said, control.screenshot()))
                other = widget.locator(f"{state}:visible").last
                (control if "button[aria" in state or "false" in said else other).click()
            (before, picture), (after, other_picture) = looked
            assert before != after
            assert picture != other_picture, before
