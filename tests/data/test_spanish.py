"""The English and Spanish pairs: correct, decided by the English, aligned, and never shared with training."""

import hashlib
import re
from collections import Counter, defaultdict

import pytest

from unrolled.data.spanish import (
    BUCKETS,
    MAX_WORDS,
    SOURCE_VOCABULARY,
    SPECIMENS,
    TARGET_VOCABULARY,
    Pair,
    held_out,
    is_held_out,
    pairs,
    training,
)


def words(text: str) -> list[str]:
    return text.split()


# What a Spanish speaker knows of the words, written down apart from the grammar's own lexicon.
GENDER = {
    **dict.fromkeys(words("niño hombre perro gato jardín coche libro pastel aspecto olor"), "m"),
    **dict.fromkeys(words("niña mujer casa carta pizza sopa"), "f"),
}
PLURAL = {
    **{noun: noun + "s" for noun in GENDER if noun[-1] in "aeo"},
    **{"mujer": "mujeres", "jardín": "jardines", "pastel": "pasteles"},
}
NOUNS = {noun: (gender, "s") for noun, gender in GENDER.items()}
NOUNS |= {PLURAL[noun]: (gender, "p") for noun, gender in GENDER.items() if noun in PLURAL}
LIVING = {word for noun in words("niño niña hombre mujer perro gato") for word in (noun, PLURAL[noun])}
DETERMINERS = {
    **{"el": "ms", "la": "fs", "los": "mp", "las": "fp", "un": "ms", "una": "fs", "al": "ms", "del": "ms"},
    **{"mi": "mfs", "mis": "mfp"},
}
ADJECTIVES = {"grande": "mfs", "grandes": "mfp", "verde": "mfs", "verdes": "mfp"}
for _stem in ("roj", "blanc", "pequeñ", "extrañ", "delicios"):
    ADJECTIVES |= {_stem + "o": "ms", _stem + "a": "fs", _stem + "os": "mp", _stem + "as": "fp"}
VERBS = {
    **dict.fromkeys(words("ve come lee compra duerme va es"), "s"),
    **dict.fromkeys(words("ven comen leen compran duermen van son"), "p"),
}

FINITE = {
    *words("veo vemos ve ven como comemos come comen comas comamos leo leemos lee leen leas leamos"),
    *words("compro compramos compra compran compres compremos duermo dormimos duerme duermen"),
    *words("voy vamos va van vayas"),
}

# Translated by hand.
BY_HAND = """
she sleeps → ella duerme | they sleep → duermen | i sleep → duermo | we sleep → dormimos | go → ve
we don't sleep → no dormimos | the dog doesn't sleep → el perro no duerme | the girl reads → la niña lee
the women read → las mujeres leen | i don't read → no leo | they don't eat → no comen | read → lee
don't go → no vayas | let's eat → comamos | don't read → no leas | let's read → leamos
the pizza is red → la pizza es roja | my houses are white → mis casas son blancas
my house is white → mi casa es blanca | the gardens are big → los jardines son grandes
the soup is delicious → la sopa es deliciosa | the men are strange → los hombres son extraños
i see a man → veo a un hombre | she sees the boys → ella ve a los niños | we see the boy → vemos al niño
they see the girls → ven a las niñas | we see my women → vemos a mis mujeres
we see the house → vemos la casa | i buy the book → compro el libro | i sleep here → duermo aquí
don't eat the soup → no comas la sopa | let's buy the pizza → compremos la pizza
"""


def entries(text: str) -> list[tuple[str, str]]:
    found = re.findall(r"([^|\n]+?) → ([^|\n]+)", text)
    return [(source.strip(), target.strip()) for source, target in found]


def digest(some: list[Pair]) -> str:
    return hashlib.sha256("\n".join(f"{pair} {pair.alignment}" for pair in some).encode()).hexdigest()


@pytest.fixture(scope="module")
def short() -> list[Pair]:
    return pairs(5_000, 3, 1, 4)


@pytest.fixture(scope="module")
def learned() -> list[Pair]:
    return training(6_000)


@pytest.fixture(scope="module")
def tested() -> dict[tuple[int, int], list[Pair]]:
    return held_out(60)


def test_the_pairs_are_the_same_on_every_machine(learned):
    assert digest(learned) == "098663f31711e980ecea1825fda43c573b80394566bdaf4400f7d3a7d8a8ebbd"
    assert digest(training(100)) == digest(learned[:100])
    assert digest(training(100, seed=1)) != digest(learned[:100])


