"""Chapter 10: its examples say something else without the idea, and its class trains as it is printed."""

import math
from typing import Any

import pytest
import torch

from tests.book.cells import run
from unrolled.data.tokenizers import Characters

MODEL = "class CausalAttention(nn.Module)"


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    torch.manual_seed(0)
    parts = ("def small_start(", "def train(", "def crop(", "class Rung", "def top_k_rule(", "def step(")
    given = {"train_tokens": torch.arange(29), "letters": Characters("abcdefghijklmnopqrstuvwxyz")}
    return run("10_gpt", 'text = ". i love', MODEL, *parts, given=given | {"V": 31})


def test_without_a_word_to_its_left_the_pain_costs_as_much_as_its_frequency(page: dict[str, Any]) -> None:
    """A bigram says 1/2 after "the"; a unigram, which sees nothing, says 1/14 whatever stands before."""
    words = page["text"]
    game = page["ids_of"]("the game")
    assert page["surprise"](page["counted"], game).item() == pytest.approx(math.log(2))
    frequency = torch.bincount(page["ids_of"](" ".join(words)))[game[1]] / len(words)
    assert -frequency.log().item() > 2 * math.log(2)


def test_only_with_more_context_can_won_and_pain_be_kept_apart(page: dict[str, Any]) -> None:
    game, pain = (page["ids_of"](f"won the {last}") for last in ("game", "pain"))
    assert torch.equal(page["surprise"](page["counted"], game), page["surprise"](page["counted"], pain))
    seen = " ".join(page["text"])
    assert "won the game" in seen
    assert "won the pain" not in seen  # two words to the left would tell


def test_without_the_mask_what_comes_later_is_heard(page: dict[str, Any]) -> None:
    torch.manual_seed(0)
    attention = page["CausalAttention"](6, 2)
    x = torch.randn(1, 5, 6)
    other = x.clone()
    other[:, -1] += 1
    with torch.no_grad():
        assert torch.allclose(attention(x)[:, :-1], attention(other)[:, :-1])
        query, key, value = attention.project(x)
        _, other_key, other_value = attention.project(other)
        seen = ((query @ k.mT).softmax(-1) @ v for k, v in ((key, value), (other_key, other_value)))
        one, two = (context[:, :, :-1] for context in seen)
    assert not torch.allclose(one, two)


def test_as_built_it_begins_sure_and_wrong(page: dict[str, Any]) -> None:
    torch.manual_seed(3)
    fresh = page["MyGPT"](101, max_len=37, d_model=30, n_heads=3, n_layers=2)
    assert page["first_loss"](fresh, 101)[0] > 2 * math.log(101)
    loss, again = page["first_loss"](page["small_start"](fresh), 101)
    assert loss == pytest.approx(math.log(101), abs=0.05)
    assert again < 0.02


def test_what_is_added_to_the_residual_stream_begins_smaller(page: dict[str, Any]) -> None:
    deep = page["small_start"](page["MyGPT"](11, max_len=7, d_model=62, n_heads=2, n_layers=5))
    block = deep.layers[2]
    for added in (block.attention.out_proj, block.feedforward[2]):
        assert float(added.weight.detach().std()) == pytest.approx(0.02 / math.sqrt(10), rel=0.1)
    assert float(block.feedforward[0].weight.detach().std()) == pytest.approx(0.02, rel=0.1)


def test_the_class_trains_as_it_is_printed(page: dict[str, Any]) -> None:
    """It learns a row of numbers by heart that no table of pairs knows; without the shift it learns none."""
    row = torch.tensor([[1, 2, 3, 1, 4, 5, 1, 6, 7, 1, 2]])  # what follows 1 depends on what stood before
    losses = {}
    for shift in (1, 0):
        torch.manual_seed(0)
        model = page["small_start"](page["MyGPT"](8, max_len=11, d_model=22, n_heads=2, n_layers=2))
        answers = row[:, shift : shift + 10]
        page["train"](model, lambda answers=answers: (row[:, :10], answers), steps=60, lr=2e-2)
        with torch.no_grad():
            logits = model(row[:, :10])
        losses[shift] = torch.nn.functional.cross_entropy(logits.mT, row[:, 1:]).item()
    assert losses[1] < 0.1
    assert losses[0] > 2


@pytest.mark.parametrize(
    ("rule", "limit", "kept"),
    [("top_k_rule", 2, [0.731, 0.269, 0, 0]), ("top_p_rule", 0.9, [0.665, 0.245, 0.09, 0])],
)
def test_without_the_rule_stones_can_be_drawn(
    page: dict[str, Any], rule: str, limit: float, kept: list[float]
) -> None:
    logits = page["four"]
    assert torch.allclose(page[rule](logits, limit).softmax(-1)[0], torch.tensor(kept), atol=6e-4)
    assert logits.softmax(-1)[0, 3] == pytest.approx(0.032, abs=5e-4)


def test_the_answers_of_a_crop_are_the_same_piece_one_later(page: dict[str, Any]) -> None:
    row = torch.arange(100, 141)
    read, said = page["crop"](row, 7, 11, torch.Generator().manual_seed(0))
    assert read.shape == said.shape == (7, 11)
    assert torch.equal(said, read + 1)
    assert len(set(read[:, 0].tolist())) > 1
    ends = {int(page["crop"](row, 1, 39, torch.Generator().manual_seed(i))[1][0, -1]) for i in range(20)}
    assert ends == {139, 140}, "the last token is an answer, and never read past"


def test_each_rung_has_what_the_one_below_has_and_one_part_more(page: dict[str, Any]) -> None:
    """With its part switched off again, it is the rung below; only a residual keeps a token."""
    torch.manual_seed(0)
    tokens = torch.randint(31, (3, 7))
    other = torch.where(torch.arange(7) == 6, (tokens + 1) % 31, tokens)
    whole = page["Rung"](4, True, True, True, 1)
    below = page["Rung"](4, True, True, False, 1)
    below.load_state_dict(whole.state_dict(), strict=False)
    alone = page["Rung"](1, False, False, False, 1)
    with torch.no_grad():
        assert not torch.allclose(whole(tokens), below(tokens))
        for norm in ("attention_norm", "feedforward_norm"):
            setattr(whole.layers[0], norm, torch.nn.Identity())
        whole.final_norm = torch.nn.Identity()
        assert torch.allclose(whole(tokens), below(tokens))
        # Uniform attention, values of zero: nothing is left of the token but what a residual keeps.
        for model, told in ((alone, False), (below, True)):
            for weight in model.layers.parameters():
                weight.zero_()
            assert torch.allclose(model(tokens)[:, -1], model(other)[:, -1]) != told


def test_without_what_is_kept_the_next_token_is_another(page: dict[str, Any]) -> None:
    torch.manual_seed(1)
    model = page["MyGPT"](13, max_len=11, d_model=10, n_heads=2, n_layers=3)
    line = torch.randint(13, (2, 11))
    kept: list[Any] = [None] * 3
    with torch.no_grad():
        whole = model(line)[:, -1]
        for t in range(10):
            page["step"](model, line[:, t], t, kept)
        forgotten = [(k[..., :1, :], v[..., :1, :]) for k, v in kept]
        assert torch.allclose(page["step"](model, line[:, 10], 10, kept), whole, atol=1e-5)
        assert not torch.allclose(page["step"](model, line[:, 10], 10, forgotten), whole, atol=1e-2)
