"""Downloads against a server on this machine: whole, truncated, altered, broken off, refused, not there."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.data.server import CONTENT
from unrolled.data import fetch as fetching
from unrolled.data.fetch import FOLDER_VARIABLE, OFFLINE_VARIABLE, DataError, Source, cache_folder, fetch


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_is_downloaded_once(server, tmp_path, capsys):
    path = fetch(server.source(), cache=tmp_path)
    assert path == tmp_path / "set" / "file.bin"
    assert path.read_bytes() == CONTENT
    said = capsys.readouterr().err
    assert f"set/file.bin: {len(CONTENT):,} of {len(CONTENT):,} bytes\n" in said
    assert said.count("\r") > 2
    assert fetch(server.source(), cache=tmp_path) == path
    assert server.requests == ["/set/file.bin"]
    assert files(tmp_path) == ["file.bin"]
    assert capsys.readouterr().err == ""


def test_a_download_can_be_silent(server, tmp_path, capsys):
    server.answers = [("whole", b"no"), ("whole", CONTENT)]
    fetch(server.source(), cache=tmp_path, progress=False)
    assert capsys.readouterr().err == ""


def test_offline_nothing_is_had_but_from_a_folder_the_code_names(server, tmp_path, monkeypatch):
    whole = fetch(server.source(), cache=tmp_path)
    monkeypatch.setenv(OFFLINE_VARIABLE, "1")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match=r"set/file\.bin is not asked for: UNROLLED_OFFLINE is set") as told:
        fetch(server.source(), cache=tmp_path)
    assert FOLDER_VARIABLE not in str(told.value), "it would not help"
    assert fetch(server.source(), folder=tmp_path) == whole
    monkeypatch.setenv(OFFLINE_VARIABLE, "0")
    assert fetch(server.source(), cache=tmp_path) == whole
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("spoilt", "word"),
    [
        (CONTENT[:-1], "truncated"),
        (b"", "truncated"),
        (CONTENT[:-1] + b"x", "altered"),
        (CONTENT + b"x", "altered"),
    ],
)
def test_a_spoilt_file_in_the_cache_is_refused_and_replaced(server, tmp_path, capsys, spoilt, word):
    path = tmp_path / "set" / "file.bin"
    path.parent.mkdir()
    path.write_bytes(spoilt)
    assert fetch(server.source(), cache=tmp_path).read_bytes() == CONTENT
    assert f"{path}: {word}: expected" in capsys.readouterr().err
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "first",
    [
        ("broken off", CONTENT[:100_000]),
        ("broken off", b""),
        ("whole", CONTENT[:-1]),
        ("whole", b"x" + CONTENT[1:]),
        ("whole", CONTENT + b"x"),
        ("whole", b"<html>please log in</html>"),
    ],
)
def test_a_spoilt_download_is_tried_again(server, tmp_path, first):
    server.answers = [first, ("whole", CONTENT)]
    assert fetch(server.source(), cache=tmp_path, progress=False).read_bytes() == CONTENT
    assert len(server.requests) == 2
    assert files(tmp_path) == ["file.bin"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (("broken off", CONTENT[:9]), f"truncated: expected {len(CONTENT)} bytes, got 9"),
        (("whole", b"x" + CONTENT[1:]), "altered: expected sha256"),
        (("whole", CONTENT + b"more"), f"altered: expected {len(CONTENT)} bytes, got {len(CONTENT) + 1}"),
    ],
)
def test_a_download_that_stays_wrong_leaves_nothing_and_says_why(server, tmp_path, answer, said):
    server.answers = [answer]
    with pytest.raises(DataError, match=re.escape(said)):
        fetch(server.source(), cache=tmp_path, progress=False, attempts=2)
    assert len(server.requests) == 2
    assert files(tmp_path) == []


def test_a_spoilt_file_stays_until_the_right_one_is_there(server, tmp_path):
    path = tmp_path / "set" / "file.bin"
    path.parent.mkdir()
    path.write_bytes(b"old")
    server.answers = [("missing", b"")]
    with pytest.raises(DataError):
        fetch(server.source(), cache=tmp_path, progress=False)
    assert path.read_bytes() == b"old"


def advised(error: str, source: Source) -> bool:
    return all(part in error for part in (source.url, source.name, "folder=", FOLDER_VARIABLE, "bytes"))


def test_a_file_that_is_gone_is_told_at_once(server, tmp_path):
    server.answers = [("missing", b"")]
    with pytest.raises(DataError, match="the server says 404 Not Found") as error:
        fetch(server.source(), cache=tmp_path, progress=False)
    assert advised(str(error.value), server.source())
    assert len(server.requests) == 1
    assert files(tmp_path) == []


def test_without_a_network_the_message_says_what_to_do(server, tmp_path):
    source = server.source()
    server.http.server_close()  # from here on connections are refused
    with pytest.raises(DataError, match="no connection") as error:
        fetch(source, cache=tmp_path, progress=False)
    assert advised(str(error.value), source)
    assert files(tmp_path) == []


def test_what_a_killed_download_left_is_swept_away_and_a_running_one_is_not(server, tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    old, new = folder / "file.bin.abc.part", folder / "file.bin.def.part"
    for part in (old, new):
        part.write_bytes(CONTENT[:10])
    os.utime(old, (time.time() - 7200,) * 2)
    assert fetch(server.source(), cache=tmp_path, progress=False).read_bytes() == CONTENT
    assert files(tmp_path) == ["file.bin", "file.bin.def.part"]


def test_a_killed_download_leaves_no_wrong_file_and_is_started_again(server, tmp_path):
    server.answers = [("stalls", CONTENT[:100_000]), ("whole", CONTENT)]
    script = (
        f"from unrolled.data.fetch import Source, fetch; fetch({server.source()}, cache={str(tmp_path)!r})"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    try:
        assert server.stalled.wait(60)
    finally:
        child.kill()
        child.wait()
    left = files(tmp_path)
    assert len(left) == 1
    assert left[0].endswith(".part")
    assert fetch(server.source(), cache=tmp_path, progress=False).read_bytes() == CONTENT
    assert files(tmp_path) == ["file.bin", *left]


def test_an_interrupt_leaves_nothing_behind(server, tmp_path, monkeypatch):
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "problem", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(server.source(), cache=tmp_path, progress=False)
    assert len(server.requests) == 1
    assert files(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "set").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(DataError, match=r"cannot write .*file\.bin") as error:
        fetch(server.source(), cache=tmp_path, progress=False)
    assert advised(str(error.value), server.source())


def test_attempts_are_checked(server, tmp_path):
    with pytest.raises(ValueError, match=r"^attempts: expected 1 or more, got 0$"):
        fetch(server.source(), cache=tmp_path, attempts=0)


@pytest.mark.parametrize("by", ["argument", "variable"])
@pytest.mark.parametrize("place", ["set/file.bin", "file.bin"])
def test_a_folder_that_is_named_is_used_instead(server, tmp_path, monkeypatch, by, place):
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENT)
    if by == "variable":
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    folder = str(tmp_path) if by == "argument" else None
    assert fetch(server.source(), folder=folder, cache=tmp_path / "cache") == path
    assert server.requests == []
    assert files(tmp_path) == ["file.bin"]


def test_a_spoilt_file_in_the_users_folder_is_refused_and_left_alone(server, tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"mine")
    with pytest.raises(DataError, match="own folder and is left as it is") as error:
        fetch(server.source(), folder=tmp_path)
    assert str(path) in str(error.value)
    assert server.source().url in str(error.value)
    assert path.read_bytes() == b"mine"
    assert server.requests == []


def test_a_file_that_is_missing_in_the_users_folder_is_named(server, tmp_path):
    with pytest.raises(DataError) as error:
        fetch(server.source(), folder=tmp_path)
    for part in (str(tmp_path / "set" / "file.bin"), str(tmp_path / "file.bin"), server.source().url):
        assert part in str(error.value)
    assert server.requests == []


def test_the_cache_is_the_users_and_not_the_repositorys():
    assert "unrolled" in str(cache_folder())
    assert Path(__file__).parents[2] not in cache_folder().parents
