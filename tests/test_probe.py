"""What is seen inside a BERT is what it computes, and a head that is off is off for that long alone."""

import pytest
import torch

from unrolled.nn import BERT, AttentionBlock, BertConfig, padding_mask
from unrolled.probe import bert_layers, map_score, previous_token_score, without_head
from unrolled.shapes import ShapeError


@pytest.fixture
def model() -> BERT:
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=13, max_len=11, d_model=15, n_heads=3, n_layers=2, n_token_types=0, norm_eps=1e-5
    )
    model = BERT(config).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return model


def test_the_layers_are_the_steps_of_the_forward_pass(model: BERT) -> None:
    tokens = torch.randint(13, (5, 7), generator=torch.Generator().manual_seed(1))
    mask = padding_mask(torch.tensor([7, 3, 1, 5, 7]), 7)
    seen = bert_layers(model, tokens, mask)
    assert [tuple(v.shape) for v in seen.vectors] == [(5, 7, 15)] * 3
    assert [tuple(w.shape) for w in seen.weights] == [(5, 3, 7, 7)] * 2
    x = model.embedding_norm(model.positions(model.token_embedding(tokens)))
    torch.testing.assert_close(seen.vectors[0], x)
    for i, block in enumerate(model.encoder.layers, 1):
        x = block(x, mask)
        torch.testing.assert_close(seen.vectors[i], x)
    torch.testing.assert_close(x, model.encode(tokens, mask))
    torch.testing.assert_close(seen.weights[0].sum(-1), torch.ones(5, 3, 7))
    assert (seen.weights[1][2, :, :, 1:] == 0).all(), "nobody looks at padding"
    assert not any(v.requires_grad for v in (*seen.vectors, *seen.weights))


def test_a_head_that_is_off_adds_nothing_and_comes_back(model: BERT) -> None:
    tokens = torch.randint(13, (5, 7), generator=torch.Generator().manual_seed(1))
    before, kept = model.encode(tokens), {k: v.clone() for k, v in model.state_dict().items()}
    block = model.encoder.layers[1]
    heard = []
    handle = block.attention.out_proj.register_forward_pre_hook(lambda _, args: heard.append(args[0]))
    with without_head(block, 2):
        without = model.encode(tokens)
    handle.remove()
    # The same by hand: what the last of three heads of five numbers hands over is put to zero.
    handle = block.attention.out_proj.register_forward_pre_hook(
        lambda _, args: (torch.cat([args[0][..., :10], torch.zeros_like(args[0][..., 10:])], -1),)
    )
    torch.testing.assert_close(without, model.encode(tokens))
    handle.remove()
    assert heard[0][..., 10:].abs().max() > 0
    assert (without - before).abs().max() > 1e-3
    with pytest.raises(RuntimeError, match="stop"), without_head(block, 0):
        raise RuntimeError("stop")
    assert all(torch.equal(kept[name], tensor) for name, tensor in model.state_dict().items())
    with pytest.raises(ValueError, match="head: expected 0 to 2, got 3"), without_head(block, 3):
        pass


def test_a_head_of_attention_alone_can_be_off_too() -> None:
    torch.manual_seed(0)
    block, x = AttentionBlock(15, 3), torch.randn(2, 7, 15)
    with torch.no_grad(), without_head(block, 0), without_head(block, 1), without_head(block, 2):
        torch.testing.assert_close(block(x), x)  # no bias is drawn yet
    assert not torch.allclose(block(x), x)


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
