"""The scores of heads whose weights are made by hand."""

import pytest
import torch

from unrolled.probe import map_score, previous_token_score
from unrolled.shapes import ShapeError


def test_scores_of_heads_made_by_hand() -> None:
    """One head looks back by one token, one at the known place with half its weight, one evenly."""
    n, t = 2, 5
    back = torch.eye(t).roll(-1, 1)  # row 0 looks at the last, which counts nowhere
    alignment = torch.zeros(n, t, t)
    alignment[0, 3, 1] = alignment[0, 4, 2] = alignment[1, 4, 1] = 1
    half = alignment / 2 + torch.eye(t) / 2
    weights = torch.stack([back.expand(n, t, t), half, torch.full((n, t, t), 0.2)], 1)
    torch.testing.assert_close(map_score(weights, alignment), torch.tensor([0.0, 0.5, 0.2]))
    torch.testing.assert_close(previous_token_score(weights), torch.tensor([1.0, 0.0, 0.2]))
    with pytest.raises(ValueError, match="alignment: expected at least one place to look at, got none"):
        map_score(weights, torch.zeros(n, t, t))
    with pytest.raises(ShapeError, match=r"alignment: expected shape \[B, T, S\] with B=2, T=5, S=5"):
        map_score(weights, alignment[:1])
    with pytest.raises(ShapeError, match=r"weights: expected shape \[B, H, T, S\] with S=5"):
        previous_token_score(weights[..., :3])
