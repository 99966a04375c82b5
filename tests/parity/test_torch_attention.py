"""Our multi-head attention is torch's: same outputs, same weights, same gradients."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from unrolled.nn import MultiHeadAttention, causal_mask, padding_mask
from unrolled.tap import record

B, T, S, H, D = 5, 7, 11, 3, 39
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}


def pair(dtype: torch.dtype) -> tuple[MultiHeadAttention, nn.MultiheadAttention]:
    torch.manual_seed(3)
    theirs = nn.MultiheadAttention(D, H, batch_first=True, dtype=dtype)
    for weight in theirs.parameters():
        nn.init.normal_(weight, std=0.3)
    ours = MultiHeadAttention(D, H).to(dtype)
    with torch.no_grad():
        ours.qkv_proj.weight.copy_(theirs.in_proj_weight)
        ours.qkv_proj.bias.copy_(theirs.in_proj_bias)
        ours.out_proj.load_state_dict(theirs.out_proj.state_dict())
    return ours, theirs


@pytest.mark.signatures
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("case", ["full", "causal", "padding", "mask", "cross", "cross and padding"])
def test_outputs_weights_and_gradients(dtype: torch.dtype, case: str) -> None:
    ours, theirs = pair(dtype)
    x = torch.randn(B, T, D, dtype=dtype, requires_grad=True)
    source = torch.randn(B, S, D, dtype=dtype, requires_grad=True) if "cross" in case else None
    heard = x if source is None else source
    lengths = torch.tensor([1, 3, 7, 2, 5])
    mask, padding, attn_mask = None, None, None
    if "padding" in case:
        mask = padding_mask(lengths, heard.shape[1])
        padding = ~mask[:, 0]
    if case == "causal":
        attn_mask = ~causal_mask(T)
    if case == "mask":
        mask = torch.rand(B, H, T, T) < 0.5
        mask[..., 0] = True
        attn_mask = ~mask.flatten(0, 1)
    output = ours(x, source, mask, causal=case == "causal")
    expected, weights = theirs(
        x, heard, heard, key_padding_mask=padding, attn_mask=attn_mask, average_attn_weights=False
    )
    tolerance = TOLERANCE[dtype]
    assert_close(output, expected, rtol=tolerance, atol=tolerance)
    with record(ours, "*.weights") as rec:
        assert_close(ours(x, source, mask, causal=case == "causal"), expected, rtol=tolerance, atol=tolerance)
    assert_close(rec["weights"][0], weights.detach(), rtol=tolerance, atol=tolerance)
    pull = torch.randn_like(output)
    inputs = [x] if source is None else [x, source]
    mine = torch.autograd.grad((output * pull).sum(), [*inputs, *ours.parameters()])
    names = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
    their_own = [theirs.get_parameter(name) for name in names]
    other = torch.autograd.grad((expected * pull).sum(), [*inputs, *their_own])
    for ours_, theirs_ in zip(mine, other, strict=True):
        assert_close(ours_, theirs_, rtol=tolerance, atol=tolerance * 10)