def test_the_vocabularies_are_what_the_pairs_use(learned):
    assert {word for pair in learned for word in pair.source} == set(SOURCE_VOCABULARY)
    assert {word for pair in learned for word in pair.target} == set(TARGET_VOCABULARY)
    assert (len(SOURCE_VOCABULARY), len(TARGET_VOCABULARY)) == (71, 109)
    assert list(SOURCE_VOCABULARY) == sorted(set(SOURCE_VOCABULARY))
    assert list(TARGET_VOCABULARY) == sorted(set(TARGET_VOCABULARY))


def test_the_specimens_come_out_of_the_grammar(short):
    made = {" ".join(pair.source): pair for pair in [*short, *pairs(2_000, 1, 8, 8)]}
    for source, target in SPECIMENS.items():
        assert " ".join(made[source].target) == target
    # let's go -> vamos; don't eat the delicious looking and smelling pizza.
    assert made["let's go"].alignment == ((1, 0),)
    pizza = made["don't eat the delicious looking and smelling pizza"]
    aligned = [(pizza.source[s], pizza.target[t]) for s, t in pizza.alignment]
    assert aligned == [
        ("eat", "comas"),
        ("pizza", "pizza"),
        ("looking", "aspecto"),
        ("smelling", "olor"),
        ("delicious", "deliciosos"),
    ]


def test_the_hard_specimen_is_never_trained_on_and_the_easy_one_is(learned):
    easy, hard = SPECIMENS
    assert is_held_out(hard.split())
    assert easy in {" ".join(pair.source) for pair in learned}


@pytest.mark.parametrize(("source", "target"), entries(BY_HAND))
def test_translations_by_hand_agree(short, source, target):
    made = {" ".join(pair.source): " ".join(pair.target) for pair in short}
    assert made[source] == target


def test_the_english_decides_the_spanish(short, learned):
    targets: dict[tuple[str, ...], tuple[str, ...]] = {}
    repeats = 0
    for pair in [*short, *learned]:
        repeats += pair.source in targets
        assert targets.setdefault(pair.source, pair.target) == pair.target
    assert repeats > 1_000


def test_it_is_never_open_where_a_clause_begins(learned):
    """ "i see the boys and the girls and the men read" would say neither who is seen nor who reads."""
    some_one = r"(?:the|a|my) (?:(?:big|small|strange|white) )*(?:boys?|girls?|m[ae]n|wom[ae]n|dogs?|cats?)"
    text = "\n".join(" ".join(pair.source) for pair in learned)
    assert not re.search(rf"\band {some_one} and {some_one}", text)
    assert len(re.findall(rf"\b(?:but|because) {some_one} and {some_one}", text)) > 100


def fits(marks: str, gender: str, number: str) -> bool:
    return gender in marks and number in marks


def test_articles_adjectives_and_verbs_agree(learned, tested):
    seen: Counter[str] = Counter()
    for pair in [*learned, *(pair for some in tested.values() for pair in some)]:
        spanish = pair.target
        for i, word in enumerate(spanish):
            if word not in NOUNS or word in ("aspecto", "olor"):
                continue
            gender, number = NOUNS[word]
            assert fits(DETERMINERS[spanish[i - 1]], gender, number), str(pair)
            j = i + 1
            while j < len(spanish) and spanish[j] in ADJECTIVES:
                seen["adjective"] += 1
                assert fits(ADJECTIVES[spanish[j]], gender, number), str(pair)
                j += 1
            # A noun straight after a connective, or first, is the subject of the verb behind it.
            before = spanish[i - 2] if i > 1 else "pero"
            verb = j + 1 if j < len(spanish) and spanish[j] == "no" else j
            first = before in ("pero", "porque", "cuando", "mientras", "que")
            if first and spanish[i - 1] != "al" and verb < len(spanish) and spanish[verb] in VERBS:
                seen["verb"] += 1
                assert VERBS[spanish[verb]] == number, str(pair)
                if spanish[verb] in ("es", "son"):
                    seen["ser"] += 1
                    assert fits(ADJECTIVES[spanish[verb + 1]], gender, number), str(pair)
    assert min(seen.values()) > 1_000
    assert len(seen) == 3


