r"""How long a machine takes at least: the roofline; taught in chapter 13."""

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["Hardware"]


@dataclass(frozen=True)
class Hardware:
    r"""What a machine can do in a second.

    .. math::  t \ge \max\!\left(\frac{\text{operations}}{\text{peak}},
                                 \frac{\text{bytes}}{\text{bandwidth}}\right)

    Attributes:
        peak: operations per second, of its best product of matrices.
        bandwidth: bytes per second, from and to memory.

    Raises:
        ValueError: one of them is not a finite number above zero.

    Reference:
        Williams, Waterman and Patterson, Roofline: An Insightful Visual Performance Model, 2009.
    """

    peak: float
    bandwidth: float

    def __post_init__(self) -> None:
        """Refuse a machine that does nothing."""
        for name in ("peak", "bandwidth"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name}: expected a number above 0, got {value!r}")

    @property
    def ridge(self) -> float:
        """The intensity at which both take as long, in operations per byte."""
        return self.peak / self.bandwidth

    def seconds(self, operations: float, moved: float) -> float:
        """Return the least time for so many operations and so many bytes `moved`."""
        return max(operations / self.peak, moved / self.bandwidth)

    def bound(self, operations: float, moved: float) -> Literal["arithmetic", "memory"]:
        """Say which of the two takes longer."""
        return "arithmetic" if operations / self.peak >= moved / self.bandwidth else "memory"

    def roof(self, intensity: float) -> float:
        """Return the most operations per second at this intensity, in operations per byte."""
        return min(self.peak, intensity * self.bandwidth)
