"""Translation into Spanish: no data before it is needed, and figures that say what they mean."""

import pytest
import torch

from unrolled.data.spanish import BUCKETS, SPECIMENS, Pair, is_held_out, pairs
from unrolled.nn.seq2seq import Seq2Seq
from unrolled.tap import record
from unrolled.training import GenerateOptions
from unrolled.training.recipes import spanish
from unrolled.training.recipes.spanish import SOURCE, TARGET, Spanish, denials_kept
from unrolled.training.run import evaluate_task

SMALL = {"d_model": 12, "d_hidden": 14, "n_heads": 2, "d_ff": 11, "sentences": 70, "batch": 13}
MODELS = [{"score": None}, {"score": "additive"}, {"architecture": "transformer", "n_layers": 2}]
RANGES = [f"{low}-{high}" for low, high in BUCKETS]


@pytest.fixture
def few(monkeypatch):
    """Seven test sentences of each range instead of two hundred."""
    tested = {bucket: pairs(7, 1, *bucket, "held_out") for bucket in BUCKETS}
    monkeypatch.setattr(spanish, "_tested", lambda: tested)
    return tested


def made(**options):
    torch.manual_seed(0)
    return Spanish(**SMALL, **options).task()


def test_a_task_that_only_writes_makes_no_sentence(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("sentences were made")

    for name in ("training", "pairs", "held_out"):
        monkeypatch.setattr(spanish, name, refuse)
    task = made()
    words = task.write(task.model, "Don't eat the pizza", GenerateOptions()).split()
    assert set(words) <= set(TARGET.tokens)
    with pytest.raises(ValueError, match="known words, got 'pasta'"):
        task.write(task.model, "don't eat the pasta", GenerateOptions())
    with pytest.raises(AssertionError, match="sentences were made"):
        next(iter(task.batches("train", 0, 0)))


def test_nothing_that_is_tested_is_learned():
    task = made(longest=10)
    learned = {SOURCE.decode(source) for source, _ in task.pairs("train")}
    assert len(task.pairs("train")) == 70
    assert max(len(text.split()) for text in learned) == 10
    tested = {" ".join(pair.source) for some in spanish._tested().values() for pair in some}
    validated = {SOURCE.decode(source) for source, _ in task.pairs("validation")}
    assert not learned & (tested | validated)
    assert all(is_held_out(text.split()) for text in validated)
    assert len(tested) > 990


@pytest.mark.parametrize("options", MODELS)
def test_every_model_is_measured_by_length(options, few):
    task = made(**options)
    figures = evaluate_task(task, task.recipe)
    names = ["exact", "tokens", "bleu", "negation", *(["alignment", "near"] if options != MODELS[0] else [])]
    overall = [*names[4:], "specimens"]
    assert list(figures) == [f"{name} {of}" for of in RANGES for name in names] + overall
    assert all(0 <= value <= 1 for name, value in figures.items() if "bleu" not in name)


def test_a_model_that_is_always_right_has_every_figure_at_its_best(few, monkeypatch):
    task = made(architecture="transformer")
    known = {" ".join(p.source): " ".join(p.target) for some in few.values() for p in some} | SPECIMENS
    monkeypatch.setattr(task, "translate", lambda model, sentences: [known[s] for s in sentences])
    figures = evaluate_task(task, task.recipe)
    for of in RANGES:
        assert [figures[f"{name} {of}"] for name in ("exact", "negation")] == [1, 1]
        assert figures[f"bleu {of}"] == pytest.approx(100)
    assert figures["specimens"] == 1
    assert figures["tokens 6-10"] < 0.5, "that is asked of the model itself"


@pytest.mark.parametrize("options", MODELS[1:])
def test_maps_and_guesses_of_a_pair_are_the_same_alone_and_among_others(options):
    task = made(**options)
    model = task.model.double().eval()
    some = pairs(3, 5, 3, 11)
    n = [(len(pair.target) + 1, len(pair.source) + 1) for pair in some]
    maps, guesses = task.attention(model, some), task.guesses(model, some)
    assert [tuple(weights.shape) for weights in maps] == n
    assert [len(words) for words in guesses] == [t for t, _ in n]
    for pair, weights, words in zip(some, maps, guesses, strict=True):
        torch.testing.assert_close(weights, task.attention(model, [pair])[0], rtol=0, atol=1e-12)
        torch.testing.assert_close(weights.sum(-1), torch.ones(len(weights)).double())
        assert torch.equal(words, task.guesses(model, [pair])[0])


def test_a_map_is_that_of_the_layer_asked_for():
    task = made(**MODELS[2])
    (pair,) = pairs(1, 5, 7, 7)
    with record(task.model, "decoder.layers.0.cross_attention.weights") as heard:
        task.guesses(task.model, [pair])
    (weights,) = next(iter(heard.values()))
    torch.testing.assert_close(task.attention(task.model, [pair], layer=0)[0], weights[0].mean(0))
    assert not torch.equal(task.attention(task.model, [pair])[0], weights[0].mean(0))


def test_alignment_counts_words_hit_and_words_hit_nearly(few, monkeypatch):
    task = made()
    pair = Pair(("i", "see", "the", "dog"), ("veo", "al", "perro"), ((1, 0), (3, 2)))
    for bucket in few:
        few[bucket] = [pair]
    monkeypatch.setattr(spanish, "denials_kept", lambda *arguments: 0.0)
    # "veo" looks at "i", beside "see"; "perro" at "dog"; "al" has no counterpart.
    weights = torch.eye(5)[[0, 0, 3, 4]]
    monkeypatch.setattr(task, "attention", lambda model, pairs: [weights])
    figures = evaluate_task(task, task.recipe)
    assert (figures["alignment 6-10"], figures["near 6-10"]) == (0.5, 1)
    assert (figures["alignment"], figures["near"]) == (0.5, 1)


def test_a_denial_is_kept_when_the_same_verb_is_denied():
    asked = ["no comas la pizza y no duermo", "ella ve la casa", "no va"]
    assert denials_kept(asked, asked) == 1
    assert denials_kept(["come la pizza y no duermo", "ella no ve la casa", "no ve"], asked) == 1 / 3
    assert denials_kept(["no comas y no comas", "", ""], asked) == 1 / 3, "once for each that is asked for"
    with pytest.raises(ValueError, match="expected a 'no' in one of them at least"):
        denials_kept(["no va"], ["va"])


def test_models_are_as_small_as_the_weights_that_ship():
    for options in ({}, {"score": None}, {"score": "general"}, {"score": "additive"}):
        model = Spanish(**options).model()
        assert isinstance(model, Seq2Seq)
        assert 170_000 < sum(p.numel() for p in model.parameters()) < 215_000
