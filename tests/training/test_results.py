import json
import math
from pathlib import Path

import pytest

import unrolled
from unrolled import cli
from unrolled.training.curve import thin
from unrolled.training.results import collect_runs, read_result, record_result

GIVEN = {
    "command": "unrolled train toy",
    "seeds": [0, 1],
    "metrics": {"accuracy": [0.5, 0.75]},
    "provenance": {"commit": "abc", "hardware": "a processor, 2 cores", "torch": "2", "date": "2026-01-01"},
}
TINY = ["--steps=6", "--batch=4", "--d-hidden=4", "--longest=3", "--epoch=7", "--log-every=1", "--device=cpu"]


def test_a_result_has_one_schema(tmp_path):
    curve = [{"step": i, "loss": 1 / i, "seconds": i, "tokens_per_s": 3} for i in range(1, 251)]
    curve.append({"step": 250, "validation_loss": 0.5})
    path = record_result("toy-2", **GIVEN, curve=curve, parameters=7, folder=tmp_path / "results")
    assert path == tmp_path / "results/toy-2.json"
    result = json.loads(path.read_text())
    assert list(result) == [
        "schema", "name", "command", "seeds", "metrics", "parameters", "seconds",
        "commit", "hardware", "torch", "date", "curve", "notes",
    ]  # fmt: skip
    assert result["schema"] == 1
    assert len(result["curve"]["training"]) == 100
    assert result["curve"]["training"][0] == {"step": 1, "loss": 1.0}
    assert result["curve"]["training"][-1]["step"] == 250
    assert result["curve"]["validation"] == [{"step": 250, "validation_loss": 0.5}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "../up"}, "name: expected lower-case letters"),
        ({"seeds": []}, "seeds: expected one or more"),
        ({"metrics": {"bleu": [1.0]}}, r"bleu: expected 2 finite numbers, one per seed, got \[1.0\]"),
        ({"metrics": {"bleu": [1.0, math.nan]}}, "bleu: expected 2 finite numbers"),
        ({"command": "unrolled train toy --data /home/me/data"}, "names no folder of a machine, got '/home'"),
        (
            {"tables": {"points": [[0.5, math.inf]]}},
            "tables: expected finite numbers, got inf for points/0/1",
        ),
        ({"curve": [{"step": 3, "loss": math.nan}]}, "toy: .* got nan for curve/training/0/loss"),
        ({"notes": "see ~/runs"}, "names no folder of a machine, got '~/runs'"),
        ({"notes": r"in C:\runs"}, "names no folder of a machine"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        record_result(**{"name": "toy", **GIVEN, **change}, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_tables_stand_in_a_result_as_they_are(tmp_path):
    tables = {"points": {"layer 1": [[0.5, -0.25]]}, "words": ["bears"]}
    record_result("toy", **GIVEN, tables=tables, folder=tmp_path)
    assert read_result("toy", tmp_path)["tables"] == tables
    record_result("toy", **GIVEN, folder=tmp_path)
    assert "tables" not in read_result("toy", tmp_path)


def test_a_slash_between_words_is_no_folder(tmp_path):
    record_result("toy", **GIVEN, notes="tokens/s on 1/2 of 'and/or' (or / and)", folder=tmp_path)


def test_thinning_keeps_both_ends():
    points = [{"step": i} for i in range(10)]
    assert [point["step"] for point in thin(points, 4)] == [0, 3, 6, 9]
    assert thin(points, 10) == points
    with pytest.raises(ValueError, match="at_most: expected 2 points or more, got 1"):
        thin(points, 1)


def test_runs_that_differ_by_seed_make_a_result(tmp_path):
    for name, more in {"a": [], "b": ["--seed=1"], "c": ["--lr=1e-4"]}.items():
        words = ["train", "reversal", *TINY, "--quiet", "--folder", str(tmp_path / name), *more]
        assert cli.main(words) == 0
    collected = collect_runs([tmp_path / "a", tmp_path / "b"])
    path = record_result("reversal", **collected, folder=tmp_path / "results")
    result = json.loads(path.read_text())
    assert result["seeds"] == [0, 1]
    assert str(tmp_path) not in path.read_text()
    metrics = [json.loads((tmp_path / name / "metrics.json").read_text()) for name in "ab"]
    assert result["metrics"]["exact 3-3"] == [m["metrics"]["exact 3-3"] for m in metrics]
    assert result["seconds"]["cpu"] == [m["seconds"]["cpu"] for m in metrics]
    expected = "unrolled train reversal --steps 6 --batch 4 --log-every 1 --longest 3 --epoch 7 --d-hidden 4"
    assert result["command"] == expected
    assert [point["step"] for point in result["curve"]["training"]] == [1, 2, 3, 4, 5, 6]
    with pytest.raises(ValueError, match="expected the same recipe and options, but for the seed"):
        collect_runs([tmp_path / "a", tmp_path / "c"])
    with pytest.raises(ValueError, match=r"expected different seeds, got \[0, 0\]"):
        collect_runs([tmp_path / "a", tmp_path / "a"])
    (tmp_path / "b/metrics.json").unlink()
    with pytest.raises(ValueError, match="b: expected a finished run"):
        collect_runs([tmp_path / "a", tmp_path / "b"])
    with pytest.raises(ValueError, match="expected one folder or more"):
        collect_runs([])


def test_a_result_is_read_by_its_name(tmp_path):
    record_result("toy-2", **GIVEN, folder=tmp_path)
    assert read_result("toy-2", tmp_path)["metrics"] == GIVEN["metrics"]
    for name in ("toy", "../toy-2"):
        with pytest.raises(ValueError, match=f"expected one of toy-2, got '{name}'"):
            read_result(name, tmp_path)
    (tmp_path / "old.json").write_text('{"schema": 0}')
    with pytest.raises(ValueError, match=r"old\.json: expected schema 1, got 0"):
        read_result("old", tmp_path)


def test_the_results_ship_with_the_package():
    shipped = Path(unrolled.__file__).parent / "results"
    there = {path.name for path in shipped.glob("*.json")}
    assert there == {path.name for path in (Path(__file__).parents[2] / "results").glob("*.json")} != set()
