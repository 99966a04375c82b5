import json
import re
import shutil
from pathlib import Path

import pytest

from tools.notebooks.__main__ import main
from tools.run_times import run_time

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
    assert 0 < entry["wall_s"] < 600
    assert re.fullmatch(r"\d+ CPU cores, \w+", entry["hardware"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", entry["date"])
    assert "/" not in times.read_text(encoding="utf-8")
    notebook = (tmp_path / "notebooks" / "07_everything.ipynb").read_text(encoding="utf-8")
    assert re.search(
        r"\*Runs in (\d+ to )?\d+ s on a CPU, 4 min on a GPU "
        r"\(processor time and waiting time, on one fast machine: \d+ CPU",
        notebook,
    )
    assert main(["--check"], root=tmp_path) == 0


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"cpu_s": 9.1, "wall_s": 13.8}, "9 to 14 s on a CPU"),
        ({"cpu_s": 9.1, "wall_s": 5.2}, "5 to 9 s on a CPU"),
        ({"cpu_s": 9.1, "wall_s": 9.4}, "9 s on a CPU"),
        ({"cpu_s": 0.2}, "1 s on a CPU"),
        ({"cpu_s": 61, "wall_s": 131}, "61 s to 2 min on a CPU"),
        ({"cpu_s": 130, "wall_s": 610, "gpu_s": 44}, "2 to 10 min on a CPU, 44 s on a GPU"),
        (
            {"gpu_s": 44, "hardware": "a GPU"},
            "44 s on a GPU (one fast machine: a GPU; a busier or slower one takes longer)",
        ),
    ],
)
def test_a_run_time_is_a_range_from_the_processor_to_the_clock(entry: dict[str, float], said: str) -> None:
    assert run_time(entry) == said


def test_a_chapter_without_a_time_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected cpu_s or gpu_s, got \['date'\]"):
        run_time({"date": "2026-11-28"})


def test_an_unknown_chapter_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(FIXTURES / "book", tmp_path / "book")
    assert main(["--time", "99_none"], root=tmp_path) == 1
    assert "expected chapters among ['07_everything'], got ['99_none']" in capsys.readouterr().err
    assert not (tmp_path / "notebooks").exists()
