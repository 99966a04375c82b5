import io
import json
import os
import shlex
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from unrolled import __version__, cli
from unrolled.training.checkpoint import CheckpointError
from unrolled.training.recipes import recipes
from unrolled.training.task import GenerateOptions

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
    shown, legend = said.out.split("\n\n")
    shown = dict(line.rsplit(maxsplit=1) for line in shown.splitlines())
    assert "exact *   share (0 to 1) of rows" in legend
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
    assert "expected letters from a to j, got z" in refused(capsys, "generate", str(run), "a z")


def lines_in(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))


def test_every_line_of_standard_input_gives_one_line(run, capsys, monkeypatch):
    """With a mark of the byte order, ends of lines of Windows, nothing, an unknown letter, and no letter."""
    lines_in(monkeypatch, b"\xef\xbb\xbfa b c\r\n\n  \na z\n\xff\nc")
    capsys.readouterr()
    assert cli.main(["generate", str(run)]) == 1
    said = capsys.readouterr()
    written = said.out.split("\n")
    assert [bool(line) for line in written] == [True, False, False, False, False, True, False]
    assert said.err.splitlines() == [
        "unrolled: line 4: expected letters from a to j, got z",
        "unrolled: line 5: expected letters from a to j, got \N{REPLACEMENT CHARACTER}",
    ]
    assert cli.main(["generate", str(run), "a b c"]) == 0
    assert capsys.readouterr().out == f"{written[0]}\n"
    lines_in(monkeypatch, b"a\n\nb\n")
    assert cli.main(["generate", str(run)]) == 0, "an empty line is no error"
    assert capsys.readouterr().out.count("\n") == 3


def test_what_is_written_in_several_lines_stays_one_line_for_a_line(capsys):
    assert cli._write_lines(lambda prompt: f"{prompt}\nthen", ["a", "b"]) == 0
    assert capsys.readouterr().out == "a\\nthen\nb\\nthen\n"


@pytest.mark.parametrize("command", ["generate", "recipes", "evaluate"])
def test_a_reader_that_has_read_enough_is_no_error(run, command):
    """`| head -1`: the pipe is closed before the command is done, however little it has to say."""
    words = [command] + ([] if command == "recipes" else [str(run)])
    unrolled = subprocess.Popen(
        [sys.executable, "-m", "unrolled", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
    )
    unrolled.stdout.close()
    _, said = unrolled.communicate("a b\n" * 3)
    assert (unrolled.returncode, said) == (0, "")


@pytest.mark.parametrize(
    "words", [["a b", "--max-len=3"], ["--max-len", "3", "a b"], ["a", "--max-len=3", "b"]]
)
def test_options_stand_before_or_behind_the_prompt(run, words):
    parsed = cli._parse(["generate", str(run), *words])
    assert (parsed.max_len, " ".join(parsed.prompt), parsed.run) == (3, "a b", run)
    assert cli._parse(["generate", *words[1:], str(run), "a"]).command == "generate"
    assert cli._parse(["evaluate", "--recipe=reversal", str(run)]).run == run


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("--temperature=-1", "--temperature: expected 0 (greedy) or a positive number, got -1.0"),
        ("--temperature=nan", "--temperature: expected 0 (greedy) or a positive number, got nan"),
        ("--top-k=0", "--top-k: expected a positive integer, got 0"),
        ("--top-p=0", "--top-p: expected more than 0 and at most 1, got 0.0"),
        ("--beam=0", "--beam: expected 1 or more, got 0"),
        ("--max-len=0", "--max-len: expected 1 or more, got 0"),
        ("--seed=-1", "--seed: expected 0 or more, got -1"),
        (
            "--beam=1",
            "--beam: the recipe 'reversal' does not write with that: it takes none of these options",
        ),
    ],
)
def test_no_option_of_writing_is_ignored(run, capsys, word, message):
    assert refused(capsys, "generate", str(run), "a", word) == f"unrolled: {message}\n"


def test_what_a_task_writes_with_are_options_of_writing(run):
    from unrolled.training.recipes.bears import BearsTask
    from unrolled.training.recipes.gpt import GptTask
    from unrolled.training.translation import TranslationTask

    for task in (BearsTask, GptTask, TranslationTask):
        assert set(task.writes_with) < set(vars(GenerateOptions())) == set(cli._WRITING)


