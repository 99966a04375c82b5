import json
import re
import shutil
from pathlib import Path

import pytest

from tools.notebooks.__main__ import main

FIXTURES = Path(__file__).parent / "fixtures"


def test_a_run_is_timed_and_told_in_the_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(FIXTURES / "book", tmp_path / "book")
    times = tmp_path / "results" / "chapter_times.json"
    times.parent.mkdir()
    times.write_text(
        json.dumps({"07_everything": {"gpu_s": 240.0}, "03_other": {"cpu_s": 5.0}}), encoding="utf-8"
    )
    assert main(["--time", "07_everything"], root=tmp_path) == 0
    noted = json.loads(times.read_text(encoding="utf-8"))
    assert noted["03_other"] == {"cpu_s": 5.0}
    entry = noted["07_everything"]
    assert entry["gpu_s"] == 240.0
    assert 0 < entry["cpu_s"] < 600
    assert re.fullmatch(r"\d+ CPU cores, \w+", entry["hardware"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", entry["date"])
    assert "/" not in times.read_text(encoding="utf-8")
    notebook = (tmp_path / "notebooks" / "07_everything.ipynb").read_text(encoding="utf-8")
    assert re.search(r"\*Runs in about \d+ s on a CPU, 4 min on a GPU \(", notebook)
    assert main(["--check"], root=tmp_path) == 0


def test_an_unknown_chapter_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(FIXTURES / "book", tmp_path / "book")
    assert main(["--time", "99_none"], root=tmp_path) == 1
    assert "expected chapters among ['07_everything'], got ['99_none']" in capsys.readouterr().err
    assert not (tmp_path / "notebooks").exists()
