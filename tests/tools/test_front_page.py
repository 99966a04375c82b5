"""What people see first: `look`, on one line, and the picture that the script draws."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch

import unrolled
from tools.front_page import NAMED, PICTURE, PLAYGROUND, picture
from unrolled.data.tales import MOST_PIECES, pieces
from unrolled.training.stored import stored

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"-?\d+\.?\d*")


def parts(svg: str) -> list[tuple[str, str, list[float]]]:
    """Return each element's name and words, and its numbers."""
    return [
        (
            node.tag,
            NUMBER.sub("", ET.tostring(node, encoding="unicode")),
            [float(x) for value in node.attrib.values() for x in NUMBER.findall(value)],
        )
        for node in ET.fromstring(svg)
    ]


def test_the_picture_is_what_the_script_draws() -> None:
    """Another machine may round a weight otherwise."""
    kept, drawn = parts(PICTURE.read_text(encoding="utf-8")), parts(picture())
    assert [one[:2] for one in kept] == [one[:2] for one in drawn]
    for (_, _, before), (_, _, now) in zip(kept, drawn, strict=True):
        assert now == pytest.approx(before, abs=0.02)
    assert sum(name.endswith("line") for name, _, _ in drawn) > 20


def test_the_picture_of_the_playground_says_what_its_model_says() -> None:
    words = "".join(ET.fromstring(PLAYGROUND.read_text(encoding="utf-8")).itertext())
    cutter = pieces(MOST_PIECES)
    ids = cutter.encode(NAMED)
    with torch.no_grad():
        logits = stored("gpt-playground").model(torch.tensor([ids]))[0, -1]
    best = logits.topk(5)
    for logit, token in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        shown = cutter.decode([token]).replace(" ", "␣").replace("\n", "↵")
        assert shown in words
        assert any(f"{logit + off:.2f}" in words for off in (-0.01, 0, 0.01))
    assert words.count("If the model ended here") == 4


def test_what_people_read_first_shows_look_first() -> None:
    readme, index = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "book/index.md"))
    for text, picture_at in ((readme, "](book/look.svg)"), (index, "](look.svg)")):
        first = text[: text.index("\n## ", text.index(picture_at))]
        assert "from unrolled import look\n" in first
        assert first.count("\n## ") <= 1
        assert text.index("](playground.svg)" if text is index else "](book/playground.svg)") > text.index(
            picture_at
        )
    assert (unrolled.__doc__ or "").index("from unrolled import look") < (unrolled.__doc__ or "").index("* `")
