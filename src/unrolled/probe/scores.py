"""How much a head looks where it is known to look. Taught in chapters 6 and 12."""

from torch import Tensor

from unrolled.shapes import Weights, check_shape

__all__ = ["map_score", "previous_token_score"]


def map_score(weights: Weights, alignment: Tensor) -> Tensor:
    r"""Return how much of its weight each head puts where a known map points, ``[H]``, 0 to 1.

    .. math::  \frac{\sum_{btj} m_{btj}\, a_{bhtj}}{\sum_{btj} m_{btj}}

    With the map of `unrolled.data.sequences.repeated` this is the induction score.

    Args:
        weights: of the heads of one layer, ``[B, H, T, S]``.
        alignment: the map m, ``[B, T, S]``: one 1 in a row, or zeros where nothing is asked.

    Raises:
        ShapeError: the two do not belong together.
        ValueError: the map points nowhere.

    Reference:
        Olsson et al., In-context Learning and Induction Heads, 2022.

    Example:
        >>> import torch
        >>> from unrolled.probe import map_score
        >>> weights = torch.tensor([[[[0.9, 0.1], [0.3, 0.7]]]])  # one sequence, one head
        >>> map_score(weights, torch.eye(2)[None])  # looked at itself, it should
        tensor([0.8000])
    """
    check_shape("weights", weights, "B H T S")
    n, _, t, s = weights.shape
    check_shape("alignment", alignment, "B T S", B=n, T=t, S=s)
    asked = alignment.sum()
    if asked == 0:
        raise ValueError("alignment: expected at least one place to look at, got none")
    return (weights * alignment[:, None]).sum((0, 2, 3)) / asked  # [H]


def previous_token_score(weights: Weights) -> Tensor:
    r"""Return how much of its weight each head puts on the token before, ``[H]``, 0 to 1.

    .. math::  \frac{1}{B(T-1)} \sum_{b,\,t \ge 1} a_{bh,t,t-1}

    Args:
        weights: of the heads of one layer over one sequence, ``[B, H, T, T]``.

    Raises:
        ShapeError: they are not square.
        ValueError: there is no sequence, or one of a single token, which has none before it.

    Example:
        >>> import torch
        >>> from unrolled.probe import previous_token_score
        >>> weights = torch.tensor([[[[1.0, 0.0, 0.0], [0.8, 0.2, 0.0], [0.0, 0.6, 0.4]]]])
        >>> previous_token_score(weights)
        tensor([0.7000])
    """
    check_shape("weights", weights, "B H T S", S=weights.shape[-2])
    if weights.shape[0] < 1 or weights.shape[-1] < 2:
        raise ValueError(
            f"weights: expected one sequence or more, of two tokens or more, got {list(weights.shape)}"
        )
    return weights.diagonal(-1, -2, -1).mean((0, 2))  # [B, H, T - 1] -> [H]
