"""The logit lens: at the last layer the model itself, before that a model that ends there."""

import pytest
import torch
from torch.testing import assert_close

from tests.probe.models import V, bert, gpt, tokens
from unrolled.nn import padding_mask
from unrolled.probe import logit_lens


def test_each_depth_is_a_model_that_ends_there() -> None:
    model, x = gpt(n_layers=3), tokens(2, 7)
    mask = padding_mask(torch.tensor([7, 5]), 7)
    lens = logit_lens(model, x, mask)
    assert lens.shape == (4, 2, 7, V)
    assert not lens.requires_grad
    for depth in range(4):
        shorter = gpt(n_layers=3)
        del shorter.layers[depth:]
        assert_close(lens[depth], shorter(x, mask).detach())
    assert_close(lens[-1], model(x, mask).detach(), rtol=0, atol=1e-12)
    assert_close(lens[0], model.lm_head(model.final_norm(model.positions(model.token_embedding(x)))).detach())


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^model: expected a GPT, got BERT"):
        logit_lens(bert(), tokens(2, 7))
