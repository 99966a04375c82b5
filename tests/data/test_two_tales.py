"""The two tales that ship are short, whole, and those of the book."""

import pytest

from unrolled.data.tales import TALES
from unrolled.data.two_tales import three_bears, three_little_pigs


@pytest.mark.parametrize("tale", [three_bears, three_little_pigs])
def test_a_tale_is_whole_and_as_long_as_it_says(tale):
    text = tale()
    assert f"{len(text):,} characters" in tale.__doc__
    assert text.startswith("THE STORY OF THE THREE ")
    assert text.endswith(".\n")
    assert "Once upon a time" in text
    assert "\r" not in text
    assert "gutenberg" not in text.lower()


def test_a_source_is_named_and_both_are_short():
    assert any(book.number == 7439 and book.title == "English Fairy Tales" for book in TALES)
    assert len((three_bears() + three_little_pigs()).encode()) < 15_000
