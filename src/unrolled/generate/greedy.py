"""Translate by taking the likeliest token at every step. Taught in chapter 9."""

import torch
from jaxtyping import Int
from torch import Tensor

from unrolled.generate.decoders import StepDecoder, check_options, check_source, step_decoder
from unrolled.generate.modes import writing
from unrolled.generate.sampling import sample_next
from unrolled.nn.seq2seq import Seq2Seq
from unrolled.nn.transformer import Transformer
from unrolled.shapes import Lengths, Tokens

__all__ = ["translate"]


def translate(
    model: Seq2Seq | Transformer | StepDecoder,
    source: Int[Tensor, "B S"],
    *,
    bos: int,
    eos: int,
    max_len: int,
    lengths: Lengths | None = None,
    cache: bool = True,
) -> Tokens:
    r"""Write the target of every source sequence, always with the likeliest next token.

    .. math::  y_t = \arg\max_v p(v \mid y_1 \dots y_{t-1}, x)

    Args:
        model: a `Seq2Seq`, a `Transformer`, or a `StepDecoder`; it is left in the mode it had.
        source: source tokens ``[B, S]``, padded on the right where `lengths` says so.
        bos: the token every target begins with.
        eos: the token that ends a target.
        max_len: how many tokens to write at most, `eos` included.
        lengths: how many tokens of each source are real, ``[B]``; all S unless given.
        cache: whether to keep what can be kept from step to step; the tokens are the same without.

    Returns:
        Target tokens ``[B, T]`` without `bos`; T is the longest target's length. Behind its end a row is
        filled with `eos`.

    Raises:
        ShapeError: the source or the lengths have another shape, or the source has no tokens.
        TypeError: the model is of another kind.
        ValueError: a token, a length or `max_len` is out of range, or logits are not finite.

    Example:
        >>> import torch
        >>> from unrolled.data.special_tokens import SPECIAL
        >>> from unrolled.generate import translate
        >>> from unrolled.training.stored import stored
        >>> trained = stored("three-bears")
        >>> task = trained.recipe.task()
        >>> source = torch.tensor([[*task.source_tokenizer.encode("she bears the pain"), SPECIAL.eos]])
        >>> written = translate(trained.model, source, bos=SPECIAL.bos, eos=SPECIAL.eos, max_len=12)
        >>> task.target_tokenizer.decode(written[0].tolist())
        'ella soporta el dolor'
    """
    decoder = step_decoder(model, cache)
    check_options(decoder, max_len, bos=bos, eos=eos)
    check_source(source)
    written = torch.full((source.shape[0], max_len), eos, device=source.device)
    with writing(model):
        state = decoder.start(source, lengths, max_len)
        tokens = torch.full((source.shape[0],), bos, device=source.device)
        ended = torch.zeros_like(tokens, dtype=torch.bool)
        for t in range(max_len):
            logits, state = decoder.step(tokens, state)
            tokens = sample_next(logits, temperature=0.0).masked_fill(ended, eos)
            written[:, t] = tokens
            ended |= tokens == eos
            if bool(ended.all()):
                return written[:, : t + 1]
    return written
