r"""An encoder that answers a question about a whole sequence: one label. Taught in chapter 7."""

from torch import Tensor, nn

from unrolled.nn.embedding import Positions, added_positions, check_tokens, positions_in_attention
from unrolled.nn.stacks import Encoder
from unrolled.shapes import Tokens

__all__ = ["SequenceClassifier"]


class SequenceClassifier(nn.Module):
    r"""Read all tokens in both directions, take the mean of their vectors, choose a label.

    .. math::  \mathrm{softmax}\Big(W\,\frac{1}{T}\sum_t \mathrm{Encoder}(x)_t + b\Big)

    The mean forgets the order, so whatever the answer says of it has come through `positions`.

    Args:
        vocab_size: V.
        n_labels: how many labels there are.
        max_len: the longest sequence.
        d_model: numbers per token.
        n_heads: attention heads of each block.
        n_layers: blocks.
        positions: how tokens know where they stand; with ``"none"`` they do not.

    Raises:
        ValueError: a size or a choice that is not possible.
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
        self.max_len = max_len
        rotary, alibi = positions_in_attention(positions, d_model, n_heads, max_len)
        self.token_embedding = nn.Embedding(vocab_size, d_model)
        self.positions = added_positions(positions, d_model, max_len)
        self.encoder = Encoder(n_layers, d_model, n_heads, 4 * d_model, rotary=rotary, alibi=alibi)
        self.label = nn.Linear(d_model, n_labels)

    def forward(self, tokens: Tokens) -> Tensor:
        """Return the logits of the labels ``[B, n_labels]`` for `tokens` ``[B, T]``.

        Raises:
            ShapeError: the tokens are not ``[B, T]``.
            TypeError: they are no integers.
            ValueError: the sequence is longer than `max_len`.
        """
        check_tokens("tokens", tokens, self.max_len)
        x = self.token_embedding(tokens)  # [B, T, D]
        if self.positions is not None:
            x = self.positions(x)
        logits: Tensor = self.label(self.encoder(x).mean(1))  # [B, T, D] -> [B, D] -> [B, n_labels]
        return logits
