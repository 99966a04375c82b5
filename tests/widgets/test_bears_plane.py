"""The bears plane in a browser: the numbers torch computes, by mouse, touch, keyboard and typing."""

import json
import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from traitlets import TraitError

from unrolled.nn import SimpleSelfAttention
from unrolled.tap import record
from unrolled.widgets import bundle
from unrolled.widgets.bears_plane import BearsPlane

VECTORS = {
    "I": (0.1, -0.15), "she": (-0.1, -0.2), "the": (0.05, 0.1), "bears": (0.35, 0.3),
    "love": (0.25, 1.3), "honey": (0.6, 1.2), "pain": (-1.3, -0.5), "won": (1.1, -0.75), "game": (1.4, -0.6),
}  # fmt: skip
SENTENCES = ["I love bears", "She bears the pain.", "Bears won the game"]
LANDMARKS = {"animal": (0.4, 1.4), "endure": (-1.3, -0.8), "team": (1.4, -1.0)}
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def widget() -> BearsPlane:
    return BearsPlane(VECTORS, SENTENCES, landmarks=LANDMARKS)


def mount(page: Page, *widgets: BearsPlane) -> None:
    page.set_content(
        "<!doctype html><html lang=en><meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>Bears</title><style>body {{ background: light-dark(#fff, #111); color-scheme: light dark }}"
        f"{bundle.stylesheet()}</style><main>{''.join(w.static_html() for w in widgets)}</main>"
    )
    page.add_script_tag(content=bundle.page_script(tuple(dict.fromkeys(w.name for w in widgets))))


def torch_says(vectors: list[list[float]], words: list[str], scale: float) -> list[torch.Tensor]:
    """Return weights and context of "bears", in float64, by the package."""
    names = [word.lower() for word in VECTORS]
    x = torch.tensor([vectors[names.index(word)] for word in words], dtype=torch.float64)
    model = SimpleSelfAttention(scale)
    with record(model, "weights") as rec:
        context = model(x)
    at = words.index("bears")
    return [rec["weights"][0][at], context[at]]


def state(page: Page) -> list[list[float]]:
    vectors: list[list[float]] = json.loads(page.locator(".unrolled").get_attribute("data-vectors") or "")
    return vectors


def shown(card: Locator) -> str:
    return " ".join(card.locator(".u-share-number").all_inner_texts())


def digits(values: Any) -> list[str]:
    return [f"{value:.2f}".replace("-", "−") for value in values]


def agree(page: Page, sentences: list[str], scale: float = 1.0) -> None:
    """Compare every card, to 1e-6 in its data and to the digits it shows, with torch."""
    vectors = state(page)
    cards = page.locator(".u-card")
    assert cards.count() == len(sentences)
    for i, sentence in enumerate(sentences):
        words = sentence.lower().strip(".").split()
        weights, context = torch_says(vectors, words, scale)
        card = cards.nth(i)
        got = torch.tensor(json.loads(card.get_attribute("data-weights") or ""), dtype=torch.float64)
        torch.testing.assert_close(got, weights, rtol=0, atol=1e-6)
        got = torch.tensor(json.loads(card.get_attribute("data-context") or ""), dtype=torch.float64)
        torch.testing.assert_close(got, context, rtol=0, atol=1e-6)
        assert shown(card) == " ".join(digits(weights))
        x, y = digits(context)
        expect(card.locator(".u-landing")).to_contain_text(f"x̂ = ({x}, {y})")


def handle(page: Page, word: str) -> Locator:
    return page.get_by_role("slider", name=word, exact=True)


