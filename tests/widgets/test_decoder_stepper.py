"""The decoder stepper in a browser: torch's numbers, by mouse, touch and keyboard, in both modes."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tests.widgets.notebook import NOTEBOOK
from tests.widgets.seq2seqs import SENTENCES, SOURCE, TARGET, ids, seq2seq, stepper
from unrolled.nn.seq2seq import Memory, Seq2Seq
from unrolled.widgets import DecoderStepper, bundle

Mount = Callable[..., None]
HOSTILE = "<img/src=x/onerror=document.title='hit'>"


def read(page: Page, name: str) -> Any:
    return json.loads(page.locator(".unrolled").get_attribute(f"data-{name}") or "null")


def close(got: Any, expected: Tensor) -> None:
    torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), expected.detach(), rtol=0, atol=1e-9)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name)


def written(model: Seq2Seq, memory: Memory, max_len: int = 5) -> list[str]:
    """Return what torch writes greedily."""
    words: list[int] = []
    state = None
    while len(words) < max_len and not (words and words[-1] == 0):
        logits, state = model.decode(torch.tensor([[words[-1] if words else 0]]), memory, state)
        words.append(int(logits[0, -1].argmax()))
    return [TARGET[word] for word in words]


def longest(score: str | None) -> Seq2Seq:
    """Return a model with random weights that writes for a while."""
    for seed in range(100):
        model = seq2seq(score, seed=seed)
        if len(set(written(model, model.encode(ids("let's go"))))) > 2:
            return model
    raise AssertionError("no such seed")


@pytest.fixture
def plain() -> Seq2Seq:
    return longest(None)


@pytest.fixture
def attending() -> Seq2Seq:
    return longest("dot")


def test_steps_until_the_end_and_back(page: Page, mount: Mount, plain: Seq2Seq) -> None:
    mount(page, stepper(plain))
    memory = plain.encode(ids("let's go"))
    expected = written(plain, memory)
    assert len(expected) > 2
    assert read(page, "written") == expected[:1]
    close(read(page, "state"), torch.cat([memory.state[0].flatten(), memory.state[1].flatten()]))
    next_word = page.get_by_role("button", name="Next word")
    next_word.focus()
    for n in range(2, len(expected) + 1):
        page.keyboard.press("Enter")
        assert read(page, "written") == expected[:n]
    expect(next_word).to_be_focused()
    expect(next_word).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")  # the sentence has ended
    assert read(page, "written") == expected
    press(page, "Back")
    assert read(page, "written") == expected[:-1]
    press(page, "Start again")
    assert read(page, "written") == expected[:1]
    press(page, "To the end")
    assert read(page, "written") == expected
    # An earlier step shows its own numbers.
    page.get_by_role("button", name="in <eos>").first.click()
    logits, _ = plain.decode(torch.tensor([[0]]), memory)
    close(read(page, "shares"), logits[0, 0].softmax(-1))
    assert read(page, "written") == expected


def test_the_shares_are_sorted_and_said(page: Page, mount: Mount, plain: Seq2Seq) -> None:
    mount(page, stepper(plain))
    logits, _ = plain.decode(torch.tensor([[0]]), plain.encode(ids("let's go")))
    shares = logits[0, 0].softmax(-1)
    order = shares.argsort(descending=True).tolist()
    rows = page.locator(".u-next .u-shares li").all_inner_texts()
    assert [re.sub(r"\s+", " ", row).strip() for row in rows] == [
        f"{TARGET[k]} {shares[k]:.2f}" for k in order
    ]
    said = f"after <eos> comes {TARGET[order[0]]}, {shares[order[0]]:.2f}"
    press(page, "Next word")
    press(page, "Back")
    expect(page.get_by_role("status").filter(has_text="Step 1")).to_contain_text(said)


def test_the_context_vector_is_all_the_decoder_sees(page: Page, mount: Mount, plain: Seq2Seq) -> None:
    """With another sentence's context vector, the decoder writes the other sentence's translation."""
    mount(page, stepper(plain))
    press(page, "To the end")
    other = plain.encode(ids("go"))
    page.get_by_label("The other sentence").select_option("go")
    slider(page, "Replace by another sentence’s").press("End")
    close(read(page, "state"), torch.cat([other.state[0].flatten(), other.state[1].flatten()]))
    assert read(page, "written") == written(plain, other)
    press(page, "Undo the damage")
    assert read(page, "written") == written(plain, plain.encode(ids("let's go")))


def test_damage_changes_the_translation_as_torch_says(page: Page, mount: Mount, plain: Seq2Seq) -> None:
    mount(page, stepper(plain))
    press(page, "To the end")
    memory = plain.encode(ids("let's go"))
    h, c = (part.detach().clone() for part in memory.state)
    page.get_by_role("button", name="h 2:").click()
    page.get_by_role("button", name="c 6:").press("Enter")
    expect(page.get_by_role("button", name="h 2: 0.00, set to zero")).to_have_attribute(
        "aria-pressed", "true"
    )
    h[0, 0, 1] = c[0, 0, 5] = 0.0
    slider(page, "Scale").press("ArrowLeft")
    damaged = (0.95 * h, 0.95 * c)
    close(read(page, "state"), torch.cat([part.flatten() for part in damaged]))
    assert read(page, "written") == written(plain, Memory(damaged, memory.outputs, None))
    last = page.locator(".u-steps button").last  # who looked at the end looks at the new end
    expect(last).to_have_attribute("aria-pressed", "true")
    slider(page, "Scale").press("Home")  # nothing crosses any more
    zeros = (0 * h, 0 * c)
    nothing = written(plain, Memory(zeros, memory.outputs, None))
    assert read(page, "written") == nothing
    # ... so every sentence gets the same translation.
    page.get_by_label("Sentence", exact=True).select_option("eat the pizza now")
    press(page, "To the end")
    assert read(page, "written") == nothing
    page.get_by_role("button", name="Undo the damage").press("Enter")
    assert read(page, "written") == written(plain, plain.encode(ids("eat the pizza now")))


def test_the_readers_own_sentence(page: Page, mount: Mount, plain: Seq2Seq) -> None:
    mount(page, stepper(plain))
    own = page.get_by_label("Your own sentence")
    own.fill("Let’s eat, now!")
    own.press("Enter")
    assert page.locator(".unrolled").get_attribute("data-sentence") == "let's eat now"
    press(page, "To the end")
    assert read(page, "written") == written(plain, plain.encode(ids("let's eat now")))
    own.fill("let's dance")
    own.press("Enter")
    expect(page.locator(".u-error").filter(has_text="dance")).to_be_visible()
    assert page.locator(".unrolled").get_attribute("data-sentence") == "let's eat now"
    own.fill(HOSTILE)
    own.press("Enter")
    expect(page.locator(".unrolled img")).to_have_count(0)
    assert page.title() == "Widgets"


def test_a_translation_is_compared_with_the_right_one(page: Page, mount: Mount, plain: Seq2Seq) -> None:
    out = written(plain, plain.encode(ids("let's go")), 12)
    assert out[-1] == "<eos>"
    right = DecoderStepper(
        plain.state_dict(), SOURCE, TARGET, {"let's go": " ".join(out[:-1]), "go": "la la la"}, bos="<eos>"
    )
    mount(page, right)
    expect(page.locator(".u-verdict")).to_have_text(f"So far: {out[0]}")
    press(page, "To the end")
    expect(page.locator(".u-verdict")).to_have_text(f"✓ Right: {' '.join(out)}.")
    page.get_by_label("Sentence", exact=True).select_option("go")
    press(page, "To the end")
    expect(page.locator(".u-verdict")).to_contain_text("✗ Wrong")
    expect(page.locator(".u-verdict")).to_contain_text("Expected: la la la.")


def forced(model: Seq2Seq, scores: list[list[float] | None], n: int) -> tuple[list[str], Tensor, Tensor]:
    """Return what torch writes when some steps get other scores; the last step's weights and shares."""
    memory = model.encode(ids("let's go"))
    word, state, words = 0, None, []
    assert model.score is not None
    for t in range(n):
        given = scores[t] if t < len(scores) else None
        hook = model.score.register_forward_hook(
            lambda module, args, out, given=given: (
                out if given is None else torch.tensor([[given]], dtype=torch.float64)
            )
        )
        heard: list[Tensor] = []
        tap = model.weights.register_forward_hook(lambda module, args, out, heard=heard: heard.append(out))
        logits, state = model.decode(torch.tensor([[word]]), memory, state)
        hook.remove()
        tap.remove()
        word = int(logits[0, 0].argmax())
        words.append(TARGET[word])
    return words, heard[0][0, 0], logits[0, 0].softmax(-1)


