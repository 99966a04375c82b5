r"""An encoder that answers a question about a whole sequence: one label. Taught in chapter 7."""

from torch import Tensor, nn

from unrolled.nn.embedding import Positions, added_positions, check_tokens, positions_in_attention
from unrolled.nn.parts import make_parts
from unrolled.nn.stacks import Encoder
from unrolled.shapes import ShapeError, Tokens, check_sizes

__all__ = ["SequenceClassifier"]


class SequenceClassifier(nn.Module):
    r"""Read all tokens in both directions, take the mean of their vectors, choose a label.

    .. math::  \mathrm{softmax}\Big(W\,\frac{1}{T}\sum_t \mathrm{Encoder}(x)_t + b\Big)

    The mean forgets the order, so whatever the answer says of it has come through `positions`.

    Args:
        vocab_size: V.
        n_labels: how many labels there are.
        max_len: the longest sequence.
        d_model: components per token.
        n_heads: attention heads of each block.
        n_layers: blocks.
        positions: how tokens know where they stand; with ``"none"`` they do not.

    Raises:
        ValueError: a size or a choice that is not possible.

    Example:
        >>> import torch
        >>> from unrolled.nn import SequenceClassifier
        >>> model = SequenceClassifier(11, 3, max_len=7, d_model=8, n_heads=2, n_layers=1)
        >>> model(torch.tensor([[1, 5, 7]])).shape
        torch.Size([1, 3])
    """

    def __init__(
        self,
        vocab_size: int,
        n_labels: int,
        max_len: int,
        d_model: int,
        n_heads: int,
        n_layers: int,
        positions: Positions = "learned",
    ) -> None:
        super().__init__()
        check_sizes(
            vocab_size=vocab_size, n_labels=n_labels, max_len=max_len, d_model=d_model, n_heads=n_heads
        )
        self.max_len = max_len
        rule = positions_in_attention(positions, d_model, n_heads, max_len)
        self.token_embedding = nn.Embedding(vocab_size, d_model)
        self.positions = added_positions(positions, d_model, max_len)
        self.encoder = Encoder(n_layers, d_model, n_heads, 4 * d_model, parts=make_parts(positions=rule))
        self.label = nn.Linear(d_model, n_labels)

    def forward(self, tokens: Tokens) -> Tensor:
        """Return the logits of the labels ``[B, n_labels]`` for `tokens` ``[B, T]``.

        Raises:
            ShapeError: the tokens are not ``[B, T]``, with T of at least 1.
            TypeError: they are not integers.
            ValueError: the sequence is longer than `max_len`.
        """
        check_tokens("tokens", tokens, self.max_len)
        if tokens.shape[1] == 0:
            raise ShapeError(
                f"tokens: expected at least one token to take the mean of, got {list(tokens.shape)}"
            )
        x = self.token_embedding(tokens)  # [B, T, D]
        if self.positions is not None:
            x = self.positions(x)
        logits: Tensor = self.label(self.encoder(x).mean(1))  # [B, T, D] -> [B, D] -> [B, n_labels]
        return logits
