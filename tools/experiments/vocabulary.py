"""How many pieces should there be? Small GPTs of the tales, from bytes to 4,096 pieces."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import torch
from torch import Tensor

from tools.experiments.briefly import learn
from tools.experiments.trial import Trial
from unrolled.data.seeds import seeded
from unrolled.data.special_tokens import SPECIAL
from unrolled.data.tales import split, tales
from unrolled.data.tokenizers import BytePairs
from unrolled.nn import GPT, GPTConfig
from unrolled.training.provenance import provenance
from unrolled.training.recipes.gpt import mean_loss
from unrolled.training.recipes.gpt_tales import bits_per_byte
from unrolled.training.results import record_result

__all__ = ["CASES", "TRIALS", "Case", "Text", "measure", "operations", "table", "train"]

TRIALS: list[Trial] = []
SEEDS = (0, 1, 2)
D_MODEL, N_HEADS, N_LAYERS = 96, 4, 3
OPERATIONS = 2.5e12
RATE = 4e-3


@dataclass(frozen=True)
class Case:
    """The size of the vocabulary, how many tokens the model sees at once, and how many texts a step takes."""

    vocab_size: int
    block: int = 128
    batch: int = 16


BYTES = len(SPECIAL) + 256
CASES = {
    "bytes": Case(BYTES),
    "512": Case(512),
    "1024": Case(1024),
    "2048": Case(2048),
    "4096": Case(4096),
    # As many bytes in sight as 128 of the 4,096 pieces have.
    "bytes, wider": Case(BYTES, block=432, batch=5),
}


@dataclass(frozen=True)
class Text:
    """A text cut by one tokenizer: the ids to learn from, those held out, and the text they were."""

    read: Tensor
    held: Tensor
    text: str


def operations(case: Case) -> float:
    """Return the multiplications and additions of one training step, forward and backward.

    Six for each weight of a matrix and each token, the output layer's among them, and the scores and the
    weighted sums of attention. The embedding is looked up, not multiplied.
    """
    weights = 12 * N_LAYERS * D_MODEL**2 + case.vocab_size * D_MODEL
    return case.batch * case.block * (6 * weights + 12 * N_LAYERS * D_MODEL * case.block)


def train(case: Case, text: Text, seed: int, budget: float = OPERATIONS) -> tuple[GPT, int]:
    """Return a GPT that has spent `budget` operations on a text, and how many steps that were."""
    steps = max(1, round(budget / operations(case)))
    torch.manual_seed(seed)
    model = GPT(
        GPTConfig(
            vocab_size=case.vocab_size,
            max_len=case.block,
            d_model=D_MODEL,
            n_heads=N_HEADS,
            n_layers=N_LAYERS,
        )
    )
    chance = seeded("vocabulary", case.vocab_size, case.block, seed)
    learn(model, text.read, chance, batch=case.batch, steps=steps, rate=RATE)
    return model, steps


def table(case: Case, text: Text, model: GPT, steps: int) -> dict[str, float]:
    """Return what does not depend on the seed: lengths, sizes, and what counting alone achieves."""
    frequency = (torch.bincount(text.read, minlength=case.vocab_size) + 1).double()
    unigram = -(frequency / frequency.sum())[text.held].log().mean()
    tokens, size = len(text.held), len(text.text.encode())
    return {
        "tokens held out": tokens,
        "bytes held out": size,
        "bytes per token": round(size / tokens, 4),
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": steps,
        "tokens read": steps * case.batch * case.block,
        "tokens to read": len(text.read),
        "chance": round(bits_per_byte(math.log(case.vocab_size), tokens, text.text), 4),
        "unigram": round(bits_per_byte(float(unigram), tokens, text.text), 4),
    }


def measure(
    books: Sequence[str] | None = None, budget: float = OPERATIONS, folder: Path | None = None
) -> None:
    """Write ``results/vocabulary.json``: bits per byte of the held-out text, for each case and seed."""
    where = provenance(torch.device("cpu"))
    read, held = ("\n\n".join(part) for part in split(tales() if books is None else books))
    metrics: dict[str, list[float]] = {}
    tables: dict[str, Any] = {}
    wall, cpu = [0.0] * len(SEEDS), [0.0] * len(SEEDS)
    for name, case in CASES.items():
        pieces = BytePairs.train([read], vocab_size=case.vocab_size)
        text = Text(torch.tensor(pieces.encode(read)), torch.tensor(pieces.encode(held)), held)
        for n, seed in enumerate(SEEDS):
            began = perf_counter(), process_time()
            model, steps = train(case, text, seed, budget)
            wall[n] += perf_counter() - began[0]
            seconds = process_time() - began[1]
            cpu[n] += seconds
            loss = mean_loss(model, text.held, batch=16)
            metrics.setdefault(f"{name}, loss", []).append(loss)
            metrics.setdefault(f"{name}, bits per byte", []).append(bits_per_byte(loss, len(text.held), held))
            metrics.setdefault(f"{name}, CPU seconds", []).append(round(seconds, 2))
            tables[name] = table(case, text, model, steps)
            print(
                name,
                seed,
                {k: round(v[-1], 3) for k, v in metrics.items() if k.startswith(name + ",")},
                flush=True,
            )
    record_result(
        "vocabulary",
        command="python -m tools.experiments vocabulary",
        seeds=SEEDS,
        metrics=metrics,
        provenance=where,
        seconds={"wall": wall, "cpu": cpu},
        tables=tables,
        notes="Eighteen books of tales, the last twentieth of each held out. GPTs of 3 blocks of 96 with 4 "
        f"heads, {budget / 1e12:.1f} · 10¹² operations each, AdamW at {RATE} with one cycle, bf16, "
        "128 tokens in sight (432 in the last case). One learning rate was tried, the same for all. Loss in "
        "nats per token; chance and unigram in bits per byte. Seconds are those of all cases together.",
        folder=Path(__file__).resolve().parents[2] / "results" if folder is None else folder,
    )
