"""What short experiments share: a GPT that learns for a few hundred steps, and one that sees otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.data.batches import crops
from unrolled.nn import GPT, MixtureOfExperts, balance_losses
from unrolled.nn.parts import Parts
from unrolled.training.loss import cross_entropy
from unrolled.training.schedule import learning_rate_factor

__all__ = ["learn", "with_attention"]


def learn(
    model: GPT, text: Tensor, chance: torch.Generator, *, batch: int, steps: int, rate: float
) -> list[float]:
    """Train a model in place, in bf16, by AdamW with one cycle; return the loss in nats of every step.

    Texts are as long as the model sees. A small second loss asks that experts, if any, be used alike.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.1)
    losses = []
    for step in range(steps):
        factor = learning_rate_factor("one_cycle", step, steps, max(1, steps // 10))
        optimizer.param_groups[0]["lr"] = rate * factor
        tokens, answers = crops(text, batch, model.config.max_len, chance)
        with _uneven(model) as uneven, torch.autocast("cpu", torch.bfloat16):
            logits = model(tokens)
        loss, count = cross_entropy(logits.float(), answers)
        loss = loss / count
        losses.append(loss.item())
        optimizer.zero_grad()
        (loss + 0.01 * sum(uneven)).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()
    return losses


@contextmanager
def _uneven(model: GPT) -> Iterator[list[Tensor]]:
    """Collect how unevenly experts are used, if there are any."""
    if any(isinstance(part, MixtureOfExperts) for part in model.modules()):
        with balance_losses(model) as losses:
            yield losses
    else:
        yield []


def with_attention(model: GPT, parts: Parts, **options: Any) -> GPT:
    """Return a copy of a model of these parts, its weights the same, with other options of its attention."""
    other = GPT(model.config, replace(parts, attention=partial(parts.attention, **options)))
    other.load_state_dict(model.state_dict())
    return other.eval()
