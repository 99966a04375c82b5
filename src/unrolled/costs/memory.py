r"""How many bytes a model keeps and moves; taught in chapter 13."""

from unrolled.costs.operations import Phase, check_phase
from unrolled.costs.parameters import parameters
from unrolled.costs.sizes import Sizes
from unrolled.costs.whole import whole

__all__ = ["cache_bytes", "traffic", "weight_bytes"]

MOVED_IN_TRAINING = 10
"""Numbers moved for each parameter in a training step: read forward, read backward, gradient written; then
AdamW reads the gradient, and reads and writes the parameter and both of its means."""


def weight_bytes(s: Sizes, bits: int = 16) -> int:
    """Return what the parameters take, `bits` to a number.

    Example:
        >>> from unrolled.costs import KNOWN, weight_bytes
        >>> weight_bytes(KNOWN["Llama 2 13B"].sizes)
        26031728640
    """
    return _bytes(parameters(s).total, bits)


def cache_bytes(s: Sizes, length: int, batch: int = 1, bits: int = 16) -> int:
    r"""Return what keys and values of `length` tokens take.

    .. math::  2 \cdot L \cdot G \cdot K \cdot S \cdot B \cdot \text{bytes}

    A key and a value of K components for each of L layers, G heads of keys, S tokens and B sequences; nothing
    for an encoder, which keeps none. With a window there is room for two windows, and not for more.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is not positive.

    Example:
        >>> from unrolled.costs import KNOWN, cache_bytes
        >>> cache_bytes(KNOWN["Llama 2 13B"].sizes, length=4096)
        3355443200
    """
    whole(length=length, batch=batch)
    return 0 if s.encoder else _kept(s, s.besides.allocated(length), batch, bits)


def _kept(s: Sizes, positions: int, batch: int, bits: int) -> int:
    return _bytes(2 * s.n_layers * s.kv_heads * s.d_head * positions * batch, bits)


def traffic(s: Sizes, length: int, batch: int = 1, phase: Phase = "prefill", bits: int = 16) -> int:
    """Return the bytes that one pass moves at least: weights and cache; activations are left out.

    Every pass reads all weights that it multiplies with once; the rows of an embedding that it looks up are
    few, so an embedding counts only where it is the output layer too. A prefill writes the cache, a step of
    decoding reads it. Training moves ten numbers for each parameter: forward, backward, gradient, and AdamW
    with its two means. With a window only what it holds of the cache is read.

    Args:
        s: the model.
        length: the context in tokens.
        batch: sequences side by side.
        phase: see `operations`.
        bits: of a number, weights and cache alike.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is not positive, or there is no such phase, or an encoder is to decode; or it has
            a mixture of experts, of which tokens decide what is read.
    """
    check_phase(s, phase)
    whole(length=length, batch=batch)
    if s.besides.n_experts is not None:
        raise ValueError("s: which of its experts are read depends on the tokens, so this is not counted")
    p = parameters(s)
    if phase == "training":
        return MOVED_IN_TRAINING * _bytes(p.total, bits)
    read = p.total - p.embedding + (0 if s.encoder or not s.tied else s.vocab_size * s.d_model)
    return _bytes(read, bits) + (0 if s.encoder else _kept(s, s.besides.held(length), batch, bits))


def _bytes(numbers: int, bits: int) -> int:
    if bits not in (4, 8, 16, 32):
        raise ValueError(f"bits: expected 4, 8, 16 or 32, got {bits!r}")
    return (numbers * bits + 7) // 8
