"""A GPT that continues: cached = uncached, batched = alone, ends, limits, errors."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.drawn import seeded, seeds
from tests.generate.gpts import CONTEXT, KINDS, B, V, gpt, prompts
from unrolled.generate import generate
from unrolled.shapes import ShapeError
from unrolled.tap import record


def by_hand(model, prompt, n_new, eos=None):
    """Return a greedy continuation of one prompt, in the fewest words: the whole context, every time."""
    words = list(prompt)
    for _ in range(n_new):
        with torch.no_grad():
            words.append(int(model(torch.tensor([words[-CONTEXT:]]))[0, -1].argmax()))
        if words[-1] == eos:
            break
    return words


@pytest.mark.parametrize("positions", KINDS)
@pytest.mark.parametrize("cache", [False, True])
def test_a_greedy_row_is_the_loop_by_hand_also_past_the_context(positions, cache):
    model, given_tokens = gpt(positions), prompts(B, 5)
    written = generate(model, given_tokens, 2 * CONTEXT, cache=cache)
    expected = [by_hand(model, row, 2 * CONTEXT) for row in given_tokens.tolist()]
    assert written.tolist() == expected
    # The rows say something: more than one word, and not the same.
    assert len({tuple(row[5:]) for row in expected}) == B
    assert min(len(set(row[5:])) for row in expected) > 1


@given(
    lengths=st.lists(st.integers(1, CONTEXT + 4), min_size=B, max_size=B),
    n_new=st.integers(0, CONTEXT + 2),
    eos=st.one_of(st.none(), st.integers(0, V - 1)),
    cache=st.booleans(),
    positions=st.sampled_from(KINDS),
    seed=seeds,
)
@settings(max_examples=60)
def test_a_row_of_a_batch_is_what_it_is_alone(lengths, n_new, eos, cache, positions, seed):
    model, given_tokens = gpt(positions), prompts(B, CONTEXT + 4, seed=seed)
    written = generate(model, given_tokens, n_new, lengths=torch.tensor(lengths), eos=eos, cache=cache)
    rows = [
        by_hand(model, row[:length], n_new, eos)
        for row, length in zip(given_tokens.tolist(), lengths, strict=True)
    ]
    fill = 0 if eos is None else eos
    width = max(len(row) for row in rows) if eos is not None else max(lengths) + n_new
    assert written.tolist() == [row + [fill] * (width - len(row)) for row in rows]


def test_a_row_that_ended_is_filled_and_the_rest_goes_on():
    model, given_tokens = gpt(), prompts(B, 3)
    free = generate(model, given_tokens, 7)
    eos = int(free[1, 4])
    written = generate(model, given_tokens, 7, eos=eos)
    ends = [row.index(eos) if eos in row else 7 for row in free[:, 3:].tolist()]
    assert ends[1] <= 1 < max(ends)
    for row, end in enumerate(ends):
        assert_close(written[row, : 3 + end], free[row, : 3 + end])
        assert written[row, 3 + end :].eq(eos).all()


def test_it_stops_when_every_row_has_ended():
    model, given_tokens = gpt(), prompts(1, 3)
    eos = int(generate(model, given_tokens, 4)[0, 4])
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    written = generate(model, given_tokens, 100, eos=eos)
    assert written.shape[1] == 3 + len(calls) <= 5
    assert written[0, -1] == eos


def test_the_eos_of_a_prompt_ends_nothing():
    given_tokens = torch.tensor([[4, 4, 7]])
    written = generate(gpt(), given_tokens, 2, eos=4)
    assert_close(written[:, :3], given_tokens)
    assert written.shape[1] > 3


@pytest.mark.parametrize("options", [{"temperature": 1.3}, {"temperature": 0.7, "top_k": 5, "top_p": 0.8}])
def test_the_same_seed_draws_the_same_with_and_without_cache(options):
    model, given_tokens = gpt(), prompts(B, 5)
    first, second, uncached, other = (
        generate(model, given_tokens, 20, cache=cache, generator=seeded(seed), **options)
        for cache, seed in ((True, 1), (True, 1), (False, 1), (True, 2))
    )
    assert_close(first, second)
    assert_close(first, uncached)
    assert not first.equal(other)


def test_what_is_drawn_is_what_may_be_drawn():
    """Every token that top-k writes is among the k likeliest of the model's own logits."""
    model = gpt()
    written = generate(model, prompts(B, 2), CONTEXT - 2, temperature=5.0, top_k=3, generator=seeded())
    with torch.no_grad():
        logits = model(written[:, :-1])[:, 1:]  # what followed the second token, and so on
    ranks = (logits > logits.gather(2, written[:, 2:, None])).sum(-1)
    assert ranks.max() == 2


