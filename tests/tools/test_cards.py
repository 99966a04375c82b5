"""The picture of a page: its map is attention of letters, and every title has room."""

import io

import pytest
from PIL import Image

from tools.cards import SIZE, card, letters, weights


def test_the_letters_are_those_of_the_title():
    assert letters("10. Decoder only: GPT") == "decoderonlygpt"
    assert len(letters("long " * 30)) == 40


def test_a_letter_attends_most_to_its_like():
    rows = weights("banana")
    assert all(sum(row) == pytest.approx(1) for row in rows)
    first = rows[1]  # an "a": the three of them share most, evenly
    assert first[1] == first[3] == first[5] > first[0] == first[2]
    assert rows[0][2] > rows[0][1]  # a consonant for a consonant


@pytest.mark.parametrize(
    "title", ["π", "1", "A", "Pneumonoultramicroscopicsilicovolcanoconiosis", "what it is " * 14]
)
def test_any_title_has_room(title):
    picture = card(title)
    assert picture == card(title)
    image = Image.open(io.BytesIO(picture)).convert("L")
    assert image.size == SIZE
    # Nothing dark lies between the text and the map, nor in the margins.
    for box in ((0, 20, 60, 630), (672, 20, 698, 630), (1132, 20, 1200, 630), (0, 560, 1200, 630)):
        assert image.crop(box).getextrema()[0] > 200, box
    assert image.crop((60, 120, 672, 560)).getextrema()[0] < 60


def test_a_title_without_text_is_refused():
    with pytest.raises(ValueError, match="title: expected some text, got ' '"):
        card(" ")
