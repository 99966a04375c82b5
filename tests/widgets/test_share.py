"""The row under every widget: a link to what it shows, its picture, its numbers."""

import csv
import io
import random
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.served import served
from tests.waiting import wait_until
from tests.widgets.conftest import widget_page
from tests.widgets.every import WIDGETS, change, looks
from unrolled.widgets import AttentionMap, bundle

HOSTILE = "<img src=x onerror=alert(1)>&\"'</script><svg onload=alert(2)>"
REFUSED = "The link to a view is damaged, or of another edition of this page"

# What is copied and what is saved, without a clipboard and without files: `copied`, and `saved` by name.
HANDS = """
    Object.defineProperty(navigator, "clipboard", {
        value: { writeText: async (text) => { window.copied = text; } },
    });
    window.saved = {};
    const blobs = new Map();
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
        const url = make.call(URL, blob);
        blobs.set(url, blob);
        return url;
    };
    HTMLAnchorElement.prototype.click = function () {
        const reader = new FileReader();
        reader.onload = () => { window.saved[this.download.split(".").pop()] = reader.result.split(",")[1]; };
        reader.readAsDataURL(blobs.get(this.href));
    };
"""


@pytest.fixture
def hands(page: Page) -> Page:
    """Return a page that keeps what is copied and saved."""
    page.add_init_script(HANDS)
    return page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("share")
    with served(folder) as address:
        yield folder, address


def row(page: Page) -> Locator:
    return page.locator("main > .unrolled-widget > .unrolled-row").first


def copied(page: Page) -> str:
    """Return the link that is copied."""
    page.evaluate("delete window.copied")
    row(page).get_by_role("button", name="Copy link", exact=True).click()
    wait_until(page, "window.copied")
    return str(page.evaluate("window.copied"))


def saved(page: Page, kind: str) -> bytes:
    """Return the file that is saved."""
    page.evaluate("window.saved = {}")
    row(page).get_by_role("button", name=f"as {kind}", exact=False).click()
    wait_until(page, "(kind) => window.saved[kind]", arg=kind.lower())
    return b64decode(page.evaluate("(kind) => window.saved[kind]", kind.lower()))


def without_readout(page: Page) -> bytes:
    """Return the SVG without what is said of the last change: whoever opens a link has changed nothing."""
    page.locator(".unrolled p[aria-live]").evaluate_all(
        "(all) => all.forEach((one) => one.replaceChildren())"
    )
    return saved(page, "SVG")


def rows_of(content: bytes) -> list[list[str]]:
    """Return the lines of a CSV, every one of as many fields as the others."""
    text = content.decode("utf-8-sig")
    assert text.count("\n") == text.count("\r\n")
    lines = list(csv.reader(io.StringIO(text, newline="")))
    assert len({len(line) for line in lines}) == 1
    return [list(line) for line in lines]


def without_tail(line: list[str]) -> list[str]:
    while line and line[-1] == "":
        line = line[:-1]
    return line


def as_cell(text: str) -> str:
    """Return what a CSV holds for what a cell shows, where that is no formula."""
    return re.sub(r"^−(?=[\d.]+%?$)", "-", re.sub(r"\s+", " ", text).strip())


def hold_the_tables(lines: list[list[str]], shown: list[Any]) -> None:
    """Check that these lines are these tables, and that what has all digits says the same."""
    blocks: list[list[list[str]]] = [[]]
    for line in map(without_tail, lines):
        if line:
            blocks[-1].append(line)
        else:
            blocks.append([])
    exact = {
        block[0][0].removesuffix(" (all digits)"): block
        for block in blocks
        if block[0][0].endswith(" (all digits)")
    }
    plain = [block for block in blocks if not block[0][0].endswith(" (all digits)")]
    assert len(plain) == len(shown)
    for block, (caption, *cells) in zip(plain, shown, strict=True):
        assert block == [[as_cell(caption)], *(without_tail([as_cell(c) for c in line]) for line in cells)]
        for said, whole in zip(block[2:], exact.get(block[0][0], block)[2:], strict=True):
            for a, b in zip(said, whole, strict=True):
                if a != b:
                    digits = len(a.partition(".")[2])
                    assert abs(float(a) - float(b)) <= 0.51 * 10**-digits


