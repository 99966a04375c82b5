"""A GPT of characters: tiny Shakespeare as nanoGPT's laptop learns it, and two small models that ship."""

import bz2
import gzip
import lzma
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from tools.experiments.trial import Trial
from unrolled.data import text
from unrolled.data.memorisation import copied, sentences, valid_words, verbatim
from unrolled.generate import generate
from unrolled.training.recipes.gpt import STORIES, Gpt, GptTask
from unrolled.training.recipes.gpt_tales import GptTales, TalesTask, bits_per_byte
from unrolled.training.results import PROVENANCE, record_result
from unrolled.training.run import Run

__all__ = [
    "BY_HAND",
    "PROMPT",
    "TRIALS",
    "continuations",
    "memorisation",
    "memorisation_figures",
    "record_text",
    "tales_text",
    "text_figures",
    "yardsticks",
]

PROMPT = "Once upon a time there were three bears"
BY_HAND = (
    "The commit was entered by hand afterwards: it is the one that added the recipe, and no tool has checked "
    "that nothing else had changed when the run began."
)
_TEMPERATURES = (0.0, 0.5, 0.8, 1.0, 1.3)

_WHOLE = (
    "The loss is in nats per character, over the whole validation split (the last tenth of the text, 111,540 "
    "characters) in consecutive blocks, each from an empty context; nanoGPT's own figures are means over "
    "random crops of it, as long as the context. "
)
_COST = (
    "nanoGPT's configuration has the same steps, batches and sizes: 90 to 120 CPU seconds here, by 45 ms a "
    "step for this model and 57 ms for transformers' GPT2LMHeadModel, side by side. "
)
_NO_GPU = (
    "The 10.7 million parameters of gpt-large (6 layers of 384, blocks of 256, batches of 64, 5000 steps, "
    "dropout 0.2) were not trained: no GPU was at hand."
)


def memorisation_figures(task: GptTask, n: int = 20, length: int = 1000) -> dict[str, float]:
    """Return how many of the words a model draws exist, and how many of its sentences it has read.

    It draws `n` texts of `length` characters. ``by chance`` is the same of fresh stories, from the grammar
    itself.
    """
    read = text.corpus(*STORIES["train"])
    samples = task.sample(task.model, n, length, temperature=1.0, seed=0)
    # Each ends in the middle of a word, which nobody invented.
    drawn = "\n\n".join(one[: max(one.rfind(" "), one.rfind("\n"))] for one in samples)
    fresh = text.corpus(100_000, 2)
    return {
        "valid_words": valid_words(drawn, read),
        "verbatim": verbatim(drawn, read),
        "sentences": float(len(sentences(drawn))),
        "valid_words by chance": valid_words(fresh, read),
        "verbatim by chance": verbatim(fresh, read),
    }


def memorisation(run: Run, results: Path) -> None:
    """Write ``results/gpt-stories-novelty.json``."""
    assert isinstance(run.task, GptTask)
    figures = memorisation_figures(run.task)
    notes = (
        "20 texts of 1000 characters, drawn at temperature 1. valid_words: share of the words that "
        "occur in the training text. verbatim: share of the sentences that stand there letter by letter. By "
        "chance: the same of 100,000 characters of fresh stories from the grammar itself."
    )
    samples = run.task.sample(run.task.model, 2, 400, temperature=1.0, seed=0)
    record_text("gpt-stories-novelty", run, figures, samples, notes, results)


def yardsticks(task: TalesTask) -> dict[str, float]:
    """Return what the held-out text costs in bits per byte when no network reads it."""
    train, held = (task.texts[split] for split in ("train", "validation"))
    read, ids = (torch.tensor(task.tokenizer.encode(text)) for text in (train, held))
    v = task.tokenizer.vocab_size
    unigram = (torch.bincount(read, minlength=v) + 1).double()
    pairs = torch.bincount(read[:-1] * v + read[1:], minlength=v * v).view(v, v).double()
    # A pair that was never seen is not impossible: a twentieth of the probability goes by frequency alone.
    alone = unigram / unigram.sum()
    after = pairs / pairs.sum(1, keepdim=True).clamp_min(1)
    bigram = 0.95 * after[ids[:-1], ids[1:]] + 0.05 * alone[ids[1:]]
    text = held.encode()
    both, before = (
        len(lzma.compress(part.encode(), preset=9 | lzma.PRESET_EXTREME)) for part in (train + held, train)
    )
    return {
        "chance": bits_per_byte(math.log(v), len(ids), held),
        "unigram": bits_per_byte(float(-alone[ids].log().mean()), len(ids), held),
        "bigram": bits_per_byte(float(-bigram.log().mean()), len(ids), held),
        "gzip": 8 * len(gzip.compress(text, 9)) / len(text),
        "bz2": 8 * len(bz2.compress(text, 9)) / len(text),
        "xz after the training text": 8 * (both - before) / len(text),
    }


