r"""Four ways to say how well a decoder state matches an encoder state. Taught in chapter 3.

Each is a module with one method, ``forward(query, key) -> scores``, from ``[B, T, d_query]`` and
``[B, S, d_key]`` to ``[B, T, S]``: every query against every key at once, with no loop over either.

======================  ============================================  ===========================
`DotScore`              :math:`q^\top k`                              Luong et al., 2015
`ScaledDotScore`        :math:`q^\top k / \sqrt d`                    Vaswani et al., 2017
`GeneralScore`          :math:`q^\top W k`                            Luong et al., 2015
`AdditiveScore`         :math:`v^\top \tanh(W_q q + W_k k)`           Bahdanau et al., 2015
======================  ============================================  ===========================
"""

import math

import torch
from torch import Tensor, nn

from unrolled.nn.functional import attention_scores
from unrolled.shapes import Scores, ShapeError, check_shape, check_sizes

__all__ = ["SCORES", "AdditiveScore", "DotScore", "GeneralScore", "ScaledDotScore", "make_score"]


def _check_pair(query: Tensor, key: Tensor, d_query: int, d_key: int) -> None:
    """Raise a ShapeError unless the two have the widths the score was made for, and one batch."""
    check_shape("query", query, "B T Q", Q=d_query)
    check_shape("key", key, "B S K", B=query.shape[0], K=d_key)


class DotScore(nn.Module):
    r"""The dot product, :math:`s = q^\top k`. Nothing to learn; both sides must have one width.

    Example:
        >>> import torch
        >>> from unrolled.nn import DotScore
        >>> query, keys = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1.0, 0.0], [3.0, 1.0]]])
        >>> DotScore(2, 2)(query, keys)
        tensor([[[1., 5.]]])
    """

    def __init__(self, d_query: int, d_key: int) -> None:
        super().__init__()
        check_sizes(d_query=d_query, d_key=d_key)
        if d_query != d_key:
            raise ShapeError(f"a dot product needs vectors of one width, got queries {d_query}, keys {d_key}")
        self.d_query, self.d_key = d_query, d_key
        self.scale = 1.0

    def forward(self, query: Tensor, key: Tensor) -> Scores:
        """Return scores ``[B, T, S]`` from ``[B, T, d]`` and ``[B, S, d]``."""
        _check_pair(query, key, self.d_query, self.d_key)
        return attention_scores(query, key, scale=self.scale)


class ScaledDotScore(DotScore):
    r"""The dot product over its expected size, :math:`s = q^\top k / \sqrt d`.

    Example:
        >>> import torch
        >>> from unrolled.nn import ScaledDotScore
        >>> query, keys = torch.ones(1, 1, 4), torch.tensor([[[1.0, 1, 1, 1], [2.0, 0, 0, 0]]])
        >>> ScaledDotScore(4, 4)(query, keys)
        tensor([[[2., 1.]]])
    """

    def __init__(self, d_query: int, d_key: int) -> None:
        super().__init__(d_query, d_key)
        self.scale = 1 / math.sqrt(d_key)


class GeneralScore(nn.Module):
    r"""A learned bilinear form, :math:`s = q^\top W k`: the widths may differ, and so may the languages.

    Example:
        >>> import torch
        >>> from unrolled.nn import GeneralScore
        >>> GeneralScore(d_query=3, d_key=5)(torch.zeros(2, 1, 3), torch.zeros(2, 7, 5)).shape
        torch.Size([2, 1, 7])
    """

    def __init__(self, d_query: int, d_key: int) -> None:
        super().__init__()
        check_sizes(d_query=d_query, d_key=d_key)
        self.key_proj = nn.Linear(d_key, d_query, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Scores:
        """Return scores ``[B, T, S]`` from ``[B, T, d_query]`` and ``[B, S, d_key]``."""
        _check_pair(query, key, self.key_proj.out_features, self.key_proj.in_features)
        return attention_scores(query, self.key_proj(key))


class AdditiveScore(nn.Module):
    r"""A small network, :math:`s = v^\top \tanh(W_q q + W_k k)`, as in the first attention model.

    Args:
        d_query: width of the queries.
        d_key: width of the keys.
        d_score: width of the hidden layer; the query's unless given. All ``T x S`` pairs pass through it
            at once, so it takes ``B * T * S * d_score`` numbers of memory.

    Example:
        >>> import torch
        >>> from unrolled.nn import AdditiveScore
        >>> AdditiveScore(d_query=3, d_key=5)(torch.zeros(2, 1, 3), torch.zeros(2, 7, 5)).shape
        torch.Size([2, 1, 7])
    """

    def __init__(self, d_query: int, d_key: int, d_score: int | None = None) -> None:
        super().__init__()
        check_sizes(d_query=d_query, d_key=d_key, d_score=d_score)
        d_score = d_query if d_score is None else d_score
        self.query_proj = nn.Linear(d_query, d_score, bias=False)
        self.key_proj = nn.Linear(d_key, d_score, bias=False)
        self.score_proj = nn.Linear(d_score, 1, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Scores:
        """Return scores ``[B, T, S]`` from ``[B, T, d_query]`` and ``[B, S, d_key]``."""
        _check_pair(query, key, self.query_proj.in_features, self.key_proj.in_features)
        pairs = self.query_proj(query)[:, :, None] + self.key_proj(key)[:, None]  # [B, T, S, d_score]
        scores: Tensor = self.score_proj(torch.tanh(pairs)).squeeze(-1)  # [B, T, S]
        return scores


SCORES: dict[str, type[nn.Module]] = {
    "dot": DotScore,
    "scaled_dot": ScaledDotScore,
    "general": GeneralScore,
    "additive": AdditiveScore,
}
"""The scores by the names that configurations use."""


def make_score(name: str, d_query: int, d_key: int) -> nn.Module:
    """Return the score called `name`.

    Raises:
        ValueError: there is no such score; the message lists those there are.

    Example:
        >>> from unrolled.nn import make_score
        >>> make_score("dot", d_query=4, d_key=4)
        DotScore()
    """
    if name not in SCORES:
        raise ValueError(f"score: expected one of {', '.join(SCORES)}, got {name!r}")
    return SCORES[name](d_query, d_key)
