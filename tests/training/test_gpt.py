"""The GPT of characters: its text, its loss over every character once, and how it writes."""

import math
from pathlib import Path

import pytest
import torch

from tests.data.test_public import REAL
from tests.training.conftest import ALONE
from unrolled.data import text
from unrolled.data.public import TINY_SHAKESPEARE
from unrolled.data.tales import PIECES, TALES, pieces, split, tales
from unrolled.data.tokenizers import Characters
from unrolled.nn import GPT
from unrolled.training import GenerateOptions
from unrolled.training.loop import Trainer
from unrolled.training.recipes import gpt
from unrolled.training.recipes.gpt import (
    ALPHABETS,
    END,
    STORIES,
    Gpt,
    GptLarge,
    GptTask,
    mean_loss,
)
from unrolled.training.recipes.gpt_tales import GptPlayground, GptTales, TalesTask
from unrolled.training.results import read_result
from unrolled.training.run import evaluate_task
from unrolled.training.stored import FOLDER, stored, stored_names

SMALL = {"corpus": "stories", "block": 11, "n_layers": 1, "n_heads": 2, "d_model": 14, "batch": 5}
END_OF_SHAKESPEARE = Path(__file__).with_name("shakespeare_end.txt")
READ = "the owl saw the moon. " * 40


@pytest.fixture
def task():
    torch.manual_seed(0)
    return GptTask(Gpt(**SMALL, epoch=3, steps=60, lr=2e-2, schedule="constant"), READ, READ[:200])


def test_the_alphabets_hold_each_character_once_and_all_of_the_stories():
    assert all(len(set(alphabet)) == len(alphabet) for alphabet in ALPHABETS.values())
    assert len(ALPHABETS["shakespeare"]) == 65
    assert set(text.corpus(300_000, 3)) <= set(ALPHABETS["stories"])


def test_the_two_sizes_are_those_of_nanogpt():
    parameters = [sum(p.numel() for p in recipe().model().parameters()) for recipe in (Gpt, GptLarge)]
    assert parameters == [810_496, 10_772_736]
    assert Gpt().public
    assert not Gpt(corpus="stories").public


def test_batches_are_crops_to_learn_from_and_all_of_the_rest_in_order(task):
    seen = [batch for _ in range(2) for batch in task.batches("train", 3, 1)]
    assert len(seen) == 6
    for batch in seen:
        assert batch["tokens"].shape == batch["answers"].shape == (5, 11)
        assert torch.equal(batch["tokens"][:, 1:], batch["answers"][:, :-1])
    assert torch.equal(seen[0]["tokens"], seen[3]["tokens"]), "an epoch can be had again"
    assert not torch.equal(seen[0]["tokens"], seen[1]["tokens"])
    (other, *_) = task.batches("train", 3, 2)
    assert not torch.equal(seen[0]["tokens"], other["tokens"])
    read = "".join(
        task.tokenizer.decode(row) for batch in task.batches("validation", 3, 0) for row in batch["answers"]
    )
    assert read == READ[1:199], "each character once but the first, and none of a block that is not full"


