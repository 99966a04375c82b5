"""SVG and PNG are one picture, and say what is not in it; a dictionary holds the numbers."""

import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page

from tests.looking.models import make
from tests.widgets.maps import WORDS, weights
from unrolled import Look, look

SVG = "{http://www.w3.org/2000/svg}"
TEXT = "bears won the game"


def texts(look: Look) -> list[str]:
    return [node.text or "" for node in ET.fromstring(look.to_svg()).iter(f"{SVG}text")]


def test_the_picture_is_the_one_the_traits_choose() -> None:
    it = Look.of(weights(2, 3, 3, 3), WORDS, title="A model")
    root = ET.fromstring(it.to_svg())
    assert len([*root.iter(f"{SVG}image")]) == 7  # six heads, and the legend
    assert texts(it)[0] == "A model: attention, all layers and heads"
    it.view, it.layer = "layer", 1
    assert len([*ET.fromstring(it.to_svg()).iter(f"{SVG}image")]) == 4
    assert texts(it)[0] == "A model: attention, layer 1"
    it.view, it.head = "head", 2
    assert texts(it)[0] == "A model: attention, layer 1, head 2"
    assert [text for text in texts(it) if text in WORDS] == 2 * WORDS
    it.drawing = "lines"
    lines = [*ET.fromstring(it.to_svg()).iter(f"{SVG}line")]
    assert len(lines) == int((it.weights()[1, 2] > 0).sum())
    it.token, it.least = 1, 0.3
    lines = [*ET.fromstring(it.to_svg()).iter(f"{SVG}line")]
    kept = sorted(w for w in it.weights()[1, 2, 1].tolist() if w >= 0.3)
    wide = sorted(float(line.get("stroke-width", "")) for line in lines)
    assert wide == pytest.approx([0.4 + 3.6 * w for w in kept], abs=0.01)
    assert "Weights below 0.3 are left out." in " ".join(texts(it))


def test_a_title_has_room_and_a_very_long_one_is_cut() -> None:
    it = Look.of([[1.0]], ["a"], title="m" * 43)
    root = ET.fromstring(it.to_svg())
    assert texts(it)[0] == f"{'m' * 43}: attention, layer 0, head 0"
    assert float(root.get("width", "")) > 43 * 9  # a bold m is that wide
    it.title = "m" * 500
    assert texts(it)[0].endswith("m…")
    assert len(texts(it)[0]) == 80


@pytest.mark.parametrize("view", ["head", "layer", "model"])
def test_png_and_svg_are_one_picture(page: Page, view: str) -> None:
    it = Look.of(weights(1, 3, 5, 5), list("vwxyz"), title="A model")
    it.view = view
    png = Image.open(io.BytesIO(it.to_png(scale=1))).convert("L")
    page.set_viewport_size({"width": png.width, "height": png.height})
    page.set_content(f"<body style='margin:0'>{it.to_svg()}")
    svg = Image.open(io.BytesIO(page.locator("svg").screenshot())).convert("L")
    assert svg.size == png.size
    # The same marks at the same places; edges and letters are drawn a little otherwise.
    small = [np.asarray(one.resize((one.width // 6, one.height // 6))).astype(float) for one in (svg, png)]
    assert np.abs(small[0] - small[1]).mean() < 4
    assert np.abs(small[0] - 255).mean() > 4
    assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.93


def test_what_was_thinned_out_is_told_in_the_picture() -> None:
    model, tokenizer = make("bert")
    it = look(model, tokenizer, TEXT, layers=[1], heads=[2, 0], digits=2, join=True, special=False)
    whole = look(model, tokenizer, TEXT, digits=2, join=True, special=False)
    assert (it.weights() == whole.weights()[1:, [2, 0]]).all()
    assert it.attentions[0]["layers"] == ["layer 1"]
    assert it.attentions[0]["heads"] == ["head 2", "head 0"]
    for sentence in (
        "Of the 2 layers these are shown: 1.",
        "Of the 3 heads these are shown: 2, 0.",
        "Weights are rounded to 2 digits after the point.",
        "Special tokens are hidden, and what they get with them.",
        "The pieces of a word are joined:",
    ):
        assert sentence in " ".join(it.notes)
        assert sentence in " ".join(texts(it))
        assert sentence in it.fallback_html()


@pytest.mark.parametrize("digits", [2, 3, 4])
def test_a_dictionary_holds_the_numbers_to_the_digits_kept(digits: int) -> None:
    w = weights(2, 3, 5, 7)
    it = Look.of(w, list("abcde"), list("tuvwxyz"), name="cross", digits=digits)
    told = json.loads(json.dumps(it.to_dict()))
    (one,) = told["attentions"]
    assert (one["name"], one["tokens"], one["keys"]) == ("cross", list("abcde"), list("tuvwxyz"))
    assert np.abs(np.array(one["weights"]) - w.numpy()).max() <= 0.5 * 10**-digits + 1e-12
    assert one["weights"][1][2][3][4] == float(f"{w[1, 2, 3, 4]:.{digits}f}")
    assert told["digits"] == digits


BAD: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: Look.of([[0.5, 0.4], [0.5, 0.5]], ["a", "b"]), ValueError, r"every row to sum to 1, .* got 0.9"),
    (lambda: Look.of([[float("nan"), 1.0], [0.5, 0.5]], ["a", "b"]), ValueError, "finite numbers, got nan"),
    (lambda: Look.of([[1.5, -0.5], [0.5, 0.5]], ["a", "b"]), ValueError, "from 0 to 1, got 1.5"),
    (lambda: Look.of(torch.eye(3), ["a", "b"]), ValueError, r"expected shape \[T, S\] = \[2, 2\]"),
    (lambda: Look.of(torch.eye(2), "ab"), TypeError, "tokens: expected a list of strings, got str"),
    (lambda: Look.of("weights", ["a"]), TypeError, "weights: expected numbers"),
    (lambda: Look([]), ValueError, "attentions: expected one or more, got none"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "error", "said"), BAD)
def test_arrays_that_are_no_weights_are_refused(
    made: Callable[[], object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        made()


def test_arrays_need_neither_torch_nor_transformers_nor_matplotlib() -> None:
    code = (
        "import sys; from unrolled import Look; Look.of([[1.0]], ['a']).static_html()\n"
        "print([m for m in ('torch', 'transformers', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
