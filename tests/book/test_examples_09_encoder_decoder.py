"""Chapter 9: its examples say something else once what they show is taken away."""

import math
from typing import Any

import pytest
import torch
from sacrebleu.metrics.bleu import BLEU
from torch.nn.functional import cross_entropy

from tests.book.cells import run


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run(
        "09_encoder_decoder",
        "class EncoderLayer(nn.Module)",
        "class Translator(nn.Module)",
        "BOS, EOS = 1, 2",
        "def as_ids(",
        "says = torch.tensor",
        "learned, tested =",
        "def train(",
        "def kept(",
        "def stand_there(",
    )


@pytest.mark.parametrize("said", ["a a a a", "a dog wearing a coat"])
def test_clipping_is_that_of_sacrebleu(page: dict[str, Any], said: str) -> None:
    theirs = BLEU(tokenize="none", effective_order=True).corpus_score([said], [[page["reference"]]])
    for n in (1, 2):
        assert page["stand_there"](said, page["reference"], n) == (theirs.counts[n - 1], theirs.totals[n - 1])


def test_without_clipping_one_word_again_and_again_is_perfect(page: dict[str, Any]) -> None:
    share = {clip: page["stand_there"]("a a a a", page["reference"], 1, clip=clip) for clip in (True, False)}
    assert share[False] == (4, 4)
    assert share[True] == (2, 4)


def test_without_the_second_beginning_the_likelier_sentence_is_lost(page: dict[str, Any]) -> None:
    assert {k: page["kept"](k)[0] for k in (1, 2)} == {1: ("lleva", "el"), 2: ("soporta", "el")}


def test_without_smoothing_being_sure_is_cheaper_by_far(page: dict[str, Any]) -> None:
    unsure, sure = page["says"].log()
    right = torch.tensor([0])
    smoothed, hard = (
        [float(cross_entropy(p[None], right, label_smoothing=e)) for p in (unsure, sure)] for e in (0.1, 0.0)
    )
    assert abs(smoothed[0] - smoothed[1]) < 0.002
    assert hard[0] > 100 * hard[1]


def test_the_class_starts_near_chance_and_from_larger_vectors_it_would_not(page: dict[str, Any]) -> None:
    losses = {}
    for std in (None, 1.0):
        torch.manual_seed(0)
        model = page["Translator"](*page["vocabularies"], 64, 4, 2, 128)
        if std is not None:
            torch.nn.init.normal_(model.target_embedding.weight, std=std)  # as `nn.Embedding` draws
        with torch.no_grad():
            losses[std] = float(page["loss_of"](model, page["ids"][:23]))
    chance = math.log(page["spanish"].vocab_size)
    assert losses[None] < chance + 1
    assert losses[1.0] > 2 * chance


def test_the_class_trains_as_the_page_trains_it(page: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = page["Translator"](*page["vocabularies"], 26, 2, 1, 34)
    curve = page["train"](model, steps=53, peak=2e-2)
    assert curve["step"] == [0, 50, 52]
    for kind in ("training", "held out"):
        assert curve[kind][-1] < 3 < 3.5 < curve[kind][0]


def test_padding_does_not_count_in_the_loss(page: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = page["Translator"](*page["vocabularies"], 14, 2, 2, 22).eval()
    some = sorted(page["ids"][:40], key=lambda pair: len(pair[1]))
    some = [some[0], some[-1]]
    lengths = [len(target) - 1 for _, target in some]
    assert lengths[0] < lengths[1]
    with torch.no_grad():
        apart = [float(page["loss_of"](model, [pair])) for pair in some]
        together = float(page["loss_of"](model, some))
    expected = sum(n * loss for n, loss in zip(lengths, apart, strict=True)) / sum(lengths)
    assert together == pytest.approx(expected, abs=1e-5)
    assert together != pytest.approx(sum(apart) / 2, abs=1e-3)


def test_without_the_causal_mask_a_place_sees_its_answer(page: dict[str, Any]) -> None:
    torch.manual_seed(0)
    layer = page["DecoderLayer"](6, 2, 22).eval()
    y, Z = torch.randn(1, 5, 6), torch.randn(1, 3, 6)
    later = y.clone()
    later[:, 3:] += 1
    with torch.no_grad():
        assert torch.allclose(layer(y, Z)[:, :3], layer(later, Z)[:, :3], atol=1e-6)
        bare = layer.attention
        assert not torch.allclose(bare(y)[:, :3], bare(later)[:, :3], atol=1e-3)


def test_without_its_mask_the_padding_of_the_source_is_heard(page: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = page["Translator"](17, 19, 14, 2, 2, 22).eval()
    source, longer, given = (torch.tensor([row]) for row in ([5, 6, 2], [5, 6, 2, 0, 0], [1, 7]))
    mask = torch.tensor([[[True, True, True, False, False]]])
    with torch.no_grad():
        alone = model(source, given)
        assert torch.allclose(model(longer, given, mask), alone, atol=1e-5)
        assert not torch.allclose(model(longer, given), alone, atol=1e-3)


def test_the_class_trains_as_it_is_printed_and_only_with_the_shift(page: dict[str, Any]) -> None:
    """Two sentences by heart; given what it has to find, it learns to copy, and finds nothing without it."""
    source = torch.tensor([[5, 6, 2], [6, 5, 2]])
    whole = torch.tensor([[1, 7, 8, 9, 2], [1, 9, 7, 8, 2]])
    losses = {}
    for shift in (1, 0):
        torch.manual_seed(0)
        model = page["Translator"](11, 13, 14, 2, 2, 22)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        for _ in range(120):
            loss = cross_entropy(model(source, whole[:, :-1]).mT, whole[:, shift : shift + 4])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            losses[shift] = float(cross_entropy(model(source, whole[:, :-1]).mT, whole[:, 1:]))
    assert losses[1] < 0.2
    assert losses[0] > 2
