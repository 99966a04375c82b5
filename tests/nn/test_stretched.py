"""Rotary positions of today: rules for longer contexts, a part of the components, pairs of neighbours."""

import math
import pickle
import re

import pytest
import torch
from torch.testing import assert_close
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from tests.drawn import random
from unrolled.nn import (
    HALVES,
    NEIGHBOURS,
    LinearScaling,
    Llama3Scaling,
    NTKScaling,
    Rotary,
    YarnScaling,
)
from unrolled.nn.rotary import halves_of_neighbours
from unrolled.shapes import ShapeError

B, H, T, K = 3, 5, 7, 22


pytestmark = pytest.mark.usefixtures("in_double")


def frequencies(size, base):
    return base ** (-torch.arange(0, size, 2) / size)


RULES = {
    "linear": (LinearScaling(3.0), {"rope_type": "linear", "factor": 3.0}),
    "yarn": (YarnScaling(5.0, 211), {"rope_type": "yarn", "factor": 5.0}),
    "yarn in other turns": (
        YarnScaling(5.0, 211, fast=17.0, slow=2.0),
        {"rope_type": "yarn", "factor": 5.0, "beta_fast": 17.0, "beta_slow": 2.0},
    ),
    "yarn unrounded": (
        YarnScaling(5.0, 211, truncate=False),
        {"rope_type": "yarn", "factor": 5.0, "truncate": False},
    ),
    "yarn of another magnitude": (
        YarnScaling(5.0, 211, attention_factor=0.7),
        {"rope_type": "yarn", "factor": 5.0, "attention_factor": 0.7},
    ),
    "llama3": (
        Llama3Scaling(7.0, 211, 2.0, 5.0),
        {"rope_type": "llama3", "factor": 7.0, "low_freq_factor": 2.0, "high_freq_factor": 5.0},
    ),
}


@pytest.mark.parametrize(("ours", "theirs"), RULES.values(), ids=RULES)
@pytest.mark.parametrize(("size", "base"), [(K, 10_000.0), (62, 500_000.0), (6, 100.0)])
def test_a_rule_is_theirs(ours, theirs, size, base):
    config = LlamaConfig(
        hidden_size=size,
        num_attention_heads=1,
        max_position_embeddings=1055,
        rope_parameters={"rope_theta": base, "original_max_position_embeddings": 211} | theirs,
    )
    expected, magnitude = ROPE_INIT_FUNCTIONS[theirs["rope_type"]](config)
    changed = ours(frequencies(size, base))
    assert_close(changed, expected.double(), rtol=1e-6, atol=0)  # theirs counts in float32
    assert getattr(ours, "magnitude", 1.0) == pytest.approx(magnitude)
    assert not torch.allclose(changed, frequencies(size, base), rtol=1e-3)
    angles = torch.arange(13)[:, None] * changed
    assert_close(Rotary(size, 13, base, scaling=ours).cos, angles.cos() * magnitude)
    assert_close(Rotary(size, 13, base, scaling=ours).sin, angles.sin() * magnitude)


def test_ntk_is_another_base():
    size, base, factor = 62, 10_000.0, 3.0
    changed = NTKScaling(factor)(frequencies(size, base))
    assert_close(changed, frequencies(size, base * factor ** (size / (size - 2))))
    assert_close(changed[0], frequencies(size, base)[0])
    assert_close(changed[-1], frequencies(size, base)[-1] / factor)
    # The dynamic rule at a length so many times the trained one, where the factor it grows to is this one.
    config = LlamaConfig(
        hidden_size=size,
        num_attention_heads=1,
        max_position_embeddings=211,
        rope_parameters={"rope_theta": base, "rope_type": "dynamic", "factor": 1.0},
    )
    theirs, _ = ROPE_INIT_FUNCTIONS["dynamic"](config, seq_len=3 * 211)
    assert_close(changed, theirs.double(), rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    "rule", [LinearScaling(1.0), NTKScaling(1.0), YarnScaling(1.0, 211), Llama3Scaling(1.0)]
)
def test_a_factor_of_one_changes_nothing(rule):
    assert_close(rule(frequencies(K, 100.0)), frequencies(K, 100.0))
    assert getattr(rule, "magnitude", 1.0) == 1.0


