r"""What the heads of an attention layer are made of, besides their number. Taught in chapter 15."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from unrolled.nn.lean import Step
from unrolled.shapes import check_sizes
from unrolled.tap import Tap

__all__ = ["AcrossHeads", "HeadParts", "SoftCap", "each_head", "head_size", "in_own_type", "soft_cap"]


def head_size(d_model: int, n_heads: int, d_head: int | None = None) -> int:
    """Return `d_head`, or the components of a head when the heads share out those of the model.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is not positive, or `d_model` cannot be shared out among the heads.
    """
    check_sizes(d_model=d_model, n_heads=n_heads, d_head=d_head)
    if d_head is not None:
        return d_head
    if d_model % n_heads != 0:
        raise ValueError(f"expected d_model to be a multiple of n_heads, got {d_model} and {n_heads}")
    return d_model // n_heads


@dataclass(frozen=True, kw_only=True)
class HeadParts:
    """What makes the heads of a `MultiHeadAttention`; with none of these it is that of 2017.

    Attributes:
        d_head: components per query, key and value; ``d_model / n_heads`` unless given.
        out_bias: whether the output's projection adds a bias; as queries, keys and values do unless given.
        norm: of queries and of keys, before positions turn them: each made as ``norm(n_heads, d_head)`` and
            called with ``[B, H, T, K]``. `each_head` norms every head by itself, `AcrossHeads` all
            together.
        scores: makes what scores pass before the mask: a `Tap`, or one that changes them, such as `SoftCap`.
        sinks: first logits, called as ``sinks(n_heads)``: a learned sink for each head, which takes a share
            of the softmax and hands over nothing. ``torch.zeros`` makes them.

    Reference:
        Norms: Henry et al., Query-Key Normalization for Transformers, 2020. Sinks: OpenAI, gpt-oss, 2025.

    Example:
        >>> import torch
        >>> from unrolled.nn import HeadParts, MultiHeadAttention, RMSNorm, each_head
        >>> parts = HeadParts(d_head=6, norm=lambda n, k: each_head(RMSNorm, n, k))
        >>> layer = MultiHeadAttention(8, 2, parts=parts)
        >>> layer(torch.zeros(1, 3, 8)).shape, layer.d_head
        (torch.Size([1, 3, 8]), 6)
    """

    d_head: int | None = None
    out_bias: bool | None = None
    norm: Callable[[int, int], nn.Module] | None = None
    scores: Callable[[], Tap] = Tap
    sinks: Callable[[int], Tensor] | None = None

    def __post_init__(self) -> None:
        """Refuse a size that is none."""
        check_sizes(d_head=self.d_head)


def each_head(norm: Callable[[int], nn.Module], n_heads: int, d_head: int) -> nn.Module:
    """Return a norm of every head by itself, one for all heads, as Qwen 3 has it: ``norm(d_head)``.

    Example:
        >>> from unrolled.nn import RMSNorm, each_head
        >>> each_head(RMSNorm, n_heads=2, d_head=4)
        RMSNorm(4, eps=1e-06)
    """
    return norm(d_head)


class AcrossHeads(nn.Module):
    """One norm over all heads of queries, or of keys, together, as OLMo 2 has it.

    Args:
        norm: called as ``norm(n_heads * d_head)``.
        n_heads: heads.
        d_head: components of each.

    Example:
        >>> import torch
        >>> from unrolled.nn import AcrossHeads, RMSNorm
        >>> AcrossHeads(RMSNorm, n_heads=2, d_head=4)(torch.ones(1, 2, 3, 4)).shape
        torch.Size([1, 2, 3, 4])
    """

    def __init__(self, norm: Callable[[int], nn.Module], n_heads: int, d_head: int) -> None:
        super().__init__()
        check_sizes(n_heads=n_heads, d_head=d_head)
        self.norm = norm(n_heads * d_head)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` ``[B, H, T, K]`` normed over H and K."""
        n_heads = x.shape[1]
        together: Tensor = self.norm(x.transpose(1, 2).flatten(2))  # [B, T, H K]
        return together.view(*together.shape[:2], n_heads, -1).transpose(1, 2)


def in_own_type(norm: Step | None, x: Tensor) -> Tensor:
    """Return `x` normed, if there is a norm, in its own type: under autocast norms answer in a wider one."""
    return x if norm is None else norm(x).to(x.dtype)


def soft_cap(x: Tensor, cap: float) -> Tensor:
    r"""Return :math:`c \tanh(x / c)`: close to `x` where it is small, and never beyond the cap.

    Reference:
        Gemma Team, Gemma 2, 2024, section 2.

    Example:
        >>> import torch
        >>> from unrolled.nn import soft_cap
        >>> soft_cap(torch.tensor([1.0, 1000.0]), 50.0)
        tensor([ 0.9999, 50.0000])
    """
    return cap * (x / cap).tanh()


class SoftCap(Tap):
    """A tap that caps the scores that pass it, softly: see `soft_cap`. Who listens hears them capped.

    Args:
        cap: the largest score there can be.

    Raises:
        ValueError: the cap is not positive.

    Example:
        >>> import torch
        >>> from unrolled.nn import SoftCap
        >>> SoftCap(50.0)(torch.tensor([1.0, 1000.0]))
        tensor([ 0.9999, 50.0000])
    """

    def __init__(self, cap: float) -> None:
        super().__init__()
        if not cap > 0:
            raise ValueError(f"cap: expected a positive number, got {cap!r}")
        self.cap = cap

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` capped, or what the edits make of that."""
        return super().forward(soft_cap(x, self.cap))
