r"""One training step of several workers as a timeline: who computes when, and when the wire is busy.

It is a model of time, and leaves out what is small: the optimizer's step, and the adding of gradients. A
ring passes bytes at `bandwidth` per second in each direction, and each message waits for `latency`. Taught
in chapter 14.
"""

from dataclasses import dataclass
from typing import Literal, get_args

__all__ = ["MAX_BUCKETS", "MAX_WORKERS", "Setting", "Span", "Strategy", "Timeline", "timeline"]

Strategy = Literal["ddp", "fsdp"]
"""How workers share a model: each holds all of it, or a part."""
Kind = Literal["forward", "backward", "gather", "reduce"]

MAX_WORKERS = 64
"""The most workers a timeline is drawn for."""
MAX_BUCKETS = 32
"""The most buckets that gradients are sent in."""


@dataclass(frozen=True)
class Setting:
    """What a step is made of.

    Attributes:
        workers: how many, each with a batch of its own.
        megabytes: of the model's parameters, and of their gradients: a million bytes each.
        gigabytes_per_s: how fast a worker sends: a thousand million bytes a second.
        compute_ms: forward and backward pass of one worker, in milliseconds.
        buckets: in how many pieces the model is sent.
        overlap: whether the wire works while the workers compute.
        strategy: ``"ddp"``: everybody has the whole model, and gradients are averaged by an all-reduce;
            ``"fsdp"``: everybody keeps a share, gathers each piece when it is needed, twice, and receives its
            own share of the gradients.
        latency_us: how long a message takes that is empty, in microseconds.

    Raises:
        ValueError: a number is out of range.

    Example:
        >>> from unrolled.timeline import Setting
        >>> Setting(workers=8).strategy
        'ddp'
    """

    workers: int = 4
    megabytes: float = 500.0
    gigabytes_per_s: float = 10.0
    compute_ms: float = 300.0
    buckets: int = 6
    overlap: bool = True
    strategy: Strategy = "ddp"
    latency_us: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what makes no step."""
        for name, low, high in (("workers", 1, MAX_WORKERS), ("buckets", 1, MAX_BUCKETS)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ValueError(f"{name}: expected a whole number from {low} to {high}, got {value!r}")
        for name, zero in (
            ("megabytes", False), ("gigabytes_per_s", False), ("compute_ms", False), ("latency_us", True),
        ):  # fmt: skip
            value = getattr(self, name)
            # Times are quotients of these: none is so small that one of them has no end.
            if not (1e-9 < value < 1e9 or (zero and value == 0)):
                above = "above 0 or 0" if zero else "above 0"
                raise ValueError(f"{name}: expected a number {above}, got {value} (1e-9 to 1e9 can be drawn)")
        if self.strategy not in get_args(Strategy):
            raise ValueError(
                f"strategy: expected one of {', '.join(get_args(Strategy))}, got {self.strategy!r}"
            )


@dataclass(frozen=True)
class Span:
    """From when to when, in milliseconds, a worker or its wire does one thing with one piece.

    Attributes:
        kind: ``forward`` and ``backward`` are computed; ``gather`` (all-gather) and ``reduce`` (all-reduce,
            with fsdp reduce-scatter) are on the wire.
        piece: which piece of the model, from 0 at its input.
        start: when it begins.
        end: when it has ended.
    """

    kind: Kind
    piece: int
    start: float
    end: float


@dataclass(frozen=True)
class Timeline:
    """A step, the same for each worker.

    Attributes:
        compute: what is computed, in order.
        wire: what is sent, in order.
        step_ms: how long the step takes.
        efficiency: the share of it in which a worker computes.
        speedup: tokens per second, in those of one worker alone: efficiency times workers.
        sent_megabytes: what each worker sends.
        held_megabytes: parameters, gradients and AdamW's two moments that each keeps.
    """

    compute: tuple[Span, ...]
    wire: tuple[Span, ...]
    step_ms: float
    efficiency: float
    speedup: float
    sent_megabytes: float
    held_megabytes: float


def timeline(setting: Setting) -> Timeline:
    r"""Return the timeline of a step.

    An all-reduce of S bytes by a ring of N workers is 2(N − 1) messages of S/N bytes for each; an all-gather
    or a reduce-scatter is half of it. The forward pass is a third of the computing, the backward pass two
    thirds.

    Reference:
        Patarasuk and Yuan, Bandwidth optimal all-reduce algorithms, 2009; Li et al., PyTorch Distributed,
        2020.

    Example:
        >>> from unrolled.timeline import Setting, timeline
        >>> apart = timeline(Setting(workers=4, buckets=1, overlap=False))
        >>> together = timeline(Setting(workers=4, buckets=6, overlap=True))
        >>> together.step_ms < apart.step_ms
        True
    """
    s, n, k = setting, setting.workers, setting.buckets
    turns = n - 1  # of a reduce-scatter, or of an all-gather
    once = turns * (s.megabytes / k / n / s.gigabytes_per_s + s.latency_us / 1e3)  # MB / (GB/s) is ms
    forward, backward = s.compute_ms / 3 / k, 2 * s.compute_ms / 3 / k
    order: list[tuple[Kind, int, float]] = [("forward", piece, forward) for piece in range(k)]
    order += [("backward", piece, backward) for piece in reversed(range(k))]
    compute, wire = (_ddp if s.strategy == "ddp" else _fsdp)(order, once if turns else 0.0, s.overlap)
    step = max(span.end for span in (*compute, *wire))
    passes = 2 if s.strategy == "ddp" else 3
    whole = 4 * s.megabytes
    return Timeline(
        tuple(compute),
        tuple(wire),
        step,
        s.compute_ms / step,
        n * s.compute_ms / step,
        passes * turns / n * s.megabytes,
        whole if s.strategy == "ddp" else whole / n,
    )


def _ddp(order: list[tuple[Kind, int, float]], once: float, overlap: bool) -> tuple[list[Span], list[Span]]:
    """Compute without a break; each piece is reduced when its gradients are there and the wire is free."""
    compute: list[Span] = []
    now = 0.0
    for kind, piece, long in order:
        compute.append(Span(kind, piece, now, now + long))
        now += long
    wire: list[Span] = []
    free = 0.0 if overlap else now
    for span in compute:
        if span.kind == "backward" and once:
            start = max(free, span.end)
            free = start + 2 * once
            wire.append(Span("reduce", span.piece, start, free))
    return compute, wire


def _fsdp(order: list[tuple[Kind, int, float]], once: float, overlap: bool) -> tuple[list[Span], list[Span]]:
    """Gather each piece before it is computed with; with overlap, one piece ahead."""
    compute: list[Span] = []
    wire: list[Span] = []
    free = 0.0

    def send(kind: Kind, piece: int, ready: float) -> float:
        nonlocal free
        start = max(free, ready)
        free = start + once
        if once:
            wire.append(Span(kind, piece, start, free))
        return free

    there = send("gather", order[0][1], 0.0)
    ended = 0.0
    for i, (kind, piece, long) in enumerate(order):
        start = max(ended, there)
        ended = start + long
        compute.append(Span(kind, piece, start, ended))
        following = order[i + 1][1] if i + 1 < len(order) else None
        if overlap and following is not None:
            there = send("gather", following, start)
        if kind == "backward":
            reduced = send("reduce", piece, ended)
            if not overlap:
                ended = reduced
        if not overlap and following is not None:
            there = send("gather", following, ended)
    return compute, wire
