"""The bears corpus: the same everywhere, balanced, and each kind what it says it is."""

import hashlib

import pytest

from unrolled.data.bears import (
    CANONICAL,
    KINDS,
    MAX_WORDS,
    SENSES,
    VOCABULARY,
    Sentence,
    corpus,
    cue_words,
    generate,
    tokenize,
)
from unrolled.data.bears_lexicon import BEARS, CONNECTIVES, GAPPED, LEXICON, OTHER, PHRASES

CUE_SENSES = {sense: set(cue_words(sense)) for sense in SENSES}


def digest(sentences: list[Sentence]) -> str:
    return hashlib.sha256("\n".join(map(str, sentences)).encode()).hexdigest()


@pytest.fixture(scope="module")
def training() -> list[Sentence]:
    return corpus(n=24_000, seed=0)


def own_clause(sentence: Sentence) -> tuple[str, ...]:
    assert sentence.clause is not None
    return sentence.words[slice(*sentence.clause)]


def other_clause(sentence: Sentence) -> tuple[str, ...]:
    assert sentence.clause is not None
    start, end = sentence.clause
    return sentence.words[:start] + sentence.words[end:]


def near(sentence: Sentence) -> set[str]:
    assert sentence.position is not None
    i = sentence.position
    return set(sentence.words[max(0, i - 2) : i] + sentence.words[i + 1 : i + 3])


def test_the_corpus_is_the_same_on_every_machine(training: list[Sentence]) -> None:
    assert digest(training) == "4037e8b4b00f83c1dcfb748b27187a9554c94d19d0159afd373cb323d3da7b45"
    assert digest(corpus(n=300, seed=0)) == digest(training[:300])
    assert digest(corpus(n=300, seed=1)) != digest(training[:300])


def test_the_vocabulary_is_what_the_corpus_uses(training: list[Sentence]) -> None:
    assert set(VOCABULARY) == {word for sentence in training for word in sentence.words}
    assert list(VOCABULARY) == sorted(set(VOCABULARY))
    assert 190 <= len(VOCABULARY) <= 200


def test_a_word_is_a_cue_of_one_sense_in_one_half_or_neutral() -> None:
    neutral = {word for phrases in PHRASES.values() for phrase in phrases for word in phrase.split()}
    neutral |= {"bears", "the", *CONNECTIVES}
    homes = [set(cue_words(sense, half)) for sense in SENSES for half in ("train", "held_out")]
    homes.append(neutral)
    assert sum(map(len, homes)) == len(set().union(*homes)) == len(VOCABULARY)


def test_canonical_sentences_come_out_of_the_grammar() -> None:
    made = {(str(sentence), sentence.sense) for sentence in generate(9_000, seed=0)}
    for sense, text in CANONICAL.items():
        assert (text, sense) in made


def test_held_out_cues_never_stand_beside_bears_in_training(training: list[Sentence]) -> None:
    held_out = {word for sense in SENSES for word in cue_words(sense, "held_out")}
    met = set()
    for sentence in training:
        if "bears" in sentence.words:
            assert held_out.isdisjoint(sentence.words), str(sentence)
        else:
            met |= held_out.intersection(sentence.words)
    assert met == held_out  # all have company to be known by


def test_training_is_a_fifth_of_each_kind_and_balanced(training: list[Sentence]) -> None:
    with_bears = [sentence for sentence in training if sentence.sense is not None]
    assert len(with_bears) == 14_400
    for sense in SENSES:
        assert sum(sentence.sense == sense for sentence in with_bears) == 4_800
    one_clause = [s for s in with_bears if s.clause == (0, len(s.words))]
    assert len(one_clause) == 4_800
    for sentence in training:
        if sentence.sense is None:
            assert "bears" not in sentence.words
            assert sentence.position is None
            assert sentence.clause is None


