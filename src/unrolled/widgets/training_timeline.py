"""The training timeline: what each worker computes, sends and waits for in one step. Used in chapter 14."""

from dataclasses import asdict, replace
from typing import Any, ClassVar

import traitlets

from unrolled.timeline import Setting, Timeline, timeline
from unrolled.widgets.base import Widget, table_html

__all__ = ["TrainingTimeline"]

MOST_SHOWN = 8  # workers


class TrainingTimeline(Widget):
    """A step of one to eight workers that train together, as lanes of time.

    The reader sets how many they are, the model's bytes, the bandwidth, the latency, the computing, in how
    many pieces the model is sent, whether sending and computing overlap, and whether each has the whole model
    (DDP) or keeps a share (FSDP). What is drawn is `unrolled.timeline.timeline`. Taught in chapter 14.

    Args:
        setting: what to begin with; a `Setting` with one to eight workers and at most twelve pieces.
        title: a heading, if any.

    Raises:
        TypeError: `setting` is something else.
        ValueError: it has more workers or pieces than are drawn, or a number is out of range.
    """

    name: ClassVar[str] = "training-timeline"

    workers = traitlets.Int().tag(sync=True)
    megabytes = traitlets.Float().tag(sync=True)
    gigabytes_per_s = traitlets.Float().tag(sync=True)
    compute_ms = traitlets.Float().tag(sync=True)
    buckets = traitlets.Int().tag(sync=True)
    overlap = traitlets.Bool().tag(sync=True)
    strategy = traitlets.Unicode().tag(sync=True)
    latency_us = traitlets.Float().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(self, setting: Setting | None = None, *, title: str | None = None) -> None:
        setting = Setting() if setting is None else setting
        if not isinstance(setting, Setting):
            raise TypeError(f"setting: expected a Setting, got {type(setting).__name__}")
        super().__init__(**asdict(setting), title=title or "")

    @traitlets.validate(*Setting.__dataclass_fields__)
    def _check(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        Setting(**{name: value})
        for limited, most in (("workers", MOST_SHOWN), ("buckets", 12)):
            if name == limited and value > most:
                raise ValueError(f"{name}: expected 1 to {most} to be drawn, got {value}")
        return value

    @property
    def setting(self) -> Setting:
        """What is shown."""
        return Setting(**{name: getattr(self, name) for name in Setting.__dataclass_fields__})

    def timeline(self) -> Timeline:
        """Return the step that is shown."""
        return timeline(self.setting)

    def fallback_html(self) -> str:
        """Return the same step for one to eight workers as a table."""
        rows = []
        for n in range(1, MOST_SHOWN + 1):
            step = timeline(replace(self.setting, workers=n))
            numbers = [
                step.step_ms,
                100 * step.efficiency,
                step.speedup,
                step.sent_megabytes,
                step.held_megabytes,
            ]
            rows.append((f"{n} worker{'s' if n > 1 else ''}", numbers))
        columns = [
            "step, ms",
            "efficiency, %",
            "tokens, of one worker's",
            "sent by each, MB",
            "kept by each, MB",
        ]
        return table_html(f"One step: {_told(self.setting)}", columns, rows, digits=1)


def _short(x: float) -> str:
    """Return a number as short as it can be, as the script does."""
    return f"{round(x):,}" if x >= 1000 else f"{float(f'{x:.3g}'):g}"


def _told(s: Setting) -> str:
    return (
        f"{s.strategy.upper()}, a model of {_short(s.megabytes)} MB, {_short(s.gigabytes_per_s)} GB/s, "
        f"{_short(s.latency_us)} µs a message, {_short(s.compute_ms)} ms of computing, "
        f"{s.buckets} piece{'' if s.buckets == 1 else 's'}, {'with' if s.overlap else 'without'} overlap"
    )
