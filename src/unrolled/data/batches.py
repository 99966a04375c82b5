"""From lists of ids to tensors: padding, batches of like lengths, chunks of a long text, hidden words.

Whatever is drawn here is drawn from a generator seeded by numbers the caller names, so the batches of an
epoch are the same however often, and from wherever, a run is resumed. Taught in chapters 9, 10 and 11.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from unrolled.data.seeds import seeded
from unrolled.data.special_tokens import SPECIAL
from unrolled.nn.masks import padding_mask
from unrolled.shapes import Lengths, Mask, Tokens, check_shape

__all__ = [
    "IGNORED",
    "TranslationBatch",
    "chunks",
    "corrupt",
    "crops",
    "length_batches",
    "pad",
    "translation_batches",
]

IGNORED = -100  # the label that `torch.nn.functional.cross_entropy` leaves out

_POOL = 50  # batches that are sorted by length together


@dataclass(frozen=True)
class TranslationBatch:
    """Sentences and their translations, ready for teacher forcing.

    Attributes:
        source: ids ``[B, S]``, each ending in ``<eos>``, then padding.
        source_lengths: real tokens of each, ``<eos>`` included, ``[B]``.
        target: what the decoder is given ``[B, T]``: ``<bos>`` and the translation.
        labels: what it should answer ``[B, T]``: the translation and ``<eos>``, then padding.
        target_lengths: real tokens of each row of `target` and `labels` ``[B]``.
    """

    source: Tokens
    source_lengths: Lengths
    target: Tokens
    labels: Tokens
    target_lengths: Lengths

    @property
    def source_mask(self) -> Mask:
        """Which source tokens are real, ``[B, 1, S]``."""
        return padding_mask(self.source_lengths, self.source.shape[1])

    @property
    def target_mask(self) -> Mask:
        """Which target tokens are real, ``[B, 1, T]``; the causal rule is the decoder's."""
        return padding_mask(self.target_lengths, self.target.shape[1])

    @property
    def n_tokens(self) -> int:
        """How many labels there are, padding not counted: what a loss per token is divided by."""
        return int(self.target_lengths.sum())

    def to(self, device: torch.device | str) -> "TranslationBatch":
        """Return the batch on another device."""
        return TranslationBatch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def pad(sequences: Sequence[Sequence[int]], *, value: int = SPECIAL.pad) -> tuple[Tokens, Lengths]:
    """Return sequences as one tensor ``[B, T]``, filled up with `value`, and their lengths ``[B]``.

    Raises:
        ValueError: there is no sequence.

    Example:
        >>> from unrolled.data.batches import pad
        >>> pad([[5, 6, 7], [8]])
        (tensor([[5, 6, 7],
                [8, 0, 0]]), tensor([3, 1]))
    """
    if not sequences:
        raise ValueError("sequences: expected one or more, got none")
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    tokens = torch.full((len(sequences), int(lengths.max())), value)
    for row, sequence in zip(tokens, sequences, strict=True):
        row[: len(sequence)] = torch.tensor(sequence, dtype=torch.long)
    return tokens, lengths