def is_safe(picture: bytes) -> ElementTree.Element:
    """Return an SVG that runs nothing and asks for nothing."""
    text = picture.decode()
    root = ElementTree.fromstring(text)
    assert re.findall(r'https?://[^"]*', text) == ["http://www.w3.org/2000/svg"] * text.count("http")
    for element in root.iter():
        assert element.tag.startswith("{http://www.w3.org/2000/svg}")
        assert element.tag.partition("}")[2] not in {"script", "foreignObject", "style", "a", "iframe"}
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert not name.endswith("href") or value.startswith(("#", "data:image/"))
            assert "url(" not in value or "url(#" in value
    return root


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def likeness(picture: bytes, shot: bytes) -> float:
    """Return how far a picture is from what is seen on the page: the mean over coarse pixels, 0 to 1."""
    size = (120, 90)
    ours, seen = (
        Image.open(io.BytesIO(one)).convert("RGB").resize(size, Image.Resampling.BOX)
        for one in (picture, shot)
    )
    return float(np.abs(np.asarray(ours, dtype=float) - np.asarray(seen, dtype=float)).mean() / 255)


def open_hostile_links(page: Page, link: str, name: str) -> None:
    """Open links with right sums and values that no widget wrote.

    `new_page` fails on whatever is thrown, now or later.
    """
    chance = random.Random(name)
    values = [
        -1,
        0.5,
        99,
        10**9,
        -(10**9),
        HOSTILE,
        "",
        None,
        True,
        [],
        [[]],
        {},
        {"length": 10**9},
        ["a"] * 99,
    ]
    outcome = in_script(
        page,
        f"""{MADE} {LEAVES}
        const all = [];
        for (const [where, value] of given.draws) {{
            const path = paths[Math.floor(where * paths.length)];
            all.push(await follow(made({{ at, of, told: put(path, value, told) }})));
        }}
        all.push(await follow("#view=1"));
        const count = (which) => document.querySelectorAll(which).length;
        const drawn = count("main > .unrolled-widget > .unrolled-live > .unrolled");
        return [all, drawn, count(".unrolled img[src='x'], .unrolled-live script:not([type])")];""",
        {"link": link, "draws": [(chance.random(), chance.choice(values)) for _ in range(9)]},
    )
    said, drawn, injected = outcome
    assert drawn == 1
    assert injected == 0
    assert {text for text in said if not text.startswith(REFUSED)} <= {""}
    assert said[-1] != ""


@pytest.mark.parametrize("name", WIDGETS)
def test_a_link_a_picture_and_the_numbers_are_what_is_shown(
    hands: Page, site: tuple[Path, str], name: str
) -> None:
    page, (folder, address) = hands, site
    (folder / "page.html").write_text(widget_page(WIDGETS[name].make()), encoding="utf-8")
    page.goto(f"{address}page.html?highlight=bears")
    change(page, WIDGETS[name])
    link = copied(page)
    assert link.startswith(f"{address}page.html#view=1.0.")
    assert len(link) < 1800
    # The numbers.
    numbers = saved(page, "CSV")
    left = looks(page)
    shown = page.evaluate(
        """() => [...document.querySelectorAll("main > .unrolled-widget > .unrolled-fallback > table, "
                + ".unrolled-live .unrolled-fallback > table")].map((table) => [table.caption.textContent,
            ...[...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent))])"""
    )
    hold_the_tables(rows_of(numbers), shown)
    # The picture.
    drawing = without_readout(page)
    root = is_safe(drawing)
    widget = page.locator(".unrolled").first
    box = widget.bounding_box()
    assert box
    assert abs(float(root.attrib["width"]) - box["width"]) <= 1
    assert abs(float(root.attrib["height"]) - box["height"]) <= 1
    texts = root.iter("{http://www.w3.org/2000/svg}text")
    drawn = re.sub(r"\s", "", "".join(letters for element in texts for letters in element.itertext()))
    apart = widget.locator(".u-hidden, .u-keys, option, .unrolled-row").all_text_contents()
    visible = words(widget.inner_text()) - words(" ".join(apart))
    assert [word for word in visible if word not in drawn] == []
    pixels = saved(page, "PNG")
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    for row_within in widget.locator(".unrolled-row").all():
        row_within.evaluate("(one) => { one.style.visibility = 'hidden'; }")
    assert len(Image.open(io.BytesIO(pixels)).convert("RGB").getcolors(10**8) or []) > 20
    assert likeness(pixels, widget.screenshot()) < 0.02
    # The link, which opens from disk too.
    page.goto(f"{(folder / 'page.html').as_uri()}#{link.partition('#')[2]}")
    assert looks(page) == left
    assert page.locator(".u-said").count() == 0
    assert copied(page).partition("#")[2] == link.partition("#")[2]
    assert saved(page, "CSV") == numbers
    assert without_readout(page) == drawing
    open_hostile_links(page, f"#{link.partition('#')[2]}", name)


