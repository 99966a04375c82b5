"""The checks of the interlude: right solutions pass, and each wrong one is told what is wrong with it."""

from typing import Any

import pytest

from tests.exercises.solutions import told
from unrolled.data.tokenizers import BytePairs, gpt2_words
from unrolled.exercises import tokens as check

CUT = [" ", " two", " ", " bears", ",", " it", "'s", " 1812"]


def test_the_line_is_cut_as_the_library_cuts_it() -> None:
    assert gpt2_words(check.LINE) == CUT
    result = check.check_cut(CUT)
    assert result.passed, result


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["two", "bears,", "it's", "1812"], "The spaces are gone"),
        (["two", "bears", ",", "it", "'s", "18"], "and the line is"),
        (["  two", " ", " bears", ",", " it", "'s", " 1812"], "Only one space goes with the word behind it"),
        (["  ", "two", "  ", "bears", ",", " it", "'s", " 1812"], "White space stops one character early"),
        ([" ", " two", " ", " bears,", " it", "'s", " 1812"], "Letters and other marks never share"),
        ([" ", " two", " ", " bears", ",", " ", "it's", " 1812"], "endings such as 's first"),
        ([" ", " two", " ", " bears", ",", " it", "'s", " ", "1", "812"], "Digits that stand together"),
        ([" ", " two", " ", " bears", ",", " it's", " 1812"], 'Word 6: expected another than " it\'s".'),
        ("two bears", "Expected a list of words, got str"),
        ([3], "Expected words of one character or more."),
        (["", *CUT], "Expected words of one character or more."),
    ],
)
def test_a_wrong_cut_is_told_why(words: object, said: str) -> None:
    result = check.check_cut(words)
    assert result.attempted
    assert not result.passed
    assert said in told(result)


@pytest.mark.parametrize("text", ["zozoz", "ununu", "lklkl"])
def test_a_tie_that_the_rules_break_apart_passes(text: str) -> None:
    result = check.check_tie(text)
    assert result.passed, result
    learned = BytePairs.train([text], vocab_size=262)
    assert learned.token(261).replace(" ", "␣") in told(result).split("smallest ids has ")[1].replace(
        " + ", ""
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("opop", "There is no tie: o + p comes 2 times"),
        ("fgfgf", "There is a tie of 2 pairs, and both rules take f + g"),
        ("zoo", "No pair of your text comes twice"),
        ("f g h", "No pair of your text comes twice"),
        ("f", "nothing to merge"),
        ("", "nothing to merge"),
        ("é fg", "one byte each"),
        ("fg\n", "one byte each"),
        ("zoo" * 2, "Expected five characters or fewer, got 6."),
        ("bears", "Expected other letters than those of the line on the page, got a, b, e, r, s."),
        (7, "Expected a text, got int 7."),
    ],
)
def test_a_text_that_shows_nothing_is_told_why(text: object, said: str) -> None:
    result = check.check_tie(text)
    assert result.attempted
    assert not result.passed
    assert said in told(result)


def decode(ids: list[int], pieces: dict[int, bytes]) -> str:
    return b"".join(pieces[i] for i in ids).decode("utf-8", errors="replace")


def decode_slowly(ids: list[int], pieces: dict[int, bytes]) -> str:
    whole = bytearray()
    for i in ids:
        whole.extend(pieces[i])
    return str(bytes(whole), "utf-8", "replace")


@pytest.mark.parametrize("fn", [decode, decode_slowly])
def test_a_right_decoder_passes(fn: Any) -> None:
    result = check.check_decode(fn)
    assert result.passed, result


@pytest.mark.parametrize(
    ("fn", "said"),
    [
        (
            lambda ids, p: "".join(p[i].decode(errors="replace") for i in ids),
            "A character may begin in one piece",
        ),
        (lambda ids, p: b"".join(p[i] for i in ids).decode("latin-1"), "You read each byte as a character"),
        (lambda ids, p: b" ".join(p[i] for i in ids).decode(errors="replace"), "You put spaces between"),
        (lambda ids, p: b"".join(p[i] for i in ids).decode(errors="ignore"), "You left out what is no whole"),
        (lambda ids, p: b"".join(p[i] for i in ids).decode(), "stopped with UnicodeDecodeError"),
        (lambda ids, p: "bears", "expected 'Grüße honey', got 'bears'."),
        (lambda ids, p: b"".join(p[i] for i in ids), "expected 'bears', got bytes."),
    ],
)
def test_a_wrong_decoder_is_told_why(fn: Any, said: str) -> None:
    result = check.check_decode(fn)
    assert result.attempted
    assert not result.passed
    assert said in told(result)


@pytest.mark.parametrize("checked", [check.check_cut, check.check_tie, check.check_decode])
def test_no_answer_is_no_attempt(checked: Any) -> None:
    for empty in (None, ..., *([lambda ids, pieces: ...] if checked is check.check_decode else [])):
        result = checked(empty)
        assert not result.passed
        assert not result.attempted
