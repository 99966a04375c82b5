"""Patching: what the clean run's activations bring back, against forward passes written out."""

from contextlib import ExitStack

import pytest
import torch
from torch.testing import assert_close

from tests.probe.models import H, L, V, bert, gpt, tokens
from unrolled.nn import Transformer, TransformerConfig
from unrolled.probe import Patched, patch_heads, patch_positions, put_head, put_position
from unrolled.shapes import ShapeError
from unrolled.tap import Tap, edit, record

B, T, AT = 2, 7, 3


def clean_and_corrupted() -> tuple[torch.Tensor, torch.Tensor]:
    """Two texts that differ at one position alone."""
    clean = tokens(B, T)
    corrupted = clean.clone()
    corrupted[:, AT] = (corrupted[:, AT] + 1) % V
    return clean, corrupted


def metric(logits: torch.Tensor) -> torch.Tensor:
    return logits[:, -1, 5].sum() - logits[:, -1, 7].sum()


def test_all_heads_together_restore_what_attention_found_and_none_nothing() -> None:
    """The first block's heads, all patched, leave only the stream between the clean run and this one."""
    model, (clean, corrupted) = gpt(n_layers=1, d_ff=0), clean_and_corrupted()
    with torch.no_grad(), record(model, "*.context") as heard:
        expected, before = model(clean), model(corrupted)
    (path, (kept, _)) = next(iter(heard.items()))
    with torch.no_grad():
        with edit(model, {path: put_head(kept, 0)}), edit(model, {path: put_head(kept, 1)}):
            assert not torch.allclose(model(corrupted)[:, -1], expected[:, -1])
            with edit(model, {path: put_head(kept, 2)}):
                # The last token is the same in both texts: all it has of the other one came through heads.
                assert torch.equal(model(corrupted)[:, -1], expected[:, -1])
                assert not torch.allclose(model(corrupted)[:, AT], expected[:, AT])
        assert torch.equal(model(corrupted), before)


def test_all_positions_together_restore_the_clean_run_exactly() -> None:
    model, (clean, corrupted) = gpt(), clean_and_corrupted()
    with torch.no_grad(), record(model, "layers.0.stream") as heard:
        expected = model(clean)
    (kept,) = heard["layers.0.stream"]

    def patched(positions: range) -> torch.Tensor:
        with torch.no_grad(), ExitStack() as stack:
            for t in positions:
                stack.enter_context(edit(model, {"layers.0.stream": put_position(kept, t)}))
            return model(corrupted)

    assert torch.equal(patched(range(T)), expected)
    assert not torch.allclose(patched(range(AT)), expected)


@pytest.mark.parametrize("kind", ["gpt", "bert"])
def test_the_grid_of_heads_is_each_head_put_in_by_a_hook(kind: str) -> None:
    model = {"gpt": gpt, "bert": bert}[kind]()
    blocks = model.layers if kind == "gpt" else model.encoder.layers
    clean, corrupted = clean_and_corrupted()
    seen = patch_heads(model, clean, corrupted, metric)
    assert seen.patched.shape == (L, H)
    with torch.no_grad():
        assert seen.clean == pytest.approx(metric(model(clean)).item())
        assert seen.corrupted == pytest.approx(metric(model(corrupted)).item())
        for i, block in enumerate(blocks):
            kept: list[torch.Tensor] = []
            # What reaches the output projection: heads side by side, five numbers each.
            handle = block.attention.out_proj.register_forward_pre_hook(lambda _, x, k=kept: k.append(x[0]))
            model(clean)
            handle.remove()
            for head in range(H):

                def put(_, x, k=kept, h=head):
                    mixed = x[0].clone()
                    mixed[..., 5 * h : 5 * h + 5] = k[0][..., 5 * h : 5 * h + 5]
                    return (mixed,)

                handle = block.attention.out_proj.register_forward_pre_hook(put)
                assert seen.patched[i, head].item() == pytest.approx(metric(model(corrupted)).item())
                handle.remove()
    assert seen.patched.std() > 1e-3


def test_the_grid_of_positions_knows_where_the_texts_differ() -> None:
    model, (clean, corrupted) = gpt(), clean_and_corrupted()
    seen = patch_positions(model, clean, corrupted, metric, "embedded", "*.stream")
    assert seen.patched.shape == (L + 1, T)
    expected = torch.zeros(T, dtype=seen.restored.dtype)
    expected[AT] = 1
    # Before any block the difference is in one place, after the last one at the end of the text.
    assert_close(seen.restored[0], expected, atol=1e-5, rtol=0)
    assert_close(seen.restored[-1], torch.eye(T, dtype=expected.dtype)[-1], atol=1e-5, rtol=0)
    assert seen.restored[1, :AT].abs().max() < 1e-5, "nothing before the difference has heard of it"
    assert patch_positions(model, clean, corrupted, metric).patched.shape == (L, T)


def test_other_taps_and_several_arguments() -> None:
    sizes = {"max_len": 11, "d_model": 15, "n_heads": H, "n_layers": L, "d_ff": 17, "positions": "learned"}
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(V, V, **sizes)).eval()
    (clean, corrupted), target = clean_and_corrupted(), tokens(B, 5)
    seen = patch_heads(
        model,
        (clean, target),
        (corrupted, target),
        metric,
        "*.cross_attention.keys",
        "*.cross_attention.values",
    )
    assert seen.patched.shape == (2 * L, H)
    assert seen.clean != seen.corrupted


def test_what_cannot_be_patched_is_refused() -> None:
    model, (clean, corrupted) = gpt(), clean_and_corrupted()
    with pytest.raises(
        ShapeError, match=r"^kept: expected shape \[2, 3, 5, 5\] as what passes, got \[2, 3, 7, 5\]"
    ):
        patch_heads(model, clean, corrupted[:, :5], metric)
    with pytest.raises(LookupError, match=r"no tap matches '\*.heads'"):
        patch_heads(model, clean, corrupted, metric, "*.heads")
    tap = Tap()
    with pytest.raises(ValueError, match=r"^0: expected to be passed once in a run, got 2 times"):
        patch_positions(torch.nn.Sequential(tap, tap), clean, corrupted, torch.sum, "0")
    with pytest.raises(ValueError, match=r"^head: expected 0 to 2, got 3"):
        put_head(torch.zeros(2, 3, 7, 5), 3)
    with pytest.raises(ValueError, match=r"^position: expected 0 to 6, got 7"):
        put_position(torch.zeros(2, 7, 15), 7)
    with pytest.raises(ValueError, match=r"^restored: expected two runs that differ, got 0.5 from both"):
        _ = Patched(0.5, 0.5, torch.zeros(2, 3)).restored


def test_nothing_is_left_in_the_model() -> None:
    model, (clean, corrupted) = gpt(), clean_and_corrupted()
    expected = model(clean)
    patch_heads(model, clean, corrupted, metric)

    def failing(logits: torch.Tensor) -> float:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        patch_heads(model, clean, corrupted, failing)
    assert torch.equal(model(clean), expected)
    assert not any(tap.listening for tap in model.modules() if hasattr(tap, "listening"))
