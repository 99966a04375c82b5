"""A GPT of characters: tiny Shakespeare as nanoGPT's laptop learns it, and two small models that ship."""

from pathlib import Path

from tools.experiments.trial import Trial
from unrolled.data import text
from unrolled.data.novelty import sentences, valid_words, verbatim
from unrolled.training.recipes.gpt import STORIES, Gpt, GptTask
from unrolled.training.results import PROVENANCE, record_result
from unrolled.training.run import Run

__all__ = ["TRIALS", "novelty", "novelty_figures"]

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


def novelty_figures(task: GptTask, n: int = 20, length: int = 1000) -> dict[str, float]:
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


def novelty(run: Run, results: Path) -> None:
    """Write ``results/gpt-stories-novelty.json``."""
    assert isinstance(run.task, GptTask)
    record_result(
        "gpt-stories-novelty",
        command=run.recipe.command(),
        seeds=[run.recipe.seed],
        metrics={figure: [value] for figure, value in novelty_figures(run.task).items()},
        provenance={key: run.metrics[key] for key in PROVENANCE},
        parameters=run.metrics["parameters"],
        tables={"samples": run.task.sample(run.task.model, 2, 400, temperature=1.0, seed=0)},
        notes="20 texts of 1000 characters, drawn at temperature 1. valid_words: share of the words that "
        "occur in the training text. verbatim: share of the sentences that stand there letter by letter. By "
        "chance: the same of 100,000 characters of fresh stories from the grammar itself.",
        folder=results,
    )


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
        after=novelty,
    ),
]
