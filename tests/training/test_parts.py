"""The small parts of training: schedule, loss, options, seeds, progress, provenance."""

import argparse
import io
import json
import math
import subprocess
from dataclasses import dataclass

import pytest
import torch

from tests.training.toy import Toy
from unrolled.shapes import ShapeError
from unrolled.training import cross_entropy, derived_seed, seeded
from unrolled.training.files import write_json
from unrolled.training.options import add_options, changed_options, from_dict, option
from unrolled.training.progress import Progress
from unrolled.training.provenance import commit, provenance
from unrolled.training.recipes.reversal import Reversal
from unrolled.training.schedule import learning_rate_factor


def rates(schedule, steps=100, warmup=10, floor=0.0):
    return [learning_rate_factor(schedule, step, steps, warmup, floor) for step in range(steps)]


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "one_cycle", "inverse_sqrt"])
def test_a_schedule_rises_in_warmup_and_never_after(schedule):
    factors = rates(schedule)
    assert factors[:10] == sorted(factors[:10])
    assert factors[9] == pytest.approx(1.0)
    assert factors[9:] == sorted(factors[9:], reverse=True)
    assert all(0 < factor <= 1 for factor in factors)
    if schedule not in ("constant", "inverse_sqrt"):
        assert factors[-1] < 0.02
        assert rates(schedule, floor=0.5)[-1] == pytest.approx(0.5, abs=0.02)


def test_values_of_the_schedules_by_hand():
    assert rates("linear", 4, 1) == pytest.approx([1.0, 0.75, 0.5, 0.25])
    assert rates("linear", 4, 2)[:2] == pytest.approx([0.5, 1.0])
    assert rates("cosine", 4, 1)[2] == pytest.approx(0.5)
    assert rates("one_cycle", 8, 4)[1] == pytest.approx(1 / 25 + 24 / 25 / 2)
    assert rates("inverse_sqrt", 100, 4)[15] == pytest.approx(0.5)
    assert rates("constant", 3, 0) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("steep", 0, 10, 1), "schedule: expected one of constant, linear"),
        (("linear", 10, 10, 1), "step: expected 0 to 9, got 10"),
        (("linear", 0, 10, 11), "warmup: expected 0 to 10 steps, got 11"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        learning_rate_factor(*arguments)


def test_the_loss_is_a_sum_over_the_targets_that_count():
    logits = torch.randn(2, 3, 5, generator=seeded("test"), dtype=torch.float64)
    targets = torch.tensor([[1, -100, 4], [0, -100, -100]])
    total, count = cross_entropy(logits, targets)
    p = logits.log_softmax(-1)
    assert count == 3
    assert total.item() == pytest.approx(-(p[0, 0, 1] + p[0, 2, 4] + p[1, 0, 0]).item(), rel=1e-12)
    smoothed, _ = cross_entropy(logits, targets, label_smoothing=0.2)
    spread = -(p[0, 0].mean() + p[0, 2].mean() + p[1, 0].mean())
    assert smoothed.item() == pytest.approx((0.8 * total + 0.2 * spread).item(), rel=1e-12)
    nothing, none = cross_entropy(logits, torch.full((2, 3), -100))
    assert (nothing.item(), none.item()) == (0.0, 0)
    with pytest.raises(ShapeError, match=r"targets: expected shape \[2, 3\], got \[2, 2\]"):
        cross_entropy(logits, targets[:, :2])
    with pytest.raises(ValueError, match="label_smoothing: expected 0 or more and less than 1, got 1"):
        cross_entropy(logits, targets, label_smoothing=1)


def test_the_loss_of_16_bit_logits_is_summed_in_32():
    total, _ = cross_entropy(torch.zeros(1000, 7, dtype=torch.bfloat16), torch.zeros(1000, dtype=torch.long))
    assert total.dtype == torch.float32
    assert total.item() == pytest.approx(1000 * math.log(7), rel=1e-5)


def test_seeds_follow_from_all_their_parts():
    seeds = [derived_seed(*parts) for parts in [("a", 0), ("a", 1), ("b", 0), ("a", 0, 0), ("a0",)]]
    assert len(set(seeds)) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert torch.equal(torch.rand(3, generator=seeded("a", 0)), torch.rand(3, generator=seeded("a", 0)))


@dataclass(frozen=True, kw_only=True)
class Child(Toy):
    lr: float = 0.25
    depth: int | None = option(None, "how deep, at 50 %", unit="blocks", low=1)
    mood: str = option("calm", "how it feels")


def parse(*words):
    parser = argparse.ArgumentParser()
    add_options(parser, Child)
    return vars(parser.parse_args(words))


def test_options_come_from_the_fields_with_their_types():
    assert parse() == {}, "only what is given comes back; defaults stay the dataclass's"
    given = parse(
        "--lr=1e-4", "--depth", "3", "--clip", "none", "--compile", "--schedule=linear", "--no-double"
    )
    assert given == {
        "lr": 1e-4, "depth": 3, "clip": None, "compile": True, "schedule": "linear", "double": False,
    }  # fmt: skip
    recipe = Child(**given)
    assert changed_options(recipe) == given
    expected = "unrolled train toy --lr 0.0001 --schedule linear --clip none --compile --no-double --depth 3"
    assert recipe.command() == expected
    assert Child(**parse(*recipe.command().split()[3:])) == recipe
    assert from_dict(Child, json.loads(json.dumps(recipe.config()))) == recipe


def test_help_states_units_and_defaults():
    parser = argparse.ArgumentParser()
    add_options(parser, Child)
    text = " ".join(parser.format_help().split())
    assert "--depth N how deep, at 50 % [blocks] (default: none)" in text
    assert "--lr X highest learning rate (default: 0.25)" in text, "a new default, the old words"
    assert "--steps N how long to train [steps] (default: 24)" in text
    assert "(default: yes)" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps: expected 1 or more, got 0"),
        ({"steps": 2.5}, "steps: expected int, got 2.5"),
        ({"steps": True}, "steps: expected int, got True"),
        ({"lr": math.nan}, "lr: expected 0 or more, got nan"),
        ({"lr": "fast"}, "lr: expected float, got 'fast'"),
        ({"dropout": 1.0}, "dropout: expected 0 to 0.9, got 1.0"),
        ({"schedule": "steep"}, "schedule: expected one of constant, linear, .*, got 'steep'"),
        ({"compile": 1}, "compile: expected bool, got 1"),
        ({"depth": 0}, "depth: expected 1 or more, got 0"),
        ({"patience": 2, "validate_every": 0}, "validate_every: expected 1 or more with patience"),
    ],
)
def test_options_out_of_range_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        Child(**options)


