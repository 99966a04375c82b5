"""What translation recipes share: batches, loss and writing, with an LSTM and with a transformer."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from unrolled.data.batches import IGNORED
from unrolled.data.special_tokens import SPECIAL
from unrolled.data.tokenizers import Words
from unrolled.training import GenerateOptions, Writer
from unrolled.training.distributed import workers
from unrolled.training.run import run_recipe
from unrolled.training.translation import TranslationTask, logits
from unrolled.training.translation_recipe import TranslationRecipe

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven"]
ZAHLEN = ["eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben"]
PAIRS = [
    (" ".join(NUMBERS[i : i + n]), " ".join(reversed(ZAHLEN[i : i + n])))
    for n in (1, 2, 3)
    for i in range(8 - n)
]


@dataclass(frozen=True, kw_only=True)
class Counting(TranslationRecipe):
    """Numbers, translated and turned round."""

    name = "counting"
    about = "a few numbers"

    steps: int = 150
    batch: int = 7
    lr: float = 1e-2
    d_model: int = 20
    d_hidden: int = 22
    n_heads: int = 2
    d_ff: int = 31
    max_len: int = 13

    def model(self) -> nn.Module:
        return self.make_model(len(SPECIAL) + 7, len(SPECIAL) + 7)

    def task(self, data: Path | None = None) -> TranslationTask:
        splits = {"train": PAIRS, "validation": PAIRS[:11]}
        return TranslationTask(self, Words(NUMBERS, strict=True), Words(ZAHLEN), splits)


MODELS = [
    {"architecture": "lstm", "score": None},
    {"architecture": "lstm", "score": "additive"},
    {"architecture": "transformer"},
]


@pytest.mark.parametrize("options", MODELS)
def test_each_model_learns_a_few_sentences(options: dict, tmp_path: Path) -> None:
    recipe = Counting(**options)
    with workers("cpu") as alone:
        metrics = run_recipe(recipe, tmp_path, alone, quiet=True)
    assert metrics["metrics"] == {"exact_match": 1.0}


def test_every_pair_comes_once_an_epoch_and_padding_is_no_target() -> None:
    task = Counting().task()
    seen = []
    for batch in task.batches("train", 3, 0):
        assert set(batch) == {"source", "lengths", "target", "labels"}
        real = batch["labels"] != IGNORED
        for row, target, mine in zip(batch["labels"], batch["target"], real, strict=True):
            answer = row[mine].tolist()
            assert answer[-1] == SPECIAL.eos
            assert target[: len(answer)].tolist() == [SPECIAL.bos, *answer[:-1]]
            seen.append(task.target_tokenizer.decode(answer))
    assert sorted(seen) == sorted(target for _, target in PAIRS)


def test_the_order_follows_from_seed_and_epoch() -> None:
    task = Counting().task()
    first, again, later, other = (
        [batch["source"].tolist() for batch in task.batches("train", seed, epoch)]
        for seed, epoch in ((3, 0), (3, 0), (3, 1), (5, 0))
    )
    assert first == again
    assert first != later
    assert first != other


def test_batches_may_be_limited_by_tokens() -> None:
    task = Counting(max_tokens=12).task()
    for batch in task.batches("train", 0, 0):
        assert max(batch["source"].numel(), batch["target"].numel()) <= 12


@pytest.mark.parametrize("options", MODELS)
def test_padding_changes_no_logit(options: dict) -> None:
    model = Counting(**options).task().model.eval()
    source, target = torch.tensor([[5, 7, 9, 2]]), torch.tensor([[1, 6, 8]])
    padded = torch.cat([source, torch.zeros(1, 3, dtype=torch.long)], 1)
    longer = torch.cat([target, torch.zeros(1, 2, dtype=torch.long)], 1)
    lengths = torch.tensor([4])
    torch.testing.assert_close(
        logits(model, padded, lengths, longer)[:, :3], logits(model, source, lengths, target)
    )


def test_logits_of_another_kind_of_model_are_refused() -> None:
    with pytest.raises(TypeError, match="expected a Seq2Seq or a Transformer, got Linear"):
        logits(nn.Linear(2, 3), torch.ones(1, 1), torch.ones(1), torch.ones(1, 1))


def test_a_tokenizer_with_more_words_than_the_model_is_refused() -> None:
    splits = {"train": PAIRS, "validation": PAIRS}
    with pytest.raises(ValueError, match="target_tokenizer: expected at most the model's 12 tokens, got 13"):
        TranslationTask(Counting(), Words(NUMBERS), Words([*ZAHLEN, "acht"]), splits)


@pytest.mark.parametrize("options", MODELS)
@pytest.mark.parametrize("beam", [1, 3])
def test_a_batch_is_translated_as_its_sentences_alone(options: dict, beam: int) -> None:
    task = Counting(**options).task()
    sentences = [source for source, _ in PAIRS]
    together = task.translate(task.model, sentences, beam=beam, max_len=5, batch=7)
    alone = [task.translate(task.model, [sentence], beam=beam, max_len=5)[0] for sentence in sentences]
    assert together == alone


def test_it_writes_what_it_is_asked_to_translate() -> None:
    task = Counting().task()
    assert isinstance(task, Writer)
    written = task.write(task.model, "one two", GenerateOptions(beam=2, max_len=3))
    assert len(written.split()) <= 3
    with pytest.raises(ValueError, match="expected a sentence, got none"):
        task.write(task.model, " ", GenerateOptions())
    with pytest.raises(ValueError, match="got 'eleven'"):
        task.write(task.model, "eleven", GenerateOptions())
