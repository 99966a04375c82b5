r"""What every translation task shares: batches, loss, how sentences are written, what is seen inside.

A recipe subclasses `TranslationRecipe` (`unrolled.training.translation_recipe`), says in `model` how large
its vocabularies are, reads its pairs, and returns a `TranslationTask` or a subclass of it whose `evaluate`
measures what the recipe is about. `Seq2Seq` and `Transformer` stand behind one function, `logits`; writing
goes through `unrolled.generate`, which takes both. Taught in chapters 2, 3 and 9.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from unrolled.data.batches import IGNORED, pad, translation_batches
from unrolled.data.seeds import derived_seed
from unrolled.data.special_tokens import SPECIAL
from unrolled.data.tokenizers import Tokenizer
from unrolled.generate import beam_search, translate
from unrolled.inputs import not_text
from unrolled.nn import Seq2Seq, Transformer, padding_mask
from unrolled.tap import record
from unrolled.training.loss import cross_entropy
from unrolled.training.task import Batch, GenerateOptions, Split
from unrolled.training.translation_recipe import TranslationRecipe

__all__ = ["TextPairs", "TranslationTask", "across", "logits"]

TextPairs = Sequence[tuple[str, str]]
"""Sentences with their translations."""


def logits(model: nn.Module, source: Tensor, source_lengths: Tensor, target: Tensor) -> Tensor:
    """Return logits ``[B, T, V]`` of either kind of model under teacher forcing.

    Args:
        model: a `Seq2Seq` or a `Transformer`.
        source: tokens ``[B, S]``, padded on the right.
        source_lengths: how many of each row are real ``[B]``.
        target: what the decoder is given ``[B, T]``. Padding on its right needs no mask: no real position
            looks to its right.

    Raises:
        TypeError: the model is of another kind.
    """
    mask_or_lengths = source_lengths
    if isinstance(model, Transformer):
        mask_or_lengths = padding_mask(source_lengths, source.shape[1])
    elif not isinstance(model, Seq2Seq):
        raise TypeError(f"model: expected a Seq2Seq or a Transformer, got {type(model).__name__}")
    result: Tensor = model(source, target, mask_or_lengths)
    return result


def across(model: nn.Module) -> str:
    """Return the path of the taps that hear how the decoder of either kind of model looks at the source."""
    return "weights" if isinstance(model, Seq2Seq) else "decoder.layers.*.cross_attention.weights"


def _vocabularies(model: nn.Module) -> tuple[int, int]:
    """Return how many source and target tokens either kind of model knows."""
    if isinstance(model, Seq2Seq | Transformer):
        return model.config.source_vocab_size, model.config.target_vocab_size
    raise TypeError(f"model: expected a Seq2Seq or a Transformer, got {type(model).__name__}")


class TranslationTask:
    """Sentences, their translations, and a model between them.

    Args:
        recipe: its options.
        source_tokenizer: for what is read.
        target_tokenizer: for what is written.
        pairs: sentences and translations of each split, as text, or a function that makes those of a split:
            it is called when they are first needed, so that a task which only writes makes none.

    Raises:
        ValueError: a tokenizer has more tokens than the recipe's model.
    """

    writes_with: ClassVar[tuple[str, ...]] = ("beam", "max_len")

    def __init__(
        self,
        recipe: TranslationRecipe,
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
        pairs: Mapping[Split, TextPairs] | Callable[[Split], TextPairs],
    ) -> None:
        self.recipe = recipe
        self.source_tokenizer, self.target_tokenizer = source_tokenizer, target_tokenizer
        self._texts = pairs if callable(pairs) else pairs.__getitem__
        self._ids: dict[Split, list[tuple[list[int], list[int]]]] = {}
        model = recipe.model()
        sizes = _vocabularies(model)
        for side, tokenizer, size in zip(
            ("source", "target"), (source_tokenizer, target_tokenizer), sizes, strict=True
        ):
            if tokenizer.vocab_size > size:
                raise ValueError(
                    f"{side}_tokenizer: expected at most the model's {size} tokens, "
                    f"got {tokenizer.vocab_size}"
                )
        self.model: nn.Module = model

    def pairs(self, split: Split) -> list[tuple[list[int], list[int]]]:
        """Return source and target tokens of a split, without special tokens."""
        if split not in self._ids:
            encode, encode_target = self.source_tokenizer.encode, self.target_tokenizer.encode
            self._ids[split] = [(encode(s), encode_target(t)) for s, t in self._texts(split)]
        return self._ids[split]

    def batches(self, split: Split, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield ``source`` ``[B, S]``, ``lengths`` ``[B]``, ``target`` and ``labels`` ``[B, T]``.

        Lengths within a batch are alike; what is padding in `labels` is `IGNORED`.
        """
        r = self.recipe
        limits = {"batch_size": r.batch} if r.max_tokens is None else {"max_tokens": r.max_tokens}
        # Validation is the same in every order: sorted by length it has the least padding.
        order = derived_seed("translation", seed) if split == "train" else None
        for batch in translation_batches(self.pairs(split), **limits, seed=order, epoch=epoch):
            real = padding_mask(batch.target_lengths, batch.labels.shape[1])[:, 0]
            yield {
                "source": batch.source,
                "lengths": batch.source_lengths,
                "target": batch.target,
                "labels": batch.labels.masked_fill(~real, IGNORED),
            }

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy of the tokens written, and how many there are."""
        smoothing = self.recipe.label_smoothing if model.training else 0.0
        guesses = logits(model, batch["source"], batch["lengths"], batch["target"])
        return cross_entropy(guesses, batch["labels"], label_smoothing=smoothing)

    def translate(
        self,
        model: nn.Module,
        sentences: Sequence[str],
        *,
        beam: int | None = None,
        max_len: int | None = None,
        batch: int = 100,
    ) -> list[str]:
        """Return the translations of sentences, in their order.

        Args:
            model: a `Seq2Seq` or a `Transformer`.
            sentences: what to translate.
            beam: hypotheses followed at once; the recipe's unless given. 1 is greedy.
            max_len: how many tokens to write at most; unless given, twice the source and ten more, within
                what a transformer can.
            batch: how many sentences go together.
        """
        ids = [self.source_tokenizer.encode(sentence) for sentence in not_text("sentences", sentences)]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        written: dict[int, str] = {}
        for start in range(0, len(order), batch):
            some = order[start : start + batch]
            words = self.write_ids(model, [ids[i] for i in some], beam=beam, max_len=max_len)
            written.update(zip(some, map(self.target_tokenizer.decode, words), strict=True))
        return [written[i] for i in range(len(ids))]

    def write_ids(
        self,
        model: nn.Module,
        ids: Sequence[Sequence[int]],
        *,
        beam: int | None = None,
        max_len: int | None = None,
    ) -> list[list[int]]:
        """Return the target tokens of source tokens, both without special tokens; arguments as `translate`.

        Raises:
            TypeError: the model is of another kind.
            ValueError: a sentence is longer than a transformer can read.
        """
        if not isinstance(model, Seq2Seq | Transformer):
            raise TypeError(f"model: expected a Seq2Seq or a Transformer, got {type(model).__name__}")
        device = next(model.parameters()).device
        source, lengths = (t.to(device) for t in pad([[*sentence, SPECIAL.eos] for sentence in ids]))
        if max_len is None:
            max_len = 2 * source.shape[1] + 10
            if isinstance(model, Transformer):
                max_len = min(max_len, model.config.max_len)
        beam = self.recipe.beam if beam is None else beam
        bos, eos, penalty = SPECIAL.bos, SPECIAL.eos, self.recipe.length_penalty
        with torch.no_grad():
            if beam == 1:
                found = translate(model, source, bos=bos, eos=eos, max_len=max_len, lengths=lengths)
            else:
                found = beam_search(
                    model,
                    source,
                    bos=bos,
                    eos=eos,
                    max_len=max_len,
                    beam_size=beam,
                    length_penalty=penalty,
                    lengths=lengths,
                )[0][:, 0]
        return [row[: row.index(eos)] if eos in row else row for row in found.tolist()]

    def inside(self, model: Transformer, sentence: str) -> dict[str, Any]:
        """Return a transformer's greedy translation of a sentence and all its weights, for `TranslationView`.

        ``source`` and ``target`` are tokens, ``written`` is the translation; ``encoder``, ``decoder`` and
        ``cross`` are weights ``[layers, heads, T, S]``, the last row that of the step which ends it.
        """
        source = [*self.source_tokenizer.encode(sentence), SPECIAL.eos]
        (written,) = self.write_ids(model, [source[:-1]], beam=1)
        target = [SPECIAL.bos, *written]
        with record(model, "*.weights") as heard, torch.no_grad():
            model(torch.tensor([source]), torch.tensor([target]))

        def layers(of: str) -> Tensor:
            # Of each layer there was one call, with one sentence.
            return torch.stack([weights[0][0] for path, weights in heard.items() if fnmatchcase(path, of)])

        return {
            "source": [self.source_tokenizer.token(i) for i in source],
            "target": [self.target_tokenizer.token(i) for i in target],
            "written": self.target_tokenizer.decode(written),
            "encoder": layers("encoder.layers.*.attention.weights"),
            "decoder": layers("decoder.layers.*.attention.weights"),
            "cross": layers(across(model)),
        }

    def write(self, model: nn.Module, prompt: str, options: GenerateOptions) -> str:
        """Return the translation of one sentence.

        Raises:
            ValueError: there is no sentence, or the tokenizer knows a word of it not.
        """
        if not prompt.strip():
            raise ValueError("prompt: expected a sentence, got none")
        return self.translate(model, [prompt], beam=options.beam, max_len=options.max_len)[0]

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the share of validation sentences translated exactly; a recipe measures what it is about."""
        pairs = self.pairs("validation")
        order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]))
        right = 0
        for start in range(0, len(order), 100):
            some = [pairs[i] for i in order[start : start + 100]]
            written = self.write_ids(model, [source for source, _ in some])
            right += sum(w == target for w, (_, target) in zip(written, some, strict=True))
        return {"exact_match": right / len(pairs)}
