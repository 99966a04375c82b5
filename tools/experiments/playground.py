"""The GPT of the playground: trained on the books of tales, measured, stored in 8 bits."""

import gzip
import lzma
from pathlib import Path

from tools.experiments.gpt import record_text, text_figures
from tools.experiments.trial import Trial
from unrolled.data.memorisation import longest_copied
from unrolled.training.eight_bits import to_eight_bits
from unrolled.training.recipes.gpt_tales import GptPlayground, TalesTask
from unrolled.training.run import Run

__all__ = ["TRIALS", "playground_text"]

_TEMPERATURES = (0.0, 0.5, 0.8, 1.0)


def playground_text(run: Run, results: Path) -> None:
    """Write ``results/gpt-playground-text.json``: what the model writes, and what others make of the text."""
    task = run.task
    assert isinstance(task, TalesTask)
    train, held = (task.texts[split] for split in ("train", "validation"))
    figures, samples, ids = text_figures(task, _TEMPERATURES, length=400)
    text = held.encode()
    figures["xz"] = 8 * len(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)) / len(text)
    figures["gzip after the training text"] = (
        8 * (len(gzip.compress(train.encode() + text, 9)) - len(gzip.compress(train.encode(), 9))) / len(text)
    )
    read = task.tokenizer.encode(train)
    for what, written in {**ids, "held out": [task.tokenizer.encode(held)]}.items():
        figures[f"longest copied, {what}"] = longest_copied(written, read)
    notes = (
        "Chance to xz: bits per byte of the 258,618 bytes held out, as in gpt-tales-text. Known words, "
        "copied: of 40 continuations of 400 tokens at each temperature, how many words occur in the training "
        "text, and how many runs of eight words stand there; longest copied: tokens of the longest run that "
        "stands there. Held out: the same of the held-out text itself."
    )
    record_text("gpt-playground-text", run, figures, samples, notes, results)


TRIALS = [
    Trial(
        "gpt-playground",
        GptPlayground(),
        seeds=(0,),
        notes="Eighteen books of tales: 4,851,032 bytes to train, and the last twentieth of each book, "
        "258,618 bytes, held out, in consecutive blocks of 512 tokens, each from an empty context. One seed.",
        store="gpt-playground",
        smaller=to_eight_bits,
        after=playground_text,
    )
]
