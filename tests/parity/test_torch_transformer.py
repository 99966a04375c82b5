"""Our blocks and stacks are torch's: encoder layer, decoder layer, and the whole `nn.Transformer`."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from unrolled.nn import Decoder, DecoderBlock, Encoder, EncoderBlock, padding_mask
from unrolled.nn.parts import make_parts

B, T, S, H, D, F = 5, 7, 11, 3, 39, 61
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}
NAMES = {
    "self_attn.in_proj_weight": "attention.qkv_proj.weight",
    "self_attn.in_proj_bias": "attention.qkv_proj.bias",
    "self_attn.out_proj": "attention.out_proj",
    "multihead_attn.in_proj_weight": "cross_attention.qkv_proj.weight",
    "multihead_attn.in_proj_bias": "cross_attention.qkv_proj.bias",
    "multihead_attn.out_proj": "cross_attention.out_proj",
    "linear1": "feedforward.up_proj",
    "linear2": "feedforward.down_proj",
}


def ours_from(state: dict[str, torch.Tensor], norms: dict[str, str]) -> dict[str, torch.Tensor]:
    renamed = {}
    for name, tensor in state.items():
        for old, new in (NAMES | norms).items():
            name = name.replace(old, new)
        renamed[name] = tensor
    return renamed


ENCODER_NORMS = {"norm1": "attention_norm", "norm2": "feedforward_norm"}
DECODER_NORMS = {"norm1": "attention_norm", "norm2": "cross_norm", "norm3": "feedforward_norm"}


def drawn(module: nn.Module) -> nn.Module:
    torch.manual_seed(3)
    for weight in module.parameters():
        nn.init.normal_(weight, std=0.3)
    return module


def same(
    ours: nn.Module, theirs: nn.Module, norms: dict[str, str], output, expected, tolerance: float
) -> None:
    assert_close(output, expected, rtol=tolerance, atol=tolerance)
    pull = torch.randn_like(output)
    (output * pull).sum().backward()
    (expected * pull).sum().backward()
    gradients = ours_from({name: w.grad for name, w in theirs.named_parameters()}, norms)
    assert gradients.keys() == dict(ours.named_parameters()).keys()
    for name, weight in ours.named_parameters():
        scale = max(1.0, float(gradients[name].abs().max()))
        assert_close(
            weight.grad,
            gradients[name],
            rtol=tolerance,
            atol=tolerance * scale,
            msg=lambda m, n=name: f"{n}: {m}",
        )


@pytest.mark.signatures
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("causal", [False, True])
def test_encoder_layer(dtype: torch.dtype, norm: str, activation: str, causal: bool) -> None:
    theirs = drawn(
        nn.TransformerEncoderLayer(
            D, H, F, 0.0, activation, batch_first=True, norm_first=norm == "pre", dtype=dtype
        )
    )
    ours = EncoderBlock(D, H, F, norm=norm, activation=activation).to(dtype)
    ours.load_state_dict(ours_from(theirs.state_dict(), ENCODER_NORMS))
    x, mask = torch.randn(B, T, D, dtype=dtype), padding_mask(torch.tensor([1, 3, 7, 2, 5]), T)
    before = nn.Transformer.generate_square_subsequent_mask(T, dtype=dtype)
    padding = torch.zeros(mask[:, 0].shape, dtype=dtype).masked_fill(~mask[:, 0], -torch.inf)
    expected = theirs(x, src_mask=before if causal else None, src_key_padding_mask=padding)
    same(ours, theirs, ENCODER_NORMS, ours(x, mask, causal=causal), expected, TOLERANCE[dtype])


@pytest.mark.signatures
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_decoder_layer(dtype: torch.dtype, norm: str) -> None:
    theirs = drawn(
        nn.TransformerDecoderLayer(D, H, F, 0.0, batch_first=True, norm_first=norm == "pre", dtype=dtype)
    )
    ours = DecoderBlock(D, H, F, norm=norm, activation="relu").to(dtype)
    ours.load_state_dict(ours_from(theirs.state_dict(), DECODER_NORMS))
    x, memory = torch.randn(B, T, D, dtype=dtype), torch.randn(B, S, D, dtype=dtype)
    memory_mask = padding_mask(torch.tensor([1, 3, 11, 2, 5]), S)
    before = nn.Transformer.generate_square_subsequent_mask(T, dtype=dtype)
    expected = theirs(x, memory, tgt_mask=before, memory_key_padding_mask=~memory_mask[:, 0])
    same(ours, theirs, DECODER_NORMS, ours(x, memory, memory_mask=memory_mask), expected, TOLERANCE[dtype])


@pytest.mark.signatures
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
def test_the_whole_transformer(dtype: torch.dtype, norm: str) -> None:
    theirs = drawn(
        nn.Transformer(D, H, 2, 3, F, 0.0, batch_first=True, norm_first=norm == "pre", dtype=dtype)
    )
    # Theirs ends both stacks with a norm, in either order.
    kwargs = {"norm": norm, "final_norm": True, "parts": make_parts(activation="relu")}
    encoder, decoder = Encoder(2, D, H, F, **kwargs), Decoder(3, D, H, F, **kwargs)
    ours = nn.ModuleDict({"encoder": encoder, "decoder": decoder}).to(dtype)
    renamed = {}
    for part, norms in (("encoder.", ENCODER_NORMS), ("decoder.", DECODER_NORMS)):
        state = {n: w for n, w in theirs.state_dict().items() if n.startswith(part)}
        renamed |= ours_from(state, norms | {f"{part}norm.": f"{part}final_norm."})
    ours.load_state_dict(renamed)
    source, target = torch.randn(B, S, D, dtype=dtype), torch.randn(B, T, D, dtype=dtype)
    source_mask = padding_mask(torch.tensor([1, 3, 11, 2, 5]), S)
    before = nn.Transformer.generate_square_subsequent_mask(T, dtype=dtype)
    padding = ~source_mask[:, 0]
    expected = theirs(
        source, target, tgt_mask=before, src_key_padding_mask=padding, memory_key_padding_mask=padding
    )
    output = decoder(target, encoder(source, source_mask), memory_mask=source_mask)
    tolerance = TOLERANCE[dtype]
    assert_close(output, expected, rtol=tolerance, atol=tolerance)
    pull = torch.randn_like(output)
    (output * pull).sum().backward()
    (expected * pull).sum().backward()
    for end, start in (("encoder.layers.0.", ENCODER_NORMS), ("decoder.layers.2.", DECODER_NORMS)):
        gradients = {n: w.grad for n, w in theirs.named_parameters() if n.startswith(end)}
        for name, gradient in ours_from(gradients, start).items():
            scale = max(1.0, float(gradient.abs().max()))
            assert_close(ours.get_parameter(name).grad, gradient, rtol=tolerance, atol=tolerance * scale)
