r"""ViT: a picture cut into patches, each of them a token, and an encoder over them. Taught in chapter 16.

The layout is that of Dosovitskiy et al., An Image Is Worth 16x16 Words, 2021: a class token in front of the
patches, positions added once, pre-norm blocks, exact GELU, a norm, one linear layer on the class token's
vector. Hugging Face's `ViTForImageClassification` is the reference it is tested against.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from unrolled.nn.embedding import init_normal
from unrolled.nn.feedforward import Activation
from unrolled.nn.masks import Sight
from unrolled.nn.parts import Parts, make_parts
from unrolled.nn.positional import Sinusoidal
from unrolled.nn.stacks import Encoder
from unrolled.shapes import Mask, Sequence, ShapeError, check_shape, check_share, check_sizes
from unrolled.tap import Tap

__all__ = ["PatchPositions", "ViT", "ViTConfig", "patches", "waves_2d"]

PatchPositions = Literal["learned", "sinusoidal", "none"]
"""How a ViT is told where its patches stand."""


def patches(images: Tensor, size: int) -> Tensor:
    """Return pictures ``[B, C, H, W]`` cut into squares: ``[B, N, C · size · size]``, row after row.

    N is H / size times W / size. The numbers of a patch go channel by channel, then row by row.

    Args:
        images: B pictures of C channels.
        size: pixels on each side of a patch.

    Raises:
        ShapeError: the pictures have another number of dimensions, or a height or width that is no multiple
            of the patch.
        TypeError, ValueError: the size is no size.

    Example:
        >>> import torch
        >>> from unrolled.nn import patches
        >>> patches(torch.arange(16.0).view(1, 1, 4, 4), 2)[0, 1]  # the one at the top right
        tensor([2., 3., 6., 7.])
    """
    check_sizes(size=size)
    check_shape("images", images, "B C H W")
    b, c, height, width = images.shape
    if height % size or width % size or not height or not width:
        raise ShapeError(
            f"images: expected a height and a width that are multiples of the patch of {size} pixels, "
            f"got {height} by {width}"
        )
    squares = images.reshape(b, c, height // size, size, width // size, size)
    # [B, C, rows, y, columns, x] -> [B, rows, columns, C, y, x] -> [B, N, C y x]
    return squares.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def waves_2d(n_rows: int, n_columns: int, d_model: int) -> Tensor:
    r"""Return fixed positions for a grid ``[n_rows · n_columns, d_model]``, row after row.

    The first half of the components is `Sinusoidal` of the row, the second half that of the column.

    Raises:
        TypeError, ValueError: a number that cannot be, or a `d_model` that is no multiple of 4.

    Example:
        >>> from unrolled.nn import waves_2d
        >>> waves_2d(2, 3, d_model=8).shape
        torch.Size([6, 8])
    """
    check_sizes(n_rows=n_rows, n_columns=n_columns, d_model=d_model)
    if d_model % 4:
        raise ValueError(
            f"d_model: expected a multiple of 4, sine and cosine for row and column, got {d_model}"
        )
    waves = Sinusoidal(d_model // 2, max(n_rows, n_columns)).table
    row = waves[:n_rows, None].expand(-1, n_columns, -1)
    column = waves[None, :n_columns].expand(n_rows, -1, -1)
    return torch.cat([row, column], dim=-1).flatten(0, 1)


@dataclass(frozen=True)
class ViTConfig:
    """The sizes and choices of a `ViT`; the defaults are ViT base with patches of 16, of 86 million.

    Example:
        >>> from unrolled.nn import ViTConfig
        >>> ViTConfig(image_size=28, patch_size=7).n_patches
        16
    """

    image_size: int = 224
    """Pixels on each side of a picture: a multiple of the patch's."""
    patch_size: int = 16
    n_channels: int = 3
    n_labels: int = 1000
    d_model: int = 768
    n_heads: int = 12
    n_layers: int = 12
    d_ff: int | None = None
    """Four times `d_model` unless given."""
    positions: PatchPositions = "learned"
    dropout: float = 0.0
    activation: Activation = "gelu"
    norm_eps: float = 1e-12

    def __post_init__(self) -> None:
        """Refuse sizes that make no model."""
        names = ("image_size", "patch_size", "n_channels", "n_labels", "d_model", "n_heads", "d_ff")
        check_sizes(**{name: getattr(self, name) for name in names})
        check_sizes(low=0, n_layers=self.n_layers)
        check_share(dropout=self.dropout)
        if self.image_size % self.patch_size:
            raise ValueError(
                f"image_size: expected a multiple of patch_size={self.patch_size}, got {self.image_size}"
            )
        if self.positions not in get_args(PatchPositions):
            raise ValueError(f"positions: expected one of {get_args(PatchPositions)}, got {self.positions!r}")

    @property
    def n_patches(self) -> int:
        """How many patches a picture has; with the class token there is one token more."""
        return (self.image_size // self.patch_size) ** 2

    def parts(self) -> Parts:
        """Return the makers of the blocks' parts; with `dataclasses.replace`, a model is made of others."""
        return make_parts(norm_eps=self.norm_eps, activation=self.activation)


class ViT(nn.Module):
    r"""Read a picture as a sequence of patches and choose a label.

    .. math::  X = [x_\text{class};\; p_1 E + e;\; \dots;\; p_N E + e] + W, \qquad
               \mathrm{softmax}\big(U\,\mathrm{Encoder}(X)_0 + u\big)

    with the patches :math:`p_i` and the positions :math:`W`.

    Args:
        config: sizes and choices.
        parts: what the blocks are made of; ``config.parts()`` unless given.

    The tap `embedded` hears the vectors ``[B, N + 1, D]`` that enter the first block, the class token's
    first; ``*.attention.weights`` what the tokens attend to.

    Raises:
        ValueError: a choice that is not possible.

    Example:
        >>> import torch
        >>> from unrolled.nn import ViT, ViTConfig
        >>> config = ViTConfig(
        ...     image_size=8, patch_size=4, n_channels=1, n_labels=3, d_model=8, n_heads=2, n_layers=1
        ... )
        >>> ViT(config)(torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 3])
    """

    waves: Tensor

    def __init__(self, config: ViTConfig, parts: Parts | None = None) -> None:
        super().__init__()
        self.config = config
        c, parts = config, config.parts() if parts is None else parts
        self.patch_proj = nn.Linear(c.n_channels * c.patch_size**2, c.d_model)
        self.class_token = nn.Parameter(torch.zeros(c.d_model))
        self.positions = (
            nn.Parameter(torch.zeros(c.n_patches + 1, c.d_model)) if c.positions == "learned" else None
        )
        if c.positions == "sinusoidal":
            side = c.image_size // c.patch_size
            # The class token stands nowhere.
            waves = torch.cat([torch.zeros(1, c.d_model), waves_2d(side, side, c.d_model)])
            self.register_buffer("waves", waves, persistent=False)
        self.dropout = nn.Dropout(c.dropout)
        self.embedded = Tap()
        d_ff = 4 * c.d_model if c.d_ff is None else c.d_ff
        self.encoder = Encoder(
            c.n_layers, c.d_model, c.n_heads, d_ff, norm="pre", dropout=c.dropout, parts=parts
        )
        self.head = nn.Linear(c.d_model, c.n_labels)
        self.apply(init_normal)
        nn.init.normal_(self.class_token, std=0.02)
        if self.positions is not None:
            nn.init.normal_(self.positions, std=0.02)

    def encode(self, images: Tensor, mask: Mask | Sight | None = None) -> Sequence:
        """Return one vector per token, the class token's first, ``[B, N + 1, D]``.

        Args:
            images: pictures ``[B, C, H, W]``, H and W the configuration's `image_size`.
            mask: boolean, True = may attend, broadcastable to ``[B, N + 1, N + 1]``; one of
                ``[B, 1, N + 1]`` takes tokens out of a picture.

        Raises:
            ShapeError: the pictures or the mask have another shape than expected.
            TypeError: the mask is not boolean.
        """
        side = self.config.image_size
        check_shape("images", images, "B C H W", C=self.config.n_channels, H=side, W=side)
        x = self.patch_proj(patches(images, self.config.patch_size))  # [B, N, D]
        first = self.class_token.expand(len(x), 1, -1)  # [B, 1, D]
        x = torch.cat([first, x], dim=1)  # [B, N + 1, D]
        if self.positions is not None:
            x = x + self.positions
        elif self.config.positions == "sinusoidal":
            x = x + self.waves
        x = self.embedded(self.dropout(x))
        vectors: Tensor = self.encoder(x, mask)
        return vectors

    def forward(self, images: Tensor, mask: Mask | Sight | None = None) -> Tensor:
        """Return a score for every label, logits ``[B, n_labels]``; arguments as in `encode`."""
        logits: Tensor = self.head(self.encode(images, mask)[:, 0])
        return logits
