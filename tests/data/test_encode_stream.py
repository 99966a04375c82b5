"""A stream is encoded as the whole text is, however it is cut, and holds no more than it must."""

import io
import json

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from tests.data.published import awkward, save_bert, save_gpt2
from unrolled.data.text import corpus
from unrolled.data.tokenizers import BytePairs, Characters, Published, Words, encode_stream, read_tokenizer

TEXT = " ".join(awkward()) + "\n" + corpus(3_000) + "  \n two  spaces\t" + "\n".join(awkward())


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    folders = {name: tmp_path_factory.mktemp(name) for name in ("gpt2", "bert")}
    return {
        "characters": Characters.train(TEXT),
        "words": Words.train([TEXT]),
        "words and marks": Words.train([TEXT], punctuation=True, lowercase=True),
        "byte pairs": BytePairs.train([TEXT], vocab_size=599),
        "GPT-2": read_tokenizer(save_gpt2(folders["gpt2"])),
        "GPT-2, typed": read_tokenizer(folders["gpt2"], typed_special=True),
        "BERT": read_tokenizer(save_bert(folders["bert"])),
    }


NAMES = ("characters", "words", "words and marks", "byte pairs", "GPT-2", "GPT-2, typed", "BERT")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 7, 101, 65_536])
def test_a_file_and_an_iterable_give_what_the_whole_text_gives(tokenizers, name, size):
    tokenizer = tokenizers[name]
    whole = tokenizer.encode(TEXT)
    assert list(encode_stream(tokenizer, io.StringIO(TEXT, newline=""), size=size)) == whole
    parts = [TEXT[i : i + 13] for i in range(0, len(TEXT), 13)]
    assert list(encode_stream(tokenizer, iter(parts), size=size)) == whole
    assert list(encode_stream(tokenizer, ["", *TEXT, ""], size=size)) == whole


@pytest.mark.parametrize("name", NAMES)
def test_no_more_is_read_ahead_than_was_allowed(tokenizers, name):
    tokenizer = tokenizers[name]
    line = corpus(1_000).replace("\n", " ")
    read = 0

    def lines():
        nonlocal read
        for _ in range(500):
            read += len(line)
            yield line

    ahead = 0
    shortest = len(tokenizer.encode(line)) / len(line)
    for written, _ in enumerate(encode_stream(tokenizer, lines(), size=2_003)):
        ahead = max(ahead, read - int(written / shortest))
    assert read == 500 * len(line)
    assert ahead < 2_003 + 3 * len(line)


def test_a_word_of_many_parts_stays_one_word(tokenizers):
    tokenizer = tokenizers["byte pairs"]
    word = "bear" * 5_000
    assert list(encode_stream(tokenizer, [word], size=17)) == tokenizer.encode(word)


def test_nothing_is_nothing(tokenizers):
    for source in ([], [""], io.StringIO("")):
        assert list(encode_stream(tokenizers["byte pairs"], source)) == []


def other_rule():
    tokenizer = Tokenizer(models.BPE({"a": 0, " ": 1, "a ": 2}, [("a", " ")]))
    return Published(json.loads(tokenizer.to_str()))  # one word for all: "a " is a piece


def with_prefix():
    tokenizer = Tokenizer(models.BPE({"a": 0, "Ġ": 1}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    return Published(json.loads(tokenizer.to_str()))


@pytest.mark.parametrize("made", [other_rule, with_prefix, lambda: None])
def test_a_rule_that_looks_across_white_space_is_refused(made):
    with pytest.raises(ValueError, match=r"^tokenizer: expected characters, words, or pieces cut at white"):
        encode_stream(made(), ["a a"])


def test_a_special_token_with_a_space_is_refused_where_it_can_be_typed(tokenizers, tmp_path):
    tokenizers["GPT-2"].save(tmp_path / "t.json")
    model = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))["model"]
    model["added_tokens"][0] |= {"content": "the end"}
    model["model"]["vocab"]["the end"] = model["model"]["vocab"].pop("<|endoftext|>", 599)
    assert list(encode_stream(Published(model), ["a b"]))
    with pytest.raises(ValueError, match="with another rule"):
        encode_stream(Published(model, typed_special=True), ["a b"])


def test_what_is_no_stream_is_told(tokenizers):
    tokenizer = tokenizers["byte pairs"]
    with pytest.raises(TypeError, match=r"^texts: expected a list of texts, got a single text: 'a b'$"):
        encode_stream(tokenizer, "a b")
    with pytest.raises(TypeError, match=r"^text: expected a string, got bytes$"):
        list(encode_stream(tokenizer, io.BytesIO(b"a b")))
    with pytest.raises(ValueError, match=r"^size: expected 1 or more characters, got 0$"):
        encode_stream(tokenizer, ["a"], size=0)