def test_attention_scores_are_torchs_and_can_be_dragged(page: Page, mount: Mount, attending: Seq2Seq) -> None:
    mount(page, stepper(attending))
    words, weights, shares = forced(attending, [], 1)
    assert read(page, "written") == words
    close(read(page, "weights"), weights)
    close(read(page, "shares"), shares)
    memory = attending.encode(ids("let's go"))
    close(read(page, "context"), weights @ memory.outputs[0])
    own = read(page, "scores")
    hidden, _ = attending.decoder(attending.target_embedding(torch.tensor([[0]])), memory.state)
    close(own, (hidden @ memory.outputs.mT)[0, 0])

    press(page, "Next word")
    first = slider(page, "Score of go, word 2")
    first.scroll_into_view_if_needed()
    box = first.bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.98 * box["width"], box["y"] + box["height"] / 2)
    scores = read(page, "scores")
    assert scores[1] > 4
    words, weights, shares = forced(attending, [None, scores], 2)
    assert read(page, "written") == words
    close(read(page, "weights"), weights)
    close(read(page, "shares"), shares)
    assert int(weights.argmax()) == 1
    press(page, "The model’s own scores")
    words, weights, _ = forced(attending, [], 2)
    assert read(page, "written") == words
    close(read(page, "weights"), weights)


