"""A path that begins with ``~`` lies in the user's home, wherever a path is taken."""

import hashlib
import json

import pytest
import torch

from tests.training.toy import Toy
from unrolled.cli import main
from unrolled.data.fetch import DataError, Source, fetch
from unrolled.data.tokenizers import Words, load
from unrolled.pretrained import load_gpt2
from unrolled.training.curve import read_curve
from unrolled.training.distributed import Workers
from unrolled.training.results import collect_runs, read_result, record_result
from unrolled.training.run import RunError, open_run, run_recipe
from unrolled.training.stored import FOLDER, stored, stored_names

ALONE = Workers(0, 1, torch.device("cpu"))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not (tmp_path / "~").exists()


def test_a_run_in_a_home(home, capsys):
    run_recipe(Toy(steps=3), "~/run", ALONE, quiet=True)
    assert (home / "run" / "metrics.json").is_file()
    assert collect_runs(["~/run"])["seeds"]
    assert read_curve("~/run/curve.jsonl") == read_curve(home / "run" / "curve.jsonl")
    with pytest.raises(RunError, match=f"^{home}/nothing: expected a run folder"):
        open_run("~/nothing", torch.device("cpu"))
    assert main(["evaluate", "~/nothing"]) != 0
    assert f"{home}/nothing" in capsys.readouterr().err


def test_results_and_weights_in_a_home(home):
    record_result(
        "toy", command="make it", seeds=[7], metrics={"a": [0.5]}, provenance={}, folder="~/results"
    )
    assert json.loads((home / "results" / "toy.json").read_bytes()) == read_result("toy", "~/results")
    (home / "weights").symlink_to(FOLDER)
    assert stored_names("~/weights") == stored_names()
    with pytest.raises(ValueError, match=r"^name: expected one of "):
        stored("none of these", "~/weights")


def test_data_in_a_home(home, monkeypatch):
    monkeypatch.delenv("UNROLLED_DATA", raising=False)  # a folder of one's own comes before any other
    text = b"something to read"
    source = Source("a.txt", "http://localhost:9/a.txt", hashlib.sha256(text).hexdigest(), len(text))
    (home / "data").mkdir()
    (home / "data" / "a.txt").write_bytes(text)
    assert fetch(source, folder="~/data") == home / "data" / "a.txt"
    assert fetch(source, cache="~/data") == home / "data" / "a.txt"
    monkeypatch.setenv("UNROLLED_DATA", "~/data")
    assert fetch(source) == home / "data" / "a.txt"
    with pytest.raises(DataError, match=r"~nobody-of-this-name/data/a\.txt"):
        fetch(source, folder="~nobody-of-this-name/data")


def test_tokenizers_and_published_weights_in_a_home(home):
    Words(["a"]).save("~/words.json")
    assert load("~/words.json").encode("a") == [5]
    with pytest.raises(FileNotFoundError, match=f"^{home}/gpt2: no such file or folder"):
        load_gpt2("~/gpt2")
