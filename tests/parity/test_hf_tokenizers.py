"""Vocabularies in GPT-2's and in BERT's files: our ids are those of transformers, text by text."""

import json

import pytest
from transformers import AutoTokenizer, BertTokenizer, GPT2Tokenizer, PreTrainedTokenizerFast

from tests.data.published import END, awkward, save_bert, save_gpt2
from unrolled.data.tokenizers import Tokenizer, load, read_tokenizer

TEXTS = awkward()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("published")
    for name, save in (("gpt2", save_gpt2), ("bert", save_bert)):
        (where / name).mkdir()
        save(where / name)
    (where / "cased").mkdir()
    save_bert(where / "cased", lowercase=False)
    (where / "cased" / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    return where


def theirs(folder, name, file):
    if file == "tokenizer.json":
        return PreTrainedTokenizerFast(tokenizer_file=str(folder / name / file))
    if name == "gpt2":
        return GPT2Tokenizer(str(folder / name / "vocab.json"), str(folder / name / "merges.txt"))
    return BertTokenizer(str(folder / name / "vocab.txt"), do_lower_case=name == "bert")


FILES = [
    *[("gpt2", file) for file in ("vocab.json", "tokenizer.json")],
    *[(name, file) for name in ("bert", "cased") for file in ("vocab.txt", "tokenizer.json")],
]


def test_there_are_a_hundred_texts_and_all_pieces_matter(folder):
    assert len(set(TEXTS)) >= 100
    ours = read_tokenizer(folder / "gpt2")
    assert any(max(ours.encode(text), default=0) > 500 for text in TEXTS)


@pytest.mark.parametrize(("name", "file"), FILES)
def test_ids_are_those_of_transformers(folder, name, file, tmp_path):
    their = theirs(folder, name, file)
    ours = read_tokenizer(folder / name / file)
    assert isinstance(ours, Tokenizer)
    assert ours.vocab_size == len(their)
    ours.save(tmp_path / "saved.json")
    again = load(tmp_path / "saved.json")
    typed = read_tokenizer(folder / name / file, typed_special=True)
    typed.save(tmp_path / "typed.json")
    for text in TEXTS:
        plain = their.encode(text, add_special_tokens=False, split_special_tokens=True)
        assert ours.encode(text) == again.encode(text) == plain, text
        named = their.encode(text, add_special_tokens=False)
        assert typed.encode(text) == load(tmp_path / "typed.json").encode(text) == named, text


@pytest.mark.parametrize(("name", "file"), FILES)
def test_what_ids_say_is_what_transformers_says(folder, name, file):
    their = theirs(folder, name, file)
    ours = read_tokenizer(folder / name / file)
    their.clean_up_tokenization_spaces = False
    for text in TEXTS:
        ids = [*ours.encode(text), *ours.special.values()]
        assert ours.decode(ids) == their.decode(ids, skip_special_tokens=True), text


def test_a_folder_that_transformers_saved_is_read(folder, tmp_path):
    their = theirs(folder, "gpt2", "vocab.json")
    their.save_pretrained(tmp_path)
    ours, reread = read_tokenizer(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    for text in TEXTS:
        assert ours.encode(text) == reread.encode(text, split_special_tokens=True), text
    assert ours.special == {END: reread.eos_token_id}