@pytest.mark.parametrize(
    ("words", "unused"),
    [
        (["spanish", "--n-heads=2"], "--n-heads is not used with --architecture lstm"),
        (
            ["spanish", "--architecture=transformer", "--score=dot"],
            "--score is not used with --architecture t",
        ),
        (["multi30k", "--batch=7"], "--batch is not used with --max-tokens 2048"),
        (
            ["reversal", "--lr-floor=0.1", "--schedule=constant"],
            "--lr-floor is not used with --schedule const",
        ),
    ],
)
def test_no_option_of_training_is_ignored(capsys, tmp_path, words, unused):
    assert unused in refused(capsys, "train", *words, "--folder", str(tmp_path / "run"))
    assert not list(tmp_path.iterdir())


def test_the_commands_that_were_recorded_name_no_option_that_is_not_used():
    for path in Path(cli.__file__).parent.glob("results/*.json"):
        words = shlex.split(json.loads(path.read_bytes()).get("command", ""))
        if words[:2] == ["unrolled", "train"]:
            options = {word[2:].replace("-", "_").removeprefix("no_") for word in words if word[:2] == "--"}
            given = {k: v for k, v in vars(cli._parse(words[1:])).items() if k in options}
            assert not options & set(recipes()[words[2]](**given).unused()), path.name


def test_every_figure_that_was_recorded_has_a_legend():
    """Those a recipe measures: what tools.experiments adds is explained where it is drawn."""
    from tools.experiments.gpt import Gpt

    assert Gpt in recipes().values()
    added = {
        "gpt-playground-text",
        "gpt-stories-novelty",
        "gpt-tales-text",
        "multi30k-transformer-attention",
    }
    seen = set()
    for path in Path(cli.__file__).parent.glob("results/*.json"):
        result = json.loads(path.read_bytes())
        words = result.get("command", "").split()
        if words[:2] == ["unrolled", "train"] and path.stem not in added:
            seen.add(words[2])
            legend = recipes()[words[2]].legend
            for figure in result["metrics"]:
                assert any(fnmatchcase(figure, pattern) for pattern in legend), (path.name, figure)
    assert seen == set(recipes()) - {"gpt-large"}


def test_data_that_is_not_there_is_told_in_one_line_and_the_folder_stays_free(capsys, tmp_path):
    words = ("train", "gpt", "--quiet", "--data", str(tmp_path), "--folder", str(tmp_path / "run"))
    said = refused(capsys, *words)
    assert said.count("\n") == 1
    assert said.startswith(f"unrolled: expected {tmp_path}")
    assert "(from here, folder= is --data FOLDER)" in said
    assert not (tmp_path / "run").exists()


def test_a_run_that_is_lost_before_its_first_checkpoint_leaves_its_folder_free(capsys, tmp_path):
    words = ["train", "reversal", *TINY, "--clip=none", "--folder", str(tmp_path / "run")]
    said = refused(capsys, *words, "--lr=1e38")
    assert " at step " in said
    assert "try a lower --lr, a longer --warmup or a --clip; no checkpoint had been saved" in said
    assert cli.main(words) == 0


def test_a_run_that_is_stopped_says_what_is_left(capsys, tmp_path, monkeypatch):
    from unrolled.training.loop import Trainer

    real = Trainer._step

    def stop(self, batch):
        if self.state.step == 3:
            raise KeyboardInterrupt
        real(self, batch)

    monkeypatch.setattr(Trainer, "_step", stop)
    words = ["train", "reversal", *TINY, "--folder", str(tmp_path / "run")]
    assert cli.main(words) == 130
    assert capsys.readouterr().err == "unrolled: stopped; no checkpoint had been saved\n"
    assert not (tmp_path / "run").exists()
    assert cli.main([*words, "--checkpoint-every=2"]) == 130
    assert capsys.readouterr().err == "unrolled: stopped; --resume continues from step 2\n"
    assert (tmp_path / "run").exists()


