r"""Translate by following several hypotheses at once. Taught in chapter 9."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unrolled.generate.decoders import StepDecoder, check_options, check_source, step_decoder
from unrolled.generate.modes import writing
from unrolled.nn.seq2seq import Seq2Seq
from unrolled.nn.transformer import Transformer
from unrolled.shapes import Lengths, check_sizes

__all__ = ["beam_search", "length_norm"]


def length_norm(length: int, penalty: float) -> float:
    r"""Return what a log-probability is divided by, so that short targets are not preferred.

    .. math::  \mathrm{lp}(y) = \left(\frac{5 + |y|}{6}\right)^\alpha

    At :math:`\alpha = 0` it is 1.

    Reference:
        Wu et al., Google's Neural Machine Translation System, 2016, equation 14.

    Example:
        >>> from unrolled.generate.beam import length_norm
        >>> length_norm(1, 0.6), round(length_norm(7, 0.6), 3)
        (1.0, 1.516)
    """
    return float(((5 + length) / 6) ** penalty)


@dataclass
class _Finished:
    """The best finished hypotheses of every sentence, at most k, best first."""

    tokens: Tensor  # [B, k, max_len]
    scores: Tensor  # [B, k]; -inf where there is none yet

    @property
    def full(self) -> Tensor:
        """Which sentences have all their hypotheses, ``[B]``."""
        return self.scores[:, -1] > -math.inf

    def add(self, tokens: Tensor, scores: Tensor) -> None:
        """Take hypotheses ``[B, n, max_len]`` in; of all, the best k stay. What is full takes no more."""
        scores = scores.masked_fill(self.full[:, None], -math.inf)
        all_tokens = torch.cat([self.tokens, tokens], dim=1)
        self.scores, best = torch.cat([self.scores, scores], dim=1).topk(self.scores.shape[1])
        self.tokens = _rows(all_tokens, best)


def _rows(x: Tensor, index: Tensor) -> Tensor:
    """Return the given rows ``[B, n]`` of each sentence's ``[B, k, L]``."""
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[-1]))


def beam_search(
    model: Seq2Seq | Transformer | StepDecoder,
    source: Int[Tensor, "B S"],
    *,
    bos: int,
    eos: int,
    max_len: int,
    beam_size: int = 4,
    length_penalty: float = 0.6,
    lengths: Lengths | None = None,
) -> tuple[Int[Tensor, "B k T"], Float[Tensor, "B k"]]:
    r"""Write the target of every source sequence, keeping the `beam_size` likeliest beginnings at every step.

    .. math::  \mathrm{score}(y) = \frac{\sum_t \log p(y_t \mid y_1 \dots y_{t-1}, x)}{\mathrm{lp}(y)}

    with lp from `length_norm`. A hypothesis that is among the best k when it writes `eos` is finished,
    and its place goes to the next one. A sentence ends with k finished hypotheses, or after `max_len` tokens,
    where those that are still open are scored as they stand. With one beam it is greedy search; with enough
    beams for every beginning there is, it finds the best target of all.

    Args:
        model: a `Seq2Seq`, a `Transformer`, or a `StepDecoder`; it is left in the mode it had.
        source: source tokens ``[B, S]``, padded on the right where `lengths` says so.
        bos: the token every target begins with.
        eos: the token that ends a target.
        max_len: how many tokens to write at most, `eos` included.
        beam_size: k.
        length_penalty: :math:`\alpha`; larger prefers longer targets, 0 compares plain log-probabilities.
        lengths: how many tokens of each source are real, ``[B]``; all S unless given.

    Returns:
        The hypotheses of each sentence, best first, ``[B, k, T]`` without `bos` and filled with `eos` behind
        their ends, and their scores ``[B, k]``. Where a language has fewer than k targets of this length, the
        rest have the score :math:`-\infty`.

    Raises:
        ShapeError: the source or the lengths have another shape, or the source has no tokens.
        TypeError: the model is of another kind.
        ValueError: an option, a token or a length is out of range, or a logit is NaN.

    Example:
        >>> import torch
        >>> from unrolled.generate import beam_search
        >>> from unrolled.nn import Seq2Seq, Seq2SeqConfig
        >>> model = Seq2Seq(Seq2SeqConfig(source_vocab_size=11, target_vocab_size=13)).eval()
        >>> source = torch.tensor([[5, 7, 2]])
        >>> tokens, scores = beam_search(model, source, bos=1, eos=2, max_len=6, beam_size=3)
        >>> scores.shape  # the best hypothesis comes first
        torch.Size([1, 3])
    """
    check_sizes(beam_size=beam_size)
    if not 0.0 <= length_penalty < math.inf:
        raise ValueError(f"length_penalty: expected 0 or a positive number, got {length_penalty}")
    decoder = step_decoder(model)
    check_options(decoder, max_len, bos=bos, eos=eos)
    check_source(source)
    with writing(model):
        n_rows, k, device = source.shape[0], beam_size, source.device
        first_rows = torch.arange(n_rows, device=device)[:, None]  # [B, 1]
        state = decoder.start(source, lengths, max_len)
        state = decoder.reorder(state, first_rows.expand(n_rows, k).flatten())
        tokens = torch.full((n_rows, k), bos, device=device)
        written = torch.full((n_rows, k, max_len), eos, device=device)
        # All beams begin alike: one of them is enough, the others wait at probability zero.
        log_probs = torch.zeros(n_rows, k, device=device)
        log_probs[:, 1:] = -math.inf
        finished = _Finished(written, torch.full_like(log_probs, -math.inf))
        for t in range(max_len):
            logits, state = decoder.step(tokens.flatten(), state)
            if bool(logits.isnan().any()):
                raise ValueError("logits: expected numbers, got NaN")
            steps = _log_softmax(logits).view(n_rows, k, logits.shape[-1])  # [B, k, V]
            # Of 2 k continuations at most k end, one for each beam: k are left to go on with.
            totals = (log_probs[..., None] + steps).flatten(1)  # [B, k V]
            totals, best = totals.topk(min(2 * k, totals.shape[1]))
            beams, tokens = best // decoder.vocab_size, best % decoder.vocab_size  # [B, 2 k]
            ends = tokens == eos
            continued = _rows(written, beams)
            continued[..., t] = tokens
            among_best = totals[:, :k].masked_fill(~ends[:, :k], -math.inf)
            finished.add(continued[:, :k], among_best / length_norm(t + 1, length_penalty))
            if bool(finished.full.all()):
                break
            log_probs, best = totals.masked_fill(ends, -math.inf).topk(k)  # [B, k]
            tokens, beams = tokens.gather(1, best), beams.gather(1, best)
            written = _rows(continued, best)
            state = decoder.reorder(state, (first_rows * k + beams).flatten())
        else:
            finished.add(written, log_probs / length_norm(max_len, length_penalty))
    return finished.tokens[..., : t + 1].clone(), finished.scores.clone()


def _log_softmax(logits: Tensor) -> Tensor:
    """Return log-probabilities, in float32 at least: sums of many steps need it."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(dim=-1)