def continuations(
    task: TalesTask, temperature: float, n: int = 40, *, length: int
) -> tuple[list[str], list[list[int]]]:
    """Return what the model writes after the beginnings of `n` held-out paragraphs, as texts and as ids."""
    held = task.texts["validation"]
    paragraphs = [p for p in held.split("\n\n") if len(p) > 200]
    chosen = paragraphs[:: max(1, len(paragraphs) // n)][:n]
    prompts = torch.tensor([task.tokenizer.encode("\n\n" + p)[:12] for p in chosen])
    chance = torch.Generator().manual_seed(0)
    with torch.no_grad():
        written = generate(
            task.model,
            prompts,
            min(length, task.recipe.block - 12),
            temperature=temperature,
            generator=chance,
        )
    rows = [row[12:] for row in written.tolist()]
    return [task.tokenizer.decode(row) for row in rows], rows


def text_figures(
    task: TalesTask, temperatures: Iterable[float], length: int
) -> tuple[dict[str, float], dict[str, list[str]], dict[str, list[list[int]]]]:
    """Return what of the model's texts are words, and are copied; three texts each; and the ids of all."""
    train, held = (task.texts[split] for split in ("train", "validation"))
    figures: dict[str, float] = yardsticks(task)
    samples, ids = {}, {}
    for temperature in map(str, temperatures):
        texts, ids[temperature] = continuations(task, float(temperature), length=length)
        figures[f"known words, {temperature}"] = valid_words(" ".join(texts), train)
        figures[f"copied, {temperature}"] = copied(texts, train)
        samples[temperature] = texts[:3]
    figures["known words, held out"] = valid_words(held, train)
    figures["copied, held out"] = copied([held], train)
    return figures, samples, ids


def record_text(
    name: str, run: Run, figures: Mapping[str, float], samples: Any, notes: str, results: Path
) -> None:
    """Write ``results/NAME.json``: what was measured of a run's texts."""
    record_result(
        name,
        command=run.recipe.command(),
        seeds=[run.recipe.seed],
        metrics={figure: [value] for figure, value in figures.items()},
        provenance={key: run.metrics[key] for key in PROVENANCE},
        parameters=run.metrics["parameters"],
        tables={"samples": samples},
        notes=notes,
        folder=results,
    )


def tales_text(run: Run, results: Path) -> None:
    """Write ``results/gpt-tales-text.json``: what the model writes, and what others make of the same text."""
    assert isinstance(run.task, TalesTask)
    figures, samples, _ = text_figures(run.task, _TEMPERATURES, length=200)
    notes = (
        "Chance to xz: bits per byte of the 258,618 bytes held out. Unigram and bigram are counts of "
        "the same pieces in the training text; the bigram's probabilities are mixed with a twentieth of the "
        "unigram's. xz after the training text: what the held-out text adds to its compressed size. Known "
        "words, copied: of 40 continuations at each temperature, how many words occur in the training text, "
        "and how many runs of eight words stand there; held out: the same of the held-out text itself."
    )
    record_text("gpt-tales-text", run, figures, samples, notes, results)


TRIALS = [
    Trial("gpt", Gpt(), notes=_WHOLE + _COST + _NO_GPU),
    Trial(
        "gpt-as-nanogpt",
        Gpt(lr=1e-3, schedule="cosine", warmup=0.05, lr_floor=0.1, beta2=0.99),
        seeds=(0,),
        notes=_WHOLE + "The learning rate, its schedule and AdamW's memory are nanoGPT's.",
    ),
    Trial(
        "gpt-small",
        Gpt(d_model=96, block=128, batch=16),
        seeds=(0,),
        notes=_WHOLE
        + "Small enough to ship: under a megabyte in half precision. In as many steps it reads 2.7 times as "
        "many characters, and it sees twice as far.",
        store="gpt-shakespeare",
    ),
    Trial(
        "gpt-stories",
        Gpt(corpus="stories", n_layers=2, d_model=64, batch=48, steps=4000, lr=0.012),
        notes="The loss is in nats per character, over 40,000 characters of stories it has not read. Small "
        "models take high rates: after 600 steps the loss was 0.91 at a rate of 0.004, 0.69 at 0.008, 0.62 "
        "at 0.016; after 1500 steps at 0.008 it was 0.42, and 96 % of the words were valid.",
        store="gpt-stories",
        after=memorisation,
    ),
    Trial(
        "gpt-tales",
        GptTales(steps=1500, batch=8, validate_every=750, precision="bf16"),
        seeds=(0,),
        notes="Eighteen books of tales: 4,851,032 bytes to train, and the last twentieth of each book, "
        "258,618 bytes, held out; in consecutive blocks, each from an empty context. One seed. "
        + BY_HAND,  # goes when it is trained again
        store="gpt-tales",
        after=tales_text,
    ),
]
