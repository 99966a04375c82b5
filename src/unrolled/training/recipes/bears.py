"""Guess hidden words, and find out that "bears" has three meanings. Taught in chapter 11.

A BERT of 70,000 numbers sees sentences in which two words of five are hidden. Nobody tells it the senses.
What it expects in the place of a hidden "bears" tells them apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn

from unrolled._typed import plain_text
from unrolled.data import bears
from unrolled.data.batches import IGNORED
from unrolled.data.bears_tokens import WORDS, Frame, as_it_is, encode_words, word_id
from unrolled.data.clusters import nearest_centroid
from unrolled.data.masking import MaskingRule, always_mask
from unrolled.data.seeds import seeded
from unrolled.data.special_tokens import SPECIAL
from unrolled.generate import sample_next
from unrolled.inputs import not_text
from unrolled.nn import BERT, BertConfig, MultiHeadAttention, padding_mask
from unrolled.training.bears_probing import bears_figures, bears_vectors
from unrolled.training.centroid_probe import Questions
from unrolled.training.loss import cross_entropy
from unrolled.training.options import option
from unrolled.training.recipe import Recipe
from unrolled.training.task import Batch, GenerateOptions, Split

__all__ = ["Bears", "BearsTask"]


@dataclass(frozen=True, kw_only=True)
class Bears(Recipe):
    """Options of the bears model."""

    name = "bears"
    about = "a small BERT learns the three senses of 'bears' from hidden words"
    legend: ClassVar[Mapping[str, str]] = {
        "plain": 'share (0 to 1) of senses told right, "bears" hidden, in sentences of one clause',
        "conflict": "the same where another clause speaks of another sense",
        "conflict+gap": 'the same, with two neutral words or more on either side of "bears" besides',
        "canonical": "share (0 to 1) of the three sentences of chapter 4 told right",
        "layer *": "the same from the vectors behind that block; 0 is what enters the first",
        "seen: *": 'the same with "bears" to be seen',
        "silhouette: *": "how far apart the three senses lie (-1 to 1)",
        "own clause, *": (
            'share (0 to 1) of the attention of "bears" that stays in its clause; even: if all '
            "words got the same"
        ),
        "without head *": "the same with that head switched off; 1.2 is head 2 of block 1",
    }

    steps: int = 2400
    batch: int = 128
    lr: float = 9e-3
    sentences: int = option(
        24_000, "how many to learn from; a tenth more to validate", unit="sentences", low=128
    )
    hidden: float = option(0.4, "share of the words that are hidden", low=0.01, high=0.99)
    balance: float = option(
        0.0, "power of a word's frequency that lowers its share of being hidden", low=0, high=1
    )
    hidden_bears: float = option(0.1, "the same for 'bears' itself", low=0, high=1)
    n_layers: int = option(2, "blocks", low=1)
    n_heads: int = option(2, "attention heads of each", low=1)
    d_model: int = option(48, "components per word", low=1)
    dropout: float = option(0.0, "share of numbers set to zero while training", low=0, high=0.9)
    embedding_std: float = option(0.15, "spread of the first word vectors", low=1e-6)

    @property
    def longest(self) -> int:
        """How many tokens the longest sentence has."""
        return bears.MAX_WORDS

    def model(self) -> BERT:
        """Return a BERT with the norm before each sublayer."""
        bert = BERT(
            BertConfig(
                vocab_size=len(WORDS),
                max_len=self.longest,
                d_model=self.d_model,
                n_heads=self.n_heads,
                n_layers=self.n_layers,
                n_token_types=0,
                dropout=self.dropout,
                norm="pre",  # BERT's stand behind the sublayers; before them, a small model learns sooner
                norm_eps=1e-5,
            )
        )
        # BERT's own first weights are meant for 768 numbers a word: with 48 the scores would start near zero.
        bert.encoder.apply(_draw_anew)
        for name, parameter in bert.named_parameters():
            if "encoder" in name and parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter)
        nn.init.normal_(bert.token_embedding.weight, std=self.embedding_std)
        nn.init.normal_(bert.positions.table.weight, std=self.embedding_std)
        return bert

    def task(self, data: Path | None = None) -> "BearsTask":
        """Return the task; nothing is read from `data`."""
        return BearsTask(self)


def _draw_anew(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | MultiHeadAttention):
        module.reset_parameters()


class BearsTask:
    """Sentences with hidden words, and the model that guesses them.

    Args:
        recipe: sizes and shares.
        masking: what stands in the place of a word that has to be guessed.
        frame: what is put around a sentence before a model sees it.
    """

    writes_with: ClassVar[tuple[str, ...]] = ("temperature", "top_k", "top_p", "seed")

    def __init__(self, recipe: Bears, masking: MaskingRule = always_mask, frame: Frame = as_it_is) -> None:
        self.recipe, self.masking, self.frame = recipe, masking, frame
        self.model = recipe.model()

    # Made when they are first asked for: who only wants to ask a trained model needs no corpus.
    @cached_property
    def _splits(self) -> dict[Split, tuple[Tensor, Tensor]]:
        n, n_validation = self.recipe.sentences, self.recipe.sentences // 10
        corpus = bears.corpus(n + n_validation, self.recipe.seed)
        tokens, lengths = encode_words([self.frame(sentence).words for sentence in corpus])
        return {"train": (tokens[:n], lengths[:n]), "validation": (tokens[n:], lengths[n:])}

    @cached_property
    def _share(self) -> Tensor:
        """How often each word is hidden, ``[V]``."""
        r = self.recipe
        tokens = torch.cat([tokens for tokens, _ in self._splits.values()])
        counts = torch.bincount(tokens[tokens != SPECIAL.pad], minlength=len(WORDS)).double()
        # Common words are easily guessed and teach little: as in word2vec, rare ones may get more.
        share = counts.clamp_min(1) ** -r.balance
        share = share * r.hidden * counts.sum() / (counts * share).sum()
        share = share.clamp_max(0.6).float()
        share[: len(SPECIAL)], share[word_id("bears")] = 0.0, r.hidden_bears
        return share

    def batches(self, split: Split, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield ``words`` and ``answers`` ``[B, T]``, ``lengths`` ``[B]``, of sentences of like length."""
        g = seeded("bears", split, seed, epoch)
        tokens, lengths = self._splits[split]
        order = torch.randperm(len(tokens), generator=g)
        size, pool = self.recipe.batch, 20 * self.recipe.batch
        # Sorted within pools of twenty batches: little padding, and still another batch every epoch.
        rows = [part[lengths[part].argsort(stable=True)] for part in torch.split(order, pool)]
        chunks = [chunk for part in rows for chunk in torch.split(part, size)]
        for i in torch.randperm(len(chunks), generator=g).tolist():
            longest = int(lengths[chunks[i]].max())
            yield self._hide(tokens[chunks[i], :longest], lengths[chunks[i]], g)

    def _hide(self, tokens: Tensor, lengths: Tensor, g: Generator) -> Batch:
        hidden = torch.rand(tokens.shape, generator=g) < self._share[tokens]
        return {
            "words": self.masking(tokens, hidden, g),
            "answers": tokens.masked_fill(~hidden, IGNORED),
            "lengths": lengths,
        }

    def loss(self, model: BERT, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy of the hidden words, and how many there are."""
        assert model.head is not None
        words, answers = batch["words"], batch["answers"]
        vectors = model.encode(words, padding_mask(batch["lengths"], words.shape[1]))  # [B, T, D]
        asked = answers != IGNORED
        logits = model.head(vectors[asked])  # only hidden words are guessed: [n, V]
        smoothing = self.recipe.label_smoothing if model.training else 0.0
        return cross_entropy(logits, answers[asked], label_smoothing=smoothing)

    def vectors(self, model: BERT, sentences: list[bears.Sentence], *, hide: bool = True) -> Tensor:
        """Return one vector for the "bears" of each sentence, ``[N, D]``: see `bears_vectors`."""
        return bears_vectors(model, [self.frame(sentence) for sentence in sentences], hide=hide)

    def evaluate(self, model: BERT) -> dict[str, float]:
        """Return how well the senses are told apart, and where in the model: see `bears_figures`."""
        canonical = [_sentence(text, sense) for sense, text in bears.CANONICAL.items()]
        return bears_figures(model, seed=self._question_seed, canonical=canonical, frame=self.frame)

    @property
    def _question_seed(self) -> int:
        return 1000 + 2 * self.recipe.seed

    def senses(self, model: BERT, texts: list[str], *, hide: bool = True) -> list[str]:
        """Return the sense whose centroid is nearest, for sentences a reader typed.

        Raises:
            TypeError: the texts are a single one.
            ValueError: a sentence has no "bears", or words the model does not know.
        """
        not_text("texts", texts)
        questions = Questions.draw(seed=self._question_seed)
        known = self.vectors(model, questions.known, hide=hide)
        asked = self.vectors(model, [_sentence(text) for text in texts], hide=hide)
        return [bears.SENSES[i] for i in nearest_centroid(known, questions.truth, asked).tolist()]

    def write(self, model: BERT, prompt: str, options: GenerateOptions) -> str:
        """Return the prompt with every ``_`` filled in; one with "bears" and no ``_`` is answered by a sense.

        Example:
            ``she _ the pain`` may become ``she suffers the pain``; ``bears won the game`` is ``team``.
        """
        prompt = plain_text(prompt)
        if "_" not in prompt.split():
            if "bears" not in prompt.lower():
                raise ValueError("expected a sentence with 'bears', or with _ for every word to guess")
            with torch.no_grad():
                return self.senses(model, [prompt])[0]
        pieces = [None if word == "_" else bears.tokenize(word)[0] for word in prompt.split()]
        if len(pieces) > bears.MAX_WORDS:
            raise ValueError(f"expected at most {bears.MAX_WORDS} words, got {len(pieces)}")
        device = model.token_embedding.weight.device
        gap = SPECIAL.names[SPECIAL.mask]
        words = tuple(gap if piece is None else piece for piece in pieces)
        asked = self.frame(bears.Sentence(words, None, 0, None))
        own = slice(asked.position, (asked.position or 0) + len(pieces))  # without what was put around them
        tokens, _ = encode_words([asked.words])
        with torch.no_grad():
            logits = model(tokens.to(device))[0, own, len(SPECIAL) :]  # no guess is a special token
        chance = Generator(device=device).manual_seed(options.seed)
        guesses = sample_next(logits, options.temperature, options.top_k, options.top_p, chance)
        filled = [
            WORDS[g + len(SPECIAL)] if p is None else p for p, g in zip(pieces, guesses.tolist(), strict=True)
        ]
        return " ".join(filled)


def _sentence(text: str, sense: str | None = None) -> bears.Sentence:
    words = bears.tokenize(text)
    if "bears" not in words:
        raise ValueError(f"expected a sentence with 'bears', got {text!r}")
    return bears.Sentence(words, sense, words.index("bears"), None)
