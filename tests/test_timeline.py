"""The timeline of a step: what must hold of it, by hand and for random settings."""

import random
from dataclasses import replace
from itertools import pairwise
from typing import Any, get_args

import pytest

from unrolled.timeline import Setting, Strategy, timeline

BY_HAND = Setting(4, 600.0, 2.0, 300.0, 3, latency_us=0.0)
"""3 pieces of 200 MB: forward 33.3, backward 66.7 ms each; an all-reduce of one is 1.5 x 200 MB / 2 GB/s."""


def random_settings(n: int) -> list[Setting]:
    rng = random.Random(5)
    return [
        Setting(
            rng.choice([2, 3, 5, 8]),
            rng.uniform(10, 3000),
            rng.uniform(0.5, 300),
            rng.uniform(5, 900),
            rng.choice([1, 2, 3, 7]),
            rng.random() < 0.5,
            rng.choice(get_args(Strategy)),
            rng.choice([0.0, 13.0, 500.0]),
        )
        for _ in range(n)
    ]


def test_by_hand() -> None:
    apart = timeline(replace(BY_HAND, overlap=False))
    assert apart.step_ms == pytest.approx(300 + 3 * 150)
    together = timeline(BY_HAND)
    # The first piece is ready at 100 + 66.7 ms; from there on the wire has no pause.
    assert together.step_ms == pytest.approx(500 / 3 + 3 * 150)
    assert together.efficiency == pytest.approx(300 / (500 / 3 + 450))
    assert together.speedup == pytest.approx(4 * together.efficiency)
    assert together.sent_megabytes == pytest.approx(1.5 * 600)
    assert together.held_megabytes == 2400
    assert apart.sent_megabytes == together.sent_megabytes
    sharded = timeline(replace(BY_HAND, strategy="fsdp", overlap=False))
    # Two gathers and one reduce-scatter of each piece, 75 ms each, one after another.
    assert sharded.step_ms == pytest.approx(300 + 9 * 75)
    assert [sharded.sent_megabytes, sharded.held_megabytes] == pytest.approx([2.25 * 600, 600])


def test_a_fast_wire_is_hidden_but_for_the_last_piece() -> None:
    fast = timeline(replace(BY_HAND, gigabytes_per_s=100.0))
    assert fast.step_ms == pytest.approx(300 + 3)
    sharded = timeline(replace(BY_HAND, gigabytes_per_s=100.0, strategy="fsdp"))
    assert sharded.step_ms == pytest.approx(1.5 + 300 + 1.5)  # the first gather, and the last reduce-scatter


def test_one_worker_sends_nothing() -> None:
    for alone in (timeline(Setting(1, strategy=name, compute_ms=70.0)) for name in get_args(Strategy)):
        assert alone.wire == ()
        assert [alone.step_ms, alone.efficiency] == pytest.approx([70, 1])
        assert alone.sent_megabytes == 0


@pytest.mark.parametrize("setting", random_settings(40))
def test_nothing_is_used_before_it_is_there(setting: Setting) -> None:
    step = timeline(setting)
    for lane in (step.compute, step.wire):
        assert all(a.end <= b.start + 1e-9 for a, b in pairwise(lane))
    assert sum(s.end - s.start for s in step.compute) == pytest.approx(setting.compute_ms)
    assert step.step_ms == max(s.end for s in step.compute + step.wire)
    once = (setting.workers - 1) * (
        setting.megabytes / setting.workers / setting.buckets / setting.gigabytes_per_s
        + setting.latency_us / 1000
    )
    passes = 2 if setting.strategy == "ddp" else 3
    assert sum(s.end - s.start for s in step.wire) == pytest.approx(passes * setting.buckets * once)
    computed = {(s.kind, s.piece): s for s in step.compute}
    for sent in step.wire:
        if sent.kind == "reduce":
            assert sent.start >= computed["backward", sent.piece].end - 1e-9
    if setting.strategy == "fsdp":
        gathers = [s for s in step.wire if s.kind == "gather"]
        assert len(gathers) == len(step.compute)
        for got, used in zip(gathers, step.compute, strict=True):
            assert got.piece == used.piece
            assert got.end <= used.start + 1e-9
        # Only one piece ahead: two are held at a time.
        assert all(
            got.start >= used.start - 1e-9 for got, used in zip(gathers[1:], step.compute, strict=False)
        )
    slower = timeline(replace(setting, overlap=False))
    assert step.step_ms <= slower.step_ms + 1e-9
    if not setting.overlap:
        assert step.step_ms == pytest.approx(setting.compute_ms + passes * setting.buckets * once)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"workers": 0}, "workers: expected a whole number from 1 to 64, got 0"),
        ({"workers": 2.0}, "workers: expected a whole number from 1 to 64, got 2.0"),
        ({"buckets": 33}, "buckets: expected a whole number from 1 to 32, got 33"),
        ({"megabytes": 0.0}, "megabytes: expected a number above 0, got 0.0"),
        ({"gigabytes_per_s": float("nan")}, "gigabytes_per_s: expected a number above 0, got nan"),
        ({"compute_ms": float("inf")}, "compute_ms: expected a number above 0, got inf"),
        ({"latency_us": -1.0}, "latency_us: expected a number above 0 or 0, got -1.0"),
        ({"strategy": "zero"}, "strategy: expected one of ddp, fsdp, got 'zero'"),
    ],
)
def test_settings_that_make_no_step_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Setting(**change)
