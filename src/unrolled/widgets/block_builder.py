"""The block builder: a block put together from parts, what it weighs, and how the trained ones learned.

Used in chapter 15.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import traitlets

from unrolled.costs.parameters import linear, norm
from unrolled.inputs import not_text
from unrolled.widgets.base import Widget, table_html

__all__ = ["BlockBuilder"]

# What can be chosen: of each part the first is GPT-2's.
CHOICES: dict[str, tuple[Any, ...]] = {
    "norm": ("LayerNorm", "RMSNorm"),
    "order": ("before", "behind"),
    "feedforward": ("GELU", "SwiGLU"),
    "positions": ("learned", "rotary"),
    "biases": (True, False),
    "heads": ("multi-head", "grouped", "multi-query", "latent"),
    "qk_norm": (False, True),
    "window": (False, True),
    "sink": (False, True),
    "experts": (False, True),
}
FIRST: dict[str, Any] = {name: options[0] for name, options in CHOICES.items()}
LENGTHS = (32, 128, 1024, 8192, 100_000)
BYTES = 4  # of a number of 32 bits
SIZES = ("vocab_size", "context", "d_model", "n_heads", "n_layers", "window", "n_experts", "top_k")
_LATENT = ("d_latent", "d_rotary")


class BlockBuilder(Widget):
    """A small GPT whose block the reader puts together: its drawing, its numbers, and measured curves.

    The feed-forward layer is so wide that a token goes through as many parameters as in GPT-2's block:
    every choice is paid for. Computed are parameters, those a token goes through, the cache, and the
    operations for one more token (its products). Taught in chapter 15.

    Args:
        sizes: ``vocab_size``, ``context``, ``d_model``, ``n_heads`` (even), ``n_layers``; ``window``, the
            positions that are seen; ``n_experts``, ``top_k``; ``d_latent``, ``d_rotary`` of latent attention.
        steps: the N steps at which the curves were measured.
        measured: by name what was trained, the block it is compared with first: ``choices`` that differ
            from GPT-2's, ``curves`` (seeds, N) of the loss in nats, and ``bits``, per byte held out, for
            each seed.
        chosen: what the block differs in from GPT-2's to begin with.
        length: tokens so far, the newest included: 32, 128, 1024, 8192 or 100000.
        title: a heading, if any.

    Raises:
        ValueError: a size, a choice or a curve that is not possible.
    """

    name: ClassVar[str] = "block-builder"

    sizes = traitlets.Dict().tag(sync=True)
    steps = traitlets.List(traitlets.Float()).tag(sync=True)
    measured = traitlets.Dict().tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        sizes: Mapping[str, int],
        steps: Sequence[float] = (),
        measured: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        chosen: Mapping[str, Any] | None = None,
        length: int = 128,
        title: str | None = None,
    ) -> None:
        for name in (*SIZES, *_LATENT):
            size = sizes.get(name)
            if isinstance(size, bool) or not isinstance(size, int) or size < 1:
                raise ValueError(f"sizes: expected {name}, a whole number from 1, got {size!r}")
        if sizes["n_heads"] % 2 or sizes["d_model"] % (2 * sizes["n_heads"]) or sizes["d_rotary"] % 2:
            raise ValueError("sizes: expected even n_heads, d_model / n_heads and d_rotary")
        if sizes["top_k"] > sizes["n_experts"]:
            raise ValueError(f"sizes: expected top_k of at most n_experts={sizes['n_experts']}")
        super().__init__(
            sizes={name: sizes[name] for name in (*SIZES, *_LATENT)},
            steps=[float(step) for step in not_text("steps", steps, "steps")],
            measured={name: _run(name, run, len(steps)) for name, run in (measured or {}).items()},
            settings=FIRST | dict(chosen or {}) | {"length": length},
            title=title or "",
        )

    @traitlets.validate("settings")
    def _check_settings(self, proposal: Any) -> Any:
        given = dict(proposal["value"])
        length = given.pop("length", None)
        if length not in LENGTHS:
            raise ValueError(f"length: expected one of {', '.join(map(str, LENGTHS))}, got {length!r}")
        _check("settings", given)
        return proposal["value"]

    def figures(self, choices: Mapping[str, Any] | None = None) -> dict[str, int]:
        """Return what a block weighs: the one that is chosen, or the one of these choices."""
        c = dict(self.settings) | dict(choices or {})
        s, f = self.sizes, self.width(c)
        seen = min(s["window"], c["length"]) if c["window"] else c["length"]
        held = _kept(s, c) * s["n_layers"]
        return {
            "width": f // 2 if c["experts"] else f,
            "parameters": _parameters(s, c, f, s["n_experts"]),
            "active": _parameters(s, c, f, s["top_k"]),
            "token": BYTES * held,
            "cache": BYTES * held * seen,
            "operations": _operations(s, c, f, seen),
        }

    def width(self, choices: Mapping[str, Any]) -> int:
        """Return the even `d_ff` at which a token goes through as many parameters as in GPT-2's block."""
        s = self.sizes
        goal = _parameters(s, FIRST, 4 * s["d_model"], s["top_k"])
        low, high = (_parameters(s, choices, f, s["top_k"]) for f in (64, 128))
        width = round(64 + 64 * (goal - low) / (high - low))
        return max(2, width - width % 2)

    def trained(self) -> str:
        """Return the name of what was trained of the chosen parts, or an empty one."""
        chosen = {name: value for name, value in self.settings.items() if name != "length"}
        same = [name for name, run in self.measured.items() if FIRST | run["choices"] == chosen]
        return same[0] if same else ""

    def fallback_html(self) -> str:
        """Return the numbers of the block beside GPT-2's, and what was measured, as tables."""
        now, first = self.figures(), self.figures(FIRST)
        rows = [(name, [float(now[key]), float(first[key])]) for name, key in ROWS]
        told = self.trained() or "a block that was not trained"
        caption = (
            f"{told[0].upper()}{told[1:]}, at {self.settings['length']:,} tokens. {described(self.settings)}"
        )
        found = table_html(caption, ["this block", "GPT-2’s block"], rows, 0)
        if not self.measured:
            return found
        ends = [
            (name, [sum(run["bits"]) / len(run["bits"]), min(run["bits"]), max(run["bits"])])
            for name, run in self.measured.items()
        ]
        return found + table_html("Held-out bits per byte", ["mean", "least", "greatest"], ends, 3)


