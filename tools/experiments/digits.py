"""Digits: a ViT, its positions taken away, what it is compared with, and what happens when patches go.

``python -m tools.experiments digits`` writes ``results/digits.json``, which chapter 16 reads. The pictures
are the 1,797 of scikit-learn. Each of three seeds draws the split, first weights, and the order of training.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tools.experiments.trial import Trial
from unrolled.nn import ViT, ViTConfig, patches
from unrolled.nn.vit import PatchPositions
from unrolled.probe import rollout
from unrolled.tap import record
from unrolled.training.distributed import choose_device
from unrolled.training.provenance import provenance
from unrolled.training.results import record_result

__all__ = ["TRIALS", "Split", "convolution", "erased", "measure", "split", "train", "vit"]

ROOT = Path(__file__).resolve().parents[2]
TRIALS: list[Trial] = []
_SEEDS = (0, 1, 2)
_FEWER = (150, 300, 600)
INKED = 0.25
"""Of white, on average: a patch with less is one that hardly anything was written on."""


class Split(NamedTuple):
    """Pictures ``[N, 1, 8, 8]`` from 0, black, to 1, and the digits they show ``[N]``."""

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


def split(seed: int, n_train: int = 1198) -> Split:
    """Return the digits in an order drawn by `seed`: the first `n_train` of 1,198 to train, 599 to test."""
    from sklearn.datasets import load_digits  # of all experiments, only this one needs it

    digits = load_digits()
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(seed))
    images = torch.tensor(digits.images, dtype=torch.float32)[order, None] / 16
    labels = torch.tensor(digits.target)[order]
    return Split(images[:n_train], labels[:n_train], images[1198:], labels[1198:])


def vit(positions: PatchPositions = "learned", patch: int = 2) -> ViT:
    """Return the ViT of chapter 16, untrained."""
    return ViT(
        ViTConfig(
            image_size=8,
            patch_size=patch,
            n_channels=1,
            n_labels=10,
            d_model=32,
            n_heads=4,
            n_layers=2,
            d_ff=64,
            positions=positions,
            norm_eps=1e-5,
        )
    )


def convolution() -> nn.Module:
    """Return two convolutions, a pooling and a linear layer."""
    seen = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*seen, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 16, 10))


def train(make: Callable[[], nn.Module], data: Split, seed: int, steps: int = 2280) -> nn.Module:
    """Return a model after `steps` of 32 pictures with a little noise, AdamW, one cycle up to 0.004."""
    torch.manual_seed(seed)
    model = make()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    order = _batches(len(data.train))
    for _ in range(steps):
        rows = next(order)
        noisy = data.train[rows] + 0.05 * torch.randn(len(rows), 1, 8, 8)
        loss = cross_entropy(model(noisy), data.train_labels[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return model.eval()


def _batches(n: int) -> Iterator[Tensor]:
    while True:
        order = torch.randperm(n)
        yield from (order[start : start + 32] for start in range(0, n, 32))


@torch.no_grad()
def _right(model: nn.Module, data: Split) -> float:
    return float((model(data.test).argmax(-1) == data.test_labels).float().mean())


@torch.no_grad()
def erased(model: ViT, images: Tensor, seed: int) -> dict[str, float]:
    """Return how many answers change when a patch is painted black, and when its token is removed.

    The patch is the one the class token attends to most (mean over heads, in each block and by rollout), the
    brightest, one drawn among those with ink, or the one that is nearest in brightness to the most attended
    of the last block.
    """
    with record(model, "*.attention.weights") as heard:
        before = model(images).argmax(-1)
    layers = [weights[0] for weights in heard.values()]  # [B, H, T, T]
    ink = patches(images, 2).mean(-1)  # [B, N]
    first, last = (layer.mean(1)[:, 0, 1:] for layer in layers)
    draw = torch.Generator().manual_seed(seed)
    drawn = torch.where(ink >= INKED, torch.rand(ink.shape, generator=draw), -1.0)
    distance = (ink - ink.gather(1, last.argmax(1, keepdim=True))).abs()
    distance.scatter_(1, last.argmax(1, keepdim=True), float("inf"))
    chosen = {
        "most attended, block 1": first.argmax(1),
        "most attended, block 2": last.argmax(1),
        "most by rollout": rollout(layers)[-1][:, 0, 1:].argmax(1),
        "drawn, inked": drawn.argmax(1),
        "as bright as the most attended": distance.argmin(1),
        "brightest": ink.argmax(1),
    }
    found = {}
    for name, which in chosen.items():
        row, column = which // 4, which % 4
        y, x = torch.arange(8)[:, None] // 2, torch.arange(8) // 2
        black = (y == row[:, None, None]) & (x == column[:, None, None])  # [B, 8, 8]
        found[f"painted: {name}"] = _changed(model(images.masked_fill(black[:, None], 0)), before)
        kept = torch.ones(len(images), 1, 17, dtype=torch.bool)
        kept.scatter_(2, which[:, None, None] + 1, False)
        found[f"removed: {name}"] = _changed(model(images, kept), before)
    for block, layer in enumerate(layers, 1):
        inked = ink >= INKED
        to_patches = layer[:, :, 0, 1:]  # [B, H, N]
        heads = [_lean(to_patches[:, head], inked) for head in range(to_patches.shape[1])]
        found[f"lean to ink, block {block}"] = _lean(to_patches.mean(1), inked)
        found[f"lean to ink, block {block}, least head"] = min(heads)
        found[f"lean to ink, block {block}, most head"] = max(heads)
    return found


def _changed(logits: Tensor, before: Tensor) -> float:
    return (logits.argmax(-1) != before).float().mean().item()


def _lean(weights: Tensor, inked: Tensor) -> float:
    """Return how much more a patch with ink gets than one without, over all pictures."""
    return (weights[inked].mean() / weights[~inked].mean()).item()


def measure() -> None:
    """Train what is compared, three seeds each, erase patches, and write the result."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    figures: dict[str, list[float]] = {}
    seconds: list[float] = []

    def note(name: str, value: float) -> None:
        figures.setdefault(name, []).append(round(value, 4))

    for seed in _SEEDS:
        data, start = split(seed), time.process_time()
        model = train(vit, data, seed)
        assert isinstance(model, ViT)
        note("ViT", _right(model, data))
        seconds.append(round(time.process_time() - start, 1))
        for name, value in erased(model, data.test, seed).items():
            note(name, value)
        note("ViT, no positions", _right(train(lambda: vit("none"), data, seed), data))
        note("ViT, fixed waves", _right(train(lambda: vit("sinusoidal"), data, seed), data))
        note("ViT, patches of 4", _right(train(lambda: vit(patch=4), data, seed), data))
        for n in (*_FEWER, 1198):
            some = split(seed, n)
            flat, test = some.train.flatten(1).numpy(), some.test.flatten(1).numpy()
            if n < 1198:
                note(f"ViT, {n} pictures", _right(train(vit, some, seed), some))
            label = "" if n == 1198 else f", {n} pictures"
            note(f"convolution{label}", _right(train(convolution, some, seed), some))
            logistic = LogisticRegression(max_iter=2000).fit(flat, some.train_labels)
            note(f"logistic regression{label}", float(logistic.score(test, some.test_labels)))
            nearest = KNeighborsClassifier(1).fit(flat, some.train_labels)
            note(f"nearest neighbour{label}", float(nearest.score(test, some.test_labels)))
        print(seed, {name: values[-1] for name, values in figures.items()}, flush=True)
    record_result(
        "digits",
        command="python -m tools.experiments digits",
        seeds=_SEEDS,
        metrics=figures,
        provenance=provenance(choose_device("cpu"), 1),
        parameters=sum(p.numel() for p in vit().parameters()),
        notes="scikit-learn's digits, 599 to test, 1,198 or fewer to train; each seed draws the split too. "
        "2,280 steps of 32 pictures, whatever the number of pictures. Shares of the 599: right answers, or "
        "answers that change when one of 16 patches is painted black or its token removed. A patch has ink "
        f"if its mean is at least {INKED} of white; the lean is how many times the attention of one without "
        "it gets from the class token. The seconds are CPU-seconds of the ViT with learned positions.",
        seconds={"wall": seconds, "cpu": seconds},
        folder=ROOT / "results",
    )
