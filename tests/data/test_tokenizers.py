"""Characters, words and byte pairs: there and back, saved, loaded, and clear about what they cannot read."""

import json
import re
import unicodedata
from collections import Counter

import pytest

from tests.data.published import awkward
from unrolled.data.special_tokens import SPECIAL
from unrolled.data.text import corpus
from unrolled.data.tokenizers import BytePairs, Characters, Tokenizer, Words, byte_alphabet, gpt2_words, load

TEXT = corpus(20_000)
SENTENCE = "Anna found a rusty kettle near the river."


@pytest.fixture(scope="module")
def byte_pairs() -> BytePairs:
    return BytePairs.train(TEXT.splitlines(), vocab_size=500)


@pytest.fixture(params=["characters", "words", "byte pairs"])
def tokenizer(request: pytest.FixtureRequest, byte_pairs: BytePairs) -> Tokenizer:
    if request.param == "characters":
        return Characters.train(TEXT)
    return byte_pairs if request.param == "byte pairs" else Words.train([TEXT, SENTENCE])


def test_the_special_tokens_have_one_numbering():
    assert SPECIAL == (0, 1, 2, 3, 4)
    assert (SPECIAL.pad, SPECIAL.bos, SPECIAL.eos, SPECIAL.unk, SPECIAL.mask) == (0, 1, 2, 3, 4)
    assert SPECIAL.names == ("<pad>", "<bos>", "<eos>", "<unk>", "<mask>")


def test_there_and_back(tokenizer):
    assert isinstance(tokenizer, Tokenizer)
    ids = tokenizer.encode(SENTENCE)
    assert all(len(SPECIAL) <= i < tokenizer.vocab_size for i in ids)
    assert tokenizer.decode(ids) == SENTENCE
    assert tokenizer.encode("") == []
    assert tokenizer.decode([]) == ""
    assert [tokenizer.token(i) for i in range(5)] == list(SPECIAL.names)
    joined = (" " if isinstance(tokenizer, Words) else "").join(map(tokenizer.token, ids))
    assert joined == SENTENCE


def test_ends_and_padding_are_left_out_of_the_text(tokenizer):
    ids = [SPECIAL.bos, *tokenizer.encode(SENTENCE), SPECIAL.eos, SPECIAL.pad, SPECIAL.pad]
    assert tokenizer.decode(ids) == SENTENCE
    assert tokenizer.decode([SPECIAL.mask]) == "<mask>"
    assert tokenizer.decode([SPECIAL.unk]) == "<unk>"


def test_an_id_out_of_range_is_told(tokenizer):
    n = tokenizer.vocab_size
    for wrong in (-1, n):
        for read in (tokenizer.decode, lambda ids: tokenizer.token(ids[0])):
            with pytest.raises(ValueError, match=rf"^ids: expected 0 to {n - 1}, got {wrong}$"):
                read([wrong])


def test_what_is_no_text_is_told(tokenizer):
    with pytest.raises(TypeError, match=r"^text: expected a string, got list$"):
        tokenizer.encode(["a"])


