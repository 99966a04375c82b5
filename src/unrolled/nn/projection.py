"""A part of a larger linear layer, as a layer of its own. Taught in chapter 6."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import linear

from unrolled.tap import plain

__all__ = ["Projection"]


# Hashed by what it is, not by its fields: torch.compile, up to 2.11 at least, asks before they are there.
@dataclass(frozen=True, eq=False)
class Projection:
    """Some rows of a larger linear layer, as a linear layer of their own: a view that owns nothing."""

    layer: nn.Module
    rows: slice

    @property
    def weight(self) -> Tensor:
        """The rows of the layer's matrix, to read and to write in place."""
        weight: Tensor = self.layer.weight[self.rows]  # type: ignore[index]
        return weight

    @property
    def bias(self) -> Tensor | None:
        """The same part of its bias."""
        bias: Tensor | None = self.layer.bias  # type: ignore[assignment]
        return None if bias is None else bias[self.rows]

    def __call__(self, x: Tensor) -> Tensor:
        r"""Return :math:`xW^\top + b`."""
        # A plain layer would do nothing else with the rest of its rows. What is not plain, or not linear any
        # more (an adapter, a pruned or quantised layer, one with hooks), must be called, and is asked whole.
        if type(self.layer) is nn.Linear and plain(self.layer):
            return linear(x, self.weight, self.bias)
        whole: Tensor = self.layer(x)
        return whole[..., self.rows]
