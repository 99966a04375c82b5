"""A small playground: a GPT with random weights of 8 bits, and its tokenizer."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from unrolled.data.tokenizers import BytePairs
from unrolled.nn import GPT, GPTConfig
from unrolled.probe import walkthrough
from unrolled.training.checkpoint import load_model, model_tensors
from unrolled.training.eight_bits import from_eight_bits, to_eight_bits
from unrolled.widgets import Playground

__all__ = ["HEADS", "TEXT", "small_model", "small_playground", "store", "tokenizer"]

TEXT = "She bears the pain"
HEADS = 2


@cache
def tokenizer() -> BytePairs:
    """Return a tokenizer that has learned from three sentences."""
    return BytePairs.train(
        ["I love bears and bears love me. She bears the pain. Bears won the game, the bears."], vocab_size=283
    )


@cache
def small_model() -> GPT:
    """Return a model of two blocks whose numbers are large enough to tell an error."""
    torch.manual_seed(17)
    config = GPTConfig(tokenizer().vocab_size, 29, d_model=6, n_heads=HEADS, n_layers=2, d_ff=10)
    model = GPT(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn_like(weight) * 0.5)
    load_model(model, from_eight_bits(to_eight_bits(model_tensors(model))))
    return model


def store(path: Path, model: GPT | None = None) -> Path:
    """Write the weights of a model in 8 bits."""
    tensors: dict[str, Tensor] = to_eight_bits(model_tensors(model or small_model()))
    save_file(tensors, path)
    return path


def small_playground(**options: Any) -> Playground:
    """Return the widget; its weights are in the page."""
    ids = torch.tensor(tokenizer().encode(TEXT))
    with tempfile.TemporaryDirectory() as folder:
        return Playground(
            store(Path(folder) / "small.safetensors"),
            tokenizer().merges,
            TEXT,
            walkthrough(small_model(), ids),
            n_heads=HEADS,
            **options,
        )
