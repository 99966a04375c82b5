"""Light, hue and the names of colours, the same in Python and in the page."""

import itertools

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.widgets.light import light
from unrolled.widgets import bundle, colour


def test_light_goes_there_and_back() -> None:
    for hexed in ("#000000", "#ffffff", "#0a0b0c", "#3a7d52", "#fe01c8"):
        assert colour.to_hex(colour.linear(hexed)) == hexed
        np.testing.assert_allclose(colour.linear(hexed), light(hexed).numpy(), atol=1e-12)
    half = colour.mix(np.array([0.5, 0.5]), ["#000000", "#ffffff"])
    assert half == "#bcbcbc"  # half the light, not half the number


def test_every_plain_name_names_itself() -> None:
    assert [colour.nearest_name(hexed) for hexed in colour.NAMES.values()] == list(colour.NAMES)


GREYS = {name for name in colour.NAMES if name.split()[-1] in ("black", "charcoal", "grey", "white")}


def test_what_has_a_hue_is_not_called_grey_and_what_has_none_is() -> None:
    for red, green, blue in itertools.product(range(45, 256, 15), repeat=3):
        hexed = f"#{red:02x}{green:02x}{blue:02x}"
        spread = max(red, green, blue) - min(red, green, blue)
        if spread == 0:
            assert colour.nearest_name(hexed) in GREYS, hexed
        elif spread >= 45:
            assert colour.nearest_name(hexed) not in GREYS, hexed


@pytest.mark.parametrize(
    ("hexed", "name"), [("#dbafb1", "dusty pink"), ("#59797c", "slate"), ("#3b5a60", "smoky teal")]
)
def test_a_muted_colour_gets_the_name_of_its_hue(page: Page, hexed: str, name: str) -> None:
    assert colour.nearest_name(hexed) == name
    source = f"(hexed) => {{ {bundle._inline(['colour'])} return $colour.nearestName(hexed[0], hexed[1]); }}"
    assert page.evaluate(source, [hexed, colour.NAMES]) == name
