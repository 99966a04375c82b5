"""Published vocabularies: what is wrong with a file is told, and the file named."""

import json
import re

import pytest

from tests.data.published import BERT, END, save_bert, save_gpt2
from unrolled.data.tokenizers import Published, load, read_tokenizer


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    for name, save in (("gpt2", save_gpt2), ("bert", save_bert)):
        (folder / name).mkdir()
        save(folder / name)
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    for file in ("gpt2/vocab.json", "gpt2/merges.txt", "gpt2/tokenizer.json", "bert/vocab.txt"):
        (tmp_path / file.split("/")[1]).write_bytes((saved / file).read_bytes())
    return tmp_path


def test_a_folder_s_first_file_is_read(copy):
    (copy / "tokenizer.json").unlink()
    assert read_tokenizer(copy).special == {END: 599}
    (copy / "vocab.json").unlink()
    assert list(read_tokenizer(copy).special) == BERT
    (copy / "vocab.txt").unlink()
    said = f"^{re.escape(str(copy))}: expected tokenizer.json, vocab.json or vocab.txt in it, got none$"
    with pytest.raises(FileNotFoundError, match=said):
        read_tokenizer(copy)
    with pytest.raises(FileNotFoundError, match=r"vocab\.txt"):
        read_tokenizer(copy / "vocab.txt")


