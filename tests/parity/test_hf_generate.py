"""Our generation is Hugging Face's: the same greedy tokens, the same words kept to draw from."""

from functools import partial

import pytest
import torch
from torch.testing import assert_close
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.generation import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from tests.drawn import random_tokens
from unrolled.generate import generate, keep_top_k, keep_top_p
from unrolled.pretrained import load_gpt2

V, CONTEXT = 53, 61
SIZES = {"vocab_size": V, "n_positions": CONTEXT, "n_embd": 33, "n_head": 3, "n_layer": 2, "n_inner": 59}


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(5)
    model = GPT2LMHeadModel(
        GPT2Config(**SIZES, bos_token_id=None, eos_token_id=None, tie_word_embeddings=False)
    )
    for weight in model.parameters():
        if weight.dim() > 1:  # Far from its first weights it has something to say.
            torch.nn.init.normal_(weight, std=0.7)
    return model.eval().double()


prompts = partial(random_tokens, V)


def their_tokens(model, x, n_new, **options):
    return model.generate(
        x, attention_mask=torch.ones_like(x), max_new_tokens=n_new, do_sample=False, pad_token_id=0, **options
    )


@pytest.mark.parametrize("cache", [False, True])
def test_greedy_tokens(theirs, cache):
    x = prompts(7, 11)
    written = generate(load_gpt2(theirs).double(), x, CONTEXT - 11, cache=cache)
    assert written.tolist() == their_tokens(theirs, x, CONTEXT - 11).tolist()
    # The model says more than one word.
    assert min(len(set(row)) for row in written[:, 11:].tolist()) > 1


def test_greedy_tokens_until_eos(theirs):
    x = prompts(7, 11)
    free = generate(load_gpt2(theirs).double(), x, 19)
    eos = int(free[3, 17])
    written = generate(load_gpt2(theirs).double(), x, 19, eos=eos)
    expected = theirs.generate(
        x,
        attention_mask=torch.ones_like(x),
        max_new_tokens=19,
        do_sample=False,
        eos_token_id=eos,
        pad_token_id=eos,
    )
    assert written.tolist() == expected.tolist()
    assert not written.equal(free[:, : written.shape[1]])


def test_padded_prompts(theirs):
    """They pad on the left and shift positions, we pad on the right and do not."""
    x, lengths, n_new = prompts(3, 11), torch.tensor([5, 11, 2]), 13
    written = generate(load_gpt2(theirs).double(), x, n_new, lengths=lengths)
    left = torch.stack([row.roll(11 - length) for row, length in zip(x, lengths.tolist(), strict=True)])
    mask = (torch.arange(11) >= 11 - lengths[:, None]).long()
    expected = theirs.generate(
        left, attention_mask=mask, max_new_tokens=n_new, do_sample=False, pad_token_id=0
    )
    for row, length in enumerate(lengths.tolist()):
        assert written[row, length : length + n_new].tolist() == expected[row, 11:].tolist()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 2, 7, V, V + 1])
def test_top_k_keeps_the_same_words(seed, k):
    logits = 3 * torch.randn(7, V, generator=torch.Generator().manual_seed(seed))
    assert_close(keep_top_k(logits, k), TopKLogitsWarper(k)(None, logits), rtol=0, atol=0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("p", [0.01, 0.3, 0.5, 0.9, 0.99])
def test_top_p_keeps_the_same_words(seed, p):
    logits = 3 * torch.randn(7, V, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    assert_close(keep_top_p(logits, p), TopPLogitsWarper(p)(None, logits), rtol=0, atol=0)


def test_temperature_then_top_k_then_top_p_keep_the_same_words():
    logits = 3 * torch.randn(7, V, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = logits
    for warper in (TemperatureLogitsWarper(0.7), TopKLogitsWarper(7), TopPLogitsWarper(0.8)):
        expected = warper(None, expected)
    ours = keep_top_p(keep_top_k(logits / 0.7, 7), 0.8)
    assert_close(ours, expected)