@pytest.mark.parametrize("cues", ["train", "held_out"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_what_defines_it(kind: str, cues: str) -> None:
    sentences = generate(3_000, seed=7, kind=kind, cues=cues)
    assert [sentence.sense for sentence in sentences[:3]] == list(SENSES)
    allowed = {word for sense in SENSES for word in cue_words(sense, cues)}
    all_cues = set().union(*CUE_SENSES.values())
    first = 0
    for sentence in sentences:
        assert sentence.words[sentence.position] == "bears"
        assert sentence.words.count("bears") == 1
        own, other = own_clause(sentence), other_clause(sentence)
        assert "bears" in own
        assert CUE_SENSES[sentence.sense].intersection(own)  # the own clause decides …
        foreign = all_cues - CUE_SENSES[sentence.sense]
        assert foreign.isdisjoint(own)  # … and speaks with one voice
        assert all_cues.intersection(sentence.words) <= allowed
        assert set(CONNECTIVES).isdisjoint(own)
        if kind == "plain":
            assert other == ()
        else:
            start, end = sentence.clause
            first += start == 0
            assert sentence.words[end if start == 0 else start - 1] in CONNECTIVES
            rivals = [sense for sense in SENSES if CUE_SENSES[sense].intersection(other)]
            assert len(rivals) == 1
            assert rivals != [sentence.sense]
        if kind == "conflict":
            assert foreign.isdisjoint(near(sentence))
            assert CUE_SENSES[sentence.sense].intersection(near(sentence))
        if kind == "conflict+gap":
            assert all_cues.isdisjoint(near(sentence))
    if kind != "plain":
        assert 0.45 < first / len(sentences) < 0.55


def test_what_stands_around_bears_in_a_gap_does_not_depend_on_the_sense() -> None:
    seen: dict[str, set[tuple[str, ...]]] = {sense: set() for sense in SENSES}
    for sentence in generate(6_000, seed=3, kind="conflict+gap"):
        i = sentence.position
        seen[sentence.sense].add(sentence.words[i - 2 : i + 3])
    assert seen["animal"] == seen["endure"] == seen["team"]


def test_other_words_stand_in_every_place_where_bears_does() -> None:
    """Where "bears" alone stands, held-out cues around it would never be met in training."""

    def places(patterns: tuple[str, ...], words: set[str]) -> set[tuple[str, str]]:
        """Return what may stand before and after one of `words`, with optional parts filled or not."""
        found = set()
        for pattern in patterns:
            parts = [part.replace("<the>", "the?") for part in pattern.split()]
            optional = [i for i, part in enumerate(parts) if part.endswith("?")]
            for bits in range(2 ** len(optional)):
                left_out = {i for j, i in enumerate(optional) if bits >> j & 1}
                kept = ["", *(part.rstrip("?") for i, part in enumerate(parts) if i not in left_out), ""]
                i = next(i for i, part in enumerate(kept) if part in words)
                found.add((kept[i - 1], kept[i + 1]))
        return found

    for sense, others in {"animal": {"<kin>"}, "endure": {"<endures>"}, "team": {"<kin>"}}.items():
        patterns = tuple(p for p in OTHER[sense] if others & set(p.split()))
        missing = places((*BEARS[sense], *GAPPED[sense]), {"bears"}) - places(patterns, others)
        assert not missing, (sense, missing)


def test_no_sentence_is_longer_than_the_limit() -> None:
    def longest(pattern: str, sense: str) -> int:
        total = 0
        for part in pattern.split():
            name = part.rstrip("?").strip("<>")
            if name == "place":
                total += 3
            elif name in PHRASES:
                total += max(len(phrase.split()) for phrase in PHRASES[name])
            else:
                assert not part.startswith("<") or name == "the" or name in LEXICON[sense]
                total += 1
        return total

    own = max(longest(p, sense) for table in (BEARS, GAPPED) for sense in SENSES for p in table[sense])
    other = max(longest(p, sense) for sense in SENSES for p in OTHER[sense])
    assert max(own, other) + 1 + other <= MAX_WORDS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I love bears.", ("i", "love", "bears")),
        ("  “She  bears\nthe PAIN!”", ("she", "bears", "the", "pain")),
        ("Bears — won, the game?!", ("bears", "won", "the", "game")),
    ],
)
def test_typed_text_becomes_words(text: str, words: tuple[str, ...]) -> None:
    assert tokenize(text) == words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one word, got none"),
        ("  ?!  …", "at least one word, got none"),
        ("I love bares.", "unknown word 'bares': did you mean 'bears'"),
        ("she bears <img src=x onerror=alert(1)>", "unknown word 'img'"),
        ("zzyzx", r"unknown word 'zzyzx': expected one of \d+ known words"),
        ("x" * 10_000, "unknown word 'x{40}…'"),
        ("bears " * 200, f"at most {MAX_WORDS} words, got 200"),
    ],
)
def test_bad_text_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tokenize(text)


def test_bad_arguments_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match="expected a string, got int"):
        tokenize(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n: expected zero or more sentences, got -1"):
        generate(-1, seed=0)
    with pytest.raises(ValueError, match="n: expected zero or more sentences, got -1"):
        corpus(-1)
    with pytest.raises(ValueError, match=r"kind: expected one of 'plain', .* got 'gap'"):
        generate(1, seed=0, kind="gap")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"cues: expected one of 'train', .* got 'test'"):
        generate(1, seed=0, cues="test")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"sense: expected one of 'animal', .* got 'plant'"):
        cue_words("plant")
