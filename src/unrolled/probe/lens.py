"""The logit lens: what a GPT would say if it ended after fewer blocks. Taught in chapter 12."""

import torch
from torch import Tensor

from unrolled.nn.gpt import GPT
from unrolled.shapes import Mask, Tokens
from unrolled.tap import record

__all__ = ["logit_lens"]


@torch.no_grad()
def logit_lens(model: GPT, tokens: Tokens, mask: Mask | None = None) -> Tensor:
    r"""Return the logits of the residual stream before the first block and after each, ``[L + 1, B, T, V]``.

    .. math::  \mathrm{LN}_{\mathrm{final}}(x^{(l)})\, U^\top, \qquad l = 0 \dots L

    The last are those of the model. The final norm and the output matrix were trained on the last stream
    alone; that they mean something on the ones before is an observation, not a promise.

    Args:
        model: a `GPT`.
        tokens: integers ``[B, T]``.
        mask: as in `GPT.forward`.

    Raises:
        TypeError: the model is no `GPT`.

    Reference:
        nostalgebraist, Interpreting GPT: the Logit Lens, 2020.

    Example:
        >>> import torch
        >>> from unrolled.nn import GPT, GPTConfig
        >>> from unrolled.probe import logit_lens
        >>> model = GPT(GPTConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=3)).eval()
        >>> logit_lens(model, torch.tensor([[1, 5, 7]])).shape
        torch.Size([4, 1, 3, 11])
    """
    if not isinstance(model, GPT):
        raise TypeError(f"model: expected a GPT, got {type(model).__name__}")
    with record(model, "embedded", *(f"layers.{i}.stream" for i in range(len(model.layers)))) as heard:
        model(tokens, mask)
    logits: Tensor = model.lm_head(model.final_norm(torch.stack([x for (x,) in heard.values()])))
    return logits  # [L + 1, B, T, V]
