import pytest
import torch

from unrolled.data.bears import VOCABULARY, Sentence, generate
from unrolled.data.bears_tokens import WORDS, encode_bears, encode_words, word_id
from unrolled.data.special_tokens import SPECIAL


def test_words_are_numbered_behind_the_special_ones() -> None:
    assert WORDS[: len(SPECIAL)] == SPECIAL.names
    assert WORDS[len(SPECIAL) :] == VOCABULARY
    assert [word_id(word) for word in WORDS] == list(range(len(WORDS)))
    tokens, lengths = encode_words([("she", "bears"), ("bears",)])
    assert tokens.tolist() == [[word_id("she"), word_id("bears")], [word_id("bears"), SPECIAL.pad]]
    assert lengths.tolist() == [2, 1]


def test_a_batch_knows_where_bears_stands_and_which_words_are_its_own() -> None:
    sentences = generate(7, seed=5, kind="conflict+gap")
    hidden, seen = encode_bears(sentences), encode_bears(sentences, hide=False)
    for i, sentence in enumerate(sentences):
        n, (start, end) = len(sentence.words), sentence.clause
        assert [WORDS[t] for t in seen.tokens[i, :n]] == list(sentence.words)
        assert seen.mask[i, 0].tolist() == [True] * n + [False] * (seen.tokens.shape[1] - n)
        assert seen.own[i].nonzero().flatten().tolist() == list(range(start, end))
        assert WORDS[seen.tokens[i, seen.places[i]]] == "bears"
        assert hidden.tokens[i, hidden.places[i]] == SPECIAL.mask
    assert int((hidden.tokens != seen.tokens).sum()) == 7
    typed = Sentence(("she", "bears", "the", "pain"), None, 1, None)
    assert bool(encode_bears([typed]).own.all())


def test_a_sentence_without_bears_is_refused() -> None:
    with pytest.raises(ValueError, match="expected \"bears\" in each, got 'she suffers'"):
        encode_bears([Sentence(("she", "suffers"), None, None, None)])
    with pytest.raises(ValueError, match="expected one or more"):
        encode_bears([])
    with pytest.raises(KeyError):
        torch.tensor(word_id("bares"))
