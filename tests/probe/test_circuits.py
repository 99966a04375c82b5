"""Circuits: products of weights, against the same sums one head and one token at a time, and against runs."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from tests.probe.models import H, K, V, bert, drawn, gpt
from unrolled.nn import (
    GPT,
    AttentionBlock,
    EncoderBlock,
    GPTConfig,
    LlamaConfig,
    ParallelBlock,
    Parts,
    RMSNorm,
)
from unrolled.probe import composition, head_columns, ov_circuit, qk_circuit
from unrolled.tap import record

D = K * H
GROUPED = Parts(norm=lambda width: nn.GroupNorm(1, width))


def linear_in_norm(norm: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """A LayerNorm without its division and its bias."""
    return (x - x.mean(-1, keepdim=True)) * norm.weight


def behind_norm(norm: nn.Module, matrix: torch.Tensor) -> torch.Tensor:
    """The matrix that does to a vector what `matrix` does after `linear_in_norm`."""
    return torch.stack([matrix @ linear_in_norm(norm, unit) for unit in torch.eye(D).double()], dim=1)


def heads(block: AttentionBlock | EncoderBlock, head: int, shared: int = 1) -> tuple[torch.Tensor, ...]:
    """Return W_q, W_k, W_v ``[K, D]`` and W_o ``[D, K]`` of one head, cut out by hand."""
    packed, own, kv = block.attention.qkv_proj.weight, head * K, head // shared * K
    keys = block.attention.d_model
    values = keys + keys // shared
    return (
        packed[own : own + K],
        packed[keys + kv : keys + kv + K],
        packed[values + kv : values + kv + K],
        block.attention.out_proj.weight[:, own : own + K],
    )


@pytest.mark.parametrize(("n_heads", "shared"), [(3, 1), (3, 3), (6, 3)])
def test_circuits_are_the_sums_one_token_at_a_time(n_heads: int, shared: int) -> None:
    model = gpt(d_model=n_heads * K, n_heads=n_heads, n_kv_heads=n_heads // shared)
    for layer, block in enumerate(model.layers):
        for head in range(n_heads):
            w_q, w_k, w_v, w_o = heads(block, head, shared)
            qk, ov = qk_circuit(model, layer, head), ov_circuit(model, layer, head)
            assert qk.shape == ov.shape == (V, V)
            assert not qk.requires_grad
            seen = linear_in_norm(block.attention_norm, model.token_embedding.weight)
            for i in range(V):
                for j in range(V):
                    score = (w_q @ seen[i]) @ (w_k @ seen[j]) / K**0.5
                    assert qk[i, j].item() == pytest.approx(score.item())
                written = linear_in_norm(model.final_norm, w_o @ (w_v @ seen[i]))
                assert_close(ov[i], model.lm_head.weight @ written)


def test_the_qk_circuit_is_what_the_first_block_scores() -> None:
    """Where words have the length that the norm asks for, and no bias: then nothing is left out."""
    model = gpt(positions="none", bias=False, norm_eps=1e-12)
    words = model.token_embedding.weight
    with torch.no_grad():
        words -= words.mean(-1, keepdim=True)
        words /= words.std(-1, correction=0, keepdim=True)
        x = torch.arange(11)[None]
        with record(model, "layers.0.attention.scores") as heard:
            model(x)
    scores = heard["layers.0.attention.scores"][0]
    for head in range(H):
        assert_close(qk_circuit(model, 0, head)[:11, :11], scores[0, head])


def test_the_ov_circuit_is_what_a_text_of_one_word_adds() -> None:
    """A single token attends to itself alone: what attention writes is the sum of all OV circuits."""
    model = gpt(n_layers=1, d_ff=0, positions="none", bias=False, norm_eps=1e-12)
    with torch.no_grad():
        model.token_embedding.weight -= model.token_embedding.weight.mean(-1, keepdim=True)
        model.token_embedding.weight /= model.token_embedding.weight.std(-1, correction=0, keepdim=True)
        with record(model, "*.output") as heard:
            model(torch.arange(V)[:, None])
    (written,) = heard["layers.0.attention.output"]
    logits = linear_in_norm(model.final_norm, written[:, 0]) @ model.lm_head.weight.T
    assert_close(sum(ov_circuit(model, 0, head) for head in range(H)), logits.detach())


@pytest.mark.parametrize("norm", [nn.RMSNorm, RMSNorm, lambda width: nn.Identity()])
def test_norms_of_other_kinds(norm) -> None:
    config = GPTConfig(vocab_size=V, max_len=11, d_model=D, n_heads=H, n_layers=2, d_ff=0, tied=False)
    model = drawn(GPT(config, replace(config.parts(), norm=norm)))
    block, words = model.layers[1], model.token_embedding.weight
    own = getattr(block.attention_norm, "weight", torch.ones(D).double())
    last = getattr(model.final_norm, "weight", torch.ones(D).double())
    w_q, w_k, w_v, w_o = heads(block, 2)
    expected = (words * own) @ w_q.T @ w_k @ (words * own).T / K**0.5
    assert_close(qk_circuit(model, 1, 2), expected.detach())
    expected = ((words * own) @ w_v.T @ w_o.T * last) @ model.lm_head.weight.T
    assert_close(ov_circuit(model, 1, 2), expected.detach())


def test_composition_is_the_norm_of_each_product_by_hand() -> None:
    first, second = gpt().layers
    found = composition(first, second)
    size = torch.linalg.matrix_norm
    for h in range(H):
        *_, w_v, w_o = heads(first, h)
        wrote = w_o @ behind_norm(first.attention_norm, w_v)  # vectors are columns here
        for g in range(H):
            w_q, w_k, w_v, w_o = (
                behind_norm(second.attention_norm, w) if i < 3 else w for i, w in enumerate(heads(second, g))
            )
            for kind, read in (("queries", w_k.T @ w_q), ("keys", w_q.T @ w_k), ("values", w_o @ w_v)):
                share = size(read @ wrote) / (size(read) * size(wrote))
                assert getattr(found, kind)[h, g].item() == pytest.approx(share.item()), kind


def test_a_head_that_reads_what_another_wrote_stands_out() -> None:
    """Put into the keys of one head exactly what a head of the first block writes, into the rest nothing."""
    first, second = gpt().layers
    with torch.no_grad():
        wrote = first.attention.out_proj.weight[:, head_columns(first.attention, 1)]  # [D, K]
        second.attention_norm.weight.fill_(1.0)
        second.attention.k_proj.weight[2 * K : 3 * K] = torch.linalg.qr(wrote)[0].T
    keys = composition(first, second).keys
    assert keys[1].argmax() == keys[:, 2].argmax() + 1 == 2


def test_matrices_that_have_nothing_to_do_with_each_other() -> None:
    torch.manual_seed(0)
    blocks = [AttentionBlock(97, 1) for _ in range(2)]
    for part in composition(*blocks):
        assert part.item() == pytest.approx(97**-0.5, rel=0.1)


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda: qk_circuit(gpt(), 2, 0), ValueError, "layer: expected 0 to 1, got 2"),
        (lambda: ov_circuit(gpt(), -1, 0), ValueError, "layer: expected 0 to 1, got -1"),
        (lambda: qk_circuit(gpt(), 0, 3), ValueError, "head: expected 0 to 2, got 3"),
        (lambda: ov_circuit(gpt(), 0, -1), ValueError, "head: expected 0 to 2, got -1"),
        (lambda: head_columns(gpt().layers[0].attention, 3), ValueError, "head: expected 0 to 2, got 3"),
        (lambda: qk_circuit(bert(), 0, 0), TypeError, "model: expected a GPT, got BERT"),
        (
            lambda: composition(AttentionBlock(15, 3), AttentionBlock(14, 2)),
            ValueError,
            "second: expected width 15 as the first, got 14",
        ),
        (
            lambda: composition(*bert().encoder.layers),
            ValueError,
            "block: expected norm='pre', got 'post'",
        ),
        (
            lambda: composition(AttentionBlock(15, 3), AttentionBlock(15, 3, parts=GROUPED)),
            TypeError,
            "norm: expected LayerNorm, RMSNorm or Identity, got GroupNorm",
        ),
    ],
)
def test_what_has_no_circuit_is_refused(ask, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=f"^{said}"):
        ask()


def test_the_block_of_today_has_circuits_unless_it_norms_queries() -> None:
    sizes = {"vocab_size": V, "max_len": 11, "d_model": D, "n_heads": H, "n_layers": 2, "d_ff": 17}
    sizes |= {"n_kv_heads": 1, "d_head": 4}
    model = drawn(GPT(LlamaConfig(**sizes)))
    block, words = model.layers[1], model.token_embedding.weight
    packed, words = block.attention.qkv_proj.weight, words * block.attention_norm.weight
    expected = (words @ packed[4:8].T) @ (words @ packed[12:16].T).T / 2  # of the second of three heads of 4
    assert_close(qk_circuit(model, 1, 1), expected.detach())
    normed = GPT(LlamaConfig(**sizes, head_norm="across"))
    assert ov_circuit(normed, 1, 1).shape == (V, V)
    with pytest.raises(ValueError, match=r"^block: expected no norm of queries and keys"):
        qk_circuit(normed, 1, 1)
    with pytest.raises(ValueError, match=r"^block: expected norm='pre', got <function output_norm"):
        qk_circuit(GPT(LlamaConfig(**sizes, norm_order="output")), 1, 1)


def test_a_norm_behind_attention_and_scaled_words_are_in() -> None:
    sizes = {"vocab_size": V, "max_len": 11, "d_model": D, "n_heads": H, "n_layers": 2, "n_kv_heads": H}
    sizes |= {"d_ff": 17, "tied": False, "positions": "none"}
    model = drawn(GPT(LlamaConfig(**sizes, norm_order="both", scaled_embedding=True)))
    block, words = model.layers[1], model.token_embedding.weight * D**0.5
    w_q, w_k, w_v, w_o = heads(block, 2)
    words = words * block.attention_norm.weight
    expected = words @ w_q.T @ w_k @ words.T / K**0.5
    assert_close(qk_circuit(model, 1, 2), expected.detach())
    written = words @ w_v.T @ w_o.T * block.attention_after.weight
    expected = (written * model.final_norm.weight) @ model.lm_head.weight.T
    assert_close(ov_circuit(model, 1, 2), expected.detach())


def test_another_block_is_refused() -> None:
    config = GPTConfig(vocab_size=V, max_len=11, d_model=D, n_heads=H, n_layers=2)
    model = GPT(config, replace(config.parts(), block=ParallelBlock))
    with pytest.raises(
        TypeError, match=r"^model: expected AttentionBlock or EncoderBlock, got ParallelBlock"
    ):
        qk_circuit(model, 0, 0)


def test_another_attention_is_refused() -> None:
    model = gpt()
    model.layers[0].attention = nn.Identity()
    with pytest.raises(TypeError, match=r"^block: expected one with MultiHeadAttention, got Identity"):
        qk_circuit(model, 0, 0)
    model.lm_head = nn.Identity()
    with pytest.raises(TypeError, match=r"^model: expected a linear output layer, got Identity"):
        ov_circuit(model, 1, 0)