def test_a_configuration_with_missing_or_unknown_options_is_refused():
    config = Toy().config()
    del config["lr"]
    with pytest.raises(ValueError, match=r"Toy: missing options \['lr'\], unknown options \['speed'\]"):
        from_dict(Toy, {**config, "speed": 3})


def test_a_field_without_help_is_refused():
    @dataclass(frozen=True, kw_only=True)
    class Bare(Toy):
        silent: int = 3

    with pytest.raises(TypeError, match=r"Bare.silent: expected a field made by option"):
        Bare()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_that_nobody_reads_any_more_stops_and_the_run_goes_on():
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    progress = Progress(3, stream=Closed())
    for step in (1, 2, 3):
        progress.show(step, 0.5, 1.0, None)
    progress.close()


def test_progress_is_a_bar_in_a_terminal_and_about_twenty_lines_elsewhere():
    terminal = Terminal()
    bar = Progress(40, done=10, stream=terminal)
    bar.show(40, 1.5, 12345.6, 0.75)
    bar.close()
    assert "40/40" in terminal.getvalue()
    assert "loss 1.5000, best validation 0.7500, 12,346 tokens/s" in terminal.getvalue()
    log = io.StringIO()
    lines = Progress(1000, stream=log)
    for step in range(1, 1001):
        lines.show(step, 0.5, 10, None)
    lines.close()
    assert 20 <= len(log.getvalue().splitlines()) <= 21
    assert log.getvalue().splitlines()[-1] == "step 1000/1000: loss 0.5000, 10 tokens/s"


def test_provenance_names_the_commit_and_no_machine(tmp_path):
    def git(*words):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    assert commit(tmp_path) is None
    git("init")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-m", "one")
    head = (tmp_path / ".git/refs/heads").iterdir().__next__().read_text().strip()
    assert commit(tmp_path) == head
    (tmp_path / "a").write_text("2")
    assert commit(tmp_path) == head + "+changes"
    facts = provenance(torch.device("cpu"), 2)
    assert facts["processes"] == 2
    assert facts["torch"] == torch.__version__
    threads = torch.get_num_threads()
    assert facts["hardware"].endswith(f" {threads} thread{'s' * (threads > 1)} used")
    assert set(facts) == {"commit", "hardware", "processes", "torch", "python", "date"}


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"ü": 1})
    assert path.read_text(encoding="utf-8") == '{\n  "ü": 1\n}\n'
    with pytest.raises(ValueError, match=r"a\.json: expected finite numbers, got nan for x"):
        write_json(path, {"x": math.nan})
    assert path.read_text(encoding="utf-8") == '{\n  "ü": 1\n}\n'
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_row_of_numbers_stands_on_one_line(tmp_path):
    path = tmp_path / "a.json"
    content = {"x": [[[0.5, -1], [2, 3]], []], "words": ["a [b] {c}", "d\n    e"], "deep": [{"y": [1, 2]}]}
    write_json(path, content)
    assert json.loads(path.read_bytes()) == content
    lines = [line.strip(" ,") for line in path.read_text(encoding="utf-8").splitlines()]
    assert {"[0.5, -1]", "[2, 3]", '"y": [1, 2]', '"words": ['} <= set(lines)


def test_a_choice_that_may_be_none_takes_none_as_a_word(capsys):
    parser = argparse.ArgumentParser()
    add_options(parser, Reversal)
    assert vars(parser.parse_args(["--score", "none"])) == {"score": None}
    assert vars(parser.parse_args(["--score", "general"])) == {"score": "general"}
    assert Reversal(score=None).command() == "unrolled train reversal --score none"
    assert "--score {dot,scaled_dot,general,additive,none}" in " ".join(parser.format_help().split())
    with pytest.raises(SystemExit):
        parser.parse_args(["--score", "other"])
    expected = "'other' (choose from 'dot', 'scaled_dot', 'general', 'additive', 'none')"
    assert f"argument --score: invalid choice: {expected}" in capsys.readouterr().err