def test_saved_and_loaded_it_is_the_same(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text("an older file", encoding="utf-8")
    tokenizer.save(path)
    again = load(path)
    assert type(again) is type(tokenizer)
    assert again.vocab_size == tokenizer.vocab_size
    sample = TEXT[:500]
    assert again.encode(sample) == tokenizer.encode(sample)
    assert again.decode(again.encode(SENTENCE)) == SENTENCE
    again.save(tmp_path / "second.json")
    assert (tmp_path / "second.json").read_bytes() == path.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["second.json", "tokenizer.json"]


@pytest.mark.parametrize(
    "spoil", ["truncated", "emptied", "another format", "another kind", "no tokens", "list"]
)
def test_a_corrupt_file_is_told(tokenizer, tmp_path, spoil):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    text = path.read_text(encoding="utf-8")
    saved = json.loads(text)
    key = "model" if isinstance(tokenizer, BytePairs) else "tokens"
    spoilt = {
        "truncated": text[: len(text) // 2],
        "emptied": "",
        "another format": json.dumps(saved | {"format": "2"}),
        "another kind": json.dumps(saved | {"kind": "syllables"}),
        "no tokens": json.dumps({k: v for k, v in saved.items() if k != key}),
        "list": "[1, 2]",
    }[spoil]
    path.write_text(spoilt, encoding="utf-8")
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: expected a saved tokenizer"):
        load(path)


def test_a_save_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text("an older file", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        Characters(["\ud800"]).save(path)  # half a character, which no UTF-8 file can hold
    assert [(p.name, p.read_text(encoding="utf-8")) for p in tmp_path.iterdir()] == [
        ("tokenizer.json", "an older file")
    ]


def test_a_file_that_is_not_there_is_not_called_corrupt(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.json")


def test_characters_are_numbered_in_their_order():
    characters = Characters.train("banana!")
    assert characters.tokens[5:] == ("!", "a", "b", "n")
    assert characters.encode("nab") == [8, 6, 7]
    assert characters.vocab_size == 9


def test_an_unknown_character_is_told():
    with pytest.raises(ValueError, match=r"^expected characters of '!abn', got 'x' at position 2$"):
        Characters.train("banana!").encode("naxa")


def test_an_alphabet_is_single_characters_each_once():
    with pytest.raises(ValueError, match=r"^characters: expected single characters, got 'ab'$"):
        Characters(["ab"])
    with pytest.raises(ValueError, match=r"^tokens: expected each of them once, got 'a' twice$"):
        Characters("aba")


def test_frequent_words_come_first_and_rare_ones_are_unknown():
    words = Words.train(["b a b", "c b a"], min_count=2)
    assert words.tokens[5:] == ("b", "a")
    assert words.encode("a c b") == [6, SPECIAL.unk, 5]
    assert words.decode(words.encode("a c b")) == "a <unk> b"


def test_a_strict_vocabulary_knows_every_word():
    with pytest.raises(ValueError, match=r"^expected one of 2 known words, got 'c'$"):
        Words(["a", "b"], strict=True).encode("a c")
    assert Words(["a", "b"], strict=True).encode("b a") == [6, 5]


def test_punctuation_and_case_are_kept_together_or_apart():
    text = "Don't stop, Zoë-Ann!"
    assert Words([]).split(text) == ["Don't", "stop,", "Zoë-Ann!"]
    apart = ["don", "'", "t", "stop", ",", "zoë", "-", "ann", "!"]
    assert Words([], punctuation=True, lowercase=True).split(text) == apart
    trained = Words.train([text], punctuation=True, lowercase=True)
    assert trained.decode(trained.encode("STOP!")) == "stop !"


def test_settings_of_words_are_saved(tmp_path):
    Words.train([SENTENCE], punctuation=True, lowercase=True, strict=True).save(tmp_path / "words.json")
    again = load(tmp_path / "words.json")
    assert (again.punctuation, again.lowercase, again.strict) == (True, True, True)


@pytest.mark.parametrize("text", ["<eos>", "a <pad> b", "<mask><bos>"])
def test_nobody_can_type_a_special_token(byte_pairs, tmp_path, text):
    byte_pairs.save(tmp_path / "t.json")
    characters = Characters.train(text)
    for tokenizer in (byte_pairs, load(tmp_path / "t.json"), characters):
        ids = tokenizer.encode(text)
        assert min(ids) >= len(SPECIAL)
        assert tokenizer.decode(ids) == text
    assert Words(["a", "b"]).encode("a <eos> b") == [5, SPECIAL.unk, 6]
    with pytest.raises(ValueError, match="known words, got '<eos>'"):
        Words(["a"], strict=True).encode("a <eos>")


def test_byte_pairs_know_every_text_and_shorten_what_is_frequent(byte_pairs):
    assert byte_pairs.vocab_size == 500
    for text in ("Grüße, 你好 🐻!", " two  spaces\n\ttab ", "\x00"):
        assert byte_pairs.decode(byte_pairs.encode(text)) == text
    assert len(byte_pairs.encode(TEXT)) < 0.5 * len(TEXT)
    assert "�" in byte_pairs.token(byte_pairs.encode("你")[0])


def test_byte_pairs_are_learnt_the_same_way_every_time(byte_pairs):
    again = BytePairs.train(TEXT.splitlines(), vocab_size=500)
    assert again.encode(TEXT) == byte_pairs.encode(TEXT)


def test_byte_pairs_need_room_for_the_bytes():
    said = r"^vocab_size: expected 261 or more, special tokens and bytes, got 260$"
    with pytest.raises(ValueError, match=said):
        BytePairs.train([TEXT], vocab_size=260)
    assert BytePairs.train([TEXT], vocab_size=261).encode("ab") == [
        BytePairs.train([TEXT], vocab_size=261).encode(c)[0] for c in "ab"
    ]


def test_byte_pairs_of_somebody_else_are_refused():
    import tokenizers

    other = tokenizers.Tokenizer(tokenizers.models.BPE({"a": 0}, []))
    with pytest.raises(ValueError, match=r"^model: expected \('<pad>', .*as tokens 0 to 4, got \('a', None"):
        BytePairs(json.loads(other.to_str()))
    with pytest.raises(ValueError, match=r"^model: expected what the tokenizers library saves"):
        BytePairs({"model": 1})


MAÑANA = ("mañana", "man\N{COMBINING TILDE}ana")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("नमस्ते दुनिया!", ["नमस्ते", "दुनिया", "!"]),
        ("สวัสดีครับ, ตัว", ["สวัสดีครับ", ",", "ตัว"]),
        ("مُحَمَّد (٤٢)", ["مُحَمَّد", "(", "٤٢", ")"]),
        ("می\N{ZERO WIDTH NON-JOINER}خواهم.", ["می\N{ZERO WIDTH NON-JOINER}خواهم", "."]),
        ("வணக்கம்", ["வணக்கம்"]),
        ("שָׁלוֹם", ["שָׁלוֹם"]),
        ("g̈ude", ["g̈ude"]),  # there is no such letter, so it stays two characters
        ("❤\N{VARIATION SELECTOR-16}!", ["❤\N{VARIATION SELECTOR-16}", "!"]),
        ("a\N{COMBINING ACUTE ACCENT} \N{COMBINING ACUTE ACCENT}", ["á", "\N{COMBINING ACUTE ACCENT}"]),
        ("it's 3.5, isn't it?", ["it", "'", "s", "3", ".", "5", ",", "isn", "'", "t", "it", "?"]),
    ],
)
def test_marks_belong_to_their_words(text, words):
    tokenizer = Words([], punctuation=True)
    assert tokenizer.split(text) == [unicodedata.normalize("NFC", word) for word in words]
    trained = Words.train([text], punctuation=True)
    assert SPECIAL.unk not in trained.encode(unicodedata.normalize("NFD", text))
    assert "".join(tokenizer.split(text)) == unicodedata.normalize("NFC", text).replace(" ", "")


@pytest.mark.parametrize("settings", [{}, {"punctuation": True}, {"punctuation": True, "lowercase": True}])
def test_two_ways_to_write_one_word_are_one_word(settings, tmp_path):
    composed, apart = MAÑANA
    assert composed != apart
    for tokenizer in (Words.train([apart], **settings), Words([apart], **settings)):
        assert tokenizer.tokens[5:] == (composed,)
        assert tokenizer.encode(apart) == tokenizer.encode(composed) == [5]
        tokenizer.save(tmp_path / "words.json")
        assert load(tmp_path / "words.json").encode(apart) == [5]
    with pytest.raises(ValueError, match=r"^tokens: expected each of them once, got 'mañana' twice$"):
        Words([composed, apart], **settings)
    assert Words([], lowercase=True).split("İ MAN\N{COMBINING TILDE}ANA") == ["i̇", composed]


@pytest.mark.parametrize("name", SPECIAL.names)
def test_a_special_tokens_name_in_a_text_is_an_unknown_word(name):
    words = Words.train([f"the {name} cat", f"{name} {name}"])
    assert words.tokens[5:] == ("cat", "the")
    assert words.encode(f"the {name} cat") == [6, SPECIAL.unk, 5]
    with pytest.raises(ValueError, match=f"^expected one of 2 known words, got '{name}'$"):
        Words.train([f"the {name} cat"], strict=True).encode(name)
    with pytest.raises(ValueError, match=f"^words: expected words beside the special tokens, got '{name}'$"):
        Words(["the", name])


@pytest.mark.parametrize(
    ("word", "settings"),
    [("New York", {}), ("", {}), ("The", {"lowercase": True}), ("it's", {"punctuation": True})],
)
def test_a_word_that_no_text_can_have_is_told(word, settings):
    said = f"^words: expected words that a text can have, got {re.escape(repr(word))}, read as "
    with pytest.raises(ValueError, match=said):
        Words(["a", word], **settings)


@pytest.mark.parametrize("ids", ["57", ["5"], [5.0], [None]])
def test_what_are_no_ids_is_told(tokenizer, ids):
    with pytest.raises(TypeError, match=r"^ids: expected whole numbers, got "):
        tokenizer.decode(ids)


def test_an_alphabet_comes_from_one_text():
    with pytest.raises(TypeError, match=r"^text: expected a string, got list$"):
        Characters.train(["a", "b"])


def test_a_tokenizer_in_a_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    Words(["a"]).save("~/words.json")
    assert load("~/words.json").encode("a") == [5]
    assert (tmp_path / "words.json").is_file()


def test_a_saved_tokenizer_is_read_with_a_byte_order_mark(tmp_path):
    Words(["ñu", "oso"]).save(tmp_path / "words.json")
    saved = (tmp_path / "words.json").read_text(encoding="utf-8")
    (tmp_path / "words.json").write_text(saved, encoding="utf-8-sig")
    assert load(tmp_path / "words.json").encode("oso ñu") == Words(["ñu", "oso"]).encode("oso ñu")


def test_special_tokens_of_others_are_handed_in(tmp_path):
    names = ("<s>", "</s>", "<|tool|>", "<|user|>", "<|end|>")
    pairs = BytePairs.train(TEXT.splitlines(), vocab_size=500, special=names)
    assert pairs.special == {name: i for i, name in enumerate(names)}
    assert [pairs.token(i) for i in range(5)] == list(names)
    ids = pairs.encode(SENTENCE + "<|tool|>")
    assert min(ids) >= 5
    assert pairs.decode([0, 3, *ids, 1, 2, 4]) == SENTENCE + "<|tool|>"
    pairs.save(tmp_path / "t.json")
    again = load(tmp_path / "t.json")
    assert (again.special, again.encode(SENTENCE)) == (pairs.special, pairs.encode(SENTENCE))
    with pytest.raises(ValueError, match=r"^model: expected \('<pad>', .*, got \('<s>', '</s>', "):
        BytePairs(pairs.description())
    with pytest.raises(
        ValueError, match=r"^vocab_size: expected 258 or more, special tokens and bytes, got 257"
    ):
        BytePairs.train([TEXT], vocab_size=257, special=["<s>", "</s>"])
    for wrong in (["<s>", "<s>"], ["", "<s>"]):
        with pytest.raises(ValueError, match=r"^special: expected names, each once, got "):
            BytePairs.train([TEXT], vocab_size=300, special=wrong)
    assert BytePairs.train([TEXT], vocab_size=256, special=[]).encode("ab") == [64, 65]


def test_the_byte_alphabet_is_that_of_the_library_and_of_the_ids(byte_pairs):
    from tokenizers import pre_tokenizers

    alphabet = byte_alphabet()
    assert list(alphabet) == sorted(pre_tokenizers.ByteLevel.alphabet())
    assert sorted(alphabet.values()) == list(range(256))
    for n, byte in enumerate(alphabet.values()):
        assert byte_pairs.token_bytes(len(SPECIAL) + n) == bytes([byte])
    assert [byte_pairs.token_bytes(i) for i in range(5)] == [b""] * 5
    text = "Grüße, 你好 🐻!\x00\n"
    assert b"".join(map(byte_pairs.token_bytes, byte_pairs.encode(text))) == text.encode()


def test_merges_are_the_rules_in_their_order(byte_pairs):
    merges = byte_pairs.merges
    assert len(merges) == byte_pairs.vocab_size - 261
    assert [rule.made for rule in merges] == list(range(261, 500))
    for left, right, made in merges:
        assert byte_pairs.token_bytes(made) == byte_pairs.token_bytes(left) + byte_pairs.token_bytes(right)
        assert max(left, right) < made
    # The first is the most frequent pair of neighbours.
    ids = BytePairs.train([TEXT], vocab_size=261)
    counts = Counter(
        pair
        for line in TEXT.splitlines()
        for word in re.findall(r" ?\w+| ?[^\w\s]+", line)
        for pair in zip(ids.encode(word), ids.encode(word)[1:], strict=False)
    )
    assert counts[merges[0][:2]] == max(counts.values())


def test_words_are_those_of_the_library():
    from tokenizers import pre_tokenizers

    rule = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = byte_alphabet()
    for text in (*awkward(), TEXT):
        theirs = [bytes(alphabet[c] for c in word).decode() for word, _ in rule.pre_tokenize_str(text)]
        assert gpt2_words(text) == theirs
        assert "".join(gpt2_words(text)) == text


def test_the_beginning_of_a_vocabulary_is_what_training_gives_a_smaller_one() -> None:
    texts = ["bears bear ears", "I love bears and bears love me", "she bears the pain"]
    large = BytePairs.train(texts, vocab_size=290)
    for size in (261, 270, large.vocab_size):
        small, trained = large.first(size), BytePairs.train(texts, vocab_size=size)
        assert small.vocab_size == size
        assert small.merges == trained.merges
        assert small.encode("the bears bear") == trained.encode("the bears bear")
    for size in (260, large.vocab_size + 1):
        with pytest.raises(ValueError, match=f"vocab_size: expected 261 to {large.vocab_size}, got {size}"):
            large.first(size)