def test_the_order_turns_round(learned):
    english = {"red", "white", "green", "big", "small", "strange", "delicious"}
    nouns = defaultdict(int)
    for pair in learned:
        where = dict(pair.alignment)
        for s, word in enumerate(pair.source[:-1]):
            after = pair.source[s + 1]
            spanish = pair.target[where[s]] if s in where else ""
            if word in english and s + 1 in where and pair.target[where[s + 1]] in NOUNS and after != "and":
                nouns[after] += 1
                assert spanish in ADJECTIVES
                if after in ("looking", "smelling"):
                    assert where[s] > where[s + 1]
                elif s and pair.source[s - 1] in english:  # small red house: casa roja pequeña
                    assert where[s + 1] < where[s] < where[s - 1]
                else:
                    assert where[s + 1] < where[s]
    assert len(nouns) > 20


def test_look_and_smell_agree_with_themselves(learned):
    text = "\n".join(" ".join(pair.target) for pair in learned)
    assert set(re.findall(r"aspecto y olor (\w+)", text)) == {"extraños", "deliciosos"}
    assert set(re.findall(r"de (?:aspecto|olor) (\w+)", text)) == {"extraño", "delicioso", "y"}


def test_negation_contraction_and_the_personal_a(learned):
    personal = 0
    for pair in learned:
        source, target = " ".join(pair.source), " ".join(pair.target)
        assert pair.target.count("no") == sum(word in ("don't", "doesn't") for word in pair.source)
        assert not re.search(r"\b(a|de) el\b", target), str(pair)
        for match in re.finditer(
            r"\b(?:ve|ven|veo|vemos) (a )?(el|la|los|las|un|una|mi|mis|al) (\S+)", target
        ):
            if source.startswith("go ") and match.start() == 0:
                continue  # "ve" is "go" there
            a, article, noun = match.groups()
            personal += noun in LIVING
            assert (noun in LIVING) == (a is not None or article == "al"), str(pair)
    assert personal > 500


def test_every_content_word_is_aligned_once_with_its_translation(learned):
    partners = defaultdict(set)
    for pair in learned:
        assert [t for _, t in pair.alignment] == sorted({t for _, t in pair.alignment})
        assert len({s for s, _ in pair.alignment}) == len(pair.alignment)
        aligned = {t for _, t in pair.alignment}
        for t, word in enumerate(pair.target):
            assert (t in aligned) == (word in NOUNS or word in ADJECTIVES or word in FINITE), str(pair)
        for s, t in pair.alignment:
            partners[pair.source[s]].add(pair.target[t])
    assert partners["women"] == {"mujeres"}
    assert partners["red"] == {"rojo", "roja", "rojos", "rojas"}
    assert partners["eat"] == {"como", "comemos", "come", "comen", "comas", "comamos"}
    assert partners["reads"] == {"lee"}
    assert partners["go"] == {"voy", "vamos", "va", "van", "ve", "vayas"}
    assert {"the", "and", "to", "don't", "is"}.isdisjoint(partners)


def test_lengths_are_spread_evenly(learned, tested):
    lengths = Counter(len(pair.source) for pair in learned)
    assert sorted(lengths) == list(range(1, 46))
    assert max(lengths.values()) < 2 * min(lengths.values())
    for (low, high), some in tested.items():
        assert len(some) == 60
        assert all(low <= len(pair.source) <= high for pair in some)
    assert tuple(tested) == BUCKETS == ((6, 10), (16, 20), (26, 30), (41, 50), (51, 74))
    assert [len(pair.source) for pair in pairs(2, 0, 75, 75)] == [MAX_WORDS, MAX_WORDS]


def test_no_pair_to_test_with_is_in_any_training_set(learned, tested):
    trained = {pair.source for pair in [*learned, *training(500, seed=9, max_words=10)]}
    for some in tested.values():
        assert all(is_held_out(pair.source) for pair in some)
        assert trained.isdisjoint(pair.source for pair in some)
    assert not any(map(is_held_out, trained))
    share = [is_held_out(pair.source) for pair in pairs(1_500, 2, 6, 12)]
    assert 0.075 < sum(share) / len(share) < 0.125


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((-1, 0), "n: expected zero or more pairs, got -1"),
        ((1, 0, 0, 5), "expected 1 <= min_words <= max_words <= 75, got 0 and 5"),
        ((1, 0, 6, 5), "expected 1 <= min_words <= max_words <= 75, got 6 and 5"),
        ((1, 0, 6, 76), "expected 1 <= min_words <= max_words <= 75, got 6 and 76"),
        ((1, 0, 1, 5, "test"), "split: expected 'train', 'held_out' or 'all', got 'test'"),
        ((1, 0, 5, 9, "held_out"), "min_words: nothing under 6 words is held out, got 5"),
    ],
)
def test_bad_arguments_are_told(arguments, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        pairs(*arguments)