def test_the_loss_is_the_mean_over_every_block(task):
    model = task.model.eval()
    tokens = torch.tensor(task.tokenizer.encode(READ[:200]))
    inputs, answers = tokens[:198].view(18, 11), tokens[1:199].view(18, 11)
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(model(inputs).flatten(0, 1), answers.flatten())
    assert mean_loss(model, tokens, batch=7) == pytest.approx(expected.item(), rel=1e-5)
    assert evaluate_task(task, task.recipe)["loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_it_learns_and_writes_what_it_read(task, tmp_path):
    trainer = Trainer(task.recipe, task, tmp_path, ALONE)
    trainer.train()
    assert trainer.validation_loss() < 1.0 < 2.5 < -torch.tensor(1 / 14).log()
    written = task.write(task.model, "the owl", GenerateOptions(max_len=15))
    assert written == "the owl saw the moon. "
    drawn = task.write(task.model, "the", GenerateOptions(max_len=40, temperature=1.0, seed=3))
    assert drawn == task.write(task.model, "the", GenerateOptions(max_len=40, temperature=1.0, seed=3))
    assert drawn != task.write(task.model, "the", GenerateOptions(max_len=40, temperature=1.0, seed=4))
    assert len(task.write(task.model, "", GenerateOptions())) == 301
    assert [len(sample) for sample in task.sample(task.model, 3, 17)] == [17, 17, 17]
    with pytest.raises(ValueError, match="got 'ß' at position 1"):
        task.write(task.model, "aß", GenerateOptions())


def test_samples_are_as_many_as_asked_and_follow_from_the_seed(task):
    first = task.sample(task.model, 3, 17, seed=5)
    assert len(set(first)) == 3
    assert first == task.sample(task.model, 3, 17, seed=5)
    assert first != task.sample(task.model, 3, 17, seed=6)


def test_shakespeare_is_cut_where_nanogpt_cuts(monkeypatch):
    read = "".join(sorted(ALPHABETS["shakespeare"])) * 3
    monkeypatch.setattr(gpt, "tiny_shakespeare", lambda folder: read)
    task = Gpt(block=5, d_model=8, n_layers=1).task()
    decode = task.tokenizer.decode
    assert decode(task._tokens["train"].tolist()) == read[:175]
    assert decode(task._tokens["validation"].tolist()) == read[175:]
    assert isinstance(task.model, GPT)
    assert int(0.9 * TINY_SHAKESPEARE.size) == 1_003_854


def test_the_stories_to_validate_on_are_none_of_those_to_learn_from():
    task = Gpt(**SMALL).task()
    decode = task.tokenizer.decode
    train, validation = (decode(task._tokens[split].tolist()) for split in ("train", "validation"))
    assert len(train) > 400_000
    assert len(validation) > 40_000
    assert set(train.split("\n\n")).isdisjoint(validation.split("\n\n"))


@pytest.mark.parametrize("name", [name for name in stored_names() if stored(name).recipe.name == "gpt"])
def test_stored_weights_reach_their_loss(name):
    """Of Shakespeare the course carries nothing but these last characters of the validation split."""
    it = stored(name)
    recipe, model = it.recipe, it.model
    assert isinstance(recipe, Gpt)
    assert isinstance(model, GPT)
    if recipe.corpus == "shakespeare":
        end = END_OF_SHAKESPEARE.read_text(encoding="utf-8")
    else:
        end = text.corpus(*STORIES["validation"])[-END:]
    assert len(end) == END
    tokenizer = Characters(ALPHABETS[recipe.corpus])
    loss = mean_loss(model, torch.tensor(tokenizer.encode(end)))
    assert loss == pytest.approx(it.figures["loss_end"], abs=1e-3)
    result = read_result(it.result)
    at = result["seeds"].index(recipe.seed)
    assert loss == pytest.approx(result["metrics"]["loss_end"][at], abs=0.01)
    assert it.figures["loss"] == pytest.approx(result["metrics"]["loss"][at], abs=0.01)
    assert result["parameters"] == sum(p.numel() for p in model.parameters())


def test_the_tales_are_read_in_pieces_and_measured_in_bits_per_byte():
    torch.manual_seed(0)
    recipe = GptTales(block=11, n_layers=1, n_heads=2, d_model=14, batch=5)
    assert recipe.public
    held = "“Who’s been sleeping in my bed?” said the Great, Huge Bear. " * 7
    task = TalesTask(recipe, held * 9, held)
    ids = task.tokenizer.encode(held)
    assert task.tokenizer.vocab_size == PIECES == task.model.config.vocab_size
    assert len(ids) < len(held) < len(held.encode()), "pieces are longer, curly quotes three bytes"
    figures = evaluate_task(task, recipe)
    loss = mean_loss(task.model, torch.tensor(ids))
    assert figures["loss"] == pytest.approx(loss)
    bits = loss / math.log(2) * len(ids) / len(held.encode())
    assert figures["bits_per_byte"] == pytest.approx(bits)
    assert figures["bits_per_byte_read"] == pytest.approx(bits, rel=0.05), "the same sentence, untrained"
    assert task.write(task.model, "said the", GenerateOptions(max_len=3)).startswith("said the")


def test_the_tales_are_joined_book_by_book(monkeypatch):
    books = [f"{name} woke. " * 40 + "\n\n" + f"{name} slept.\n\n" * 9 for name in ("Bear", "Wolf")]
    monkeypatch.setattr(gpt, "tales", lambda folder: books)
    task = GptTales(block=5, d_model=8, n_layers=1).task()
    train, held = split(books)
    decode = task.tokenizer.decode
    assert decode(task._tokens["train"].tolist()) == "\n\n".join(train)
    assert decode(task._tokens["validation"].tolist()) == "\n\n".join(held)


def test_the_stored_model_of_the_tales_reaches_its_figures() -> None:
    it = stored("gpt-tales")
    model, result = it.model, read_result(it.result)
    assert isinstance(model, GPT)
    for figure, value in it.figures.items():
        assert value == pytest.approx(result["metrics"][figure][0], rel=0.005), figure
    assert result["parameters"] == sum(p.numel() for p in model.parameters())
    if all((REAL / book.source.name).is_file() for book in TALES):
        _, held = split(tales(folder=REAL))
        tokens = torch.tensor(pieces().encode("\n\n".join(held)))
        assert mean_loss(model, tokens) == pytest.approx(it.figures["loss"], rel=0.002)
        # It has learned more than pairs of neighbours hold.
        text = read_result("gpt-tales-text")["metrics"]
        assert it.figures["bits_per_byte"] < text["bigram"][0] < text["unigram"][0]


def test_the_playground_s_model_has_dropout_everywhere_but_in_attention() -> None:
    model = GptPlayground(d_model=8, n_heads=2, n_layers=1, block=7).model()
    assert model.token_embedding.num_embeddings == 2048
    assert model.dropout.p == 0.1
    assert model.layers[0].attention.dropout == 0
    tokens = torch.arange(7)[None]
    assert not torch.equal(model.train()(tokens), model(tokens))  # the rest has it


def test_the_playground_s_stored_model_writes_as_recorded() -> None:
    it = stored("gpt-playground")
    assert sum(p.numel() for p in it.model.parameters()) == read_result("gpt-playground")["parameters"]
    recorded = read_result("gpt-playground")["metrics"]["bits_per_byte"][0]
    assert it.figures["bits_per_byte"] == pytest.approx(recorded, abs=2e-3)  # 8 bits
    assert (FOLDER / "gpt-playground.safetensors").stat().st_size <= 4_000_000
    text = read_result("gpt-playground-text")["metrics"]
    assert recorded < min(text[name][0] for name in ("xz", "bz2", "gzip", "xz after the training text"))
    assert max(text[f"longest copied, {t}"][0] for t in (0.0, 0.5, 0.8, 1.0)) <= 40
