"""Chapter 11: its examples say something else once what they show is taken away."""

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tokenizers.models import WordPiece

from tests.book.cells import run
from unrolled.data import bears
from unrolled.data.bears_tokens import WORDS, encode_bears
from unrolled.data.special_tokens import SPECIAL
from unrolled.nn import BERT, EncoderBlock
from unrolled.training.bears_probing import bears_vectors
from unrolled.training.centroid_probe import Questions
from unrolled.training.stored import stored


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run("11_bert", "def hide(", "class MaskedLM(nn.Module)", "def train(")


@pytest.fixture(scope="module")
def nearest() -> Callable[[list[bears.Sentence]], list[str]]:
    """Return a function that says to which sense's centroid the "bears" of each sentence is nearest."""
    model = stored("bears").model
    assert isinstance(model, BERT)
    questions = Questions.draw(seed=1002)
    with torch.no_grad():
        known = bears_vectors(model, questions.known)
    centroids = torch.stack([known[questions.truth == k].mean(0) for k in range(3)])

    def senses(sentences: list[bears.Sentence]) -> list[str]:
        with torch.no_grad():
            found = torch.cdist(bears_vectors(model, sentences), centroids).argmin(dim=1)
        return [bears.SENSES[i] for i in found]

    return senses


def test_only_without_the_causal_mask_the_first_word_hears_the_rest() -> None:
    torch.manual_seed(0)
    block = EncoderBlock(d_model=6, n_heads=2, d_ff=14).eval()
    first = torch.randn(1, 1, 6)
    won, eat = (torch.cat([first, torch.randn(1, 4, 6)], dim=1) for _ in range(2))
    with torch.no_grad():
        apart = [(block(won, causal=c) - block(eat, causal=c))[0, 0].norm() for c in (False, True)]
    assert apart[0] > 0.1
    assert apart[1] == 0


@pytest.mark.parametrize(
    ("gapped", "word"), [("she _ the pain", "suffers"), ("i love _", "foxes"), ("_ won the game", "rockets")]
)
def test_what_fills_a_gap_follows_from_the_other_words(gapped: str, word: str) -> None:
    words, place = gapped.split(), gapped.split().index("_")

    def share(known: list[str]) -> float:
        ids = [SPECIAL.mask if w == "_" else WORDS.index(w) for w in known]
        with torch.no_grad():
            return float(stored("bears").model(torch.tensor([ids]))[0, place].softmax(-1)[WORDS.index(word)])

    assert share(words) > 0.03
    assert share(words) > 2 * share(["_" for _ in words])


def test_a_loss_of_all_places_would_be_paid_for_copying(page: dict[str, Any]) -> None:
    tokens = torch.arange(5, 16).view(1, 11)
    seen, labels = page["hide"](tokens, 0.4, torch.Generator().manual_seed(1))
    copier = 9.0 * torch.nn.functional.one_hot(seen, len(WORDS)).float()  # knows nothing but what it sees
    assert page["masked_loss"](copier, labels) > 5
    assert page["masked_loss"](copier, tokens) < 0.7 * page["masked_loss"](copier, labels)


def started(page: dict[str, Any]) -> torch.nn.Module:
    torch.manual_seed(0)
    model: torch.nn.Module = page["MaskedLM"](len(WORDS), bears.MAX_WORDS, 46, 2, 1)
    return model


def test_the_class_of_the_page_learns_more_than_how_frequent_words_are(page: dict[str, Any]) -> None:
    learned = page["train"](started(page), page["guess_hidden"], page["texts"], page["held_out"], steps=240)
    tokens = page["held_out"][0]
    words = tokens[tokens != SPECIAL.pad]
    shares = torch.bincount(words, minlength=len(WORDS)) * page["SHARE"]
    shares = shares / shares.sum()
    counting = -(shares * shares.clamp_min(1e-9).log()).sum().item()
    assert abs(learned["held out"][0] - math.log(len(bears.VOCABULARY))) < 1
    assert learned["held out"][-1] < counting - 1


def test_with_the_usual_first_vectors_it_would_start_far_above_chance(page: dict[str, Any]) -> None:
    model = started(page)
    loss = page["guess_hidden"]
    held_out = page["held_out"]
    with torch.no_grad():
        small = loss(model, *held_out, torch.Generator().manual_seed(1)).item()
        torch.nn.init.normal_(model.token_embedding.weight)  # type: ignore[union-attr, arg-type]
        usual = loss(model, *held_out, torch.Generator().manual_seed(1)).item()
    assert usual > 3 * small


def test_splitting_is_that_of_the_tokenizers_library() -> None:
    split = run("11_bert", "def word_pieces(")
    dice = random.Random(3)
    unknown = 0
    for _ in range(200):
        inside = ["".join(dice.choices("abn", k=dice.randint(1, 3))) for _ in range(9)]
        pieces = {*inside[:4], *(f"##{piece}" for piece in inside[4:])}
        model = WordPiece({p: i for i, p in enumerate(["[UNK]", *sorted(pieces)])}, unk_token="[UNK]")
        word = "".join(dice.choices("abn", k=dice.randint(1, 7)))
        theirs = [token.value for token in model.tokenize(word)]
        assert split["word_pieces"](word, pieces) == theirs, (word, pieces)
        unknown += theirs == ["[UNK]"]
    assert 20 < unknown < 180, "words of both kinds"
    assert split["word_pieces"]("unbearable", split["PIECES"]) == ["un", "##bear", "##able"]
    # Without the mark of what goes on a word, "able" would be a word's beginning as well.
    assert split["word_pieces"]("able", split["PIECES"]) == ["[UNK]"]


def test_a_verb_before_a_contest_is_still_nearest_to_endure_but_not_expected_to_be_it(
    nearest: Callable[[list[bears.Sentence]], list[str]],
) -> None:
    """The control: one noun changed, the gap a verb in both sentences."""
    pair = [
        bears.Sentence(words, None, words.index("bears"), None)
        for noun in ("guilt", "trophy")
        for words in [("she", "once", "again", "bears", "the", noun)]
    ]
    batch = encode_bears(pair)
    with torch.no_grad():
        p = stored("bears").model(batch.tokens, batch.mask).softmax(-1)[[0, 1], batch.places]
    assert nearest(pair) == ["endure", "endure"]
    endures, won = (p[:, WORDS.index(word)] for word in ("endures", "won"))
    assert endures[0] > 5 * endures[1]
    assert won[1] > 5 * won[0]


def test_a_verb_alone_decides_between_two_nouns(
    nearest: Callable[[list[bears.Sentence]], list[str]],
) -> None:
    """The control: the same sentence but for one verb; a model blind to that verb could not tell them."""
    one, other = (
        bears.Sentence(words, None, words.index("bears"), None)
        for verb in ("adored", "applauded")
        for words in [("she", verb, "once", "again", "bears", "with", "a", "smile")]
    )
    assert nearest([one, other]) == ["animal", "team"]
    # Without the verb both are one sentence, and would get one answer.
    assert one.words[:1] + one.words[2:] == other.words[:1] + other.words[2:]
