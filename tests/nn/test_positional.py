"""The four kinds of position, from their equations, and what each can and cannot do."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from tests.drawn import seeds
from unrolled.nn import ALiBi, Learned, Rotary, Sinusoidal
from unrolled.shapes import ShapeError

B, T, D, H = 3, 7, 22, 5
repeatable = settings(max_examples=40)


pytestmark = pytest.mark.usefixtures("in_double")


def test_sinusoidal_is_its_equation():
    waves = Sinusoidal(D, 13)(torch.zeros(B, T, D))
    for t in range(T):
        for i in range(D // 2):
            angle = t / 10_000 ** (2 * i / D)
            assert waves[1, t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-12)
            assert waves[2, t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-12)


def test_a_shift_turns_the_clock_the_same_everywhere():
    table = Sinusoidal(D, 64).table.view(64, D // 2, 2)
    hand = torch.view_as_complex(table.contiguous())
    turned = hand[5:] / hand[:-5]
    assert_close(turned, turned[:1].expand_as(turned))


@pytest.mark.parametrize("kind", [Learned, Sinusoidal])
def test_what_is_added_continues_after_an_offset(kind):
    positions, x = kind(D, 13), torch.randn(B, T, D)
    assert_close(positions(x)[:, 3:], positions(x[:, 3:], 3))
    chosen = torch.tensor([[0, 0, 0, 1, 2, 3, 4]] * B)
    assert_close(positions(x, positions=chosen)[:, 2:] - x[:, 2:], positions(x)[:, :5] - x[:, :5])
    assert_close(positions(x, positions=chosen[0]), positions(x, positions=chosen))


def test_learned_learns_only_the_positions_it_saw():
    positions = Learned(D, 13)
    positions(torch.zeros(1, T, D)).sum().backward()
    gradient = positions.table.weight.grad
    assert gradient[:T].eq(1).all()
    assert gradient[T:].eq(0).all()


def test_rotary_is_llamas():
    rotary, query, key = Rotary(D, 13), torch.randn(B, H, T, D), torch.randn(B, H, T, D)
    cos, sin = (torch.cat([x, x], -1)[None, :T] for x in (rotary.cos, rotary.sin))
    expected = apply_rotary_pos_emb(query, key, cos, sin)
    assert_close(rotary(query), expected[0])
    assert_close(rotary(key), expected[1])
    angle = 3 / 10_000 ** (2 * 4 / D)
    assert rotary.cos[3, 4].item() == pytest.approx(math.cos(angle), abs=1e-12)


@repeatable
@given(i=st.integers(0, 20), j=st.integers(0, 20), shift=st.integers(0, 20), seed=seeds)
def test_rotary_scores_depend_on_the_distance_alone(i, j, shift, seed):
    rotary, draw = Rotary(D, 41), torch.Generator().manual_seed(seed)
    query, key = torch.randn(1, D, generator=draw), torch.randn(1, D, generator=draw)
    score = rotary(query, i) @ rotary(key, j).T
    assert_close(rotary(query, i + shift) @ rotary(key, j + shift).T, score)
    assert_close(rotary(query, i).norm(), query.norm())


def test_rotary_keeps_the_dtype():
    assert Rotary(D)(torch.zeros(T, D, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_alibi_is_its_equation():
    bias = ALiBi(8)(3, 5)
    assert bias.shape == (8, 3, 5)
    for h in range(8):
        for i in range(3):
            for j in range(5):
                assert bias[h, i, j].item() == pytest.approx(-(2.0 ** -(h + 1)) * abs(i + 2 - j))


def test_alibi_between_powers_of_two():
    # From the authors' code: the rates for 4 heads, then the first and third of those for 8.
    assert ALiBi(6).slopes.tolist() == [2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3]
    assert ALiBi(1).slopes.tolist() == [2**-8]


def test_no_kind_but_learned_has_anything_to_learn():
    assert not [*Sinusoidal(D).parameters(), *Rotary(D).parameters(), *ALiBi(H).parameters()]
    assert not Sinusoidal(D).state_dict() | Rotary(D).state_dict() | ALiBi(H).state_dict()


@pytest.mark.parametrize("make", [lambda: Learned(D, 64), lambda: Sinusoidal(D, 64), lambda: Rotary(D, 64)])
def test_longer_than_there_is_room_for(make):
    with pytest.raises(ValueError, match="sequence of 70 tokens is longer than max_len=64"):
        make()(torch.zeros(1, 70, D))
    with pytest.raises(ValueError, match="sequence of 65 tokens is longer than max_len=64"):
        make()(torch.zeros(1, 5, D), 60)


def test_sizes_that_cannot_be():
    with pytest.raises(ValueError, match=r"even size.*got 7"):
        Sinusoidal(7)
    with pytest.raises(ValueError, match=r"even size.*got 5"):
        Rotary(5)
    with pytest.raises(ValueError, match="n_heads: expected a positive integer, got 0"):
        ALiBi(0)


@pytest.mark.parametrize("kind", [Learned, Sinusoidal])
def test_inputs_that_are_refused(kind):
    positions, x = kind(D, 13), torch.zeros(B, T, D)
    with pytest.raises(ShapeError, match="D=22"):
        positions(torch.zeros(B, T, 3))
    with pytest.raises(TypeError, match=r"integers \(int64 or int32\), got torch\.float64"):
        positions(x, positions=torch.zeros(B, T))
    with pytest.raises(ShapeError, match="T=7"):
        positions(x, positions=torch.zeros(B, 5, dtype=torch.long))
    with pytest.raises(ShapeError, match=r"expected \[3, 7\], got \[2, 7\]"):
        positions(x, positions=torch.zeros(2, T, dtype=torch.long))
    with pytest.raises(ShapeError, match=r"x: expected"):
        Rotary(D)(torch.zeros(T, 3))


@pytest.mark.parametrize("kind", [Learned, Sinusoidal])
@pytest.mark.parametrize("wrong", [-1, 13, 40])
def test_positions_that_do_not_exist_are_refused(kind, wrong):
    positions, chosen = kind(D, 13), torch.tensor([0, 1, 2, 3, 4, 12, wrong])
    with pytest.raises(
        ValueError, match=f"positions: expected 0 to 12, got {min(0, wrong)} to {max(12, wrong)}"
    ):
        positions(torch.zeros(B, T, D), positions=chosen)


@pytest.mark.parametrize("make", [lambda: Learned(D, 64), lambda: Sinusoidal(D, 64), lambda: Rotary(D, 64)])
def test_a_negative_offset_is_refused(make):
    with pytest.raises(ValueError, match="offset: expected 0 or a positive integer, got -3"):
        make()(torch.zeros(1, T, D), -3)


def test_alibi_refuses_more_queries_than_keys():
    with pytest.raises(ValueError, match=r"as many keys as queries \(7\), got 5"):
        ALiBi(1)(7, 5)
    assert ALiBi(3)(0, 0).shape == (3, 0, 0)


@pytest.mark.parametrize("kind", [Sinusoidal, Rotary])
def test_a_base_that_is_not_positive_is_refused(kind):
    with pytest.raises(ValueError, match=r"base: expected a positive number, got -2\.0"):
        kind(D, 13, base=-2.0)


def test_the_table_is_called_where_it_is_not_a_plain_embedding():
    positions, x, calls = Learned(D, 13), torch.zeros(B, T, D), []
    before = positions(x, 3)
    positions.table.register_forward_hook(lambda module, given, output: calls.append(1) or 2 * output)
    assert_close(positions(x, 3), 2 * before)
    assert calls == [1]
