"""Where in a small BERT the sense of "bears" arises: by layer, by head, by clause. Taught in chapter 11.

All of it is asked of held-out cues, by nearest centroid (`unrolled.training.centroid_probe`), with "bears"
hidden behind ``<mask>`` and with "bears" to be seen.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.data.bears import SENSES, Sentence
from unrolled.data.bears_tokens import Frame, as_it_is, encode_bears
from unrolled.data.clusters import nearest_centroid, silhouette
from unrolled.nn import BERT, EncoderBlock, MultiHeadAttention
from unrolled.probe import bert_layers, without_head
from unrolled.training.centroid_probe import Questions, accuracies

__all__ = ["LayerProbe", "bears_figures", "bears_vectors", "probe_layers"]


@dataclass(frozen=True)
class LayerProbe:
    """What a model makes of the "bears" of some sentences.

    Attributes:
        layers: its vector before the first block and after each, n_layers + 1 times ``[N, D]``.
        output: its vector at the end, ``[N, D]``, as `bears_vectors` gives it.
        attention: how much of its attention stays in its own clause, for each block and head, ``[L, H]``.
        even: how much would, if it looked at all words alike.
    """

    layers: list[Tensor]
    output: Tensor
    attention: Tensor
    even: float


def bears_vectors(model: BERT, sentences: list[Sentence], *, hide: bool = True) -> Tensor:
    """Return one vector for the "bears" of each sentence, ``[N, D]``.

    Hidden, it is the vector that the output layer compares with all words: what the model expects in that
    place. Seen, it is what the last block gives.
    """
    device = model.token_embedding.weight.device
    batch = encode_bears(sentences, hide=hide)
    rows = torch.arange(len(sentences))
    vectors: Tensor = model.encode(batch.tokens.to(device), batch.mask.to(device))[rows, batch.places]
    if hide:
        assert model.head is not None
        vectors = model.head.norm(model.head.activation(model.head.dense(vectors)))
    return vectors.cpu()


def probe_layers(model: BERT, sentences: list[Sentence], *, hide: bool = True) -> LayerProbe:
    """Return what the model, in evaluation mode, makes of the "bears" of each sentence, layer by layer."""
    device = model.token_embedding.weight.device
    batch = encode_bears(sentences, hide=hide)
    rows = torch.arange(len(sentences))
    seen = bert_layers(model, batch.tokens.to(device), batch.mask.to(device))
    own = batch.own[:, None].to(device)  # [N, 1, T]
    looks = torch.stack([w[rows, :, batch.places] for w in seen.weights])  # [L, N, H, T]
    words = batch.mask[:, 0].sum(1)
    return LayerProbe(
        layers=[vectors[rows, batch.places].cpu() for vectors in seen.vectors],
        output=bears_vectors(model, sentences, hide=hide),
        attention=(looks * own).sum(-1).mean(1).cpu(),
        even=float((batch.own.sum(1) / words).mean()),
    )


def bears_figures(
    model: BERT,
    *,
    seed: int,
    canonical: list[Sentence],
    n: int = 900,
    frame: Frame = as_it_is,
) -> dict[str, float]:
    """Return all figures of a model, in evaluation mode; the names say what they are.

    `frame` is what is put around each sentence before the model sees it, nothing unless given.

    ==========================  =======================================================================
    ``KIND``                    accuracy with "bears" hidden, ``plain``, ``conflict``, ``conflict+gap``
    ``canonical``               the share of the three sentences of chapter 4 that come out right
    ``layer L: KIND``           accuracy of the vectors after block L; layer 0 is what enters the first
    ``seen: …``                 the same with "bears" to be seen
    ``silhouette: KIND``        of the vectors behind the first row
    ``own clause, block L: …``  share of the attention of "bears" that stays in its clause, mean over heads
    ``own clause, even: …``     what it would be if all words got the same
    ``without head L.H: KIND``  the first row with head H of block L switched off, centroids made anew
    ==========================  =======================================================================
    """
    drawn = Questions.draw(n, seed)
    questions = Questions(
        [frame(s) for s in drawn.known],
        {kind: [frame(s) for s in part] for kind, part in drawn.asked.items()},
    )
    canonical = [frame(s) for s in canonical]
    truth = questions.truth
    figures: dict[str, float] = {}
    for hide, prefix in ((True, ""), (False, "seen: ")):
        known = probe_layers(model, questions.known, hide=hide)
        asked = {kind: probe_layers(model, part, hide=hide) for kind, part in questions.asked.items()}
        found = accuracies(known.output, {kind: a.output for kind, a in asked.items()}, truth)
        figures |= {f"{prefix}{kind}": share for kind, share in found.items()}
        guesses = nearest_centroid(known.output, truth, bears_vectors(model, canonical, hide=hide))
        right = [SENSES[g] == s.sense for g, s in zip(guesses.tolist(), canonical, strict=True)]
        figures[f"{prefix}canonical"] = sum(right) / len(right)
        for layer, vectors in enumerate(known.layers):
            found = accuracies(vectors, {kind: a.layers[layer] for kind, a in asked.items()}, truth)
            figures |= {f"{prefix}layer {layer}: {kind}": share for kind, share in found.items()}
        if not hide:
            continue
        figures |= {f"silhouette: {kind}": silhouette(a.output, truth) for kind, a in asked.items()}
        for kind, a in asked.items():
            if kind == "plain":  # nothing but the own clause
                continue
            for block, share in enumerate(a.attention.mean(1).tolist(), 1):
                figures[f"own clause, block {block}: {kind}"] = share
            figures[f"own clause, even: {kind}"] = a.even
    return figures | _without_heads(model, questions)


def _without_heads(model: BERT, questions: Questions) -> dict[str, float]:
    figures: dict[str, float] = {}
    for layer, block in enumerate(model.encoder.layers, 1):
        assert isinstance(block, EncoderBlock)
        assert isinstance(block.attention, MultiHeadAttention)
        for head in range(block.attention.n_heads):
            with without_head(block, head):
                known = bears_vectors(model, questions.known)
                asked = {kind: bears_vectors(model, part) for kind, part in questions.asked.items()}
            found = accuracies(known, asked, questions.truth)
            figures |= {f"without head {layer}.{head + 1}: {kind}": share for kind, share in found.items()}
    return figures
