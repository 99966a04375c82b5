"""What a block of today has besides the sizes of 2017; taught in chapter 15."""

from dataclasses import dataclass
from typing import Literal

from unrolled.costs.whole import whole

__all__ = ["Today"]


@dataclass(frozen=True, kw_only=True)
class Today:
    """What the costs of a Llama or of its kin depend on besides; its norms have gains and no biases.

    Attributes:
        d_head: components per query, key and value; ``d_model / n_heads`` unless given.
        out_bias: whether the output of attention adds a bias.
        ff_bias: whether the gated networks add one.
        head_norm: a norm of queries and of keys, ``"each"`` head by itself or ``"across"`` all together.
        norms_behind: whether a norm stands behind each sublayer too.
        n_experts: gated networks in the place of one, and a router; none unless given.
        top_k: how many of them each token goes through.
        window: how many positions a token sees; all before it unless given.
        block: with a window, how many queries attention takes at once, if there are more than two blocks.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is not positive, or more experts are asked than there are.
    """

    d_head: int | None = None
    out_bias: bool = False
    ff_bias: bool = False
    head_norm: Literal["each", "across"] | None = None
    norms_behind: bool = False
    n_experts: int | None = None
    top_k: int = 2
    window: int | None = None
    block: int | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no block."""
        for name in ("d_head", "n_experts", "window", "block"):
            if getattr(self, name) is not None:
                whole(**{name: getattr(self, name)})
        whole(top_k=self.top_k)
        if self.n_experts is not None and self.top_k > self.n_experts:
            raise ValueError(f"top_k: expected at most n_experts={self.n_experts}, got {self.top_k}")
        if (self.window is None) != (self.block is None):
            raise ValueError(f"block: expected one with a window only, got {self.block!r}")

    def pairs(self, length: int, decode: bool) -> int:
        """Return how many pairs of positions are computed: of `length` queries, or of the last alone."""
        if self.window is None or self.block is None:
            return length if decode else length * length
        if decode:
            return min(length, self.window)
        if length <= 2 * self.block:
            return length * length
        # Every block of queries meets its own keys and those of the block before.
        blocks, rest = divmod(length, self.block)
        return self.block**2 * (2 * blocks - 1) + rest * (rest + self.block)

    def held(self, length: int) -> int:
        """Return how many of `length` positions a cache holds."""
        return length if self.window is None else min(length, self.window)

    def allocated(self, length: int) -> int:
        """Return for how many positions a cache for `length` of them has room."""
        return length if self.window is None else min(length, 2 * self.window)