def test_what_a_recipe_is_measured_with_is_missed_before_it_is_trained(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("unrolled.training.recipe.find_spec", lambda name: None)
    said = refused(capsys, "train", "spanish", "--folder", str(tmp_path / "run"))
    assert "spanish is measured with sacrebleu, which is not installed: pip install sacrebleu" in said
    assert not list(tmp_path.iterdir())


def test_a_learning_rate_of_zero_gets_a_word(capsys, tmp_path):
    assert cli.main(["train", "reversal", *TINY, "--lr=0", "--folder", str(tmp_path / "run")]) == 0
    assert "--lr 0: no step changes the weights" in capsys.readouterr().err


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"unrolled {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [[], ["recipes"], ["train"], ["evaluate"], ["generate"], *(["train", name] for name in recipes())],
)
def test_every_help_ends_with_examples_that_the_command_understands(words, capsys):
    with pytest.raises(SystemExit):
        cli.main([*words, "--help"])
    examples = capsys.readouterr().out.split("\nexamples:\n")[1].splitlines()
    assert examples
    for line in examples:
        command = shlex.split(line.split("<")[0])
        assert command[0] == "unrolled"
        if command[-1] != "--help":
            assert cli._parse(command[1:]).command == command[1]


@pytest.mark.parametrize(
    ("words", "program"),
    [
        (["--speed"], "unrolled"),
        (["train", "--speed"], "unrolled train"),
        (["train", "reversal", "--speed"], "unrolled train reversal"),
        (["evaluate", "a", "--speed"], "unrolled evaluate"),
        (["generate", "a", "--speed"], "unrolled generate"),
        (["recipes", "--speed"], "unrolled recipes"),
    ],
)
def test_an_unknown_option_is_answered_with_the_usage_of_the_command_it_stood_in(words, program, capsys):
    said = usage(capsys, *words)
    assert said.startswith(f"usage: {program} [")
    assert f"{program}: error: " in said


_WHEN_TORCH_LOADS = """
import builtins, os, runpy, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print("policy", os.environ.get("OMP_WAIT_POLICY"))
            sys.stdout.flush()
            os._exit(0)
sys.meta_path.insert(0, Watch())
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("given", [None, "ACTIVE"])
@pytest.mark.parametrize(
    "words", [["unrolled", "recipes"], ["tools.experiments", "first_word"], ["benchmarks", "--only=gpt"]]
)
def test_threads_wait_quietly_before_torch_is_loaded_unless_the_user_says_otherwise(words, given):
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    environment |= {"OMP_WAIT_POLICY": given} if given else {}
    done = subprocess.run(
        [sys.executable, "-c", _WHEN_TORCH_LOADS, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.stdout == f"policy {given or 'PASSIVE'}\n", done.stderr


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
    assert usage(capsys, "generate").endswith("the following arguments are required: RUN\n")
    assert "argument --steps: expected a whole number, got 'many'" in usage(
        capsys, "train", "reversal", "--steps=many"
    )
    assert "COMMAND" in usage(capsys)


def test_folders_that_hold_something_else_are_refused(run, capsys, tmp_path):
    def train(*words, folder=run):
        return refused(capsys, "train", *words, "--quiet", "--device=cpu", "--folder", str(folder))

    said = train("reversal", *TINY)
    assert "holds a run already: continue it with --resume, name another folder, or remove it" in said
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
    assert said.endswith(f" --folder {shlex.quote(str(tmp_path))} --resume\n")
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    (tmp_path / "metrics.json").write_text("{}")
    assert "metrics.json: expected the figures of a run" in refused(capsys, "evaluate", str(tmp_path))
    (tmp_path / "metrics.json").write_text('{"metrics": {}}')
    assert "expected a whole safetensors file, got one that cannot be read" in refused(
        capsys, "generate", str(tmp_path), "a"
    )
    assert "not of 'bears'" in refused(capsys, "evaluate", str(run), "--recipe=bears")
    (tmp_path / "config.json").write_text('{"recipe": "wolves", "options": {}}')
    assert f"a run of the recipe 'wolves'; known are {', '.join(recipes())}" in refused(
        capsys, "evaluate", str(tmp_path)
    )
    (tmp_path / "config.json").write_text("{")
    assert "expected a recipe and its options" in refused(capsys, "evaluate", str(tmp_path))
    (tmp_path / "config.json").write_text('{"recipe": ["reversal"], "options": {}}')
    assert "a run of the recipe ['reversal']; known are" in refused(capsys, "evaluate", str(tmp_path))


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
    assert capsys.readouterr().err == "unrolled: stopped\n", "only a run can be resumed"
    assert issubclass(CheckpointError, ValueError), "so that a damaged checkpoint is explained, not traced"


def test_help_needs_no_torch():
    """Answered by a fresh interpreter that cannot import torch."""
    script = "import sys; sys.modules['torch'] = None; from unrolled import cli; cli.main(['--help'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "recipes" in done.stdout
