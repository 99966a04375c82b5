import pytest
import torch

from unrolled.data import bears
from unrolled.data.batches import IGNORED
from unrolled.data.bears_tokens import WORDS, word_id
from unrolled.data.special_tokens import SPECIAL
from unrolled.training import GenerateOptions
from unrolled.training.recipes import recipes
from unrolled.training.recipes.bears import Bears
from unrolled.training.recipes.reversal import Reversal

SMALL = {"sentences": 400, "batch": 32}


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    return Bears(**SMALL, hidden=0.25, hidden_bears=0.5).task()


def equal(one, two):
    """Tell whether two lists of batches hold the same numbers; `torch.equal` looks at shapes too."""
    return len(one) == len(two) and all(
        torch.equal(a[key], b[key]) for a, b in zip(one, two, strict=True) for key in a
    )


@pytest.mark.parametrize("make", [lambda: Bears(**SMALL).task(), lambda: Reversal(epoch=5).task()])
def test_batches_follow_from_split_seed_and_epoch_alone(make):
    task = make()
    first = list(task.batches("train", 0, 0))
    torch.rand(5)
    assert equal(first, list(make().batches("train", 0, 0)))
    for split, seed, epoch in [("train", 0, 1), ("train", 1, 0), ("validation", 0, 0)]:
        other = list(task.batches(split, seed, epoch))
        assert not equal(first[:1], other[:1])


def test_every_sentence_comes_once_an_epoch_with_words_hidden_as_asked(small):
    seen = []
    hidden = words = hidden_bears = n_bears = 0
    for batch in small.batches("train", 0, 0):
        asked = batch["answers"] != IGNORED
        assert bool((batch["words"][asked] == SPECIAL.mask).all())
        whole = torch.where(asked, batch["answers"], batch["words"])
        assert not bool((whole == SPECIAL.mask).any())
        real = torch.arange(whole.shape[1]) < batch["lengths"][:, None]
        assert torch.equal(whole != SPECIAL.pad, real)
        is_bears = whole == word_id("bears")
        hidden, words = hidden + int((asked & ~is_bears).sum()), words + int((real & ~is_bears).sum())
        hidden_bears, n_bears = hidden_bears + int((asked & is_bears).sum()), n_bears + int(is_bears.sum())
        seen += [tuple(WORDS[i] for i in row if i != SPECIAL.pad) for row in whole.tolist()]
    corpus = [sentence.words for sentence in bears.corpus(440, 0)]
    assert sorted(seen) == sorted(corpus[:400])
    assert hidden / words == pytest.approx(0.25, abs=0.03)
    assert hidden_bears / n_bears == pytest.approx(0.5, abs=0.08)
    validated = sum(len(batch["words"]) for batch in small.batches("validation", 0, 0))
    assert validated == 40


def test_rare_words_are_hidden_more_often_when_asked():
    torch.manual_seed(0)
    even, balanced = (Bears(**SMALL, hidden=0.25, balance=balance).task() for balance in (0.0, 0.5))
    the, rare = word_id("the"), word_id("playoff")
    assert even._share[the] == even._share[rare] == 0.25
    assert balanced._share[the] < 0.2 < 0.3 < balanced._share[rare] <= 0.6


def test_the_bears_model_is_as_small_as_promised_and_all_of_it_learns(small):
    torch.manual_seed(0)
    task = Bears(**SMALL).task()
    assert sum(p.numel() for p in task.model.parameters()) <= 80_000
    loss, count = task.loss(task.model, next(iter(task.batches("train", 0, 0))))
    loss.backward()
    assert 4.5 < loss.item() / count.item() < 6.5, "about log 201 before any learning"
    assert [name for name, p in task.model.named_parameters() if p.grad is None] == []


def test_a_trained_model_is_asked_without_a_corpus(monkeypatch):
    monkeypatch.setattr(bears, "corpus", lambda *_: pytest.fail("nobody asked for sentences to learn from"))
    task = Bears().task()
    assert task.senses(task.model, ["I love bears!"])[0] in bears.SENSES
    assert task.write(task.model, "she _ the pain", GenerateOptions())


def test_bears_are_asked_with_the_word_hidden_and_seen(small):
    a, b = (
        bears.Sentence(bears.tokenize(text), None, 1, None)
        for text in ("she bears the pain", "she love the pain")
    )
    with torch.no_grad():
        assert torch.allclose(small.vectors(small.model, [a]), small.vectors(small.model, [b]), atol=1e-6)
        seen = small.vectors(small.model, [a, b], hide=False)
    assert not torch.allclose(seen[0], seen[1], atol=1e-3)
    with pytest.raises(ValueError, match="expected a sentence with 'bears', got 'she suffers'"):
        small.senses(small.model, ["she suffers"])


def test_bears_fills_gaps_and_names_senses(small):
    options = GenerateOptions()
    filled = small.write(small.model, "she _ the Pain", options).split()
    assert [filled[0], *filled[2:]] == ["she", "the", "pain"]
    assert filled[1] in bears.VOCABULARY
    assert small.write(small.model, "I love bears!", options) in bears.SENSES
    draws = {small.write(small.model, "_ _ _", GenerateOptions(temperature=5.0, seed=s)) for s in (0, 1, 1)}
    assert len(draws) == 2
    with pytest.raises(ValueError, match="expected a sentence with 'bears', or with _"):
        small.write(small.model, "she suffers", options)
    with pytest.raises(ValueError, match="did you mean"):
        small.write(small.model, "she _ the pane", options)


def test_every_recipe_is_named_by_its_key_and_described():
    for name, recipe in recipes().items():
        assert recipe.name == name
        assert recipe.about
        assert recipe().command() == f"unrolled train {name}"
