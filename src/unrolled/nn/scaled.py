r"""Token vectors that enter a model larger than the output layer reads them. Taught in chapter 15."""

from torch import Tensor, nn
from torch.nn.functional import embedding

from unrolled.nn.lean import Step, has_lean
from unrolled.shapes import check_sizes

__all__ = ["ScaledEmbedding"]


@has_lean
class ScaledEmbedding(nn.Embedding):
    r"""An embedding whose vectors are multiplied on their way in: :math:`x_t = \sqrt{D}\, E_{w_t}`.

    As `embedding` of the `Parts` it lets an output layer that shares the weights keep small ones, while
    what enters the blocks is as large as what they add.

    Args:
        vocab_size: V, words.
        d_model: D, components per vector.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is not positive.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.4; Gemma Team, Gemma 2, 2024.

    Example:
        >>> import torch
        >>> from unrolled.nn import ScaledEmbedding
        >>> table = ScaledEmbedding(vocab_size=11, d_model=16)
        >>> torch.equal(table(torch.tensor([3])), 4 * table.weight[3:4])
        True
    """

    def __init__(self, vocab_size: int, d_model: int) -> None:
        check_sizes(vocab_size=vocab_size, d_model=d_model)
        super().__init__(vocab_size, d_model)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the vectors ``[..., D]`` of integers ``[...]``."""
        vectors: Tensor = super().forward(tokens) * self.embedding_dim**0.5
        return vectors

    def lean(self) -> Step:
        """Return what `forward` does to the newest token: see `unrolled.nn.lean`."""
        weight, scale = self.weight, self.embedding_dim**0.5
        return lambda tokens: embedding(tokens, weight) * scale
