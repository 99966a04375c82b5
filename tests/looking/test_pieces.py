"""Pieces are joined to words as Clark et al. join them, with every kind of tokenizer; special tokens hide."""

import torch

from tests.looking.models import make
from unrolled import look
from unrolled.looking.pieces import Pieces, decoded, gathered, one_by_one

TEXT = "she bears unbearable pain"
WORDS = ["she", "bears", "unbearable", "pain"]


def labels(name: str, text: str, **options: bool) -> list[str]:
    model, tokenizer = make(name)
    second = text if model.config.is_encoder_decoder else None
    tokens: list[str] = look(model, tokenizer, text, second, **options).attentions[0]["tokens"]
    return tokens


def test_a_word_attends_as_its_pieces_do_on_average_and_gets_what_they_get_together() -> None:
    pieces = Pieces(["a", "b", "##c", "d"], [0, 1, 1, 2], ["a", "bc", "d"], [True, False, False, False])
    w = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    w = w / w.sum(-1, keepdim=True)
    maps, rows, columns = gathered(w, pieces, pieces, join=True, special=True)
    assert rows == columns == ["a", "bc", "d"]
    for layer in range(2):
        for head in range(3):
            one, joined = w[layer, head], maps[layer, head]
            assert abs(joined[1, 1] - (one[1, 1] + one[1, 2] + one[2, 1] + one[2, 2]) / 2) < 1e-12
            assert abs(joined[1, 2] - (one[1, 3] + one[2, 3]) / 2) < 1e-12
            assert abs(joined[0, 1] - (one[0, 1] + one[0, 2])) < 1e-12
    assert abs(maps.sum(-1) - 1).max() < 1e-12
    hidden, rows, _ = gathered(w, pieces, pieces, join=False, special=False)
    assert rows == ["b", "##c", "d"]
    assert (hidden == w[..., 1:, 1:].numpy()).all()


def test_every_kind_of_tokenizer_gives_the_words_that_are_written() -> None:
    for name in ("bert", "roberta", "gpt2", "llama", "t5"):
        assert labels(name, TEXT, join=True, special=False) == WORDS, name
        apart = labels(name, TEXT, special=False)
        assert len(apart) > len(WORDS), name
        assert any(label.startswith("##") for label in apart), name


def test_special_tokens_are_shown_or_hidden_but_never_a_gap() -> None:
    assert labels("bert", "she [MASK] pain", join=True) == ["[CLS]", "she", "[MASK]", "pain", "[SEP]"]
    assert labels("bert", "she [MASK] pain", join=True, special=False) == ["she", "[MASK]", "pain"]
    assert labels("llama", "she bears", join=True)[0] == "<s>"
    assert labels("t5", "bears won", join=True) == ["bears", "won", "</s>"]


def test_what_the_vocabulary_does_not_have_says_so() -> None:
    assert labels("bert", "she zzz", special=False)[-1] == "zzz [UNK]"
    assert labels("bert", "she zzz", join=True, special=False) == ["she", "zzz [UNK]"]


def test_the_bytes_of_one_character_are_counted_and_joined_to_it() -> None:
    apart = labels("gpt2", "won 🐻")
    assert [label for label in apart if "🐻" in label] == [f"🐻 ({k} of 4)" for k in (1, 2, 3, 4)]
    assert labels("gpt2", "won 🐻", join=True) == ["won", "🐻"]
    assert labels("gpt2", "हिन्दी won", join=True) == ["हिन्दी", "won"]


def test_letters_and_marks_are_words_of_their_own() -> None:
    for name in ("bert", "gpt2"):
        assert labels(name, "bears, pain!", join=True, special=False) == ["bears", ",", "pain", "!"], name


class OnlyDecodes:
    """A tokenizer that tells nothing of words."""

    TEXTS = ("I", " love", " un", "bear", "able", "!", " bears")

    def decode(self, ids: list[int]) -> str:
        return "".join(self.TEXTS[i] for i in ids)


def test_without_offsets_the_text_of_neighbours_tells_where_a_word_begins() -> None:
    ids = list(range(7))
    it = decoded(OnlyDecodes(), ids, list(OnlyDecodes.TEXTS))
    assert it.words == [0, 1, 2, 2, 2, 3, 4]
    assert it.names == ["I", "love", "unbearable", "!", "bears"]


def test_two_sequences_stand_one_behind_the_other() -> None:
    both = one_by_one(["<s>"], special=True) + Pieces(["a", "##b"], [0, 0], ["ab"], [False, False])
    assert both == Pieces(["<s>", "a", "##b"], [0, 1, 1], ["<s>", "ab"], [True, False, False])
