"""One label for a sequence, and what it cannot know without positions."""

from functools import partial

import pytest
import torch
from torch.testing import assert_close

from tests.drawn import random_tokens
from unrolled.nn import SequenceClassifier
from unrolled.shapes import ShapeError

V, LABELS, MAX, D, H, L, B, T = 17, 3, 23, 10, 5, 2, 7, 11


def classifier(positions="learned"):
    torch.manual_seed(3)
    model = SequenceClassifier(V, LABELS, MAX, D, H, L, positions)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return model.double().eval()


tokens = partial(random_tokens, V)


@pytest.mark.parametrize("positions", ["none", "learned"])
def test_it_is_its_equation(positions):
    model, x = classifier(positions), tokens(B, T)
    vectors = model.token_embedding.weight[x]
    if positions == "learned":
        vectors = vectors + model.positions.table.weight[:T]
    mean = model.encoder(vectors).sum(1) / T
    assert_close(model(x), mean @ model.label.weight.T + model.label.bias)
    assert model(x).shape == (B, LABELS)


def test_without_positions_the_order_changes_nothing():
    model, x = classifier("none"), tokens(B, T)
    order = torch.randperm(T, generator=torch.Generator().manual_seed(1))
    assert_close(model(x[:, order]), model(x))


def test_distance_without_direction_reads_the_same_backwards():
    model, x = classifier("alibi"), tokens(B, T)
    assert_close(model(x.flip(1)), model(x))
    order = torch.randperm(T, generator=torch.Generator().manual_seed(1))
    assert not torch.allclose(model(x[:, order]), model(x))


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary"])
def test_with_positions_it_reads_otherwise_backwards(positions):
    model, x = classifier(positions), tokens(B, T)
    assert not torch.allclose(model(x.flip(1)), model(x))


def test_what_is_refused():
    with pytest.raises(ValueError, match="sequence of 29 tokens is longer than max_len=23"):
        classifier("none")(tokens(B, 29))
    with pytest.raises(ShapeError, match=r"tokens: expected shape \[B, T\], got \[11\]"):
        classifier()(tokens(T))
    with pytest.raises(ValueError, match="got 'circular'"):
        classifier("circular")
