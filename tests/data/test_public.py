"""Downloads against a server on this machine: whole, truncated, altered, broken off, refused, not there."""

import gzip
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from unrolled.data import fetch as fetching
from unrolled.data import public
from unrolled.data.fetch import FOLDER_VARIABLE, DataError, Source, cache_folder, fetch, problem

CONTENT = bytes(range(256)) * 900  # several chunks
# Where the real files may be at hand; see the last tests.
REAL = Path(os.environ.get("UNROLLED_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")


class Server:
    """Answers each request with the next of `answers`, and with the last of them from then on."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, bytes]] = [("whole", CONTENT)]
        self.requests: list[str] = []
        self.stalled, self.released = threading.Event(), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                how, body = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(404 if how == "missing" else 200)
                self.send_header(
                    "Content-Length", str(len(CONTENT) if how in ("broken off", "stalls") else len(body))
                )
                self.end_headers()
                self.wfile.write(body)
                if how == "stalls":
                    self.wfile.flush()
                    outer.stalled.set()
                    outer.released.wait(60)
                self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self) -> None:
        self.released.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def source(self, content: bytes = CONTENT, name: str = "set/file.bin") -> Source:
        url = f"http://127.0.0.1:{self.http.server_port}/{name}"
        return Source(name, url, hashlib.sha256(content).hexdigest(), len(content))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    server = Server()
    yield server
    server.stop()


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


def small_multi30k(server: Server, monkeypatch: pytest.MonkeyPatch, german: str, english: str) -> None:
    texts = {"de": gzip.compress(german.encode()), "en": gzip.compress(english.encode())}
    table = {("val", lang): server.source(text, f"multi30k/val.{lang}.gz") for lang, text in texts.items()}
    monkeypatch.setattr(public, "MULTI30K", table)
    server.answers = [("whole", texts["de"]), ("whole", texts["en"])]


def test_multi30k_comes_in_pairs(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "cache_folder", lambda: tmp_path)
    # Only a line feed ends a line: a caption may hold other separators.
    small_multi30k(server, monkeypatch, "Ein Hund.\nZwei\r\u2028Bäume \n", "A dog.\nTwo trees\n")
    expected = [("Ein Hund.", "A dog."), ("Zwei\r\u2028Bäume", "Two trees")]
    assert public.multi30k("val", progress=False) == expected
    assert public.multi30k("val", progress=False) == expected
    assert server.requests == ["/multi30k/val.de.gz", "/multi30k/val.en.gz"]


def test_sides_of_unequal_length_are_refused(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "cache_folder", lambda: tmp_path)
    small_multi30k(server, monkeypatch, "Ein Hund.\nZwei\n", "A dog.\n")
    with pytest.raises(DataError, match="expected as many German lines as English, got 2 and 1"):
        public.multi30k("val", progress=False)


def test_an_unknown_part_is_named():
    with pytest.raises(ValueError, match=r"^part: expected one of 'train', 'val', 'test', got 'dev'$"):
        public.multi30k("dev")


def test_tiny_shakespeare_is_one_text(server, tmp_path, monkeypatch):
    text = "First Citizen:\nBefore we proceed\n"
    monkeypatch.setattr(fetching, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(public, "TINY_SHAKESPEARE", server.source(text.encode(), "tinyshakespeare/input.txt"))
    server.answers = [("whole", text.encode())]
    assert public.tiny_shakespeare(progress=False) == text


@pytest.mark.parametrize("source", [*public.MULTI30K.values(), public.TINY_SHAKESPEARE], ids=lambda s: s.name)
def test_the_table_is_well_formed_and_true_of_the_real_files_where_they_are_at_hand(source):
    assert re.fullmatch(r"[0-9a-f]{64}", source.sha256)
    assert source.size > 20_000
    assert source.url.startswith("https://raw.githubusercontent.com/")
    assert source.url.endswith("/" + source.name.split("/")[1])
    path = REAL / source.name
    assert not path.is_file() or problem(path, source) is None


@pytest.mark.parametrize("part", public.MULTI30K_PAIRS)
def test_every_part_has_both_languages_and_the_pairs_it_states(part):
    names = [public.MULTI30K[part, language].name for language in ("de", "en")]
    assert [name[-5:] for name in names] == ["de.gz", "en.gz"]
    assert all(name.split("/")[1].startswith(part) for name in names)
    at_hand = all((REAL / name).is_file() for name in names)
    found = len(public.multi30k(part, folder=REAL)) if at_hand else public.MULTI30K_PAIRS[part]
    assert found == {"train": 29_000, "val": 1_014, "test": 1_000}[part]