def in_script(page: Page, body: str, given: Any) -> Any:
    """Run `body` with the module of links, as $link, and `given`."""
    return page.evaluate(f"async (given) => {{ {bundle._inline(['link'])} {body} }}", given)


def test_a_link_that_is_cut_or_damaged_says_nothing(hands: Page, mount: Callable[..., None]) -> None:
    page = hands
    mount(page, WIDGETS["bears-plane"].make())
    change(page, WIDGETS["bears-plane"])
    whole = copied(page).partition("#")[2]
    chance = random.Random(17)
    damaged = {whole[:length] for length in range(len(whole))}
    while len(damaged) < 2 * len(whole):
        at, bit = chance.randrange(len(whole)), chance.randrange(7)
        damaged.add(whole[:at] + chr(ord(whole[at]) ^ (1 << bit)) + whole[at + 1 :])
    damaged |= {whole + "A", whole.replace(".", ".."), whole * 40, whole.replace("view=1", "view=2")}
    read = "return given.map((one) => $link.readLink(`#${one}`) !== null);"
    assert in_script(page, read, [whole, *sorted(damaged)]) == [True] + [False] * len(damaged)


# The end of an address with these contents and a right sum.
MADE = """
    const { fingerprint } = $visit;
    const made = ({ at, of, told }) => {
        const bytes = new TextEncoder().encode(typeof told === "string" ? told : JSON.stringify(told));
        const plain = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
            .replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=/g, "");
        const body = `1.${at}.${of.toString(36)}.${plain}`;
        return `#view=${body}.${fingerprint(body).toString(36)}`;
    };
    const said = () => [...document.querySelectorAll(".u-said")].map((one) => one.textContent).join("");
    const follow = (hash) => new Promise((done) => {
        if (location.hash === hash) return done(said());
        addEventListener("hashchange", () => done(said()), { once: true });
        location.replace(hash);
    });
"""


def test_what_no_widget_wrote_is_refused_in_a_sentence(hands: Page, mount: Callable[..., None]) -> None:
    page = hands
    mount(page, WIDGETS["position-clock"].make(), WIDGETS["paint-mixer"].make())
    start = looks(page)
    change(page, WIDGETS["position-clock"])
    link = "#" + copied(page).partition("#")[2]
    left = looks(page)
    bad = [
        "[]",
        "{}",
        "null",
        "not JSON",
        "[null]",
        "[[{},{},0,[]],[{},{},0,[]]]",  # of a widget within that is not there
        '[[{"t":[1e999]},{},0,[]]]',
        '[[{"t":["8"]},{},0,[]]]',
        '[[{"t":[null]},{},0,[]]]',
        '[[{"t":[[8]]},{},0,[]]]',
        '[[{"t":{"0":[8]}},{},0,[]]]',
        '[[{"kind":[99]},{},0,[]]]',
        '[[{"kind":[-1]},{},0,[]]]',
        '[[{"t":[61]},{},0,[]]]',  # as many positions as there are
        '[[{"t":[-1]},{},0,[]]]',
        '[[{"__proto__":[{"t":8}]},{},0,[]]]',
        '[[{"constructor":[8]},{},0,[]]]',
        '[[{"other":[8]},{},0,[]]]',
        '[[{},{"__proto__":{"x":1}},0,[]]]',
        '[[{},{"asking":true},0,[]]]',
        '[[{},{},0,"open"]]',
        f'[[{{"t":["{HOSTILE[:20]}"]}},{{}},0,[]]]',
    ]
    said = in_script(
        page,
        f"""{MADE}
        const {{ at, of }} = $link.readLink(given.link);
        const ends = given.bad.map((told) => made({{ at, of, told }}));
        ends.push("#view=", "#view=hello", "#view=1.1.zz.e30.0", given.link.slice(0, -1));
        ends.push(made({{ at, of: of + 1, told: "[]" }}));
        const all = [];
        for (const end of ends) {{
            all.push(await follow(given.link) + await follow(end));
        }}
        return all;""",
        {"link": link, "bad": bad},
    )
    assert [text.count(REFUSED) for text in said] == [1] * (len(bad) + 5)
    assert page.evaluate("({}).x") is None
    # All is as it was before.
    assert looks(page) == left != start


