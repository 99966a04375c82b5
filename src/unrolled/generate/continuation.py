"""Let a GPT continue what it is given. Taught in chapter 10."""

from functools import partial

import torch
from jaxtyping import Int
from torch import Generator, Tensor

from unrolled.generate.modes import writing
from unrolled.generate.sampling import check_sampling, sample_next
from unrolled.nn.embedding import check_tokens
from unrolled.nn.gpt import GPT
from unrolled.nn.lean import lean
from unrolled.shapes import Lengths, ShapeError, Tokens, check_integers, check_shape, check_sizes

__all__ = ["generate"]


def generate(
    model: GPT,
    tokens: Tokens,
    max_new_tokens: int,
    *,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float | None = None,
    eos: int | None = None,
    lengths: Lengths | None = None,
    cache: bool = True,
    generator: Generator | None = None,
) -> Int[Tensor, "B N"]:
    """Continue every prompt, one token after another.

    Prompts of different lengths share a batch without padding between tokens: writing starts behind the
    shortest prompt, and a row whose prompt goes on gets its own next token instead of the model's. So every
    position is what it would be alone, and a greedy row is the same in a batch and by itself; the price is
    one step for each token by which the longest prompt exceeds the shortest.

    Up to the model's `max_len` the cache makes a step cost one token. Past it the model reads the last
    `max_len` tokens anew for each token, since every position has moved: a step then costs a whole context.

    Args:
        model: a `GPT`; it writes in evaluation mode and is left in the mode it had.
        tokens: prompts ``[B, T]``, padded on the right where `lengths` says so.
        max_new_tokens: how many tokens each row gets at most.
        temperature: 0 takes the likeliest token; see `sample_next`, as for `top_k` and `top_p`.
        top_k: draw from the k likeliest tokens.
        top_p: draw from the likeliest tokens that have this probability together.
        eos: the token that ends a row; a row that has written it gets nothing else. Those of the prompt do
            not count.
        lengths: how many tokens of each prompt are real, ``[B]``, from 1 to T; all T unless given.
        cache: whether to keep keys and values; the tokens are the same without.
        generator: where chance comes from; torch's own unless given.

    Returns:
        Prompts and continuations ``[B, N]``, N the longest prompt plus `max_new_tokens`, or less when every
        row has ended. Behind its end a row is filled with `eos`, or with 0 where none is given.

    Raises:
        ShapeError: the prompts are not ``[B, T]`` with T of at least 1, or the lengths not ``[B]``.
        TypeError: the prompts or the lengths are not integers.
        ValueError: an option or a length is out of range, or the model's logits are not finite.

    Example:
        >>> import torch
        >>> from unrolled.generate import generate
        >>> from unrolled.nn import GPT, GPTConfig
        >>> model = GPT(GPTConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=1))
        >>> generate(model, torch.tensor([[1, 5, 7]]), max_new_tokens=4).shape
        torch.Size([1, 7])
    """
    check_sampling(temperature, top_k, top_p)
    starts = _checked(tokens, max_new_tokens, lengths)
    if eos is not None and not 0 <= eos < model.config.vocab_size:
        raise ValueError(f"eos: expected a token from 0 to {model.config.vocab_size - 1}, got {eos}")
    shortest, longest = min(starts), max(starts)
    total, context = longest + max_new_tokens, model.config.max_len
    written = tokens.new_full((tokens.shape[0], total), 0 if eos is None else eos)
    start = torch.tensor(starts, device=tokens.device)
    for row, length in enumerate(starts):
        written[row, :length] = tokens[row, :length]
    ended = torch.zeros_like(start, dtype=torch.bool)
    keys_values = model.new_cache(min(total, context)) if cache else None
    read = 0
    with writing(model):
        step = (
            None if keys_values is None else lean(model, keys_values, call=partial(model, cache=keys_values))
        )
        for t in range(shortest, total):
            if step is not None and 0 < read == t - 1 < context:
                logits = step(written[:, read:t])  # [B, 1, V]
                read = t
            elif keys_values is not None and t <= context:
                logits = model(written[:, read:t], cache=keys_values)  # [B, t - read, V]
                read = t
            else:
                logits = model(written[:, max(0, t - context) : t])  # [B, min(t, context), V]
            new = sample_next(logits[:, -1], temperature, top_k, top_p, generator)  # [B]
            if eos is None and shortest == longest:
                written[:, t] = new
                continue
            # A row writes from the end of its prompt to its own end; elsewhere it keeps what it has.
            writes = (start <= t) & (t < start + max_new_tokens) & ~ended
            written[:, t] = torch.where(writes, new, written[:, t])
            if eos is not None:
                ended |= (writes & (new == eos)) | (t + 1 >= start + max_new_tokens)
                if bool(ended.all()):
                    return written[:, : t + 1]
    return written


def _checked(tokens: Tensor, max_new_tokens: int, lengths: Tensor | None) -> list[int]:
    """Return the length of every prompt, or raise."""
    check_shape("tokens", tokens, "B T")
    check_tokens("tokens", tokens, tokens.shape[1])  # prompts may be longer than the context
    if tokens.numel() == 0:
        raise ShapeError(
            f"tokens: expected at least one prompt of at least one token, got {list(tokens.shape)}"
        )
    check_sizes(low=0, max_new_tokens=max_new_tokens)
    if lengths is None:
        return [tokens.shape[1]] * tokens.shape[0]
    check_shape("lengths", lengths, "B", B=tokens.shape[0])
    check_integers("lengths", lengths)
    starts: list[int] = lengths.tolist()
    if min(starts) < 1 or max(starts) > tokens.shape[1]:
        raise ValueError(f"lengths: expected 1 to {tokens.shape[1]}, got {starts}")
    return starts