def centre(page: Page, word: str) -> tuple[float, float]:
    handle(page, word).scroll_into_view_if_needed()
    box = handle(page, word).locator(".u-dot").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_shows_the_numbers_of_torch(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    agree(page, SENTENCES)
    expect(page.locator(".u-plane .u-arrow")).to_have_count(3)
    contexts = [json.loads(c.get_attribute("data-context") or "") for c in page.locator(".u-card").all()]
    apart = [np.hypot(*np.subtract(contexts[i], contexts[j])) for i, j in ((0, 1), (1, 2), (0, 2))]
    assert min(apart) > 0.5  # one word, three places


@pytest.mark.parametrize("seed", range(5))
def test_random_vectors_and_scales_equal_torch(page: Page, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scale = float(rng.uniform(0, 20))
    mount(page, BearsPlane((list(VECTORS), rng.normal(0, 1.5, (len(VECTORS), 2))), SENTENCES, scale=scale))
    agree(page, SENTENCES, scale)


def test_names_the_nearest_landmark(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    for card, sentence, name in zip(page.locator(".u-card").all(), SENTENCES, LANDMARKS, strict=True):
        _, context = torch_says(state(page), sentence.lower().strip(".").split(), 1.0)
        by_hand = min(LANDMARKS, key=lambda place: math.dist(LANDMARKS[place], context.tolist()))
        assert by_hand == name
        expect(card.locator(".u-landing")).to_contain_text(f"nearest to {name}")


def test_keyboard_moves_a_word(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    love = handle(page, "love")
    love.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert state(page)[list(VECTORS).index("love")] == [0.35, 0.8]
    expect(love).to_have_attribute("aria-valuetext", "x 0.35, y 0.80")
    expect(page.locator(".u-live")).to_contain_text("love at (0.35, 0.80). bears in “I love bears”")
    expect(love).to_be_focused()
    agree(page, SENTENCES)
    for _ in range(9):
        page.keyboard.press("Shift+ArrowLeft")
    assert state(page)[list(VECTORS).index("love")][0] == -widget.limit  # and not beyond the plane


def test_the_plane_is_one_tab_stop_and_pages_lead_to_the_other_words(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    handle(page, "bears").focus()
    expect(page.locator(".u-keys")).to_be_visible()
    visited = []
    for _ in range(8):
        page.keyboard.press("PageDown")
        visited.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        expect(page.locator(".u-handle[tabindex='0']")).to_have_count(1)
    assert visited == [
        "love",
        "pain",
        "won",
        "game",
        "I",
        "she",
        "the",
        "bears",
    ]  # never honey: nobody says it
    page.keyboard.press("PageUp")
    expect(handle(page, "the")).to_be_focused()
    expect(page.get_by_label("Word", exact=True).locator("option:checked")).to_have_text("the")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Word", exact=True)).to_be_focused()
    expect(page.locator(".u-keys")).to_be_hidden()
    page.get_by_label("Word", exact=True).select_option("honey")
    page.keyboard.press("Shift+Tab")
    expect(handle(page, "honey")).to_be_focused()
    assert "Page Up and Page Down" in (page.locator(".u-plane").get_attribute("aria-label") or "")


def test_a_dot_stands_where_the_word_lands_and_a_line_joins_it_to_its_mark(
    page: Page, widget: BearsPlane
) -> None:
    mount(page, widget)
    unit = page.locator(".u-plane").evaluate("plane => plane.getBoundingClientRect().width") / (
        2 * widget.limit
    )
    ends = page.locator(".u-leader").evaluate_all(
        "all => all.map(el => ['x1', 'y1', 'x2', 'y2'].map(name => Number(el.getAttribute(name))))"
    )
    dots = page.locator(".u-tip").evaluate_all(
        "all => all.map(el => [Number(el.getAttribute('cx')), Number(el.getAttribute('cy'))])"
    )
    marks = page.locator(".u-plane .u-mark").evaluate_all(
        "all => all.map(el => el.getAttribute('transform').match(/[\\d.]+/g).map(Number))"
    )
    assert len(ends) == len(dots) == len(marks) == 3
    for card, end, dot, mark in zip(page.locator(".u-card").all(), ends, dots, marks, strict=True):
        x, y = json.loads(card.get_attribute("data-context") or "")
        landed = [(x + widget.limit) * unit, (widget.limit - y) * unit]
        assert np.allclose(dot, landed, atol=1)
        assert np.allclose(end, [*dot, *mark], atol=1e-6)


def test_equal_lengths_can_be_taken_back(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    button = page.get_by_role("button", name="Equal lengths")
    places = "JSON.parse(document.querySelector('.unrolled').dataset.landmarks)"
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert np.allclose(np.hypot(*np.array(state(page)).T), 1.0)
    assert np.allclose([math.hypot(*place) for place in page.evaluate(places).values()], 1.0)
    # The landmark called nearest is the nearest of those that are drawn now.
    for card in page.locator(".u-card").all():
        point = json.loads(card.get_attribute("data-context") or "")
        drawn = page.evaluate(places)
        by_hand = min(drawn, key=lambda name: math.dist(drawn[name], point))
        expect(card.locator(".u-landing")).to_contain_text(f"nearest to {by_hand}")
    handle(page, "love").focus()
    page.keyboard.press("ArrowRight")
    moved = state(page)[list(VECTORS).index("love")]
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expected = [moved if word == "love" else list(v) for word, v in VECTORS.items()]
    assert state(page) == expected  # what the reader moved meanwhile stays where it was put
    assert page.evaluate(places) == {name: list(place) for name, place in LANDMARKS.items()}
    button.click()
    page.get_by_role("button", name="Reset").click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert state(page) == [list(v) for v in VECTORS.values()]
    assert page.evaluate(places) == {name: list(place) for name, place in LANDMARKS.items()}


def test_the_simple_plane_offers_less_and_says_more_in_words(page: Page) -> None:
    mount(page, BearsPlane(VECTORS, SENTENCES, landmarks=LANDMARKS, simple=True))
    for label in ("Word", "x", "y", "Your own sentence"):
        expect(page.get_by_label(label, exact=True)).to_be_visible()
    names = page.get_by_role("button").all_inner_texts()
    assert names == ["Reset", "Show", "Show as a table"]
    expect(page.get_by_label("Multiply every score by")).to_have_count(0)
    _, context = torch_says(state(page), ["i", "love", "bears"], 1.0)
    x, y = digits(context)
    expect(page.locator(".u-landing").first).to_have_text(f"ends up at ({x}, {y}), nearest to animal")
    assert "x̂" not in page.locator(".unrolled").inner_text()
    type_sentence(page, "zebra bears")
    expect(page.locator(".u-card")).to_have_count(3)


def test_words_stand_as_they_were_typed(page: Page) -> None:
    lower = {word.lower(): point for word, point in VECTORS.items()}
    widget = BearsPlane(lower, SENTENCES)
    mount(page, widget)
    shown_words = [card.locator(".u-share-word").all_inner_texts() for card in page.locator(".u-card").all()]
    assert shown_words == [sentence.strip(".").split() for sentence in SENTENCES]
    assert "I" in page.get_by_label("Word", exact=True).locator("option").all_inner_texts()
    expect(handle(page, "I")).to_have_count(1)
    assert '<th scope="col">I</th>' in widget.fallback_html()
    assert '<th scope="row">I</th>' in widget.fallback_html()


def test_a_refused_sentence_takes_the_earlier_one_with_it(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    type_sentence(page, "bears love honey")
    agree(page, [*SENTENCES, "bears love honey"])
    type_sentence(page, "bears love zebra")
    agree(page, SENTENCES)
    expect(page.locator(".u-plane .u-arrow")).to_have_count(3)


def test_the_limits_of_a_sentence_are_told_beforehand(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    field = page.get_by_label("Your own sentence")
    expect(field).to_have_accessible_description(re.compile("Up to 12 of the plane's 9 words, “bears” among"))
    hint = page.locator(".u-own .u-help").bounding_box()
    form = page.locator(".u-own").bounding_box()
    assert hint
    assert form
    assert hint["width"] > 0.95 * form["width"]


@pytest.mark.parametrize(
    ("word", "near"),
    [("lve", ["love"]), ("gaem", []), ("hony", ["honey"]), ("saw", []), ("zebra", []), ("o", [])],
)
def test_only_words_that_are_near_are_suggested(page: Page, word: str, near: list[str]) -> None:
    source = f"([word, words]) => {{ {bundle._inline(['sentence'])} return $sentence.nearby(word, words); }}"
    assert page.evaluate(source, [word, [*VECTORS, "a", "at", "day"]]) == near


def test_live_text_reads_the_weights_and_the_place(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    handle(page, "I").focus()
    page.keyboard.press("ArrowUp")
    weights, context = torch_says(state(page), ["i", "love", "bears"], 1.0)
    i, love, bears, x, y = digits([*weights, *context])
    shares = f"I {i}, love {love}, bears {bears}"
    expected = f"bears in “I love bears”: {shares}; x̂ = ({x}, {y}), nearest to animal."
    expect(page.locator(".u-live[role=status]")).to_contain_text(expected)


def test_mouse_drags_a_word(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    x, y = centre(page, "game")
    width = page.locator(".u-plane").evaluate("plane => plane.getBoundingClientRect().width")
    unit = width / (2 * widget.limit)
    page.mouse.move(x + 3, y + 2)
    page.mouse.down()
    page.mouse.move(x + 3 - unit / 2, y + 2 - unit, steps=4)
    page.mouse.up()
    page.mouse.move(x, y)  # let go: it follows no more
    assert np.allclose(state(page)[list(VECTORS).index("game")], [1.4 - 0.5, -0.6 + 1.0], atol=0.02)
    agree(page, SENTENCES)


def test_touch_drags_a_word(new_page: Any, widget: BearsPlane) -> None:
    page = new_page(has_touch=True, viewport={"width": 375, "height": 740})
    mount(page, widget)
    x, y = centre(page, "pain")
    width = page.locator(".u-plane").evaluate("plane => plane.getBoundingClientRect().width")
    unit = width / (2 * widget.limit)
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": px, "y": py} for px, py in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", (x, y))
    for part in (0.25, 0.5, 0.75, 1.0):
        touch("touchMove", (x + part * unit, y - part * unit))
    touch("touchEnd")
    assert np.allclose(state(page)[list(VECTORS).index("pain")], [-1.3 + 1.0, -0.5 + 1.0], atol=0.02)
    agree(page, SENTENCES)


def test_typed_coordinates_move_a_word_exactly(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    page.get_by_label("Word", exact=True).select_option("won")
    for axis, text in (("x", "−1,25"), ("y", "0.125")):
        page.get_by_label(axis, exact=True).fill(text)
        page.get_by_label(axis, exact=True).press("Tab")
    assert state(page)[list(VECTORS).index("won")] == [-1.25, 0.125]
    agree(page, SENTENCES)


HOSTILE = "<img/src=x/onerror=alert(1)>"


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-∞", "1e999", "2.5", "", "0x1", HOSTILE])
def test_a_bad_number_is_refused_and_the_page_goes_on(page: Page, widget: BearsPlane, bad: str) -> None:
    mount(page, widget)
    before = state(page)
    field = page.get_by_label("x", exact=True)
    field.fill(bad)
    field.press("Tab")
    got = f"“{bad}”" if bad else "nothing"
    message = page.get_by_text(f"Expected a number between −2 and 2, got {got}.")
    expect(message).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert state(page) == before
    field.fill("0.5")
    field.press("Enter")
    expect(message).to_have_count(0)
    assert state(page)[list(VECTORS).index("bears")] == [0.5, 0.3]
    agree(page, SENTENCES)


def set_scale(page: Page, steps: int) -> None:
    slider = page.get_by_label("Multiply every score by")
    slider.focus()
    for _ in range(abs(steps)):
        page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")


def test_scale_sharpens_until_bears_hears_only_itself(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    set_scale(page, 2)
    expect(page.get_by_text("× 4", exact=True)).to_be_visible()
    agree(page, SENTENCES, scale=4.0)
    page.get_by_role("button", name="Equal lengths").click()
    assert np.allclose(np.hypot(*np.array(state(page)).T), 1.0)
    set_scale(page, 4)
    agree(page, SENTENCES, scale=64.0)
    last = json.loads(page.locator(".u-card").first.get_attribute("data-weights") or "")
    assert last[-1] > 0.99
    set_scale(page, -10)
    agree(page, SENTENCES, scale=0.0)
    assert shown(page.locator(".u-card").nth(1)) == "0.25 0.25 0.25 0.25"


def type_sentence(page: Page, text: str) -> None:
    page.get_by_label("Your own sentence").fill(text)
    page.get_by_role("button", name="Show", exact=True).click()


def test_a_typed_sentence_gets_its_own_arrow(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    type_sentence(page, "  “LOVE,  bears”:  Honey! ")
    agree(page, [*SENTENCES, "love bears honey"])
    expect(page.locator(".u-plane .u-arrow")).to_have_count(4)
    type_sentence(page, "bears love bears")  # replaces it
    agree(page, [*SENTENCES, "bears love bears"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ["Expected at least one word, got nothing."]),
        (" ?! ", ["Expected at least one word, got “?!”."]),
        ("bears lve", ["that have a vector here, got “lve”.", "Known words near “lve”: love."]),
        ("bears zebra", ["got “zebra”. The list of words names all there are."]),
        ("bears " * 200, ["Expected at most 12 words, got 200."]),
        ("I love honey", ["Expected “bears” in the sentence, got “I love honey”."]),
        (f"bears love {HOSTILE}", [f"got “{HOSTILE}”."]),
        ("bears <img src=x onerror=alert(1)>", ["got “<img”, “src=x”, “onerror=alert(1)>”."]),
        (f"bears {'x' * 5000}", [f"got “{'x' * 39}…”."]),
    ],
    ids=["empty", "marks", "unknown", "far", "200 words", "no bears", "hostile", "hostile words", "long"],
)
def test_a_bad_sentence_is_explained_and_the_page_goes_on(
    page: Page, widget: BearsPlane, text: str, says: list[str]
) -> None:
    mount(page, widget)
    type_sentence(page, text)
    field = page.get_by_label("Your own sentence")
    message = page.locator(f"[id='{(field.get_attribute('aria-describedby') or '').split()[1]}']")
    for part in says:
        expect(message).to_contain_text(part)
    expect(page.locator(".unrolled img")).to_have_count(0)
    agree(page, SENTENCES)
    type_sentence(page, "I love bears")
    expect(message).to_be_empty()
    agree(page, [*SENTENCES, "I love bears"])


def test_reset_brings_everything_back(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    handle(page, "love").focus()
    page.keyboard.press("ArrowLeft")
    set_scale(page, 3)
    type_sentence(page, "love bears")
    page.get_by_role("button", name="Reset").click()
    assert state(page) == [list(v) for v in VECTORS.values()]
    agree(page, SENTENCES)
    expect(page.get_by_label("Your own sentence")).to_have_value("")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1000])
def test_accessible_and_never_wider_than_the_page(
    new_page: Any, widget: BearsPlane, scheme: str, width: int
) -> None:
    page = new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    mount(page, widget)
    type_sentence(page, "bears <b>bold</b> love")
    type_sentence(page, "bears love honey")
    page.get_by_label("x", exact=True).fill("NaN")
    page.get_by_label("x", exact=True).press("Tab")
    found = Axe().run(page, options=AXE).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# The ink's box in pixels, without the halo around it.
BOX = """el => {
  const { x, y, width, height } = el.getBBox(), { e, f } = el.getCTM();
  return { x: x + e, y: y + f, width, height };
}"""


@pytest.mark.parametrize("width", [375, 1000])
@pytest.mark.parametrize("crowd", [{}, {"I": (0.1, -0.2), "she": (0.11, -0.2), "the": (0.12, -0.2)}])
def test_labels_keep_apart(new_page: Any, crowd: dict[str, tuple[float, float]], width: int) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    mount(page, BearsPlane(VECTORS | crowd, SENTENCES, landmarks=LANDMARKS))
    labels = page.locator(".u-plane :is(.u-word, .u-place, .u-mark)").all()
    assert len(labels) == len(VECTORS) + len(LANDMARKS) + len(SENTENCES)
    boxes = [(label.text_content(), label.evaluate(BOX)) for label in labels]
    for i, (one, a) in enumerate(boxes):
        for other, b in boxes[:i]:
            across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
            down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
            assert min(across, down) < 1.5, f"{one!r} covers {other!r}"


def test_a_label_of_an_unused_word_stays_close_or_away(page: Page) -> None:
    crowd = {f"word{i}": (0.02 * i, 1.0) for i in range(30)}
    mount(page, BearsPlane({"bears": (0.3, 0.3), "love": (0.2, 0.9), **crowd}, ["love bears"]))
    drawn = page.locator(".u-plane .u-word").all_text_contents()
    assert {"bears", "love"} <= set(drawn)
    assert len(drawn) < 2 + len(crowd)
    for word in set(drawn) & set(crowd):
        label = page.locator(".u-word", has_text=re.compile(f"^{word}$")).evaluate(BOX)
        x, y = handle(page, word).evaluate("el => [el.getCTM().e, el.getCTM().f]")
        across = max(label["x"] - x, x - label["x"] - label["width"], 0)
        down = max(label["y"] - y, y - label["y"] - label["height"], 0)
        assert math.hypot(across, down) < 16, word


# What anywidget gives a script in a notebook: a model that tells listeners, and sends what is saved.
NOTEBOOK = """async ({ esm, state }) => {
  const heard = new Map();
  globalThis.saved = [];
  globalThis.model = {
    get: (name) => state[name],
    set(name, value) { state[name] = value; (heard.get(`change:${name}`) ?? []).forEach((tell) => tell()); },
    on: (event, tell) => heard.set(event, [...(heard.get(event) ?? []), tell]),
    off: (event, tell) => heard.set(event, (heard.get(event) ?? []).filter((other) => other !== tell)),
    save_changes: () => saved.push({ vectors: state.vectors, scale: state.scale }),
  };
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const el = document.body.appendChild(document.createElement("main"));
  globalThis.stop = (await import(url)).default.render({ model, el });
}"""


def test_a_kernel_hears_and_is_heard(page: Page, widget: BearsPlane) -> None:
    page.goto("about:blank")
    page.evaluate(NOTEBOOK, {"esm": bundle.esm(widget.name), "state": widget.state()})
    handle(page, "love").focus()
    page.keyboard.press("ArrowUp")
    set_scale(page, 1)
    saved = page.evaluate("saved.at(-1)")
    assert saved["scale"] == 2.0
    assert saved["vectors"] == state(page)
    widget.vectors = saved["vectors"]  # the kernel takes them
    page.evaluate("v => model.set('vectors', v)", [[0.5, 0.25]] * len(VECTORS))
    assert state(page) == [[0.5, 0.25]] * len(VECTORS)
    page.evaluate("model.set('scale', 3)")  # a factor the slider did not have
    expect(page.get_by_text("× 3", exact=True)).to_be_visible()
    agree(page, SENTENCES, scale=3.0)
    page.evaluate("stop()")
    page.evaluate("model.set('scale', 1)")
    expect(page.get_by_text("× 3", exact=True)).to_be_visible()  # it no longer listens


def test_two_on_a_page_live_apart(page: Page, widget: BearsPlane) -> None:
    mount(page, widget, BearsPlane(VECTORS, ["I love bears"]))
    first, second = page.locator(".unrolled").all()
    second.get_by_role("slider", name="love", exact=True).focus()
    page.keyboard.press("ArrowUp")
    assert json.loads(first.get_attribute("data-vectors") or "") == [list(v) for v in VECTORS.values()]
    assert json.loads(second.get_attribute("data-vectors") or "")[4] == [0.25, 1.4]


def test_fallback_holds_the_numbers_of_torch(new_page: Any, widget: BearsPlane) -> None:
    page = new_page(java_script_enabled=False)
    page.set_content(widget.static_html())
    tables = page.locator("table").all()
    assert len(tables) == 1 + len(SENTENCES)
    rows = tables[0].locator("tbody tr").all()
    spoken = " ".join(SENTENCES).lower().replace(".", "").split()
    assert len(rows) == len(set(spoken))
    for row in rows:
        cells = row.locator("td").all_inner_texts()
        assert cells == digits(VECTORS[row.locator("th").inner_text()])
    for table, sentence in zip(tables[1:], SENTENCES, strict=True):
        words = sentence.lower().strip(".").split()
        weights, context = torch_says([list(v) for v in VECTORS.values()], words, 1.0)
        _, got, (x, y) = widget.attention(sentence)
        torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), weights, rtol=0, atol=1e-12)
        torch.testing.assert_close(torch.tensor([x, y], dtype=torch.float64), context, rtol=0, atol=1e-12)
        assert [cell for cell in table.locator("td").all_inner_texts() if cell] == digits(weights)
        caption = table.locator("caption").inner_text()
        assert sentence in caption
        assert f"({digits(context)[0]}, {digits(context)[1]})" in caption


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vectors": {"bears": (1.0, float("nan"))}}, "two finite numbers for 'bears', got"),
        ({"vectors": {"bears": (1.0, 2.0, 3.0)}}, r"two finite numbers for 'bears', got \[1.0, 2.0, 3.0\]"),
        ({"vectors": (["bears"], np.zeros((2, 2)))}, r"expected shape \[V, 2\] with V=1, got \[2, 2\]"),
        ({"vectors": {"Bears": (0, 0), "bears": (0, 1)}}, "differ in more than case"),
        ({"vectors": {"two bears": (0, 0)}}, "single words as names, got 'two bears'"),
        ({"vectors": {}}, "expected at least one word"),
        ({"sentences": []}, "expected a list of 1 to 4 sentences, got 0"),
        ({"sentences": "I love bears"}, "expected a list of 1 to 4 sentences, got 'I love bears'"),
        ({"sentences": [" "]}, "expected at least one word, got ' '"),
        ({"sentences": ["bears hibernate"]}, "out of i, she, .*got 'hibernate'"),
        ({"sentences": ["I love honey"]}, "expected 'bears' in it, got 'I love honey'"),
        ({"sentences": ["bears " * 13]}, "at most 12 words, got 13"),
        ({"scale": -1.0}, "scale: expected a finite number, 0 or more, got -1"),
        ({"scale": float("inf")}, "scale: expected a finite number, 0 or more, got inf"),
        ({"limit": 1.0}, "limit: expected a finite number of at least 1.4, got 1"),
        ({"landmarks": {"animal": (1.0,)}}, "landmarks: expected two finite numbers"),
    ],
)
def test_python_says_what_it_expected(change: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TraitError), match=message):
        BearsPlane(**{"vectors": VECTORS, "sentences": SENTENCES, **change})


def test_vectors_of_no_known_kind_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="got list"):
        BearsPlane([1, 2], SENTENCES)  # type: ignore[arg-type]


def test_later_vectors_are_checked_too(widget: BearsPlane) -> None:
    with pytest.raises(ValueError, match=r"two numbers between -2 and 2 for 'I', got \[9.0, 0.0\]"):
        widget.vectors = [[9.0, 0.0]] * len(VECTORS)
    with pytest.raises(ValueError, match=r"expected shape \[V, 2\] with V=9"):
        widget.vectors = [[0.0, 0.0]]
    with pytest.raises(ValueError, match=r"got \[nan, 0.0\]"):
        widget.vectors = [[float("nan"), 0.0]] * len(VECTORS)
