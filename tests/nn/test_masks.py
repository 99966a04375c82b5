"""Who may look at whom."""

import re

import pytest
import torch

from unrolled.nn import causal_mask, padding_mask
from unrolled.shapes import ShapeError


@pytest.mark.signatures
@pytest.mark.parametrize(("n_queries", "n_keys"), [(5, 5), (3, 7), (1, 11), (0, 2)])
def test_a_query_sees_itself_and_what_stands_before(n_queries, n_keys):
    mask = causal_mask(n_queries, n_keys)
    cached = n_keys - n_queries
    expected = [[key <= cached + query for key in range(n_keys)] for query in range(n_queries)]
    assert mask.dtype == torch.bool
    assert mask.shape == (n_queries, n_keys)
    assert mask.tolist() == expected


@pytest.mark.signatures
def test_as_many_keys_as_queries_unless_given():
    assert torch.equal(causal_mask(7), causal_mask(7, 7))


@pytest.mark.signatures
def test_with_a_cache_the_queries_are_the_last_positions():
    assert torch.equal(causal_mask(3, 7), causal_mask(7)[-3:])


def test_the_mask_is_made_where_it_is_asked_for():
    assert causal_mask(3, device=torch.device("meta")).device.type == "meta"


def test_fewer_keys_than_queries_are_refused():
    with pytest.raises(ValueError, match=r"at least as many keys as queries \(5\), got 3$"):
        causal_mask(5, 3)


@pytest.mark.signatures
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_no_query_sees_past_the_length(dtype):
    mask = padding_mask(torch.tensor([2, 0, 5], dtype=dtype))
    assert mask.shape == (3, 1, 5)
    assert mask.dtype == torch.bool
    assert mask[:, 0].sum(-1).tolist() == [2, 0, 5]
    assert mask[0, 0].tolist() == [True, True, False, False, False]


@pytest.mark.signatures
def test_the_padded_length_may_be_longer():
    assert padding_mask(torch.tensor([2, 3]), max_len=7)[:, 0].sum(-1).tolist() == [2, 3]
    assert padding_mask(torch.tensor([2, 3]), max_len=7).shape == (2, 1, 7)


@pytest.mark.signatures
def test_both_masks_together():
    both = causal_mask(5) & padding_mask(torch.tensor([3, 5]))
    assert both.shape == (2, 5, 5)
    assert both[0, 4].tolist() == [True, True, True, False, False]
    assert both[1, 1].tolist() == [True, True, False, False, False]


def test_lengths_of_another_shape_are_refused():
    with pytest.raises(ShapeError, match=re.escape("lengths: expected shape [B], got [1, 2]")):
        padding_mask(torch.tensor([[2, 3]]))


@pytest.mark.parametrize(("lengths", "max_len", "said"), [([2, -1], None, "2"), ([2, 7], 5, "5")])
def test_lengths_that_cannot_be_are_refused(lengths, max_len, said):
    message = re.escape(f"expected lengths from 0 to {said}, got {lengths}")
    with pytest.raises(ValueError, match=message):
        padding_mask(torch.tensor(lengths), max_len)
