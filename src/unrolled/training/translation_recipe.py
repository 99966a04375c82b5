"""The options of every translation recipe, and the models they make. Taught in chapters 2, 3 and 9."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from unrolled.nn import Seq2Seq, Seq2SeqConfig, Transformer, TransformerConfig
from unrolled.nn.embedding import Positions
from unrolled.training.options import option
from unrolled.training.recipe import Recipe

__all__ = ["Architecture", "ScoreName", "TranslationRecipe"]

Architecture = Literal["lstm", "transformer"]
"""The kind of model that translates."""
ScoreName = Literal["dot", "scaled_dot", "general", "additive"]
"""A score of `unrolled.nn.score`, by name."""


@dataclass(frozen=True, kw_only=True)
class TranslationRecipe(Recipe):
    """Options of every translation task: which model, how large, how batches are made, how it writes.

    Attributes:
        bidirectional: whether an LSTM's encoder reads in both directions.
    """

    bidirectional: ClassVar[bool] = True

    architecture: Architecture = option("lstm", "which encoder–decoder")  # noqa: RUF009
    score: ScoreName | None = option(  # noqa: RUF009
        "dot", "how an LSTM's decoder compares its state with the encoder's; none for no attention"
    )
    d_model: int = option(64, "components per token", low=1)
    d_hidden: int = option(128, "components per state of an LSTM", low=2)
    n_layers: int = option(1, "layers of encoder and decoder", low=1)
    n_heads: int = option(4, "attention heads of a transformer's blocks", low=1)
    d_ff: int = option(256, "width of a transformer's feed-forward networks", low=1)
    positions: Positions = option("sinusoidal", "how a transformer knows order")  # noqa: RUF009
    dropout: float = option(0.0, "share of numbers set to zero while training", low=0, high=0.9)
    max_tokens: int | None = option(
        None, "batch by tokens of the longer side, padding counted; none for `batch` sequences", low=1
    )
    max_len: int = option(128, "longest sentence a transformer reads or writes", unit="tokens", low=2)
    beam: int = option(1, "hypotheses followed at once when figures are measured", low=1)
    length_penalty: float = option(0.6, "how much a beam prefers long translations", low=0)

    def unused(self) -> dict[str, str]:
        """Return the options that this architecture, or this way to make batches, does not look at."""
        lstm = self.architecture == "lstm"
        names = ("n_heads", "d_ff", "positions", "max_len") if lstm else ("score", "d_hidden")
        unused = super().unused() | dict.fromkeys(names, f"with --architecture {self.architecture}")
        if self.max_tokens is not None:
            unused["batch"] = f"with --max-tokens {self.max_tokens}"
        return unused

    def make_model(self, source_vocab_size: int, target_vocab_size: int) -> Seq2Seq | Transformer:
        """Return a new model for vocabularies of these sizes; a recipe's `model` calls it with its own."""
        if self.architecture == "lstm":
            return Seq2Seq(
                Seq2SeqConfig(
                    source_vocab_size,
                    target_vocab_size,
                    d_model=self.d_model,
                    d_hidden=self.d_hidden,
                    n_layers=self.n_layers,
                    bidirectional=self.bidirectional,
                    score=self.score,
                    dropout=self.dropout,
                )
            )
        return Transformer(self.transformer(source_vocab_size, target_vocab_size))

    def transformer(self, source_vocab_size: int, target_vocab_size: int) -> TransformerConfig:
        """Return the configuration of a transformer for vocabularies of these sizes."""
        return TransformerConfig(
            source_vocab_size,
            target_vocab_size,
            max_len=self.max_len,
            d_model=self.d_model,
            n_heads=self.n_heads,
            n_layers=self.n_layers,
            d_ff=self.d_ff,
            dropout=self.dropout,
            norm="pre",
            positions=self.positions,
            tied="target",
        )
