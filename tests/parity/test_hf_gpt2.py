"""Our GPT is Hugging Face's GPT-2: same logits, same gradients, from random weights, no download."""

import pytest
import torch
from torch.testing import assert_close
from transformers import GPT2Config, GPT2LMHeadModel

from unrolled.nn import causal_mask, padding_mask
from unrolled.pretrained import gpt2_config, gpt2_state, load_gpt2

# Every size another prime (d_model the product of heads and head size).
SIZES = {"vocab_size": 53, "n_positions": 23, "n_embd": 33, "n_head": 3, "n_layer": 2, "n_inner": 61}
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}


def reference(dtype: torch.dtype, **changes: object) -> GPT2LMHeadModel:
    torch.manual_seed(5)
    config = GPT2Config(**(SIZES | {"bos_token_id": 0, "eos_token_id": 0} | changes))
    model = GPT2LMHeadModel(config)
    for weight in model.parameters():
        # Its own start leaves biases at zero, where a bias that was lost would not show.
        torch.nn.init.normal_(weight, std=0.2)
    return model.eval().to(dtype)


def tokens(batch: int = 7, length: int = 19) -> torch.Tensor:
    return torch.randint(53, (batch, length), generator=torch.Generator().manual_seed(11))


@pytest.mark.signatures
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("activation", ["gelu_new", "relu", "gelu"])
def test_logits_and_gradients(dtype: torch.dtype, activation: str) -> None:
    theirs = reference(dtype, activation_function=activation)
    ours = load_gpt2(theirs).to(dtype)
    x, tolerance = tokens(), TOLERANCE[dtype]
    logits, expected = ours(x), theirs(x).logits
    assert_close(logits, expected, rtol=tolerance, atol=tolerance * float(expected.detach().abs().max()))
    torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), x[:, 1:].flatten()).backward()
    torch.nn.functional.cross_entropy(expected[:, :-1].flatten(0, 1), x[:, 1:].flatten()).backward()
    gradients = {name: w.grad for name, w in theirs.named_parameters()}
    mapped = gpt2_state(gradients, gpt2_config(theirs.config.to_dict()))
    named = dict(ours.named_parameters())
    assert named.keys() == mapped.keys() - {"lm_head.weight"}
    for name, weight in named.items():
        assert_close(
            weight.grad, mapped[name], rtol=tolerance, atol=tolerance, msg=lambda m, n=name: f"{n}: {m}"
        )


def test_padding_on_the_right() -> None:
    theirs = reference(torch.float64)
    ours = load_gpt2(theirs).double()
    x, lengths = tokens(3, 17), torch.tensor([17, 5, 11])
    real = padding_mask(lengths)[:, 0]  # [B, T]
    expected = theirs(x, attention_mask=real.long()).logits
    assert_close(ours(x, padding_mask(lengths))[real], expected[real], rtol=1e-9, atol=1e-9)


def test_padding_on_the_left_needs_positions() -> None:
    theirs = reference(torch.float64)
    ours = load_gpt2(theirs).double()
    x = tokens(2, 13)
    real = torch.arange(13) >= torch.tensor([[0], [5]])  # [B, T]
    positions = (real.long().cumsum(-1) - 1).clamp(min=0)
    expected = theirs(x, attention_mask=real.long(), position_ids=positions).logits
    logits = ours(x, real[:, None], positions=positions)
    assert_close(logits[real], expected[real], rtol=1e-9, atol=1e-9)


def test_cache_continues_as_theirs() -> None:
    theirs = reference(torch.float64)
    ours = load_gpt2(theirs).double()
    x = tokens(2, 17)
    with torch.no_grad():
        cache = ours.new_cache()
        ours(x[:, :11], cache=cache)
        past = theirs(x[:, :11], use_cache=True).past_key_values
        expected = theirs(x[:, 11:], past_key_values=past).logits
        assert_close(ours(x[:, 11:], cache=cache), expected, rtol=1e-9, atol=1e-9)
        assert cache.length == 17
        assert causal_mask(6, 17).sum() == expected.shape[1] * 11 + 21


def test_untied_output_layer() -> None:
    theirs = reference(torch.float64, tie_word_embeddings=False)
    ours = load_gpt2(theirs).double()
    assert not torch.equal(ours.lm_head.weight, ours.token_embedding.weight)
    x = tokens(2, 5)
    assert_close(ours(x), theirs(x).logits, rtol=1e-9, atol=1e-9)
