"""What every widget refuses: texts and numbers that no page can hold, and arguments of another kind."""

import json
import re

import numpy as np
import pytest

from tests.widgets import maps
from tests.widgets import test_block_builder as blocks
from tests.widgets import test_next_token as next_token
from tests.widgets.every import WIDGETS
from tools.experiments.reliability.arguments import recorded
from unrolled import widgets
from unrolled.looking import Attention
from unrolled.widgets.checks import LARGEST, state_text


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (float("nan"), ValueError, "trait[1]: expected finite numbers of a size below 1e+30, got nan"),
        (float("-inf"), ValueError, "trait[1]: expected finite numbers"),
        (1e31, ValueError, "trait[1]: expected finite numbers"),
        (-(10**40), ValueError, "trait[1]: expected finite numbers"),
        ("\ud800", ValueError, "trait[1]: expected a text, got one with half a character"),
        (b"x", TypeError, "trait[1]: expected texts and numbers, got bytes"),
        ({"a": [1e300]}, ValueError, "trait[1]['a'][0]: expected finite numbers"),
        ({"\udfff": 1}, ValueError, "trait[1]: expected a text"),
    ],
)
def test_what_no_page_can_hold_is_named_by_its_place(value, error, said):
    with pytest.raises(error, match=re.escape(said)):
        state_text({"other": "NaN", "trait": ["a", value]})


def test_whatever_else_is_written_as_it_is():
    state = {"text": "1e+300 NaN 🐻", "numbers": [0.1, -LARGEST / 10, 10**29, True, None]}
    assert json.loads(state_text(state)) == state


def test_texts_with_half_a_character_are_refused_by_the_widget_that_gets_them():
    with pytest.raises(ValueError, match=r"tokens\[0\]: expected a text, got one with half a character"):
        widgets.AttentionMap(maps.weights(2, 3, 3, 3), ["\ud800", *maps.WORDS[1:]])


def test_arguments_of_another_kind_are_no_errors_of_a_library():
    with pytest.raises(TypeError, match=r"'t' trait .* expected an int"):
        widgets.PositionClock(10, 61, t=7.5, s=19)
    with pytest.raises(ValueError, match="CostCalculator: expected other arguments: 'list' obj"):
        widgets.CostCalculator([])
    made = recorded("block-builder")
    with pytest.raises(ValueError, match="BlockBuilder: expected other arguments: there is no 'curves'"):
        made.make(**{**made.given, "measured": {"one": {}}})


def test_attention_is_of_its_layers_heads_and_tokens():
    weights = np.full((1, 2, 3, 3), 1 / 3)
    words, heads = ["a", "b", "c"], [0, 1]
    assert Attention("one", weights, words, words, [0], heads, 1, 2).of_heads == 2
    for changed, said in (
        ((weights[:, :1], words, words, [0], heads, 1, 2), r"weights: expected .* = \[1, 2, 3, 3\]"),
        ((weights[:, :0], words, words, [0], [], 1, 2), "weights: expected .* none of them 0"),
        ((weights * np.nan, words, words, [0], heads, 1, 2), "weights: expected shares from 0 to 1"),
        ((weights * 9, words, words, [0], heads, 1, 2), "weights: expected shares from 0 to 1"),
        ((weights, words, words, [0], heads, np.inf, 2), "of_layers: expected a whole number"),
    ):
        with pytest.raises(ValueError, match=said):
            Attention("one", *changed)


@pytest.mark.parametrize("name", ["bears-model", "digit-reader", "next-token", "token-walk"])
def test_every_weight_of_a_block_is_there_and_fits(name):
    made = recorded(name)
    tensors = made.given["tensors"]
    made.make(**made.given)
    for key, tensor in tensors.items():
        for other in (tensor[..., :0], tensor[None], tensor[:1].repeat_interleave(2, 0)):
            with pytest.raises(ValueError, match=r"expected|more than one|not enough"):
                made.make(**{**made.given, "tensors": {**tensors, key: other}})
        if re.match(r"(.*layers\.)?1\.", key):
            without = {each: x for each, x in tensors.items() if each != key}
            with pytest.raises(ValueError, match=rf"{re.escape(key)}: expected .* there is no such tensor"):
                made.make(**{**made.given, "tensors": without})


def test_a_walk_is_that_of_the_playgrounds_own_model():
    made = recorded("playground")
    word, lens = made.given["walk"]["word"], made.given["walk"]["0.lens"]
    for walk, said in (
        ({"word": word[..., :0]}, r"walk: expected \d+ numbers for the last token, got \d+"),
        ({"0.lens": lens[..., :-1]}, r"walk: expected \d+ numbers for the last token, got \d+"),
        ({"word": word * 1e9}, r"walk\['word'\]: expected numbers below 65,504"),
    ):
        with pytest.raises(ValueError, match=said):
            made.make(**{**made.given, "walk": {**made.given["walk"], **walk}})


def test_a_table_beneath_holds_numbers_alone():
    given = next_token.TOKENS
    with pytest.raises(ValueError, match=r"likeliest\[0\]\[1\]: expected finite numbers"):
        WIDGETS["next-token"].make().__class__(**next_token_arguments(), likeliest=[(given[0], float("nan"))])


def next_token_arguments():
    return {name: value for name, value in recorded("next-token").given.items() if name != "likeliest"}


def test_the_builder_itself_is_as_before():
    assert blocks.make().state()


def test_what_is_no_text_is_not_written_as_one():
    translation, bench, walk = (recorded(name) for name in ("translation", "qkv-bench", "token-walk"))
    example, start = translation.given["examples"][0], bench.given["settings"]["bears"]
    vectors = walk.given["sentences"][0][1]
    for made, changed, said in (
        (translation, {"examples": [{**example, "written": 0.5}]}, "written"),
        (bench, {"settings": {"bears": {**start, "note": 1}}}, "note"),
        (walk, {"sentences": [([None], vectors[:1])]}, "sentences"),
    ):
        with pytest.raises(TypeError, match=rf"{said}: expected (a text|tokens that are texts)"):
            made.make(**{**made.given, **changed})
