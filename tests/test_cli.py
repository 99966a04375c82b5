import json
import subprocess
import sys

import pytest

from unrolled import cli
from unrolled.training.checkpoint import CheckpointError
from unrolled.training.recipes import recipes

TINY = ["--steps=4", "--batch=4", "--d-hidden=4", "--longest=3", "--epoch=7", "--device=cpu", "--quiet"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Train the smallest reversal once, for all tests that only look at a finished run."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    assert cli.main(["train", "reversal", *TINY, "--folder", str(folder)]) == 0
    return folder


def refused(capsys, *words):
    """Return what the command says when it refuses."""
    capsys.readouterr()
    assert cli.main(words) == 1
    said = capsys.readouterr()
    assert not said.out
    return said.err


def usage(capsys, *words):
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    assert left.value.code == 2
    return capsys.readouterr().err


def test_a_run_folder_holds_what_was_asked_and_what_came_out(run):
    names = sorted(path.name for path in run.iterdir())
    assert names == ["checkpoints", "config.json", "curve.jsonl", "metrics.json", "model.safetensors"]
    config = json.loads((run / "config.json").read_text())
    assert config["recipe"] == "reversal"
    assert config["options"]["steps"] == 4
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["command"].startswith("unrolled train reversal --steps 4 --batch 4")
    assert 0 <= metrics["metrics"]["exact 3-3"] <= 1
    assert {"seed", "commit", "hardware", "date", "torch", "processes"} <= set(metrics)
    everything = "".join(path.read_text() for path in run.glob("*.json*"))
    assert str(run.parent) not in everything, "no folder of this machine is written down"


def test_evaluate_gives_the_figures_again(run, capsys):
    capsys.readouterr()
    assert cli.main(["evaluate", str(run), "--device=cpu"]) == 0
    said = capsys.readouterr()
    figures = json.loads((run / "metrics.json").read_text())["metrics"]
    shown = dict(line.rsplit(maxsplit=1) for line in said.out.splitlines())
    assert shown == {name: f"{figure:.4f}" for name, figure in figures.items()}
    assert not said.err


def test_evaluate_says_when_figures_have_moved(run, capsys, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    (tmp_path / "metrics.json").write_text('{"metrics": {"exact 3-3": 2.0}}')
    assert cli.main(["evaluate", str(tmp_path)]) == 0
    assert "exact 3-3: metrics.json says 2.0, now " in capsys.readouterr().err


def test_generate_writes_for_every_prompt(run, capsys, monkeypatch):
    capsys.readouterr()
    assert cli.main(["generate", str(run), "a", "b", "c"]) == 0
    letters = capsys.readouterr().out.split()
    assert len(letters) <= 4
    assert set(letters) <= set("abcdefghij")
    monkeypatch.setattr(sys, "stdin", ["a b\n", "c\n"])
    assert cli.main(["generate", str(run)]) == 0
    assert capsys.readouterr().out.count("\n") == 2
    assert "expected letters from a to j, got z" in refused(capsys, "generate", str(run), "a z")


def test_recipes_are_listed_with_what_they_are_about(capsys):
    assert cli.main(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(recipes())
    assert list(recipes()) == sorted(recipes())
    assert all(recipe.about in line for line, recipe in zip(lines, recipes().values(), strict=True))


@pytest.mark.parametrize("name", recipes())
def test_help_of_every_recipe_states_defaults(name, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["train", name, "--help"])
    assert left.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"--steps N how long to train [steps] (default: {recipes()[name].steps})" in text


def test_unknown_words_are_answered_with_what_there_is(capsys):
    assert "'wolves' (choose from" in (said := usage(capsys, "train", "wolves"))
    assert "bears" in said
    assert "reversal" in said
    assert "unrecognized arguments: --speed=9" in usage(capsys, "train", "reversal", "--speed=9")
    assert "argument --steps: expected a whole number, got 'many'" in usage(
        capsys, "train", "reversal", "--steps=many"
    )
    assert "COMMAND" in usage(capsys)


def test_folders_that_hold_something_else_are_refused(run, capsys, tmp_path):
    def train(*words, folder=run):
        return refused(capsys, "train", *words, "--quiet", "--device=cpu", "--folder", str(folder))

    assert "holds a run already: continue it with --resume, or name another" in train("reversal", *TINY)
    assert "holds a run of 'reversal', not of 'bears'" in train("bears", "--resume")
    said = train("reversal", *TINY, "--lr=0.5", "--resume")
    assert "resumed with the options it began with; lr was 0.004, now 0.5" in said
    (tmp_path / "thesis.tex").write_text("")
    assert "expected a new or empty folder, found thesis.tex" in train("reversal", folder=tmp_path)
    assert "expected a folder, got a file" in train("reversal", folder=tmp_path / "thesis.tex")
    assert "lr: expected 0 or more, got -1.0" in train("reversal", "--lr=-1", folder=tmp_path / "new")
    assert "device: expected cpu" in refused(capsys, "train", "reversal", "--device=abacus")


def test_what_is_no_finished_run_is_refused(run, capsys, tmp_path):
    assert "expected a run folder, with config.json" in refused(capsys, "evaluate", str(tmp_path))
    (tmp_path / "config.json").write_bytes((run / "config.json").read_bytes())
    said = refused(capsys, "evaluate", str(tmp_path))
    assert "the run is not finished; continue it with: unrolled train reversal --steps 4" in said
    (tmp_path / "metrics.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    assert "no safetensors file" in refused(capsys, "generate", str(tmp_path), "a")
    assert "not of 'bears'" in refused(capsys, "evaluate", str(run), "--recipe=bears")
    (tmp_path / "config.json").write_text('{"recipe": "wolves", "options": {}}')
    assert f"a run of the recipe 'wolves'; known are {', '.join(recipes())}" in refused(
        capsys, "evaluate", str(tmp_path)
    )
    (tmp_path / "config.json").write_text("{")
    assert "expected a recipe and its options" in refused(capsys, "evaluate", str(tmp_path))


def test_a_finished_run_resumes_to_the_same_figures(run):
    before = json.loads((run / "metrics.json").read_text())
    weights = (run / "model.safetensors").read_bytes()
    assert cli.main(["train", "reversal", *TINY, "--resume", "--folder", str(run)]) == 0
    after = json.loads((run / "metrics.json").read_text())
    assert after["metrics"] == before["metrics"]
    assert (run / "model.safetensors").read_bytes() == weights


def test_interruption_and_errors_have_their_exit_codes(capsys, monkeypatch):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setitem(cli._COMMANDS, "recipes", interrupt)
    assert cli.main(["recipes"]) == 130
    assert "--resume continues" in capsys.readouterr().err
    assert issubclass(CheckpointError, ValueError), "so that a damaged checkpoint is explained, not traced"


def test_help_needs_no_torch():
    """Answered by a fresh interpreter that cannot import torch."""
    script = "import sys; sys.modules['torch'] = None; from unrolled import cli; cli.main(['--help'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "recipes" in done.stdout
