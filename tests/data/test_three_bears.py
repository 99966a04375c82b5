"""The three bears: right in Spanish, decided by words far away, and never shared with training."""

import hashlib
import re
from collections import Counter, defaultdict

import pytest

from unrolled.data.three_bears import (
    CANONICAL,
    SENSES,
    SOURCE_VOCABULARY,
    TARGET_VOCABULARY,
    BearsPair,
    clue,
    held_out,
    is_held_out,
    training,
)

MASCULINE = (
    "niño hombre hermano amigo partido título trofeo pez bosque río árbol "
    "dolor frío calor ruido peso silencio"
)
FEMININE = "niña mujer hermana médica final copa liga miel cueva"
GENDER = dict.fromkeys(MASCULINE.split(), "m") | dict.fromkeys(FEMININE.split(), "f")
DETERMINERS = {"el": "m", "al": "m", "la": "f", "mi": "mf"}
ADJECTIVES = {"grande": "mf", "terrible": "mf", "extraño": "m", "extraña": "f", "viejo": "m", "vieja": "f"}
SPORT = {"game", "final", "cup", "title", "trophy", "league"}
WILD = {"honey", "fish", "forest", "river", "cave", "tree"}
BY_HAND = {
    "i love bears": "me encantan los osos",
    "my friend bears the noise": "mi amigo soporta el ruido",
    "the bears lost the title": "los Bears perdieron el título",
    "the bears lost the fish": "los osos perdieron el pez",
    "he loves cats": "a él le encantan los gatos",
}


@pytest.fixture(scope="module")
def learned() -> list[BearsPair]:
    return training(7000)


@pytest.fixture(scope="module")
def tested() -> dict[str, list[BearsPair]]:
    return held_out(70)


def test_the_pairs_are_the_same_on_every_machine(learned: list[BearsPair]) -> None:
    text = "\n".join(f"{pair} {pair.senses} {pair.combinations}" for pair in learned)
    assert (
        hashlib.sha256(text.encode()).hexdigest()
        == "2b4cc4bfe4ca875daa07c18cd651ee6c92a5e7b58d04512764305662bdadb183"
    )
    assert training(100) == learned[:100] != training(100, seed=1)


def test_the_vocabularies_are_what_the_pairs_to_learn_from_use(learned: list[BearsPair]) -> None:
    assert {word for pair in learned for word in pair.source} == set(SOURCE_VOCABULARY)
    assert {word for pair in learned for word in pair.target} == set(TARGET_VOCABULARY)
    assert (len(SOURCE_VOCABULARY), len(TARGET_VOCABULARY)) == (68, 87)
    assert [word for word in TARGET_VOCABULARY if word != word.lower()] == ["Bears"]


def test_the_english_decides_the_spanish(
    learned: list[BearsPair], tested: dict[str, list[BearsPair]]
) -> None:
    spanish = dict(CANONICAL)
    for pair in [*learned, *(pair for some in tested.values() for pair in some)]:
        source, target = str(pair).split(" → ")
        assert spanish.setdefault(source, target) == target
    made = {source: spanish.get(source) for source in BY_HAND}
    drawn = {source: target for source, target in made.items() if target is not None}
    assert drawn == {source: BY_HAND[source] for source in drawn}
    assert len(drawn) >= 3


def test_articles_adjectives_and_verbs_agree(learned: list[BearsPair]) -> None:
    seen: Counter[str] = Counter()
    for pair in learned:
        words, text = pair.target, " ".join(pair.target)
        for i, word in enumerate(words):
            if word in GENDER:
                assert GENDER[word] in DETERMINERS[words[i - 1]], text
                after = words[i + 1] if i + 1 < len(words) else ""
                if after in ADJECTIVES:
                    seen["adjective"] += 1
                    assert GENDER[word] in ADJECTIVES[after], text
        assert not re.search(r"\b(a|de) el\b", text), text
        for verb, article in re.findall(r"\b(encantan?) (\w+)", text):
            seen["love"] += 1
            assert (verb == "encantan") == (article in ("los", "las")), text
        clause = re.search(r"^los (?:osos|Bears) (\w+)", text)
        if clause and clause[1] not in ("en", "cerca", "que"):
            seen["plural"] += 1
            assert clause[1].endswith(("ron", "ían")), text
    assert min(seen.values()) > 500
    assert len(seen) == 3


def test_every_bears_is_translated_by_what_it_means(learned: list[BearsPair]) -> None:
    for pair in learned:
        assert len(pair.senses) == len(pair.combinations) == pair.source.count("bears")
        found = [pair.target[t] for _, t in pair.alignment]
        assert found == [SENSES[sense] for sense in pair.senses], str(pair)
        assert all(pair.source[s] == "bears" for s, _ in pair.alignment)
    assert min(Counter(sense for pair in learned for sense in pair.senses).values()) > 1500


def test_what_they_did_it_to_tells_the_team_from_the_animals(learned: list[BearsPair]) -> None:
    kinds = defaultdict(set)
    for pair in learned:
        for sense, (verb, thing) in zip(pair.senses, pair.combinations, strict=True):
            if thing in SPORT | WILD:
                kinds[verb].add(sense)
                assert sense == ("team" if thing in SPORT else "animal"), str(pair)
    both = {verb for verb, senses in kinds.items() if senses == {"team", "animal"}}
    assert both == {"lost", "saw", "found", "wanted", "left", "defended"}


def test_neither_the_neighbours_nor_the_words_of_a_sentence_give_it_away(
    learned: list[BearsPair], tested: dict[str, list[BearsPair]]
) -> None:
    """The most frequent sense between the same two words is often the wrong one."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def between(pair: BearsPair) -> list[tuple[str, str]]:
        around = ["", *pair.source, ""]
        return [(around[s], around[s + 2]) for s, _ in pair.alignment]

    for pair in learned:
        for place, sense in zip(between(pair), pair.senses, strict=True):
            counts[place][sense] += 1
    for kind, most in {"gap": 0.65, "two": 0.92}.items():
        places = [(p, s) for pair in tested[kind] for p, s in zip(between(pair), pair.senses, strict=True)]
        hits = sum(bool(counts[p]) and counts[p].most_common(1)[0][0] == sense for p, sense in places)
        assert hits / len(places) < most, (kind, hits / len(places))
    assert all(len(set(pair.senses)) > 1 for pair in tested["two"])


def test_no_combination_that_is_tested_is_learned(
    learned: list[BearsPair], tested: dict[str, list[BearsPair]]
) -> None:
    known = {combination for pair in learned for combination in pair.combinations}
    apart = {word for pair in learned for word in pair.source}
    for some in tested.values():
        assert len({str(pair) for pair in some}) == len(some) == 70
        for pair in some:
            new = set(pair.combinations) - known
            assert new, str(pair)
            assert {word for combination in new for word in combination} <= apart | {"love"}
            assert is_held_out(pair)
    assert not any(map(is_held_out, learned))
    assert set(CANONICAL).isdisjoint(str(pair).split(" → ")[0] for pair in learned)


def test_what_decides_is_far_away_in_a_gap(tested: dict[str, list[BearsPair]]) -> None:
    for pair in tested["gap"]:
        ((verb, thing),) = pair.combinations
        at = pair.source.index("bears")
        assert clue(pair) >= at + 5
        assert pair.source[clue(pair)] == thing
        assert verb in pair.source[clue(pair) - 3 : clue(pair) - 1], str(pair)
        assert pair.source[at - 1] == "the"


def test_a_number_below_zero_is_refused() -> None:
    for draw in (training, held_out):
        with pytest.raises(ValueError, match="n: expected zero or more pairs, got -1"):
            draw(-1)
