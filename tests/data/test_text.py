"""The generated stories: the same everywhere, tidy, and too varied to be learnt by heart."""

import hashlib
import re
import zlib
from collections import Counter

import pytest

from unrolled.data.text import corpus, stories
from unrolled.data.text_lexicon import CAST, PLACES, STAGES, THINGS, WORDS


@pytest.fixture(scope="module")
def text() -> str:
    return corpus()


def sentences(text: str) -> list[str]:
    return [sentence for sentence in re.split(r"(?<=[.!?]) |\n+", text) if sentence]


def test_the_text_is_the_same_on_every_machine(text):
    assert (
        hashlib.sha256(text.encode()).hexdigest()
        == "4f63969443489977987bc322d95425d29c81e42d38ad9684211b92aeb5e6eb85"
    )
    assert corpus(2_000) == text[: len(corpus(2_000))]
    assert corpus(2_000, seed=1) != corpus(2_000)


def test_the_text_is_as_long_as_asked_for_and_made_of_whole_stories(text):
    assert 400_000 <= len(text) < 402_000
    assert text.split("\n\n")[:50] == stories(50, 0)
    assert text.endswith(".\n")
    assert "\n\n\n" not in text
    assert corpus(0) == ""
    assert stories(0, 0) == []


def test_few_sentences_come_twice_and_no_story_does(text):
    counts = Counter(sentences(text))
    assert sum(counts.values()) > 5_000
    assert sum(n for n in counts.values() if n == 1) > 0.85 * sum(counts.values())
    told = text.strip().split("\n\n")
    assert len(set(told)) == len(told) > 500
    # Predictable enough to be learnt: gzip-like compression finds most of it.
    assert 0.12 < len(zlib.compress(text.encode(), 9)) / len(text) < 0.25


def test_the_text_is_tidy(text):
    assert set(text) <= set('\n !",.:;?abcdefghijklmnopqrstuvwxyABCDEFGHIJKLMNOSTWY')
    assert not re.search(r"[{}]|  | [.,;:?!]|\.\.", text)
    assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiou]", text)
    for sentence in sentences(text):
        assert (
            sentence.lstrip('"')[0].isupper() or sentence.startswith(("said", "he", "she")) or '"' in sentence
        )
    for story in text.strip().split("\n\n"):
        assert 6 <= len(sentences(story)) <= 16
        assert story.count('"') % 2 == 0


def test_a_story_keeps_its_people_its_thing_and_its_place():
    names = {name for name, *_ in CAST}
    for story in stories(200, 3):
        found = set(re.findall(r"\b[A-Z]\w+", story)) & names
        assert len(found) == 2
        assert sum(bool(re.search(rf"\b{thing}\b", story)) for thing in THINGS) == 1
        assert sum(bool(re.search(rf"\b{place}\b", story)) for place in PLACES) == 1


def test_pronouns_are_the_heros_and_the_friends():
    pronouns = {name: he for name, he, *_ in CAST}
    n_said = 0
    for story in stories(200, 4):
        people = {name for name in pronouns if re.search(rf"\b{name}\b", story)}
        said = set(re.findall(r"\b(?:he|she)\b", story.lower()))
        assert said <= {pronouns[name] for name in people}
        n_said += len(said)
    assert n_said > 200


def test_every_slot_has_words_and_every_word_list_is_used():
    fixed = {"hero", "he", "his", "him", "friend", "fhe", "fhis", "fhim", "thing", "place"}
    patterns = [*(p for some in STAGES.values() for p in some), *(w for some in WORDS.values() for w in some)]
    used = {slot for pattern in patterns for slot in re.findall(r"{(\w+)}", pattern)}
    assert used - fixed == set(WORDS)
    assert len({name for name, *_ in CAST}) == len(CAST) == 24
    assert all(len(set(some)) == len(some) for some in (*WORDS.values(), *STAGES.values(), PLACES, THINGS))


def test_bad_numbers_are_told():
    with pytest.raises(ValueError, match=r"^n: expected zero or more stories, got -1$"):
        stories(-1, 0)
    with pytest.raises(ValueError, match=r"^n_characters: expected zero or more, got -1$"):
        corpus(-1)
