"""The ladder's recipe, on captions made up here: the real ones have to be downloaded."""

import pytest
import torch

from tests.training.conftest import ALONE
from unrolled.data.special_tokens import SPECIAL
from unrolled.nn import Seq2Seq, Transformer
from unrolled.training import GenerateOptions
from unrolled.training.loop import Trainer
from unrolled.training.recipes import multi30k
from unrolled.training.recipes.multi30k import Multi30k, bleu
from unrolled.training.run import evaluate_task

SUBJECTS = {"Ein Hund": "A dog", "Eine Frau": "A woman", "Zwei Männer": "Two men"}
PLACES = {"am Strand": "on the beach", "im Park": "in the park", "im Schnee": "in the snow"}
CAPTIONS = [(f"{s} {p}.", f"{SUBJECTS[s]} {PLACES[p]}.") for s in SUBJECTS for p in PLACES]
SMALL = {"vocab_size": 300, "d_model": 22, "d_hidden": 26, "d_ff": 34, "n_heads": 2, "n_layers": 1}


@pytest.fixture(autouse=True)
def captions(monkeypatch):
    parts = {"train": CAPTIONS, "val": CAPTIONS[:5], "test": CAPTIONS[3:]}
    asked = []
    monkeypatch.setattr(multi30k, "multi30k", lambda part, folder: asked.append(folder) or parts[part])
    return asked


@pytest.mark.parametrize(("architecture", "kind"), [("lstm", Seq2Seq), ("transformer", Transformer)])
def test_it_learns_captions_and_bleu_says_so(architecture, kind, tmp_path, captions):
    torch.manual_seed(0)
    options = {"dropout": 0.0, "label_smoothing": 0.0, "max_tokens": 150, "steps": 250, "lr": 1e-2}
    recipe = Multi30k(architecture=architecture, **SMALL, **options, validate_every=0)
    task = recipe.task(tmp_path)
    assert set(captions) == {tmp_path}
    assert isinstance(task.model, kind)
    untrained = evaluate_task(task, recipe)
    assert list(untrained) == ["bleu", "bleu_greedy", "bleu_validation"]
    assert all(figure < 5 for figure in untrained.values())
    Trainer(recipe, task, tmp_path, ALONE).train()
    assert evaluate_task(task, recipe) == pytest.approx(dict.fromkeys(untrained, 100.0))
    assert task.write(task.model, "EIN HUND im Park.", GenerateOptions(beam=2)) == "a dog in the park."


def test_only_training_captions_make_the_vocabulary_and_case_does_not_count():
    task = Multi30k(**SMALL).task()
    assert task.source_tokenizer.encode("ein") != task.source_tokenizer.encode("Ein")
    for tokenizer, side in ((task.source_tokenizer, 0), (task.target_tokenizer, 1)):
        assert tokenizer.vocab_size <= 300
        for pair in CAPTIONS:
            assert tokenizer.decode(tokenizer.encode(pair[side].lower())) == pair[side].lower()
    (source, target), *_ = task.pairs("train")
    assert task.target_tokenizer.decode(target) == "a dog on the beach."
    assert not set(source) & set(SPECIAL)


def test_bleu_ignores_case_and_counts_words_in_a_row():
    right = ["A man walks his dog.", "Two girls are playing in the snow."]
    assert bleu([sentence.lower() for sentence in right], right) == pytest.approx(100.0)
    half = bleu(["a man walks his cat.", "two girls are playing in the sand."], right)
    assert 40 < half < 80
    assert bleu(["dog his walks man a .", "snow the in playing are girls two ."], right) < 15
    for written in ([], right[:1]):
        with pytest.raises(ValueError, match=r"^references: expected as many as sentences, 1 or more, got"):
            bleu(written, right if written else [])


def test_the_ladder_ends_in_a_transformer_of_the_size_that_was_trained():
    recipe = Multi30k()
    assert recipe.public
    assert isinstance(recipe.model(), Transformer)
    assert sum(p.numel() for p in recipe.model().parameters()) == 6_514_688
