"""What chapter 13 counts, measured: prefill and decode, batches, and where T² overtakes d²."""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from benchmarks.timing import Race, Row, Spread, Timer
from unrolled.nn import GPT, DecoderCache, GPTConfig

__all__ = ["WRITER", "crossing", "measure"]

WRITER = GPTConfig(vocab_size=4096, max_len=256, d_model=512, n_heads=8, n_layers=6)
LENGTHS = (64, 128, 256, 512, 1024, 2048)
WIDTH, HEADS = 256, 4


def measure(
    timer: Timer,
    config: GPTConfig = WRITER,
    batch: int = 16,
    lengths: tuple[int, ...] = LENGTHS,
    d: int = WIDTH,
    n_heads: int = HEADS,
) -> Iterator[Row]:
    """Prefill beside decoding, one sequence beside many, pairs beside projections at each length."""
    with torch.no_grad():
        rows = [*_decoding(timer, config, batch), *_pairs(timer, lengths, d, n_heads)]
    yield from rows


def _decoding(timer: Timer, config: GPTConfig, batch: int) -> Iterator[Row]:
    torch.manual_seed(0)
    model, length = GPT(config).eval(), config.max_len
    tokens = torch.randint(config.vocab_size, (batch, length))

    def filled(batch: int) -> DecoderCache:
        cache = model.new_cache()
        model(tokens[:batch, :-1], cache=cache)
        return cache

    def step(cache: DecoderCache, batch: int) -> None:
        for layer in cache.layers:
            layer.length = length - 1  # the same step again
        model(tokens[:batch, -1:], cache=cache)

    one, many = filled(1), filled(batch)
    race = timer.race(
        lambda: model(tokens[:1], cache=model.new_cache()),
        decoding_step=lambda: step(one, 1),
        decoding_step_of_a_batch=lambda: step(many, batch),
    )
    name = f"GPT, {config.n_layers} blocks of {config.d_model}"
    # In tokens per second: a prefill has many in one call, a step of decoding one for each sequence.
    yield _per_token(race, f"{name}: prefill of {length}", length, "decoding_step", 1)
    batched = Race({"ours": race.times["decoding_step_of_a_batch"], "one": race.times["decoding_step"]})
    yield _per_token(batched, f"{name}: decoding, batch {batch}", batch, "one", 1)


def _per_token(race: Race, case: str, work: int, other: str, other_work: int) -> Row:
    pairs = zip(race.times["ours"], race.times[other], strict=True)
    ratio = Spread.of([theirs / other_work / (ours / work) for ours, theirs in pairs])
    ours, theirs = (Spread.of(race.times[name]).median for name in ("ours", other))
    reference = "decoding, batch 1"
    return Row(case, reference, "tokens/s", work / ours, other_work / theirs, ratio, None)


def _pairs(timer: Timer, lengths: tuple[int, ...], d: int, n_heads: int) -> Iterator[Row]:
    qkv, out = nn.Linear(d, 3 * d), nn.Linear(d, d)
    ratios = []
    for length in lengths:
        x = torch.randn(1, length, d)
        query, key, value = torch.randn(3, 1, n_heads, length, d // n_heads)

        def projections(x: Tensor = x) -> None:
            qkv(x), out(x)

        def pairs(q: Tensor = query, k: Tensor = key, v: Tensor = value) -> None:
            scaled_dot_product_attention(q, k, v)

        row = timer.race(pairs, projections=projections).row(
            f"attention's pairs, T={length} d={d}", "projections"
        )
        ratios.append(1 / row.ratio.median)  # pairs over projections
        yield row
    met = crossing(lengths, ratios)
    if not math.isnan(met):
        counted = 2 * d
        spread = Spread(*[met / counted] * 3)
        yield Row(
            f"pairs take as long as projections, d={d}",
            "counted: T = 2 d",
            "tokens",
            met,
            counted,
            spread,
            None,
        )


def crossing(lengths: tuple[int, ...], ratios: list[float]) -> float:
    """Return where the ratio passes 1, on a straight line between logarithms; NaN if it does not."""
    for (a, b), (low, high) in zip(pairwise(lengths), pairwise(ratios), strict=True):
        if low < 1 <= high:
            share = -math.log(low) / (math.log(high) - math.log(low))
            return math.exp(math.log(a) + share * (math.log(b) - math.log(a)))
    return math.nan