def test_a_typed_score_and_the_keyboard(page: Page, mount: Mount, attending: Seq2Seq) -> None:
    mount(page, stepper(attending))
    own = read(page, "scores")
    field = page.get_by_role("textbox", name="Score of let's, word 1, as a number")
    field.fill("−1,5")
    field.press("Enter")
    scores = read(page, "scores")
    assert scores == [-1.5, *own[1:]]  # the others are untouched, to the last bit
    words, weights, shares = forced(attending, [scores], 1)
    close(read(page, "weights"), weights)
    close(read(page, "shares"), shares)
    assert read(page, "written") == words
    field.fill("much")
    field.press("Enter")
    expect(page.locator(".u-scores .u-error")).to_contain_text("let's: expected a score between −")
    assert read(page, "scores") == scores
    slider(page, "Score of <eos>, word 3").press("End")
    assert read(page, "scores")[2] >= 5
    expect(page.locator(".u-scores .u-error")).to_be_hidden()


def test_an_earlier_steps_scores_change_what_follows(page: Page, mount: Mount, attending: Seq2Seq) -> None:
    mount(page, stepper(attending))
    press(page, "To the end")
    page.get_by_role("button", name="in <eos>").first.click()
    for j, word in enumerate(["let's", "go", "<eos>"]):
        slider(page, f"Score of {word}, word {j + 1}").press("End" if j == 0 else "Home")
    scores = read(page, "scores")
    words, _, _ = forced(attending, [scores], 1)
    got = read(page, "written")
    assert got[:1] == words
    assert got == forced(attending, [scores], len(got))[0]
    assert len(got) == 5 or got[-1] == "<eos>"
    rows = page.locator(".u-alignment tbody tr")
    expect(rows).to_have_count(len(got))
    expect(rows.first.locator("td").first).to_have_text("1.00")
    page.get_by_role("button", name="in <eos>, your scores")
    expect(page.locator(".u-steps button").first).to_contain_text("your scores")


def test_a_kernel_hears_and_is_heard(page: Page, plain: Seq2Seq) -> None:
    widget = stepper(plain)
    page.goto("about:blank")
    page.evaluate(NOTEBOOK, {"esm": bundle.esm(widget.name), "state": widget.state(), "kept": ["sentence"]})
    page.get_by_label("Sentence", exact=True).select_option("go")
    assert page.evaluate("saved.at(-1)") == {"sentence": "go"}
    page.evaluate("model.set('sentence', 'eat the pizza now')")
    memory = plain.encode(ids("eat the pizza now"))
    assert read(page, "written") == written(plain, memory)[:1]
    page.evaluate("stop()")
    page.evaluate("model.set('sentence', 'go')")
    assert page.locator(".unrolled").get_attribute("data-sentence") == "eat the pizza now"