ROWS = (
    ("parameters", "parameters"),
    ("parameters a token goes through", "active"),
    ("bytes in the cache for each token", "token"),
    ("bytes in the cache", "cache"),
    ("operations for one more token", "operations"),
)


def described(c: Mapping[str, Any]) -> str:
    """Return the choices in words."""
    told = [f"{c['norm']} {c['order']} each sublayer", f"{c['feedforward']} feed-forward"]
    told += [
        f"{c['positions']} positions",
        "biases" if c["biases"] else "no biases",
        f"{c['heads']} attention",
    ]
    extras = {
        "qk_norm": "query and key norm",
        "window": "a window",
        "sink": "a learned sink",
        "experts": "experts",
    }
    told += [name for key, name in extras.items() if c[key]]
    return f"{', '.join(told)}."


def _check(name: str, choices: Mapping[str, Any]) -> None:
    if choices.keys() != CHOICES.keys():
        raise ValueError(f"{name}: expected {', '.join(CHOICES)}, got {', '.join(map(str, choices))}")
    for part, value in choices.items():
        if not any(value is one or (isinstance(one, str) and value == one) for one in CHOICES[part]):
            raise ValueError(f"{name}: expected {part} to be one of {CHOICES[part]}, got {value!r}")
    taken = [part for part in ("qk_norm", "window", "sink") if choices[part]]
    if choices["heads"] == "latent" and (taken or choices["positions"] != "rotary"):
        raise ValueError(f"{name}: expected latent attention with rotary positions and nothing else")


def _run(name: str, run: Mapping[str, Any], n: int) -> dict[str, Any]:
    curves = [[float(loss) for loss in curve] for curve in run["curves"]]
    bits = [float(x) for x in run["bits"]]
    choices = dict(run["choices"])
    _check(f"measured[{name!r}]", FIRST | choices)
    if not curves or any(len(curve) != n for curve in curves) or len(bits) != len(curves):
        raise ValueError(f"measured[{name!r}]: expected curves of {n} steps, and bits, for each seed")
    if not all(math.isfinite(x) for row in (*curves, bits) for x in row):
        raise ValueError(f"measured[{name!r}]: expected finite numbers")
    return {"choices": choices, "curves": curves, "bits": bits}


def _kv_heads(s: Mapping[str, int], c: Mapping[str, Any]) -> int:
    return {"multi-head": s["n_heads"], "grouped": s["n_heads"] // 2, "multi-query": 1}[c["heads"]]


def _kept(s: Mapping[str, int], c: Mapping[str, Any]) -> int:
    """Return the numbers that one layer's cache keeps of a token."""
    if c["heads"] == "latent":
        return s["d_latent"] + s["d_rotary"]
    return 2 * _kv_heads(s, c) * (s["d_model"] // s["n_heads"])


def _parameters(s: Mapping[str, int], c: Mapping[str, Any], f: int, experts: int) -> int:
    """Return the parameters of a model whose feed-forward layer is `f` wide, with so many of its experts."""
    d, heads, bias = s["d_model"], s["n_heads"], c["biases"]
    norms = norm(d, bias and c["norm"] == "LayerNorm")
    if c["heads"] == "latent":
        latent, turned = s["d_latent"], s["d_rotary"]
        attention = d * (d + heads * turned) + d * (latent + turned) + latent + latent * 2 * d + d * d
    else:
        size = d // heads
        attention = linear(d, d + 2 * _kv_heads(s, c) * size, bias) + linear(d, d, bias)
        attention += 2 * size * c["qk_norm"] + heads * c["sink"]

    def network(width: int) -> int:
        ups = 2 if c["feedforward"] == "SwiGLU" else 1
        return ups * linear(d, width, bias) + linear(width, d, bias)

    feedforward = d * s["n_experts"] + experts * network(f // 2) if c["experts"] else network(f)
    positions = s["context"] * d if c["positions"] == "learned" else 0
    return s["vocab_size"] * d + positions + s["n_layers"] * (attention + feedforward + 2 * norms) + norms


def _operations(s: Mapping[str, int], c: Mapping[str, Any], f: int, seen: int) -> int:
    """Return the operations for one more token that sees so many, itself included."""
    d, heads = s["d_model"], s["n_heads"]
    if c["heads"] == "latent":
        latent, turned = s["d_latent"], s["d_rotary"]
        attention = 2 * d * (d + heads * turned) + 2 * d * (latent + turned) + 2 * d * d
        attention += 4 * d * latent + 2 * seen * heads * (2 * latent + turned)
    else:
        attention = 2 * d * (2 * d + 2 * _kv_heads(s, c) * (d // heads)) + 4 * seen * d
    matrices = 3 if c["feedforward"] == "SwiGLU" else 2
    feedforward = 2 * matrices * d * f
    if c["experts"]:
        k = s["top_k"]
        feedforward = 2 * d * s["n_experts"] + k * 2 * matrices * d * (f // 2) + 2 * k * d
    return s["n_layers"] * (attention + feedforward) + 2 * d * s["vocab_size"]