LEAVES = """
    const paths = [];
    const walk = (value, path) => {
        paths.push(path);
        if (value === null || typeof value !== "object") return;
        Object.keys(value).forEach((key) => walk(value[key], [...path, key]));
    };
    const { at, of, told } = $link.readLink(given.link);
    told.forEach((one, k) => [0, 1].forEach((part) => walk(one[part], [k, part])));
    const put = ([key, ...rest], value, into) => {
        const copy = Array.isArray(into) ? [...into] : { ...into };
        copy[key] = rest.length ? put(rest, value, into[key]) : value;
        return copy;
    };
"""


def test_text_stays_text_in_all_that_is_saved(hands: Page, mount: Callable[..., None]) -> None:
    page = hands
    tokens = [HOSTILE, "=1+1", "+cmd", "-2+3|cmd", "@SUM(A1)", "\t=2", 'say "a, b"', "−5", "\x1b]]>"]
    n = len(tokens)
    weights = np.eye(n)[None, None] * 0.7 + 0.3 / n
    mount(page, AttentionMap(weights, tokens, title=f"=HYPERLINK(1) {HOSTILE}"))
    lines = rows_of(saved(page, "CSV"))
    said = [re.sub(r"\s+", " ", token).strip() for token in tokens]
    harmless = [f"'{text}" if text[0] in "=+-@" else text for text in said]
    harmless[said.index("−5")] = "-5"
    assert lines[0][0].startswith(f"'=HYPERLINK(1) {HOSTILE}")
    assert lines[1][1:] == harmless
    assert [line[0] for line in lines[2 : 2 + n]] == harmless
    assert [line[1:] for line in lines[2:4]] == [
        ["0.73", *["0.03"] * (n - 1)],
        ["0.03", "0.73", *["0.03"] * (n - 2)],
    ]
    exact = lines[3 + n :]
    assert np.allclose(
        np.array([line[1:] for line in exact[2:]], dtype=float), weights[0, 0], rtol=0, atol=1e-6
    )
    root = is_safe(saved(page, "SVG"))
    texts = {"".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {f"=HYPERLINK(1) {HOSTILE}", HOSTILE, "=1+1", "@SUM(A1)"} <= texts
    assert len(saved(page, "PNG")) > 1000


@pytest.mark.parametrize("where", ["file", "http"])
def test_files_have_names_and_a_link_its_widget_in_sight(
    page: Page, site: tuple[Path, str], where: str
) -> None:
    folder, address = site
    start = f"{folder.as_uri()}/" if where == "file" else address
    makes = [WIDGETS[name].make() for name in ("attention-map", "bears-plane", "position-clock")]
    (folder / "three.html").write_text(widget_page(*makes), encoding="utf-8")
    page.add_init_script(HANDS.partition("window.saved")[0])
    page.goto(f"{start}three.html")
    clock = page.locator("main > .unrolled-widget").last
    for kind in ("SVG", "PNG", "CSV"):
        with page.expect_download() as download:
            clock.get_by_role("button", name=f"as {kind}").click()
        assert download.value.suggested_filename == f"position-clock.{kind.lower()}"
    clock.get_by_role("slider", name="Position t").press("ArrowRight")
    clock.get_by_role("button", name="Show as a table").click()
    left = looks(page)
    clock.get_by_role("button", name="Copy link").click()
    expect(clock.get_by_role("button", name="Link copied")).to_be_visible()
    link = page.evaluate("window.copied")
    page.goto("about:blank")
    page.goto(link)
    assert looks(page) == left
    expect(clock.locator(".unrolled-fallback table")).to_be_visible()
    wait_until(page, "document.querySelectorAll('.unrolled-widget')[2].getBoundingClientRect().top < 9")
    # What the reader goes on to do comes back with the Back button, not the link's view.
    clock.get_by_role("slider", name="Position t").press("ArrowRight")
    page.locator(".unrolled select").first.select_option(index=1)
    left = looks(page)
    page.goto("about:blank")
    page.go_back()
    expect(clock.locator(".unrolled")).to_be_visible()
    assert looks(page) == left
    # On a page that is open already, a link shows its view and leaves the others alone.
    page.evaluate("(end) => { location.hash = end; }", link.partition("#")[2] + "x")
    expect(clock.locator(".u-said")).to_contain_text(REFUSED)
    expect(clock.locator(".u-said")).to_be_in_viewport()
    assert looks(page) == left
    page.evaluate("(end) => { location.hash = end; }", link.partition("#")[2])
    expect(clock.locator(".u-said")).to_have_count(0)
    assert looks(page)[:2] == left[:2]
    assert looks(page)[2] != left[2]


def test_of_two_equal_widgets_a_link_means_its_own(hands: Page, mount: Callable[..., None]) -> None:
    mount(hands, *(WIDGETS["position-clock"].make() for _ in range(2)))
    sliders = hands.get_by_role("slider", name="Position t")
    start = sliders.first.input_value()
    sliders.last.press("ArrowRight")
    moved = sliders.last.input_value()
    hands.get_by_role("button", name="Copy link").last.click()
    wait_until(hands, "window.copied")
    link = hands.evaluate("window.copied")
    hands.goto("about:blank")
    hands.goto(link)
    assert [slider.input_value() for slider in sliders.all()] == [start, moved]
    assert start != moved


def test_a_page_kept_from_the_clipboard_shows_the_link(page: Page, mount: Callable[..., None]) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    mount(page, WIDGETS["position-clock"].make())
    page.get_by_role("button", name="Copy link").click()
    field = page.get_by_role("textbox", name="Link to this view")
    expect(field).to_be_focused()
    assert page.evaluate("getSelection().toString()") == field.input_value()
    assert "#view=1.0." in field.input_value()


def test_a_view_that_is_too_long_for_a_link_says_so(hands: Page, mount: Callable[..., None]) -> None:
    page = hands
    mount(page, WIDGETS["token-cutter"].make())
    page.get_by_role("textbox", name="Your text").fill("bears " * 2000)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("This view holds too much for a link.")).to_be_visible()
    assert page.evaluate("window.copied") is None