def length_batches(
    lengths: Sequence[int],
    *,
    batch_size: int | None = None,
    max_tokens: int | None = None,
    seed: int | None = 0,
    epoch: int = 0,
) -> list[list[int]]:
    """Return which sequences go together: those of like length, so that little is padding.

    Args:
        lengths: one for each sequence.
        batch_size: the most sequences in a batch; any number unless given.
        max_tokens: the most tokens in a batch, padding counted; any number unless given. One of the two is
            needed.
        seed: with `epoch` it fixes what goes with what and the order of the batches; None leaves all
            sorted by length, the longest last.
        epoch: the how-manieth time the data is gone through.

    Returns:
        Places in `lengths`, a list for each batch; every place once.

    Raises:
        ValueError: neither limit is given, one is below 1, or a sequence is longer than `max_tokens`.
    """
    if batch_size is None and max_tokens is None:
        raise ValueError("expected batch_size or max_tokens, got neither")
    for name, value in (("batch_size", batch_size), ("max_tokens", max_tokens)):
        if value is not None and value < 1:
            raise ValueError(f"{name}: expected 1 or more, got {value}")
    longest = max(lengths, default=0)
    if max_tokens is not None and longest > max_tokens:
        raise ValueError(f"max_tokens: expected {longest} or more, the longest sequence, got {max_tokens}")
    if seed is None:
        return _cut(sorted(range(len(lengths)), key=lengths.__getitem__), lengths, batch_size, max_tokens)
    generator = seeded(seed, epoch)
    order = torch.randperm(len(lengths), generator=generator).tolist()
    # Sorting all would put the same neighbours together in every epoch; sorting pools does not.
    fit = min(batch_size or len(lengths), max_tokens // max(1, longest) if max_tokens else len(lengths))
    pool = max(1, _POOL * fit)
    batches = []
    for start in range(0, len(order), pool):
        some = sorted(order[start : start + pool], key=lengths.__getitem__)
        batches += _cut(some, lengths, batch_size, max_tokens)
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


def _cut(
    order: Sequence[int], lengths: Sequence[int], batch_size: int | None, max_tokens: int | None
) -> list[list[int]]:
    """Cut what is sorted by length into batches within the limits."""
    batches: list[list[int]] = []
    for i in order:
        n = len(batches[-1]) + 1 if batches else 0  # with this one in it
        full = not batches or (batch_size is not None and n > batch_size)
        if full or (max_tokens is not None and n * lengths[i] > max_tokens):
            batches.append([])
        batches[-1].append(i)
    return batches


def translation_batches(
    pairs: Sequence[tuple[Sequence[int], Sequence[int]]],
    *,
    batch_size: int | None = None,
    max_tokens: int | None = None,
    seed: int | None = 0,
    epoch: int = 0,
) -> Iterator[TranslationBatch]:
    """Yield one epoch of batches of (source ids, target ids), without special tokens: those are added here.

    For the arguments see `length_batches`; the length of a pair is that of the longer side with its
    ``<eos>``.

    Raises:
        ValueError: a limit is missing, below 1 or too small.
    """
    lengths = [max(len(source), len(target)) + 1 for source, target in pairs]
    limits = {"batch_size": batch_size, "max_tokens": max_tokens}
    for batch in length_batches(lengths, **limits, seed=seed, epoch=epoch):
        source, source_lengths = pad([[*pairs[i][0], SPECIAL.eos] for i in batch])
        target, target_lengths = pad([[SPECIAL.bos, *pairs[i][1]] for i in batch])
        labels, _ = pad([[*pairs[i][1], SPECIAL.eos] for i in batch])
        yield TranslationBatch(source, source_lengths, target, labels, target_lengths)


def chunks(tokens: Tensor, length: int) -> tuple[Tokens, Tokens]:
    """Cut a text ``[N]`` into consecutive chunks: inputs ``[B, T]`` and the tokens after them ``[B, T]``.

    What is left at the end is left out. Used for validation: every token is guessed once.

    Raises:
        ShapeError: `tokens` is not one-dimensional.
        ValueError: the text is shorter than `length` + 1.
    """
    n = (_check_text(tokens, length) - 1) // length
    return tokens[: n * length].view(n, length), tokens[1 : n * length + 1].view(n, length)


def crops(tokens: Tensor, n: int, length: int, generator: Generator) -> tuple[Tokens, Tokens]:
    """Return `n` random pieces of a text ``[N]``: inputs ``[B, T]`` and the tokens after them ``[B, T]``.

    Raises:
        ShapeError: `tokens` is not one-dimensional.
        ValueError: the text is shorter than `length` + 1.
    """
    starts = torch.randint(_check_text(tokens, length) - length, (n, 1), generator=generator)
    places = starts + torch.arange(length)  # [B, T]
    return tokens[places], tokens[places + 1]


def _check_text(tokens: Tensor, length: int) -> int:
    check_shape("tokens", tokens, "T")
    if not 1 <= length < len(tokens):
        raise ValueError(f"length: expected 1 to {len(tokens) - 1}, for {len(tokens)} tokens, got {length}")
    return len(tokens)


def corrupt(
    tokens: Tokens,
    *,
    vocab_size: int,
    generator: Generator,
    rate: float = 0.15,
    pure: bool = False,
) -> tuple[Tokens, Tokens]:
    """Hide tokens that a masked language model has to guess (Devlin et al., BERT, 2019).

    Of the tokens chosen, 80 % become ``<mask>``, 10 % another token at random, 10 % stay as they are. Special
    tokens are never chosen; in a row that has others at least one is.

    Args:
        tokens: ids ``[B, T]``.
        vocab_size: V; random tokens are drawn from the ordinary ones.
        generator: what is drawn from.
        rate: how often a token is chosen, above 0 and at most 1.
        pure: whether all that are chosen become ``<mask>``.

    Returns:
        The tokens to read ``[B, T]``, and the labels ``[B, T]``: the true token where one was chosen,
        `IGNORED` elsewhere.

    Raises:
        ShapeError: `tokens` is not ``[B, T]``.
        ValueError: `rate` is out of range, or there is no ordinary token.
    """
    check_shape("tokens", tokens, "B T")
    if not 0 < rate <= 1:
        raise ValueError(f"rate: expected above 0 and at most 1, got {rate}")
    if vocab_size <= len(SPECIAL):
        raise ValueError(
            f"vocab_size: expected more than the {len(SPECIAL)} special tokens, got {vocab_size}"
        )
    draws = torch.rand(tokens.shape, generator=generator).masked_fill(tokens < len(SPECIAL), 2.0)
    chosen = draws < rate
    # The lowest draw of a row is chosen whatever the rate, if it is that of an ordinary token.
    chosen |= (draws == draws.min(1, keepdim=True).values) & (draws < 1)
    labels = tokens.masked_fill(~chosen, IGNORED)
    how = torch.rand(tokens.shape, generator=generator)
    others = torch.randint(len(SPECIAL), vocab_size, tokens.shape, generator=generator)
    if pure:
        return tokens.masked_fill(chosen, SPECIAL.mask), labels
    inputs = tokens.masked_fill(chosen & (how < 0.8), SPECIAL.mask)
    return torch.where(chosen & (how >= 0.9), others, inputs), labels
