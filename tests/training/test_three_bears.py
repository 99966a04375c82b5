"""Bears into Spanish: what is measured says what it means, and a cut path carries nothing."""

import pytest
import torch

from unrolled.data.three_bears import CANONICAL, clue, held_out
from unrolled.nn.seq2seq import Seq2Seq
from unrolled.nn.transformer import Transformer
from unrolled.training.recipes import three_bears
from unrolled.training.recipes.three_bears import SOURCE, ThreeBears, ThreeBearsTask
from unrolled.training.run import evaluate_task

SMALL = {"d_model": 12, "d_hidden": 14, "n_heads": 2, "d_ff": 11, "sentences": 70, "batch": 13}
CUTS = [
    "whole",
    "bears alone",
    "article alone",
    "clue unseen in the encoder",
    "clue unseen across",
    "clue unseen",
]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven test sentences of each kind instead of two hundred."""
    tested = held_out(7)
    monkeypatch.setattr(three_bears, "held_out", lambda: tested)


def made(architecture: str = "transformer", **options: object) -> ThreeBearsTask:
    torch.manual_seed(0)
    return ThreeBears(architecture=architecture, **SMALL, **options).task()  # type: ignore[arg-type]


@pytest.mark.parametrize("architecture", ["lstm", "transformer"])
def test_every_model_is_measured_by_kind(architecture: str, few: None) -> None:
    task = made(architecture)
    figures = evaluate_task(task, task.recipe)
    names = [f"{what} {kind}" for kind in ("one", "gap", "two") for what in ("exact", "sense")]
    cuts = CUTS if architecture == "transformer" else CUTS[:1]
    looks = ["weight article", "weight bears", "weight clue"] if architecture == "transformer" else []
    assert list(figures) == [*names, *(f"choice {cut}" for cut in cuts), *looks, "canonical"]
    assert all(0 <= value <= 1 for value in figures.values())


def test_a_model_that_is_always_right_has_every_share_at_one(
    few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = made()
    known = dict(CANONICAL)
    known |= {" ".join(p.source): " ".join(p.target) for some in held_out(7).values() for p in some}
    monkeypatch.setattr(task, "translate", lambda model, sentences: [known[s] for s in sentences])
    figures = evaluate_task(task, task.recipe)
    assert {v for name, v in figures.items() if name.split()[0] in ("exact", "sense", "canonical")} == {1}


def test_a_clue_that_is_seen_nowhere_changes_nothing_and_one_that_is_seen_does() -> None:
    """The same sentence with another clue: only what may look at the clue can tell the two apart."""
    task = made(n_layers=3)
    model = task.model.double().eval()
    assert isinstance(model, Transformer)
    pair = held_out(1)["gap"][0]
    heard: dict[str, list[float]] = {}
    for word in ("honey", "title"):
        at = clue(pair)
        ids = SOURCE.encode(" ".join(pair.source))
        ids[at] = SOURCE.index[word]
        outputs = task.paths(model, [(ids, at)], [pair])
        for cut, logits in outputs.items():
            heard.setdefault(cut, []).append(logits.sum().item())
    assert list(heard) == CUTS
    for cut, (first, second) in heard.items():
        assert (abs(first - second) < 1e-9) == (cut == "clue unseen"), cut


def test_what_is_inside_is_what_the_model_looks_at() -> None:
    task = made(n_layers=3)
    model = task.model.eval()
    seen = task.inside(model, "she bears the pain")
    assert seen["source"] == ["she", "bears", "the", "pain", "<eos>"]
    assert seen["target"][0] == "<bos>"
    assert seen["written"] == task.translate(model, ["she bears the pain"])[0]
    n = len(seen["target"])
    shapes = {"encoder": (3, 2, 5, 5), "decoder": (3, 2, n, n), "cross": (3, 2, n, 5)}
    for kind, shape in shapes.items():
        assert tuple(seen[kind].shape) == shape
        torch.testing.assert_close(seen[kind].sum(-1), torch.ones(shape[:-1]))
    assert (seen["decoder"].triu(1) == 0).all()


@pytest.mark.parametrize(("tie", "norm"), [(True, "post"), (False, "pre")])
def test_the_options_are_the_models(tie: bool, norm: str) -> None:
    model = made(tie=tie, norm=norm).model
    assert isinstance(model, Transformer)
    assert (model.lm_head.weight is model.target_embedding.weight) == tie
    assert model.encoder.layers[0].norm == norm
    assert isinstance(made("lstm").model, Seq2Seq)


def test_the_two_are_of_one_size_as_recorded() -> None:
    sizes = [
        sum(p.numel() for p in recipe.model().parameters())
        for recipe in (ThreeBears(), ThreeBears(architecture="lstm", n_layers=1))
    ]
    assert abs(sizes[0] / sizes[1] - 1) < 0.03
