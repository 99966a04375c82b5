"""The ladder, German captions into English: an LSTM, the same with each score, a transformer."""

from pathlib import Path
from typing import Any

from tools.experiments.trial import Trial
from unrolled.nn import Transformer
from unrolled.training.recipes.multi30k import Multi30k, Multi30kTask
from unrolled.training.results import PROVENANCE, record_result
from unrolled.training.run import Run

__all__ = ["SHOWN", "TRIALS", "attention", "example"]

# Captions of the test of 2016, chosen for their word order: verbs that come in two parts, verbs at the end.
SHOWN = (20, 48, 88, 112, 167, 256)

_PROTOCOL = (
    "Both sides in lower case; byte pairs learned from the training captions, 5000 for each language; beam "
    "of 5, length penalty 1; sacreBLEU 2.6.0, signature nrefs:1|case:lc|eff:no|tok:13a|smooth:exp, of the "
    "written text against the raw references: of the test of 2016 from Flickr (bleu; bleu_greedy with a beam "
    "of 1), of the validation split greedily (bleu_validation). One seed: the whole ladder had to fit into "
    "little more than an hour of one CPU thread, without a GPU. Compare CPU seconds: the machine was busy, "
    "and wall time counts the wait. "
)
_LSTM = (
    _PROTOCOL
    + "All five LSTMs have the same options, and none was tuned. They saw the captions about five and "
    "a half times; the rate was falling to zero by then, and the loss with it."
)
_TRANSFORMER = (
    _PROTOCOL
    + "Not tuned either: sizes and rate are what small data is known to like. It got the largest share "
    "of the budget and saw the captions about sixteen times, the LSTMs five and a half times. With the C "
    "library told to keep its memory (MALLOC_MMAP_MAX_=0), which made a step a tenth faster."
)


def _lstm(score: Any) -> Multi30k:
    return Multi30k(architecture="lstm", score=score, n_layers=1, max_tokens=1024, steps=2800)


def attention(run: Run, results: Path) -> None:
    """Write ``results/multi30k-transformer-attention.json``: some translations, and who attended to whom.

    Each example has what `unrolled.widgets.translation.TranslationView` takes: weights
    ``[layers, heads, T, S]`` while the decoder is given what it wrote itself.
    """
    task, model = run.task, run.task.model
    assert isinstance(task, Multi30kTask)
    assert isinstance(model, Transformer)
    captions = task.captions("test")
    record_result(
        "multi30k-transformer-attention",
        command=run.recipe.command(),
        seeds=[run.recipe.seed],
        metrics={"bleu_greedy": [run.metrics["metrics"]["bleu_greedy"]]},
        provenance={key: run.metrics[key] for key in PROVENANCE},
        parameters=run.metrics["parameters"],
        tables={"examples": [example(task, model, *captions[i]) for i in SHOWN]},
        notes="Six captions of the test of 2016, chosen for their word order before they were "
        "translated; translated greedily. Weights "
        "before dropout, to three digits.",
        folder=results,
    )


def example(task: Multi30kTask, model: Transformer, german: str, english: str) -> dict[str, Any]:
    """Return tokens, greedy translation and the three attentions of one caption, to three digits."""
    seen = task.inside(model, german.lower())
    maps = {kind: seen[kind].double().round(decimals=3).tolist() for kind in ("encoder", "decoder", "cross")}
    return seen | {"reference": english, "caption": german} | maps


TRIALS = [
    Trial("multi30k-lstm", _lstm(None), seeds=(0,), notes=_LSTM),
    Trial("multi30k-lstm-dot", _lstm("dot"), seeds=(0,), notes=_LSTM),
    Trial("multi30k-lstm-scaled-dot", _lstm("scaled_dot"), seeds=(0,), notes=_LSTM),
    Trial("multi30k-lstm-general", _lstm("general"), seeds=(0,), notes=_LSTM),
    Trial("multi30k-lstm-additive", _lstm("additive"), seeds=(0,), notes=_LSTM),
    Trial(
        "multi30k-transformer",
        Multi30k(precision="bf16"),
        seeds=(0,),
        notes=_TRANSFORMER,
        after=attention,
    ),
]
