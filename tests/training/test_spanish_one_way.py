"""One vector, one direction: the order of the source is all that differs, and places are counted."""

import pytest
import torch

from unrolled.data.spanish import BUCKETS, SOURCE_VOCABULARY, Pair, pairs
from unrolled.training.recipes import spanish
from unrolled.training.recipes.spanish import SOURCE, Spanish, arrived
from unrolled.training.recipes.spanish_one_way import BackwardWords, SpanishOneWay
from unrolled.training.run import evaluate_task

SMALL = {"d_model": 11, "d_hidden": 14, "sentences": 70, "batch": 13, "longest": 17}


def made(**options):
    torch.manual_seed(0)
    return SpanishOneWay(**SMALL, **options).task()


def test_the_encoder_reads_in_one_direction_and_hands_over_as_many_numbers():
    one_way, both = SpanishOneWay(**SMALL).model(), Spanish(**SMALL, score=None).model()
    assert [model.config.bidirectional for model in (one_way, both)] == [False, True]
    words = torch.tensor([[7, 9, 8]])
    shapes = [[part.shape for part in model.encode(words).state] for model in (one_way, both)]
    assert shapes[0] == shapes[1] == [(1, 1, 14), (1, 1, 14)]


def test_backward_and_forward_differ_in_the_order_of_the_source_alone():
    forward, backward = made(), made(reads="backward")
    for ours, theirs in zip(forward.batches("train", 0, 0), backward.batches("train", 0, 0), strict=True):
        assert all(torch.equal(ours[name], theirs[name]) for name in ("lengths", "target", "labels"))
        assert not torch.equal(ours["source"], theirs["source"])
        for row, other, n in zip(ours["source"], theirs["source"], ours["lengths"].tolist(), strict=True):
            assert row[: n - 1].tolist() == other[: n - 1].tolist()[::-1]
            assert row[n - 1] == other[n - 1], "<eos> stays behind"
    for name, weights in forward.model.state_dict().items():
        assert torch.equal(weights, backward.model.state_dict()[name]), name


def test_what_is_written_and_what_is_guessed_are_read_in_the_same_order():
    """The backward task with forward's words turned round is the forward task."""
    forward, backward = made(), made(reads="backward")
    some = pairs(3, 5, 7, 11)
    turned = [Pair(pair.source[::-1], pair.target, pair.alignment) for pair in some]
    texts = [[" ".join(pair.source) for pair in group] for group in (some, turned)]
    assert forward.translate(forward.model, texts[0]) == backward.translate(backward.model, texts[1])
    guesses = forward.guesses(forward.model, some), backward.guesses(backward.model, turned)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*guesses, strict=True))
    assert not all(
        torch.equal(ours, theirs)
        for ours, theirs in zip(guesses[0], backward.guesses(backward.model, some), strict=True)
    )


def test_backward_words_come_back_in_their_order():
    words = BackwardWords(SOURCE_VOCABULARY, lowercase=True, strict=True)
    assert words.encode("eat the pizza") == SOURCE.encode("pizza the eat")
    assert words.decode(words.encode("don't eat the pizza")) == "don't eat the pizza"


def test_words_that_arrive_are_counted_by_fifths():
    source = tuple("abcdefghij")
    pair = Pair(source, ("A", "B", "J"), ((0, 0), (1, 1), (9, 2)))
    shares = arrived([pair, pair], ["A J", "A B"])
    assert [shares[0], shares[4]] == [0.75, 0.5]
    assert shares[1:4].isnan().all(), "nothing stands there"
    assert arrived([pair], ["xA xJ"])[0] == 0, "a word, not a piece of one"
    with pytest.raises(TypeError, match="written"):
        arrived([pair], "A B J")


def test_it_is_measured_by_length_and_by_place(monkeypatch):
    monkeypatch.setattr(spanish, "_tested", lambda: {b: pairs(7, 1, *b, "held_out") for b in BUCKETS})
    task = made(reads="backward")
    figures = evaluate_task(task, task.recipe)
    assert list(figures)[-6:] == ["specimens", *(f"arrived {fifth}" for fifth in range(1, 6))]
    assert all(0 <= figures[f"arrived {fifth}"] <= 1 for fifth in range(1, 6))
    known = {" ".join(p.source): " ".join(p.target) for p in pairs(120, 11, 28, 28, "held_out")}
    monkeypatch.setattr(task, "translate", lambda model, texts: [known.get(text, "") for text in texts])
    figures = evaluate_task(task, task.recipe)
    assert [figures[f"arrived {fifth}"] for fifth in range(1, 6)] == [1] * 5


@pytest.mark.parametrize(("name", "value"), [("score", "dot"), ("architecture", "transformer")])
def test_what_has_no_one_vector_is_refused(name, value):
    with pytest.raises(ValueError, match=rf"^{name}: expected (none|lstm), got {value}$"):
        SpanishOneWay(**{name: value})
