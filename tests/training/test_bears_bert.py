"""The bears' model with parts of BERT's: each part is exchanged, and nothing else."""

import pytest
import torch

from unrolled.data import bears
from unrolled.data.batches import IGNORED
from unrolled.data.bears_tokens import WORDS, encode_words, framed
from unrolled.data.special_tokens import SPECIAL
from unrolled.training import GenerateOptions
from unrolled.training.recipes.bears import Bears
from unrolled.training.recipes.bears_bert import BearsBert

SMALL = {"sentences": 300, "batch": 30}


def task(**options):
    torch.manual_seed(0)
    return BearsBert(**SMALL, **options).task()


def test_without_its_parts_it_is_the_bears_model():
    torch.manual_seed(0)
    plain, same = Bears(**SMALL).task(), task()
    for name, tensor in plain.model.state_dict().items():
        assert torch.equal(tensor, same.model.state_dict()[name]), name
    for a, b in zip(plain.batches("train", 0, 3), same.batches("train", 0, 3), strict=True):
        assert all(torch.equal(a[key], b[key]) for key in a)


def test_the_rule_changes_what_is_seen_and_not_what_is_asked():
    (a, b) = (next(iter(task(masking=rule).batches("train", 0, 0))) for rule in ("always", "80-10-10"))
    asked = b["answers"] != IGNORED
    assert bool((a["words"][a["answers"] != IGNORED] == SPECIAL.mask).all())
    assert 0.6 < (b["words"][asked] == SPECIAL.mask).double().mean() < 0.95
    assert torch.equal(a["answers"], b["answers"])  # of the first batch: later ones have drawn more


def test_a_sentence_is_framed_and_its_ends_are_never_asked():
    it = task(frame="cls-sep", hidden=0.9)
    for batch in it.batches("train", 0, 0):
        rows = torch.arange(len(batch["words"]))
        assert bool((batch["words"][:, 0] == SPECIAL.bos).all())
        assert bool((batch["words"][rows, batch["lengths"] - 1] == SPECIAL.eos).all())
        assert batch["answers"][batch["answers"] != IGNORED].min() >= len(SPECIAL)
    assert BearsBert(frame="cls-sep").longest == bears.MAX_WORDS + 2
    assert BearsBert().longest == bears.MAX_WORDS
    sentence = bears.generate(2, seed=5, kind="conflict")[1]
    around = framed(sentence)
    assert around.words[1:-1] == sentence.words
    assert around.words[around.position] == "bears"
    assert around.words[slice(*around.clause)] == sentence.words[slice(*sentence.clause)]
    nothing = framed(bears.Sentence(("they", "sleep"), None, None, None))
    assert (nothing.position, nothing.clause) == (None, None)
    assert encode_words([nothing.words])[0][0, [0, -1]].tolist() == [SPECIAL.bos, SPECIAL.eos]


def test_a_framed_model_is_asked_and_fills_gaps_without_its_frame():
    it = task(frame="cls-sep")
    it.model.eval()
    filled = it.write(it.model, "she _ the pain", GenerateOptions()).split()
    assert [filled[0], *filled[2:]] == ["she", "the", "pain"]
    assert filled[1] in bears.VOCABULARY
    asked = bears.generate(3, seed=2)
    with torch.no_grad():
        tokens, _ = encode_words([framed(asked[0]).words])
        by_hand = it.model.encode(tokens)[0, asked[0].position + 1]
        torch.testing.assert_close(it.vectors(it.model, asked, hide=False)[0], by_hand)


def test_guessing_is_measured_in_new_sentences():
    it = task(steps=1)
    it.model.eval()
    tokens, _ = it._splits["validation"]

    class Copies(torch.nn.Module):
        """Names what it sees, and "the" behind every box."""

        def __init__(self):
            super().__init__()
            self.token_embedding = it.model.token_embedding

        def forward(self, tokens, mask):
            seen = torch.where(tokens == SPECIAL.mask, WORDS.index("the"), tokens)
            return 9.0 * torch.nn.functional.one_hot(seen, len(WORDS)).float()

    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr("unrolled.training.recipes.bears.bears_figures", lambda *_, **__: {"plain": 1.0})
        figures = it.evaluate(Copies())
    assert figures["named"] == 1.0
    the = (tokens == WORDS.index("the")).sum() / (tokens >= len(SPECIAL)).sum()
    assert figures["guessed"] == pytest.approx(the.item(), abs=0.07)
    assert figures["guess loss"] > 5
    assert figures["plain"] == 1.0