def test_touch_steps_and_marks_a_number(new_page: Any, mount: Mount, plain: Seq2Seq) -> None:
    page = new_page(has_touch=True, viewport={"width": 375, "height": 740})
    mount(page, stepper(plain))
    page.get_by_role("button", name="Next word").tap()
    assert len(read(page, "written")) == 2
    page.get_by_role("button", name="h 1:").tap()
    assert read(page, "state")[0] == 0
    sizes = page.locator(".unrolled button").evaluate_all(
        "all => all.map(el => Math.min(el.getBoundingClientRect().width, el.getBoundingClientRect().height))"
    )
    assert min(size for size in sizes if size) >= 24


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1000])
@pytest.mark.parametrize("score", [None, "dot"])
def test_accessible_and_never_wider_than_the_page(
    new_page: Any,
    mount: Mount,
    violations: Callable[[Page], list[str]],
    theme: str,
    width: int,
    score: str | None,
) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    mount(page, stepper(longest(score), title="Let’s go"), theme=theme)
    press(page, "To the end")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("score", [None, "dot"])
def test_the_fallback_holds_the_numbers(new_page: Any, score: str | None) -> None:
    model = longest(score)
    page = new_page(java_script_enabled=False)
    page.set_content(stepper(model).static_html())
    memory = model.encode(ids("let's go"))
    out = written(model, memory)
    table = page.locator("table").nth(1 if score is None else 0)
    expect(table.locator("caption")).to_contain_text(f"“let's go” → “{' '.join(out)}”")
    if score is None:
        state = torch.cat([part.flatten() for part in memory.state])
        cells = page.locator("table").first.locator("tbody tr").first.locator("td").all_inner_texts()
        assert cells == [f"{x:.2f}".replace("-", "−") for x in state.tolist()]
        assert table.locator("th[scope=col]").all_inner_texts() == out
    else:
        weights = forced(model, [], 1)[1]
        cells = table.locator("tbody tr").first.locator("td").all_inner_texts()
        assert cells == [f"{w:.2f}" for w in weights.tolist()]


def broken(**changes: Any) -> dict[str, Any]:
    weights = dict(seq2seq(None).state_dict())
    for name, value in changes.items():
        key = name.replace("__", ".")
        if value is None:
            del weights[key]
        else:
            weights[key] = value
    return weights


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (broken(lm_head__bias=None), r"weights\['lm_head.bias'\]: it is missing"),
        (broken(score__key_proj__weight=torch.zeros(6, 6)), "this widget has no such part"),
        (broken(lm_head__bias=torch.zeros(3)), r"weights\['lm_head.bias'\]: expected shape \[5\], got \[3\]"),
        (broken(lm_head__bias=torch.full((5,), float("nan"))), "expected finite numbers"),
        (broken(source_embedding__weight=None), "expected the state_dict of a Seq2Seq"),
        ({}, "expected the state_dict of a Seq2Seq"),
    ],
)
def test_wrong_weights_are_named(weights: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DecoderStepper(weights, SOURCE, TARGET, SENTENCES, bos="<eos>")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bos": "<bos>"}, "bos: expected a word of target_words, got '<bos>'"),
        ({"source_end": "stop"}, "source_end: expected a word of source_words, got 'stop'"),
        ({"max_len": 0}, "max_len: expected at least 1 and at most 100, got 0"),
        ({"sentences": []}, "sentences: expected one or more"),
        ({"sentences": ["let's dance"]}, "got \"?'dance'"),
        ({"sentences": [""]}, "expected at least one word, got ''"),
        ({"sentences": ["go " * 13]}, "expected at most 12 words, got 13"),
        ({"source_words": [*SOURCE[:-1], "go"]}, "source_words: expected single words, each once, got 'go'"),
    ],
)
def test_python_says_what_it_expected(change: dict[str, Any], message: str) -> None:
    given = {"source_words": SOURCE, "target_words": TARGET, "sentences": SENTENCES, "bos": "<eos>", **change}
    with pytest.raises(ValueError, match=message):
        DecoderStepper(seq2seq(None).state_dict(), **given)


def test_wrong_kinds_are_named() -> None:
    with pytest.raises(TypeError, match="weights: expected a state_dict"):
        DecoderStepper([1, 2], SOURCE, TARGET, SENTENCES, bos="<eos>")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="source_words: expected a list of strings, got str"):
        DecoderStepper({}, "go", TARGET, SENTENCES)
    widget = stepper(seq2seq(None))
    with pytest.raises(ValueError, match="expected words out of"):
        widget.sentence = "zebra"
