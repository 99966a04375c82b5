"""The formulas on their own: by hand, and what they refuse."""

from typing import Any

import pytest

from unrolled.costs import (
    Hardware,
    Operations,
    Parameters,
    Sizes,
    cache_bytes,
    operations,
    parameters,
    weight_bytes,
)
from unrolled.costs import traffic as moved

GIVEN: dict[str, Any] = {"vocab_size": 11, "max_len": 5, "d_model": 6, "n_heads": 3, "n_layers": 2, "d_ff": 7}
SMALL = Sizes(**GIVEN)
GATED = Sizes(**GIVEN, n_kv_heads=1, gated=True, bias=False, learned=False, tied=False)
READER = Sizes(**GIVEN, encoder=True)


def test_parameters_by_hand() -> None:
    # Blocks: 4 projections 6 x 6 + 6; 6 x 7 + 7 and 7 x 6 + 6. Norms: 2 a block and 1, gain and bias.
    assert parameters(SMALL) == Parameters((11 + 5) * 6, 2 * 4 * 42, 2 * (49 + 48), 5 * 12, 0)
    # Queries of 6, one key and one value of 2; three matrices of 6 x 7; norms without bias; V x d at the end.
    assert parameters(GATED) == Parameters(66, 2 * (6 * 10 + 36), 2 * 3 * 42, 5 * 6, 66)
    assert parameters(READER) == Parameters((11 + 5 + 2) * 6, 2 * 4 * 42, 2 * 97, 60, 42)
    assert parameters(SMALL).total == 96 + 336 + 194 + 60


def test_operations_by_hand() -> None:
    assert operations(SMALL, 5, 3) == Operations(
        2 * 15 * 144 * 2, 4 * 15 * 5 * 6 * 2, 4 * 15 * 42 * 2, 2 * 15 * 66
    )
    # One token that looks at five.
    assert operations(GATED, 5, phase="decode") == Operations(2 * 96 * 2, 4 * 5 * 6 * 2, 6 * 42 * 2, 2 * 66)
    assert operations(SMALL, 5, 3, "training").total == 3 * operations(SMALL, 5, 3).total
    assert operations(READER, 5, 3).head == 2 * 3 * 36


def test_bytes_by_hand() -> None:
    assert [weight_bytes(SMALL, bits) for bits in (4, 8, 16, 32)] == [343, 686, 1372, 2744]
    assert cache_bytes(SMALL, 5, 3) == 2 * 2 * 6 * 5 * 3 * 2
    assert cache_bytes(GATED, 5, 3) == cache_bytes(SMALL, 5, 3) // 3
    assert cache_bytes(READER, 5) == 0
    # All but the embedding, which the tied output layer reads after all; the learned positions are looked up.
    assert moved(SMALL, 5) == 2 * (686 - 30) + cache_bytes(SMALL, 5)
    total = parameters(GATED).total
    assert moved(GATED, 5, 3, "decode", 8) == total - 66 + cache_bytes(GATED, 5, 3, 8)
    assert moved(READER, 5) == 2 * (parameters(READER).total - 108)
    assert moved(SMALL, 5, 3, "training") == 10 * weight_bytes(SMALL)


def test_the_roofline() -> None:
    machine = Hardware(peak=100.0, bandwidth=20.0)
    assert machine.ridge == 5
    assert [machine.roof(x) for x in (1, 5, 7)] == [20, 100, 100]
    assert (machine.seconds(300, 20), machine.bound(300, 20)) == (3, "arithmetic")
    assert (machine.seconds(100, 40), machine.bound(100, 40)) == (2, "memory")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_heads": 4}, "d_model: expected a multiple of n_heads=4, got 6"),
        ({"n_kv_heads": 2}, "n_heads: expected a multiple of n_kv_heads=2, got 3"),
        ({"vocab_size": 0}, "vocab_size: expected a whole number from 1, got 0"),
        ({"n_layers": -1}, "n_layers: expected a whole number from 1, got -1"),
        ({"d_ff": -1}, "d_ff: expected a whole number from 0, got -1"),
    ],
)
def test_sizes_that_make_no_model(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sizes(**{**GIVEN, **change})


def test_what_else_is_refused() -> None:
    with pytest.raises(TypeError, match=r"d_model: expected a whole number from 1, got 6\.0"):
        Sizes(**{**GIVEN, "d_model": 6.0})
    with pytest.raises(TypeError, match="n_heads: expected a whole number from 1, got True"):
        Sizes(**{**GIVEN, "n_heads": True})
    counts: list[Any] = [operations, cache_bytes]
    for count in counts:
        with pytest.raises(ValueError, match="length: expected a whole number from 1, got 0"):
            count(SMALL, 0)
        with pytest.raises(TypeError, match=r"batch: expected a whole number from 1, got 1\.5"):
            count(SMALL, 5, 1.5)
    with pytest.raises(ValueError, match="phase: expected one of training, prefill, decode, got 'rest'"):
        operations(SMALL, 5, phase="rest")  # type: ignore[arg-type]
    counts = [operations, moved]
    for count in counts:
        with pytest.raises(ValueError, match="phase: an encoder writes no tokens"):
            count(READER, 5, phase="decode")
    with pytest.raises(ValueError, match="bits: expected 4, 8, 16 or 32, got 12"):
        weight_bytes(SMALL, 12)
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="peak: expected a number above 0"):
            Hardware(wrong, 1.0)
        with pytest.raises(ValueError, match="bandwidth: expected a number above 0"):
            Hardware(1.0, wrong)