def test_with_the_cache_a_step_reads_one_token():
    model, seen = gpt(), []
    model.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].shape[1]))
    generate(model, prompts(B, 5), 11)
    # Up to the context one token a step; past it the whole context.
    assert seen == [5] + [1] * 8 + [CONTEXT] * 2
    seen.clear()
    generate(model, prompts(B, 5), 11, cache=False)
    assert seen == [*range(5, 14), CONTEXT, CONTEXT]


def test_the_model_is_left_as_it_was():
    model = gpt(dropout=0.5)
    model.train()
    model.layers[1].eval()
    modes = [module.training for module in model.modules()]
    first = generate(model, prompts(B, 5), 6)
    assert_close(generate(model, prompts(B, 5), 6), first)  # no dropout
    assert [module.training for module in model.modules()] == modes
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())
    with pytest.raises(IndexError):
        generate(model, torch.full((1, 1), V), 3)
    assert [module.training for module in model.modules()] == modes
    assert torch.is_grad_enabled()


def test_what_was_written_can_be_learned_from():
    model = gpt()
    written = generate(model, prompts(B, 2), 5)
    model(written).sum().backward()
    assert model.token_embedding.weight.grad is not None


def test_recorded_or_not_the_tokens_are_the_same():
    model, given_tokens = gpt(), prompts(B, 5)
    with record(model, "*.weights") as rec:
        written = generate(model, given_tokens, 4)
    assert_close(written, generate(model, given_tokens, 4))
    shapes = [tuple(weights.shape) for weights in rec["layers.0.attention.weights"]]
    assert shapes == [(B, 5, 5, 5), (B, 5, 1, 6), (B, 5, 1, 7), (B, 5, 1, 8)]


def test_nothing_new_is_the_prompts():
    given_tokens = prompts(B, 5)
    assert_close(generate(gpt(), given_tokens, 0), given_tokens)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"tokens": prompts(5)}, ShapeError, "tokens: expected shape [B, T], got [5]"),
        (
            {"tokens": prompts(B, 0)},
            ShapeError,
            "tokens: expected at least one prompt of at least one token, got [3, 0]",
        ),
        (
            {"tokens": torch.zeros(B, 5)},
            TypeError,
            "tokens: expected integer tokens (int64 or int32), got torch.float32",
        ),
        ({"tokens": [[1, 2]]}, TypeError, "tokens: expected a torch tensor, got list"),
        ({"max_new_tokens": -1}, ValueError, "max_new_tokens: expected 0 or a positive integer, got -1"),
        ({"lengths": torch.tensor([5, 1])}, ShapeError, "lengths: expected shape [B] with B=3, got [2]"),
        ({"lengths": torch.tensor([5, 0, 1])}, ValueError, "lengths: expected 1 to 5, got [5, 0, 1]"),
        ({"lengths": torch.tensor([5, 6, 1])}, ValueError, "lengths: expected 1 to 5, got [5, 6, 1]"),
        (
            {"lengths": torch.tensor([5.0, 2.0, 1.0])},
            TypeError,
            "lengths: expected integers (int64 or int32), got torch.float32",
        ),
        (
            {"temperature": -1.0},
            ValueError,
            "temperature: expected 0 (greedy) or a positive number, got -1.0",
        ),
        ({"top_k": 0}, ValueError, "top_k: expected a positive integer, got 0"),
        ({"top_p": 0.0}, ValueError, "top_p: expected more than 0 and at most 1, got 0.0"),
        ({"eos": V}, ValueError, "eos: expected a token from 0 to 16, got 17"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, said):
    with pytest.raises(error, match=f"^{re.escape(said)}$"):
        generate(gpt(), **({"tokens": prompts(B, 5), "max_new_tokens": 2} | arguments))