def test_the_halves_are_the_neighbours_in_another_order():
    x, matrix = random(B, T, 13), random(H * K, 13, seed=1)
    halves, neighbours = Rotary(K, 13), Rotary(K, 13, pairing=NEIGHBOURS)
    reordered = halves_of_neighbours(matrix, K)

    def scores(rotary, rows):
        heads = (x @ rows.T).view(B, T, H, K).transpose(1, 2)
        return rotary(heads, 3) @ rotary(heads).mT

    assert_close(scores(halves, reordered), scores(neighbours, matrix))
    assert not torch.allclose(scores(halves, matrix), scores(neighbours, matrix))
    y = random(B, H, T, K)
    as_complex = torch.view_as_complex(y.view(B, H, T, K // 2, 2)) * torch.polar(
        torch.ones(T, K // 2), torch.arange(T)[:, None] * frequencies(K, 10_000.0)
    )
    assert_close(neighbours(y), torch.view_as_real(as_complex).flatten(-2))
    for pairing in (HALVES, NEIGHBOURS):
        assert torch.equal(pairing.join(*pairing.split(y)), y)
    with pytest.raises(ShapeError, match=r"rows: expected a multiple of an even d_head=22, got \[23\]"):
        halves_of_neighbours(torch.zeros(23), K)
    assert pickle.loads(pickle.dumps(neighbours)).pairing == NEIGHBOURS


def test_a_part_of_the_components_is_turned():
    x, part = random(B, H, T, K), Rotary(K, 13, width=10)
    assert torch.equal(part(x)[..., 10:], x[..., 10:])
    assert_close(part(x, 5)[..., :10], Rotary(10, 13)(x[..., :10], 5))
    with pytest.raises(ValueError, match=r"width: expected at most d_head=22 components to turn, got 24"):
        Rotary(K, width=24)
    with pytest.raises(ValueError, match=r"even size.*got 7"):
        Rotary(K, width=7)


def test_every_token_may_have_a_position_of_its_own():
    x, rotary = random(B, H, T, K), Rotary(K, 13)
    own = torch.tensor([[0, 1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 2, 3, 4], [12, 3, 3, 1, 0, 7, 2]])
    turned = rotary(x, positions=own)
    assert_close(turned[0], rotary(x)[0])
    for b in range(B):
        for t in range(T):
            assert_close(turned[b, :, t], rotary(x[b, :, t : t + 1], int(own[b, t]))[:, 0])
    assert_close(rotary(x[:, 0], positions=own), turned[:, 0])
    assert_close(rotary(x, positions=own[2]), rotary(x, positions=own[2].expand(B, T)))
    with pytest.raises(ValueError, match="positions: expected 0 to 12, got 1 to 13"):
        rotary(x, positions=own + 1)
    with pytest.raises(ShapeError, match=r"expected \[3, 7\], got \[2, 7\]"):
        rotary(x, positions=own[:2])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: LinearScaling(0.5), "factor: expected a number from 1, got 0.5"),
        (lambda: NTKScaling(0), "factor: expected a number from 1, got 0"),
        (lambda: YarnScaling(math.nan, 211), "factor: expected a number from 1, got nan"),
        (lambda: YarnScaling(2.0, 0), "original_len: expected a positive integer, got 0"),
        (lambda: YarnScaling(2.0, 211, fast=1.0), "slow, fast: expected 0 < slow < fast, got 1.0 and 1.0"),
        (
            lambda: YarnScaling(2.0, 211, attention_factor=0),
            "attention_factor: expected a positive number, got 0",
        ),
        (lambda: Llama3Scaling(2.0, 211, 4.0, 1.0), "low, high: expected 0 < low < high, got 4.0 and 1.0"),
        (lambda: YarnScaling(2.0, 211)(torch.ones(1)), "scaling: expected at least two frequencies"),
        (lambda: Rotary(K, base=0), "base: expected a positive number, got 0"),
        (lambda: Rotary(K, base=math.inf), "base: expected a positive number, got inf"),
    ],
)
def test_numbers_that_make_no_rule_are_refused(make, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        make()
