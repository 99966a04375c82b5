"""The cost calculator: what a model keeps, computes and moves, and what bounds it on a card.

Used in chapter 13.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import traitlets

from unrolled.costs import (
    KNOWN,
    Hardware,
    Sizes,
    cache_bytes,
    operations,
    parameters,
    traffic,
    weight_bytes,
)
from unrolled.widgets.base import Widget, table_html

__all__ = ["CostCalculator"]

BITS = (32, 16, 8, 4)
# What a reader may type: name, what it is called, from, to.
_WHOLE = {
    "n_layers": ("Blocks", 1, 10_000),
    "d_model": ("Components, d", 1, 1_000_000),
    "n_heads": ("Heads", 1, 100_000),
    "n_kv_heads": ("Key/value heads", 1, 100_000),
    "d_ff": ("Feed-forward width", 0, 10_000_000),
    "vocab_size": ("Vocabulary", 1, 100_000_000),
    "max_len": ("Longest context", 1, 100_000_000),
    "length": ("Context, tokens", 1, 100_000_000),
    "batch": ("Batch, sequences", 1, 1_000_000),
}
_CARD = {
    "peak": ("Peak, 10¹² operations/s", 0.001, 1_000_000),
    "bandwidth": ("Bandwidth, 10⁹ bytes/s", 0.001, 1_000_000),
}
LIMITS: dict[str, dict[str, Any]] = {
    name: {"label": label, "low": low, "high": high, "whole": name in _WHOLE, "help": ""}
    for name, (label, low, high) in (_WHOLE | _CARD).items()
}
PARTS = {
    "embedding": "embeddings",
    "attention": "attention",
    "feedforward": "feed-forward",
    "norms": "norms",
    "head": "output layer",
}
PASSES = {"training": "training step", "prefill": "prefill", "decode": "decoding step"}


class CostCalculator(Widget):
    """A model, a context, a batch and a card: parameters, operations, cache, and the least time of a pass.

    The reader chooses a published model or sizes of their own. What is computed are the functions of
    `unrolled.costs`, in whole numbers that are never rounded. Taught in chapter 13.

    Args:
        model: the name of a published model, or sizes of one's own.
        length: the context in tokens; what the model was made for unless given.
        batch: sequences side by side.
        bits: of a number: 32, 16, 8 or 4.
        peak: operations the card does in a second, in 10¹².
        bandwidth: bytes it moves in a second, in 10⁹.
        title: a heading, if any.

    Raises:
        ValueError: no published model has this name, a number is out of range, or the sizes are those of a
            block of today.
    """

    name: ClassVar[str] = "cost-calculator"

    known = traitlets.Dict().tag(sync=True)
    limits = traitlets.Dict(LIMITS).tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        model: str | Sizes = "GPT-2",
        *,
        length: int | None = None,
        batch: int = 1,
        bits: int = 16,
        peak: float = 100.0,
        bandwidth: float = 1000.0,
        title: str | None = None,
    ) -> None:
        if isinstance(model, str) and model not in KNOWN:
            raise ValueError(f"model: expected one of {', '.join(KNOWN)}, got {model!r}")
        sizes = KNOWN[model].sizes if isinstance(model, str) else model
        if sizes.today is not None:
            raise ValueError("model: expected sizes without parts of today, which the page does not count")
        super().__init__(
            known={name: _resolved(known.sizes) for name, known in KNOWN.items()},
            settings={
                "chosen": model if isinstance(model, str) else "",
                "sizes": _resolved(sizes),
                "length": sizes.max_len if length is None else length,
                "batch": batch,
                "bits": bits,
                "peak": peak,
                "bandwidth": bandwidth,
            },
            title=title or "",
        )

    @traitlets.validate("settings")
    def _check_settings(self, proposal: Any) -> Any:
        given = proposal["value"]
        for name, limit in LIMITS.items():
            value = given["sizes"][name] if name in given["sizes"] else given[name]
            right = isinstance(value, int if limit["whole"] else (int, float)) and not isinstance(value, bool)
            if not right or not limit["low"] <= value <= limit["high"]:
                kind = "a whole number" if limit["whole"] else "a number"
                raise ValueError(
                    f"{name}: expected {kind} from {limit['low']:,} to {limit['high']:,}, got {value!r}"
                )
        if given["bits"] not in BITS:
            raise ValueError(f"bits: expected one of {', '.join(map(str, BITS))}, got {given['bits']!r}")
        Sizes(**given["sizes"])  # refuses heads that cannot be shared out
        return given

    def figures(self) -> dict[str, Any]:
        """Return all that is shown of what is chosen, in whole numbers and, for times, in seconds."""
        chosen: Mapping[str, Any] = self.settings
        sizes, length, batch, bits = (
            Sizes(**chosen["sizes"]),
            *(chosen[n] for n in ("length", "batch", "bits")),
        )
        card = Hardware(chosen["peak"] * 1e12, chosen["bandwidth"] * 1e9)
        passes = []
        for phase in ("training", "prefill") if sizes.encoder else ("training", "prefill", "decode"):
            counted = operations(sizes, length, batch, phase).total
            moved = traffic(sizes, length, batch, phase, bits)
            tokens = batch if phase == "decode" else batch * length
            passes.append(
                {
                    "phase": phase,
                    "counted": counted,
                    "moved": moved,
                    "arithmetic": counted / card.peak,
                    "memory": moved / card.bandwidth,
                    "intensity": float(counted) / float(moved),
                    "bound": card.bound(counted, moved),
                    "speed": tokens / card.seconds(counted, moved),
                }
            )
        return {
            "parts": asdict(parameters(sizes)),
            "weights": weight_bytes(sizes, bits),
            "cache": cache_bytes(sizes, length, batch, bits),
            "token": cache_bytes(sizes, 1, 1, bits),
            "ridge": card.ridge,
            "phases": passes,
        }

    def fallback_html(self) -> str:
        """Return what a pass takes and where the parameters are, as tables."""
        chosen, got = self.settings, self.figures()
        total = sum(got["parts"].values())
        cache = "no cache" if chosen["sizes"]["encoder"] else f"cache {got['cache']:,} bytes"
        caption = (
            f"{chosen['chosen'] or 'Sizes of your own'}: {total:,} parameters, {got['weights']:,} bytes; "
            f"{cache}. "
            f"Context {chosen['length']:,}, batch {chosen['batch']:,}, {chosen['bits']} bits a number; "
            f"{chosen['peak']:.10g} · 10¹² operations and {chosen['bandwidth']:.10g} · 10⁹ bytes a second."
        )
        columns = [
            "10⁹ operations",
            "10⁹ bytes moved",
            "operations per byte",
            "ms by arithmetic",
            "ms by memory",
            "tokens/s",
        ]
        rows = [
            (
                PASSES[one["phase"]],
                [
                    one["counted"] / 1e9,
                    one["moved"] / 1e9,
                    one["intensity"],
                    1e3 * one["arithmetic"],
                    1e3 * one["memory"],
                    one["speed"],
                ],
            )
            for one in got["phases"]
        ]
        shares = [
            (PARTS[part], [n / 1e6, 100.0 * float(n) / float(total)]) for part, n in got["parts"].items()
        ]
        return table_html(caption, columns, rows, 3) + table_html(
            "Where the parameters are, in millions.", ["parameters", "percent"], shares, 3
        )


def _resolved(s: Sizes) -> dict[str, Any]:
    """Return sizes as the script takes them: none is left to a default."""
    order = [name for name in LIMITS if name in asdict(s)]
    given = asdict(s) | {"n_kv_heads": s.kv_heads, "d_ff": s.ff}
    del given["today"]
    return {name: given[name] for name in (*order, *(name for name in given if name not in order))}
