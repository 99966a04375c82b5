"""A head is off, at its mean, or another sentence's, for one block alone: against the sums written out."""

import pytest
import torch
from torch.testing import assert_close

from tests.probe.models import H, K, bert, gpt, tokens
from unrolled.nn import AttentionBlock
from unrolled.probe import mean_head, resample_head, without_head, zero_head
from unrolled.shapes import ShapeError
from unrolled.tap import Edit, edit, record

CONTEXT = "layers.1.attention.context"


def test_a_head_that_is_off_adds_nothing_and_comes_back() -> None:
    model, x = bert(), tokens(5, 7)
    before, kept = model.encode(x), {k: v.clone() for k, v in model.state_dict().items()}
    block = model.encoder.layers[1]
    with without_head(block, 2):
        without = model.encode(x)
    # The same by hand: what the last of three heads of five numbers hands over is put to zero.
    handle = block.attention.out_proj.register_forward_pre_hook(
        lambda _, args: (torch.cat([args[0][..., :10], torch.zeros_like(args[0][..., 10:])], -1),)
    )
    torch.testing.assert_close(without, model.encode(x))
    handle.remove()
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


def by_hand(x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
    """The logits of a `gpt` whose second block has this context ``[B, H, T, K]``."""
    model = gpt()
    with record(model, "layers.0.stream") as heard:
        model(x)
    block, stream = model.layers[1], heard["layers.0.stream"][0]
    stream = stream + block.attention.out_proj(context.transpose(1, 2).flatten(2))
    stream = stream + block.feedforward(block.feedforward_norm(stream))
    return model.lm_head(model.final_norm(stream))


def heard_at(x: torch.Tensor) -> torch.Tensor:
    model = gpt()
    with record(model, CONTEXT) as heard:
        model(x)
    return heard[CONTEXT][0]


def under(change: Edit, x: torch.Tensor) -> torch.Tensor:
    model = gpt()
    with torch.no_grad(), edit(model, {CONTEXT: change}):
        return model(x)


@pytest.mark.parametrize("head", range(H))
def test_zero_mean_and_another_sentence_are_what_they_say(head: int) -> None:
    x, reference = tokens(2, 7), tokens(5, 7, seed=2)
    context, others = heard_at(x), heard_at(reference)
    assert_close(by_hand(x, context), gpt()(x))
    outcomes = []
    for change, put in (
        (zero_head(head), torch.zeros(2, 7, K).double()),
        (mean_head(others, head), others[:, head].flatten(0, 1).mean(0).expand(2, 7, K)),
        (resample_head(others, head), torch.stack([others[1, head], others[2, head]])),
        (resample_head(context, head), torch.stack([context[1, head], context[0, head]])),
    ):
        changed = context.clone()
        changed[:, head] = put
        outcomes.append(under(change, x))
        assert_close(outcomes[-1], by_hand(x, changed))
    assert all((one - gpt()(x)).abs().max() > 1e-3 for one in outcomes)
    assert (outcomes[0] - outcomes[1]).abs().max() > 1e-3


def test_the_mean_comes_from_sentences_of_any_number_and_length() -> None:
    x, others = tokens(2, 7), heard_at(tokens(5, 3, seed=2))
    changed = heard_at(x)
    changed[:, 1] = others[:, 1].mean((0, 1))
    assert_close(under(mean_head(others, 1), x), by_hand(x, changed))


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: zero_head(3), ValueError, "head: expected 0 to 2, got 3"),
        (lambda: zero_head(-1), ValueError, "head: expected 0 to 2, got -1"),
        (lambda: mean_head(torch.zeros(2, 3, 7, 5), 3), ValueError, "head: expected 0 to 2, got 3"),
        (lambda: mean_head(torch.zeros(2, 3, 5), 0), ShapeError, r"kept: expected shape \[B, H, T, K\]"),
        (lambda: mean_head(torch.zeros(0, 3, 7, 5), 0), ValueError, "kept: expected one token or more"),
        (
            lambda: mean_head(torch.zeros(2, 3, 7, 11), 0),
            ShapeError,
            r"kept: expected shape \[B, H, T, K\] with H=3, K=5, got \[2, 3, 7, 11\]",
        ),
        (lambda: resample_head(torch.zeros(2, 3, 7, 5), 3), ValueError, "head: expected 0 to 2, got 3"),
        (lambda: resample_head(torch.zeros(3, 7, 5), 0), ShapeError, r"kept: expected shape \[B, H, T, K\]"),
        (
            lambda: resample_head(torch.zeros(1, 3, 7, 5), 0),
            ValueError,
            "kept: expected two sentences or more",
        ),
        (
            lambda: resample_head(torch.zeros(2, 3, 11, 5), 0),
            ShapeError,
            r"kept: expected \[N, 3, 7, 5\], got \[2, 3, 11, 5\]",
        ),
    ],
)
def test_what_cannot_be_put_in_is_refused(make, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=f"^{said}"):
        under(make(), tokens(2, 7))
