"""Readers of what the package writes itself: checkpoints, runs, results, stored weights, tokenizers."""

import json
import math
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import torch

from tools.experiments.reliability.readers import Reader
from unrolled.data.tokenizers import BytePairs, Characters, Words, load
from unrolled.data.tokenizers import read_tokenizer as published
from unrolled.training.checkpoint import CheckpointError, load_checkpoint, model_tensors, save_checkpoint
from unrolled.training.curve import read_curve
from unrolled.training.distributed import Workers
from unrolled.training.recipes.reversal import Reversal
from unrolled.training.results import collect_runs, read_result, record_result
from unrolled.training.run import open_run, run_recipe
from unrolled.training.stored import store_run, stored

__all__ = ["READERS"]

_CPU = torch.device("cpu")
_RECIPE = Reversal(steps=3, d_hidden=4, d_model=3, longest=4, batch=4, epoch=7, checkpoint_every=1, seed=7)
_TEXT = "She bears the pain, bears love honey."


def _checkpoints(folder: Path) -> None:
    torch.manual_seed(3)
    for step in (5, 10):
        tensors = {"model/a": torch.randn(3, 4), "model/b": torch.arange(5), "best/c": torch.randn(2).half()}
        save_checkpoint(folder, step, tensors, {"step": step, "loss": 1 / 3, "config": {"lr": 1e-3}})


def _either(folder: Path) -> Any:
    found = load_checkpoint(folder)
    assert found is not None
    return found


def _one_of_two(folder: Path, got: Any) -> bool:
    """Tell whether the checkpoint before was taken: it is left as it was, since one file is damaged."""
    if got[1]["step"] != 5:
        return False
    text = json.loads((folder / "step-00000005" / "state.json").read_bytes())["state"]
    return bool(text == got[1])


def _run(folder: Path) -> None:
    run_recipe(_RECIPE, folder / "run", Workers(0, 1, _CPU), quiet=True)
    shutil.rmtree(folder / "run" / "checkpoints")


def _opened(folder: Path) -> Any:
    run = open_run(folder / "run", _CPU)
    return run.recipe.config(), model_tensors(run.task.model), run.metrics


def _as_the_run_says(folder: Path, got: Any) -> bool:
    """A run has no checksums: what was read is held against the files."""
    from tools.experiments.reliability.files_of_others import numbers_agree

    config, tensors, metrics = got
    at = folder / "run"
    return bool(
        json.loads((at / "config.json").read_bytes())["options"] == config
        and json.loads((at / "metrics.json").read_bytes()) == metrics
        and _finite(metrics)
        and numbers_agree([at / "model.safetensors"], tensors)
    )


def _finite(content: Any) -> bool:
    if isinstance(content, dict | list):
        return all(map(_finite, content.values() if isinstance(content, dict) else content))
    return not isinstance(content, float) or math.isfinite(content)


def _collected(folder: Path) -> Any:
    return collect_runs([folder / "run"])


def _store(folder: Path) -> None:
    _run(folder)
    store_run(open_run(folder / "run", _CPU), "small", "reversal", folder)
    shutil.rmtree(folder / "run")


def _stored(folder: Path) -> Any:
    it = stored("small", folder)
    return it.recipe.config(), model_tensors(it.model), it.result, it.figures


def _record(folder: Path) -> None:
    record_result(
        "one",
        command="unrolled train reversal",
        seeds=[0, 1],
        metrics={"loss": [1.5, 2.5], "exact": [0.5, 1.0]},
        provenance={"commit": "0" * 40, "hardware": "two cores", "date": "2026-01-01"},
        tables={"points": [[1, 0.5], [2, 0.25]]},
        notes="Two.",
        folder=folder,
    )


def _json_says(name: str, only_finite: bool = True) -> Any:
    return lambda folder, got: (
        json.loads((folder / name).read_bytes()) == got and (not only_finite or _finite(got))
    )


def _write_curve(folder: Path) -> None:
    points = [{"step": i, "loss": 1 / (i + 1), "lr": 1e-3} for i in range(20)]
    (folder / "curve.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points))


def _curve_says(folder: Path, got: Any) -> bool:
    lines = (folder / "curve.jsonl").read_bytes().split(b"\n")[:-1]
    return got == [json.loads(line) for line in lines] and _finite(got)


def _ours(make: Any) -> Reader:
    def read(folder: Path) -> Any:
        tokenizer = load(folder / "ours.json")
        try:
            ids = tokenizer.encode(_TEXT)
        except ValueError:  # the alphabet is another one, and says so
            ids = []
        tokenizer.save(folder / "again")
        again = json.loads((folder / "again").read_bytes())
        (folder / "again").unlink()
        return again, ids, tokenizer.decode(ids)

    def faithful(folder: Path, got: Any) -> bool:
        """What was loaded would be saved as what the file says, defaults of the library aside."""
        said = json.loads((folder / "ours.json").read_bytes())
        return bool(got[0] == said) or _within(got[0], said)

    return Reader(
        lambda folder: make().save(folder / "ours.json"), read, (ValueError, FileNotFoundError), faithful
    )


def _within(got: Any, said: Any) -> bool:
    """Return whether the pieces, rules and special tokens of two descriptions are the same."""
    vocabulary = [
        (_composed(one.get("tokens")), one.get("special"), (one.get("model") or {}).get("model", {}))
        for one in (got, said)
    ]
    (tokens, special, model), (said_tokens, said_special, said_model) = vocabulary
    same_model = model.get("vocab") == said_model.get("vocab") and _pairs(model) == _pairs(said_model)
    same_special = said_special is None or set(special) == set(said_special)
    return bool(tokens == said_tokens and same_special and same_model)


def _composed(tokens: Any) -> Any:
    """Of letters with marks there are two ways to write them; words are read as one."""
    return tokens and [unicodedata.normalize("NFC", token) for token in tokens]


def _pairs(model: Any) -> Any:
    """Rules may be written as two pieces or as one text with a space."""
    return [rule.split(" ") if isinstance(rule, str) else rule for rule in model.get("merges") or []]


def _published() -> Any:
    import tempfile

    from tests.data.published import save_bert

    with tempfile.TemporaryDirectory() as place:
        return published(save_bert(Path(place)))


READERS: dict[str, Reader] = {
    "checkpoints": Reader(_checkpoints, _either, (CheckpointError,), _one_of_two, names=("checkpoints in",)),
    "runs": Reader(_run, _opened, faithful=_as_the_run_says, names=("run",)),
    "figures of runs": Reader(
        _run,
        _collected,
        faithful=lambda folder, got: _finite(got),
        files=("metrics.json", "config.json", "curve.jsonl"),
    ),
    "results": Reader(
        _record, lambda folder: read_result("one", folder), faithful=_json_says("one.json"), names=("name: ",)
    ),
    "curves": Reader(
        _write_curve, lambda folder: read_curve(folder / "curve.jsonl"), (ValueError, OSError), _curve_says
    ),
    "stored weights": Reader(_store, _stored, names=("name: ",)),
    "tokenizer, characters": _ours(lambda: Characters.train(_TEXT)),
    "tokenizer, words": _ours(lambda: Words.train([_TEXT])),
    "tokenizer, byte pairs": _ours(lambda: BytePairs.train([_TEXT], vocab_size=270)),
    "tokenizer, published": _ours(_published),
}
"""By name."""
