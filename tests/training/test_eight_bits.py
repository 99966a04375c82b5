"""Weights of 8 bits: how far they are from what they were, and what is refused."""

import pytest
import torch

from unrolled.training.eight_bits import from_eight_bits, to_eight_bits


def test_a_matrix_is_off_by_half_a_step_of_its_row_at_most_and_a_vector_is_halved() -> None:
    matrix = (
        torch.randn(7, 11, generator=torch.Generator().manual_seed(1))
        * torch.tensor([1e-3, 1, 10, 1, 0, 5, 2])[:, None]
    )
    vector = torch.tensor([0.1, -2.5, 1 / 3])
    small = to_eight_bits({"matrix": matrix, "vector": vector, "count": torch.tensor(3)})
    assert small["matrix"].dtype == torch.int8
    assert small["matrix"].abs().amax(1).tolist() == [127, 127, 127, 127, 0, 127, 127]
    back = from_eight_bits(small)
    assert list(back) == ["matrix", "vector", "count"]
    off = (back["matrix"] - matrix).abs()
    assert (off <= matrix.abs().amax(1, keepdim=True) / 254 * 1.0001).all()
    assert off.max() > 0.01
    assert torch.equal(back["vector"], vector.half().float())
    assert back["count"] == 3


def test_what_was_rounded_once_stays_as_it_is() -> None:
    once = from_eight_bits(
        to_eight_bits({"x": torch.randn(5, 13, generator=torch.Generator().manual_seed(2))})
    )
    twice = from_eight_bits(to_eight_bits(once))
    torch.testing.assert_close(twice["x"], once["x"], rtol=1e-6, atol=0)


def test_what_makes_no_sense_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="w: expected finite numbers"):
        to_eight_bits({"w": torch.tensor([[1.0, torch.nan]])})
    with pytest.raises(ValueError, match=r"w\.step: expected a name that does not end"):
        to_eight_bits({"w.step": torch.ones(2)})
    small = to_eight_bits({"w": torch.ones(3, 2)})
    with pytest.raises(ValueError, match=r"w\.step: expected \[3\], got \[2\]"):
        from_eight_bits({**small, "w.step": torch.ones(2)})
    with pytest.raises(ValueError, match=r"w\.step: expected \[3\], got none"):
        from_eight_bits({"w": small["w"]})