def test_other_special_tokens_are_handed_in(copy, tmp_path):
    ids = json.loads((copy / "vocab.json").read_text(encoding="utf-8"))
    ids |= {"<|user|>": 600, "<|end|>": 601}
    (copy / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
    ours = read_tokenizer(copy / "vocab.json", special=["<|user|>", "<|end|>"])
    assert ours.special == {"<|user|>": 600, "<|end|>": 601}
    assert ours.decode([600, *ours.encode("bears <|user|>"), 601]) == "bears <|user|>"
    assert ours.token(600) == "<|user|>"
    typed = read_tokenizer(copy / "vocab.json", special=["<|user|>"], typed_special=True)
    assert typed.encode("<|user|>bears")[0] == 600
    typed.save(tmp_path / "saved.json")
    again = load(tmp_path / "saved.json")
    assert isinstance(again, Published)
    assert again.encode("a<|user|>") == typed.encode("a<|user|>")
    assert again.special == {"<|user|>": 600}
    with pytest.raises(ValueError, match=r"special: expected tokens of the vocabulary, got '<\|tool\|>'$"):
        read_tokenizer(copy / "vocab.json", special=["<|tool|>"])


def test_capitals_and_accents_go_or_stay(copy):
    (copy / "tokenizer.json").unlink()
    assert read_tokenizer(copy / "vocab.txt").encode("Ünder") == read_tokenizer(copy / "vocab.txt").encode(
        "under"
    )
    kept = read_tokenizer(copy / "vocab.txt", lowercase=False)
    assert kept.encode("Anna") != kept.encode("anna")
    (copy / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    assert read_tokenizer(copy / "vocab.txt").encode("Anna") == kept.encode("Anna")
    (copy / "tokenizer_config.json").write_text('{"do_lower_case": "no"}')
    with pytest.raises(ValueError, match=r"tokenizer_config\.json: expected true or false .*, got 'no'$"):
        read_tokenizer(copy / "vocab.txt")
    with pytest.raises(
        ValueError, match=r"^lowercase: expected with vocab.txt alone, got it with vocab.json$"
    ):
        read_tokenizer(copy / "vocab.json", lowercase=True)


def lines(text, keep):
    return "".join(text.splitlines(keepends=True)[:keep])


SPOILT = {
    "vocab.json cut short": (
        "vocab.json",
        lambda text: text[: len(text) // 2],
        "vocab.json",
        r"expected JSON, got a file that ends too early",
    ),
    "vocab.json empty": ("vocab.json", lambda text: "", "vocab.json", "expected JSON, got a file that ends"),
    "vocab.json not JSON": ("vocab.json", lambda text: "<html>no</html>", "vocab.json", "got something else"),
    "vocab.json a list": ("vocab.json", lambda text: "[1]", "vocab.json", "expected pieces and .*got a list"),
    "vocab.json no pieces": ("vocab.json", lambda text: "{}", "vocab.json", "got no pieces"),
    "vocab.json with a gap": (
        "vocab.json",
        lambda text: json.dumps({"a": 0, "b": 2}),
        "vocab.json",
        r"expected pieces with the ids 0 to 1, each once, got 'b': 2$",
    ),
    "merges.txt cut within a line": (
        "merges.txt",
        lambda text: lines(text, 12)[:-3],
        "merges.txt, line 12",
        "expected (two pieces|pieces of vocab.json)",
    ),
    "merges.txt cut at a line": (
        "merges.txt",
        lambda text: lines(text, 300),
        "merges.txt",
        "expected a rule for every longer piece .*, got 299 rules, none for .*cut short",
    ),
    "merges.txt of another vocabulary": (
        "merges.txt",
        lambda text: text + "Ж Ж\n",
        "merges.txt, line ",
        "expected pieces of vocab.json, got 'Ж'",
    ),
    "merges.txt three pieces": (
        "merges.txt",
        lambda text: text + "a b c\n",
        "merges.txt, line ",
        "expected two pieces and a space between, got 'a b c'",
    ),
    "vocab.txt empty line": (
        "vocab.txt",
        lambda text: text + "\nbear\n",
        "vocab.txt, line 402",
        "expected one piece, each once, got an empty line",
    ),
    "vocab.txt twice": (
        "vocab.txt",
        lambda text: text + "[MASK]\n",
        "vocab.txt, line 402",
        r"expected one piece, each once, got '\[MASK\]' again",
    ),
    "vocab.txt without unknown": (
        "vocab.txt",
        lambda text: text.replace("[UNK]\n", ""),
        "vocab.txt",
        r"expected \[UNK\] among its pieces, got 400 without it",
    ),
    "tokenizer.json cut short": (
        "tokenizer.json",
        lambda text: text[:-40],
        "tokenizer.json",
        "expected JSON, got a file that ends too early",
    ),
    "tokenizer.json of something else": (
        "tokenizer.json",
        lambda text: json.dumps(json.loads(text) | {"model": {"type": "Nothing"}}),
        "tokenizer.json",
        "model: expected what the tokenizers library saves",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_file_is_named_with_what_was_expected_and_what_came(copy, case):
    file, spoil, named, said = SPOILT[case]
    path = copy / file
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    read = "vocab.json" if file == "merges.txt" else file
    with pytest.raises(ValueError, match=f"^{re.escape(str(copy / named))}.*{said}"):
        read_tokenizer(copy / read)


def test_a_file_of_bytes_is_told(copy):
    (copy / "vocab.txt").write_bytes(b"[UNK]\n\xff\n")
    with pytest.raises(ValueError, match=r"vocab\.txt: expected text in UTF-8, got byte 6: invalid start"):
        read_tokenizer(copy / "vocab.txt")


def test_missing_merges_are_told(copy):
    (copy / "merges.txt").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"merges\.txt: expected beside vocab\.json, got no such file$"
    ):
        read_tokenizer(copy / "vocab.json")


def test_windows_line_ends_and_byte_order_marks_change_nothing(copy):
    text = "Anna found a rusty kettle"
    pieces = {file: read_tokenizer(copy / file).encode(text) for file in ("vocab.json", "vocab.txt")}
    for file in ("merges.txt", "vocab.txt", "vocab.json"):
        written = (copy / file).read_text(encoding="utf-8")
        (copy / file).write_text(written.replace("\n", "\r\n"), encoding="utf-8-sig", newline="")
    for file, ids in pieces.items():
        assert read_tokenizer(copy / file).encode(text) == ids


def test_a_text_is_as_long_as_it_is_whatever_the_file_says(copy):
    plain = read_tokenizer(copy / "tokenizer.json").encode("Anna found a rusty kettle")
    saved = json.loads((copy / "tokenizer.json").read_text(encoding="utf-8"))
    short = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    filled = {"strategy": {"Fixed": 97}, "direction": "Right", "pad_to_multiple_of": None}
    filled |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "!"}
    assert 3 < len(plain) < 97
    for setting in ({"truncation": short}, {"padding": filled}):
        (copy / "tokenizer.json").write_text(json.dumps(saved | setting), encoding="utf-8")
        assert read_tokenizer(copy / "tokenizer.json").encode("Anna found a rusty kettle") == plain
