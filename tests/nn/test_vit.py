"""A picture as a sequence: its patches, its positions, its class token."""

import pytest
import torch
from torch.testing import assert_close

from unrolled.nn import Sinusoidal, ViT, ViTConfig, patches, waves_2d
from unrolled.shapes import ShapeError
from unrolled.tap import record

B, C, P, ROWS, COLUMNS, D, LABELS = 3, 2, 5, 2, 7, 12, 11
SIDE = 3  # patches on each side of a square picture


def vit(positions="learned", **changes):
    torch.manual_seed(3)
    sizes = {"image_size": SIDE * P, "patch_size": P, "n_channels": C, "n_labels": LABELS}
    model = ViT(ViTConfig(**sizes, d_model=D, n_heads=2, n_layers=2, positions=positions, **changes))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return model.double().eval()


def pictures(*size):
    return torch.randn(*size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_a_patch_is_a_square_of_the_picture_row_after_row():
    x = pictures(B, C, ROWS * P, COLUMNS * P)
    cut = patches(x, P)
    assert cut.shape == (B, ROWS * COLUMNS, C * P * P)
    for row in range(ROWS):
        for column in range(COLUMNS):
            square = x[:, :, row * P : (row + 1) * P, column * P : (column + 1) * P]
            assert torch.equal(cut[:, row * COLUMNS + column], square.reshape(B, -1))


def test_positions_in_two_dimensions_are_two_clocks():
    waves = waves_2d(ROWS, COLUMNS, D).view(ROWS, COLUMNS, D)
    clock = Sinusoidal(D // 2, COLUMNS).table
    for row in range(ROWS):
        for column in range(COLUMNS):
            assert torch.equal(waves[row, column], torch.cat([clock[row], clock[column]]))
    with pytest.raises(ValueError, match=r"d_model: expected a multiple of 4, .* got 10"):
        waves_2d(ROWS, COLUMNS, 10)
    with pytest.raises(ValueError, match="expected a multiple of 4"):
        ViT(ViTConfig(d_model=30, n_heads=3, n_layers=0, positions="sinusoidal"))


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "none"])
def test_it_is_its_equation(positions):
    model, x = vit(positions), pictures(B, C, SIDE * P, SIDE * P)
    tokens = patches(x, P) @ model.patch_proj.weight.T + model.patch_proj.bias
    tokens = torch.cat([model.class_token.expand(B, 1, D), tokens], dim=1)
    if positions == "learned":
        tokens = tokens + model.positions
    if positions == "sinusoidal":
        tokens[:, 1:] += waves_2d(SIDE, SIDE, D)
    with record(model, "embedded") as heard:
        logits = model(x)
    assert_close(heard["embedded"][0], tokens)
    vector = model.encoder(tokens)[:, 0]
    assert_close(logits, vector @ model.head.weight.T + model.head.bias)
    assert logits.shape == (B, LABELS)


def shuffled(x):
    """Return pictures whose patches change places."""
    order = torch.randperm(SIDE * SIDE, generator=torch.Generator().manual_seed(1))
    squares = patches(x, P)[:, order].view(-1, SIDE, SIDE, C, P, P)
    return squares.permute(0, 3, 1, 4, 2, 5).reshape(x.shape)


def test_without_positions_the_patches_may_change_places():
    x = pictures(B, C, SIDE * P, SIDE * P)
    assert_close(vit("none")(shuffled(x)), vit("none")(x))
    for positions in ("learned", "sinusoidal"):
        assert not torch.allclose(vit(positions)(shuffled(x)), vit(positions)(x))


def test_a_mask_takes_a_token_out():
    model, x = vit(), pictures(B, C, SIDE * P, SIDE * P)
    gone = 5
    mask = torch.ones(B, 1, SIDE * SIDE + 1, dtype=torch.bool)
    mask[:, :, gone] = False
    with record(model, "embedded") as heard:
        full = model(x)
    kept = torch.cat([heard["embedded"][0][:, :gone], heard["embedded"][0][:, gone + 1 :]], dim=1)
    assert_close(model(x, mask), model.head(model.encoder(kept)[:, 0]))
    assert not torch.allclose(model(x, mask), full)


def test_everything_learns():
    torch.manual_seed(0)
    model = ViT(ViTConfig(10, 5, 1, 3, d_model=D, n_heads=2, n_layers=2))
    model(torch.randn(B, 1, 10, 10)).sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in model.parameters())


def test_the_sizes_of_the_paper():
    with torch.device("meta"):
        model = ViT(ViTConfig())
    # Dosovitskiy et al., table 1: 86 million.
    assert round(sum(weight.numel() for weight in model.parameters()) / 1e6, 1) == 86.6


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((B, C, 16, 15), "multiples of the patch of 5 pixels, got 16 by 15"),
        ((B, C, 15, 16), "multiples of the patch of 5 pixels, got 15 by 16"),
        ((B, C, 0, 15), "multiples of the patch of 5 pixels, got 0 by 15"),
        ((B, 15, 15), r"images: expected shape \[B, C, H, W\], got \[3, 15, 15\]"),
    ],
)
def test_a_picture_that_cannot_be_cut_is_refused(size, said):
    with pytest.raises(ShapeError, match=said):
        patches(pictures(*size), P)


def test_another_picture_than_the_model_reads_is_refused():
    for size in ((B, C, 20, 20), (B, C + 1, 15, 15), (B, 15, 15)):
        with pytest.raises(
            ShapeError, match=r"images: expected shape \[B, C, H, W\] .*H=15, W=15|got \[3, 15"
        ):
            vit()(pictures(*size))
    with pytest.raises(ValueError, match="image_size: expected a multiple of patch_size=3, got 10"):
        ViTConfig(image_size=10, patch_size=3)
    with pytest.raises(ValueError, match=r"positions: expected one of .*'learned'.* got 'rotary'"):
        ViTConfig(positions="rotary")