@pytest.mark.parametrize("colours", [{"forced_colors": "active"}, {"color_scheme": "dark"}, {}])
def test_the_row_is_small_quiet_and_reachable(
    new_page: Callable[..., Page],
    mount: Callable[..., None],
    violations: Callable[[Page], list[str]],
    colours: Any,
) -> None:
    page = new_page(viewport={"width": 360, "height": 740}, has_touch=True, **colours)
    page.add_init_script(HANDS)
    mount(page, WIDGETS["attention-map"].make(), WIDGETS["paint-mixer"].make())
    row_box, next_box = row(page).bounding_box(), page.locator(".unrolled").last.bounding_box()
    assert row_box
    assert row_box["height"] < 70
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    names = [
        "Show as a table",
        "Copy link",
        "Save as SVG",
        "Save as PNG",
        "Save as CSV",
    ]
    buttons = row(page).get_by_role("button")
    assert [buttons.nth(k).evaluate("b => b.ariaLabel ?? b.textContent") for k in range(5)] == names
    for button in buttons.all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 24
    buttons.first.focus()
    for name in names[1:]:
        page.keyboard.press("Tab")
        expect(row(page).get_by_role("button", name=name)).to_be_focused()
    buttons.nth(1).tap()
    expect(row(page).get_by_role("alert")).to_have_text("Link copied")
    assert page.locator(".unrolled").last.bounding_box() == next_box  # nothing was pushed
    assert violations(page) == []
    page.emulate_media(media="print")
    expect(row(page)).to_be_hidden()


def test_what_draws_pictures_is_loaded_when_one_is_saved(page: Page, tmp_path: Path) -> None:
    widget = WIDGETS["paint-mixer"].make()
    folder = tmp_path / "_static"
    folder.mkdir()
    (folder / "widgets.js").write_text(
        bundle.page_script(("paint-mixer",), "pictures.js?v=1"), encoding="utf-8"
    )
    html = widget_page(widget, script=False).replace(
        "<script></script>", '<script src="_static/widgets.js"></script>'
    )
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    (folder / "pictures.js").write_text(bundle.picture_script(), encoding="utf-8")
    page.add_init_script(HANDS)
    page.goto((tmp_path / "page.html").as_uri())
    assert page.evaluate("document.scripts.length") == 2
    first = saved(page, "SVG")
    assert page.evaluate("globalThis.unrolledPicture !== undefined")
    is_safe(first)
    assert saved(page, "SVG") == first
    assert page.evaluate("document.scripts.length") == 3  # once


def test_a_notebook_has_no_row() -> None:
    assert "Copy link" not in bundle.esm("attention-map")
    assert "Copy link" in bundle.page_script(("attention-map",))
