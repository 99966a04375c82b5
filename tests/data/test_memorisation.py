"""How much of a text are words, and how much was copied."""

import pytest

from unrolled.data import text
from unrolled.data.memorisation import copied, longest_copied, sentences, valid_words, verbatim, words

READ = 'The cat sat. "Don\'t!" said the dog.\nA cat ran away.'


def test_a_word_may_have_an_apostrophe_and_the_last_may_be_half_a_word():
    assert words(READ)[3:6] == ["Don't", "said", "the"]
    assert words("the dog r") == ["the", "dog"]
    assert words("the dog r.") == ["the", "dog", "r"]


def test_a_sentence_has_an_end_and_keeps_its_marks():
    assert sentences(READ) == ["The cat sat.", '"Don\'t!"', "said the dog.", "A cat ran away."]
    assert sentences("A dog.\n\nHe ran\nand ran. He") == ["A dog.", "and ran."]


def test_shares_are_counted_by_word_and_by_sentence():
    written = "The cat sat. The dog flew away. the cat sat. He"
    assert valid_words(written, READ) == 9 / 10, "all but flew; the last may be half a word"
    assert verbatim(written, READ) == 1 / 3


@pytest.mark.parametrize(
    ("measure", "written", "expected"),
    [(valid_words, "12 ", "one word"), (verbatim, "no end", "one sentence")],
)
def test_of_nothing_there_is_no_share(measure, written, expected):
    with pytest.raises(ValueError, match=f"text: expected {expected} or more, got none"):
        measure(written, READ)


def test_the_corpus_itself_is_valid_and_mostly_new():
    known, fresh = text.corpus(40_000, 0), text.corpus(10_000, 7)
    assert valid_words(fresh, known) > 0.98
    assert verbatim(known, known) == 1.0
    assert 0.02 < verbatim(fresh, known) < 0.3


def test_copied_runs_of_words_are_found_whatever_stands_between_the_words():
    written = ["the cat sat, said the dog.", "The cat sat! Don't said."]
    assert words(written[1]) == ["The", "cat", "sat", "Don't", "said"]
    # the cat sat; cat sat said; sat said the; said the dog: only the last. The cat sat Don't said: all three.
    assert copied(written, READ, n=3) == 4 / 7
    assert copied([READ], READ, n=8) == 1.0
    for n, texts, message in ((0, [READ], "n: expected 1 or more, got 0"), (9, ["a b."], "one of 9 words")):
        with pytest.raises(ValueError, match=message):
            copied(texts, READ, n=n)
    with pytest.raises(TypeError, match="expected a list of texts, got a single text"):
        copied(READ, READ)


def test_the_longest_run_that_was_read_is_found_token_by_token():
    read = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 60_000]
    assert longest_copied([[9, 2, 6, 4, 1, 5, 9, 2]], read) == 5
    assert longest_copied([[7, 7], [1, 4]], read) == 2
    assert longest_copied([[5, 3, 60_000, 8]], read) == 3
    assert longest_copied([[]], read) == longest_copied([[7]], read) == 0
    with pytest.raises(ValueError, match="expected 0 or more, got -1"):
        longest_copied([[-1]], read)
