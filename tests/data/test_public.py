"""The public sets: read in pairs or whole, and true of the table of what they are."""

import gzip
import os
import re
from pathlib import Path

import pytest

from tests.data.server import Server
from unrolled.data import fetch as fetching
from unrolled.data import public
from unrolled.data.fetch import DataError, problem

# Where the real files may be at hand; see the last tests.
REAL = Path(os.environ.get("UNROLLED_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")


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
