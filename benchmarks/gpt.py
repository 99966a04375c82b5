"""One training step of a small GPT beside Hugging Face's, and in bf16 beside itself in float32."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel

from benchmarks.timing import Row, Timer
from unrolled.nn import GPT, GPTConfig

__all__ = ["LAPTOP", "LARGER", "Sizes", "bf16_units", "measure", "ours", "step", "theirs"]


@dataclass(frozen=True)
class Sizes:
    """A GPT and what it is trained on."""

    n_layers: int
    n_heads: int
    d_model: int
    length: int
    batch: int
    vocab_size: int = 65


LAPTOP = Sizes(4, 4, 128, 64, 12)
LARGER = Sizes(6, 6, 384, 256, 4)
"""The character model that is trained on a GPU, with a smaller batch."""


def ours(s: Sizes) -> GPT:
    """Return our model, without dropout."""
    return GPT(GPTConfig(s.vocab_size, s.length, s.d_model, s.n_heads, s.n_layers))


def theirs(s: Sizes) -> GPT2LMHeadModel:
    """Return theirs, of the same shape, with its default attention (scaled_dot_product_attention)."""
    config = GPT2Config(
        vocab_size=s.vocab_size,
        n_positions=s.length,
        n_embd=s.d_model,
        n_layer=s.n_layers,
        n_head=s.n_heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        use_cache=False,
        bos_token_id=0,
        eos_token_id=None,
    )
    return GPT2LMHeadModel(config).train()


def step(model: nn.Module, tokens: Tensor, bf16: bool = False) -> Callable[[], None]:
    """Return one training step: forward, loss, backward, a fused AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    context, answers = tokens[:, :-1], tokens[:, 1:].flatten()
    device = tokens.device.type

    def run() -> None:
        with torch.autocast(device, torch.bfloat16) if bf16 else nullcontext():
            out = model(context)
            logits = out if isinstance(out, Tensor) else out.logits
            loss = cross_entropy(logits.flatten(0, 1).float(), answers)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return run


def bf16_units() -> bool:
    """Tell whether this CPU multiplies matrices in bf16 by units of their own (AMX)."""
    return bool(getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)())


def measure(timer: Timer, laptop: Sizes = LAPTOP, larger: Sizes = LARGER) -> Iterator[Row]:
    """The laptop model beside theirs; both sizes in bf16 beside float32."""
    for s, at_least in ((laptop, 1.2), (larger, None)):
        torch.manual_seed(0)
        tokens = torch.randint(s.vocab_size, (s.batch, s.length + 1))
        work = s.batch * s.length
        name = f"GPT step, {s.n_layers} layers of {s.d_model}, block {s.length}, batch {s.batch}"
        race = timer.race(step(ours(s), tokens), GPT2LMHeadModel=step(theirs(s), tokens))
        yield race.row(name, "GPT2LMHeadModel", at_least=at_least, work=work)
        race = timer.race(step(ours(s), tokens, bf16=True), ours_float32=step(ours(s), tokens))
        goal = 1.5 if bf16_units() else None
        yield race.row(f"{name}, bf16", "ours_float32", at_least=goal, work=work)
