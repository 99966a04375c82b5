r"""Rotary frequencies for contexts longer than those a model was trained on. Taught in chapter 15.

Each rule takes the frequencies :math:`\omega_m` of `Rotary`, fastest first, and returns others; `scaling`
hands one in. A position `factor` times as far then turns the slow pairs no further than training has shown.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.shapes import check_sizes

__all__ = ["FrequencyRule", "LinearScaling", "Llama3Scaling", "NTKScaling", "YarnScaling"]

# From frequencies [K / 2] to others. A rule may have a `magnitude`, by which turned vectors are multiplied.
FrequencyRule = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class LinearScaling:
    r"""Position interpolation: all frequencies are divided, :math:`\omega_m / s`.

    Args:
        factor: s, how many times longer the context is.

    Raises:
        ValueError: the factor is below 1.

    Reference:
        Chen et al., Extending Context Window of Large Language Models via Positional Interpolation, 2023.

    Example:
        >>> import torch
        >>> from unrolled.nn import LinearScaling
        >>> LinearScaling(4.0)(torch.tensor([1.0, 0.5]))
        tensor([0.2500, 0.1250])
    """

    factor: float

    def __post_init__(self) -> None:
        """Refuse a factor that is none."""
        _check_factor(self.factor)

    def __call__(self, frequencies: Tensor) -> Tensor:
        """Return other frequencies ``[K / 2]``."""
        return frequencies / self.factor


@dataclass(frozen=True)
class NTKScaling:
    r"""Another base: the fastest frequency stays, the slowest is divided by s, those between by less.

    .. math::  \omega_m\, s^{-m / (K/2 - 1)}

    which is what the base :math:`b\, s^{K / (K - 2)}` gives. The factor stays the same for all lengths; the
    dynamic rule, under which it grows with the sequence, would turn keys anew that a cache holds turned.

    Args:
        factor: s, how many times longer the context is.

    Raises:
        ValueError: the factor is below 1.

    Reference:
        bloc97, NTK-Aware Scaled RoPE, 2023; Peng et al., YaRN, 2023, section 3.1.

    Example:
        >>> import torch
        >>> from unrolled.nn import NTKScaling
        >>> NTKScaling(4.0)(torch.tensor([1.0, 0.1, 0.01]))
        tensor([1.0000, 0.0500, 0.0025])
    """

    factor: float

    def __post_init__(self) -> None:
        """Refuse a factor that is none."""
        _check_factor(self.factor)

    def __call__(self, frequencies: Tensor) -> Tensor:
        """Return other frequencies ``[K / 2]``."""
        n = len(frequencies)
        which = torch.arange(n, dtype=frequencies.dtype)
        return frequencies * self.factor ** (-which / max(n - 1, 1))


@dataclass(frozen=True)
class YarnScaling:
    r"""Fast frequencies stay, slow ones are divided, with a ramp between; and attention becomes sharper.

    .. math::  \omega_m \left(1 - r_m + \frac{r_m}{s}\right), \qquad
               r_m = \mathrm{clamp}\!\left(\frac{m - m_{fast}}{m_{slow} - m_{fast}}, 0, 1\right)

    :math:`m_{fast}` is the pair that turns `fast` times within the original context, :math:`m_{slow}` the one
    that turns `slow` times. Queries and keys are multiplied by the `magnitude` :math:`0.1 \ln s + 1`.

    Args:
        factor: s, how many times longer the context is.
        original_len: the context the model was trained on.
        fast: turns from which on a frequency stays.
        slow: turns up to which it is divided in full.
        attention_factor: another magnitude.
        truncate: whether the ramp begins and ends at whole m.

    Raises:
        ValueError: the factor is below 1, or `fast` and `slow` are not positive and in this order.

    Reference:
        Peng et al., YaRN: Efficient Context Window Extension of Large Language Models, 2023.

    Example:
        >>> import torch
        >>> from unrolled.nn import YarnScaling
        >>> rule = YarnScaling(4.0, original_len=32)
        >>> rule(torch.tensor([1.0, 0.1, 0.01]))
        tensor([1.0000, 0.0250, 0.0025])
    """

    factor: float
    original_len: int
    fast: float = 32.0
    slow: float = 1.0
    attention_factor: float | None = None
    truncate: bool = True

    def __post_init__(self) -> None:
        """Refuse numbers that make no ramp."""
        _check_factor(self.factor)
        check_sizes(original_len=self.original_len)
        _check_order(slow=self.slow, fast=self.fast)
        if self.attention_factor is not None and not self.attention_factor > 0:
            raise ValueError(f"attention_factor: expected a positive number, got {self.attention_factor!r}")

    @property
    def magnitude(self) -> float:
        """What turned queries and keys are multiplied by."""
        if self.attention_factor is not None:
            return self.attention_factor
        return 0.1 * math.log(self.factor) + 1.0

    def __call__(self, frequencies: Tensor) -> Tensor:
        """Return other frequencies ``[K / 2]``."""
        n = len(frequencies)
        if n < 2:
            raise ValueError(f"scaling: expected at least two frequencies to ramp between, got {n}")
        if frequencies.is_meta:  # of a model without numbers only the shapes are asked for
            return torch.empty_like(frequencies)
        step = -math.log(frequencies[1] / frequencies[0])  # of the logarithm, from pair to pair

        def pair(turns: float) -> float:
            return math.log(self.original_len / (turns * 2 * math.pi)) / step

        low, high = pair(self.fast), pair(self.slow)
        if self.truncate:
            low, high = math.floor(low + 1e-9), math.ceil(high - 1e-9)  # whole ones are whole
        low, high = max(low, 0), min(high, 2 * n - 1)
        high = low + 0.001 if low == high else high
        ramp = ((torch.arange(n, dtype=frequencies.dtype) - low) / (high - low)).clamp(0, 1)
        return frequencies * (1 - ramp) + frequencies / self.factor * ramp


@dataclass(frozen=True)
class Llama3Scaling:
    r"""Waves shorter than the context stay, longer ones are divided, with a blend between.

    .. math::  \omega_m \left(\frac{1 - \gamma_m}{s} + \gamma_m\right), \qquad
               \gamma_m = \mathrm{clamp}\!\left(\frac{L \omega_m / 2\pi - l}{h - l}, 0, 1\right)

    Args:
        factor: s, how many times longer the context is.
        original_len: L, the context the model was trained on.
        low: l, turns within L up to which a frequency is divided in full.
        high: h, turns from which on it stays.

    Raises:
        ValueError: the factor is below 1, or `low` and `high` are not positive and in this order.

    Reference:
        Llama Team, The Llama 3 Herd of Models, 2024; the rule stands in the code of Llama 3.1.

    Example:
        >>> import torch
        >>> from unrolled.nn import Llama3Scaling
        >>> Llama3Scaling(factor=8.0)(torch.tensor([1.0, 0.0001]))
        tensor([1.0000e+00, 1.2500e-05])
    """

    factor: float = 8.0
    original_len: int = 8192
    low: float = 1.0
    high: float = 4.0

    def __post_init__(self) -> None:
        """Refuse numbers that make no blend."""
        _check_factor(self.factor)
        check_sizes(original_len=self.original_len)
        _check_order(low=self.low, high=self.high)

    def __call__(self, frequencies: Tensor) -> Tensor:
        """Return other frequencies ``[K / 2]``."""
        turns = self.original_len * frequencies / (2 * math.pi)
        kept = ((turns - self.low) / (self.high - self.low)).clamp(0, 1)
        return frequencies * ((1 - kept) / self.factor + kept)


def _check_factor(factor: float) -> None:
    if not 1 <= factor < math.inf:
        raise ValueError(f"factor: expected a number from 1, got {factor!r}")


def _check_order(**ends: float) -> None:
    (lower, low), (higher, high) = ends.items()
    if not 0 < low < high:
        raise ValueError(f"{lower}, {higher}: expected 0 < {lower} < {higher}, got {low!r} and {high!r}")
