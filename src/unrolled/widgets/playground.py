"""The playground: a whole GPT of real English in the page, every number of it at hand."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import traitlets
from safetensors import SafetensorError
from safetensors.numpy import load

from unrolled.data.tokenizers import byte_alphabet
from unrolled.inputs import floats, not_text, user_path
from unrolled.widgets.base import Widget, in_book, table_html
from unrolled.widgets.packed import check_heads
from unrolled.widgets.token_cutter import visible

__all__ = ["PARTS", "Playground", "address", "lay_beside"]

PARTS = 8
"""Scripts that the weights are cut into for a page opened from disk."""
SHOWN = 12
"""Rows of the table beneath."""

_BLOCK_BEFORE = ("norm.mean", "norm.variance", "norm", "query", "key", "value")
_HEAD = ("scores", "weights", "context")
_BLOCK_AFTER = (
    *("joined", "projected", "middle", "second_norm.mean", "second_norm.variance", "second_norm"),
    *("up", "hidden", "down", "output"),
)
_FINAL = ("final.mean", "final.variance", "final", "logits")


class Playground(Widget):
    """A GPT that answers while a reader types, drawn from its embeddings to the next token.

    The page opens with one prepared text. Its weights come when the reader types or asks for a number: from a
    file that `lay_beside` puts next to the page, or, in a live notebook, with the widget. The model runs in
    a thread of its own. Heads and blocks can be switched off, tokens hidden, weights of attention set by
    hand; a second text is read beside the first.

    Args:
        weights: a safetensors file of a `GPT` with learned positions, its matrices in 8 bits as
            `unrolled.training.eight_bits.to_eight_bits` makes them.
        merges: the rules of its tokenizer, ``(left, right, made)``, as `BytePairs.merges` gives them.
        text: what is there to begin with.
        walk: the numbers on the way of its tokens, as `unrolled.probe.walkthrough` gives them.
        n_heads: attention heads of each block.
        special: the special tokens, which nobody can type.
        eps: added to the variance in the norms.
        title: a heading, if any.

    Raises:
        FileNotFoundError: there is no such file.
        TypeError: the special tokens are a single one.
        ValueError: the file holds something else, or sizes do not belong together.
    """

    name: ClassVar[str] = "playground"

    weights = traitlets.Dict().tag(sync=True)
    merges = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    byte_ids = traitlets.List(traitlets.Int()).tag(sync=True)
    special: traitlets.List[Any] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    first = traitlets.Int().tag(sync=True)
    sizes = traitlets.Dict().tag(sync=True)
    prepared = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        weights: str | Path,
        merges: Sequence[tuple[int, int, int]],
        text: str,
        walk: Mapping[str, Any],
        *,
        n_heads: int,
        special: Sequence[str] = ("<pad>", "<bos>", "<eos>", "<unk>", "<mask>"),
        eps: float = 1e-5,
        title: str | None = None,
    ) -> None:
        special = tuple(not_text("special", special, "special tokens"))
        path = user_path("weights", weights)
        content = path.read_bytes()
        sizes = _sizes(path.name, content)
        check_heads(n_heads, sizes["width"])
        first = len(special) + 256
        if sizes["vocabulary"] != first + len(merges):
            raise ValueError(
                f"merges: expected {sizes['vocabulary'] - first} for {sizes['vocabulary']} tokens, "
                f"got {len(merges)}"
            )
        arrays = {name: floats(tensor) for name, tensor in walk.items()}
        last = len(arrays["embedded"]) - 1
        place = {byte: len(special) + n for n, byte in enumerate(byte_alphabet().values())}
        # The table says what the page shows, which has these numbers in half precision.
        with np.errstate(over="ignore"):  # said below, with the name
            self._arrays = {name: array.astype("<f2").astype(np.float64) for name, array in arrays.items()}
        for name, array in self._arrays.items():
            if not np.isfinite(array).all():
                raise ValueError(f"walk[{name!r}]: expected numbers below 65,504 in size, got another")
        self._pieces = [b""] * len(special) + _pieces(merges, first)
        self._tokens = [int(token) for token in arrays["tokens"]]
        spelled = b"".join(self._pieces[token] for token in self._tokens).decode(errors="replace")
        if spelled != text:
            raise ValueError(f"walk: expected that of {text!r}, got that of {spelled!r}")
        beside = in_book()
        super().__init__(
            weights={
                "address": address(path.stem, content),
                "parts": PARTS,
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "data": "" if beside else base64.b64encode(content).decode("ascii"),
                "n_heads": n_heads,
                "eps": eps,
            },
            merges=[[int(left), int(right)] for left, right, _ in merges],
            byte_ids=[place[byte] for byte in range(256)],
            special=list(special),
            first=first,
            sizes={**sizes, "heads": n_heads, "t": last},
            prepared=_packed(arrays, sizes, n_heads, last),
            text=text,
            title=title or "",
        )

    def fallback_html(self) -> str:
        """Return the likeliest next tokens, and what each head attends to from the last one, as tables."""
        logits = self._arrays["logits"][-1]
        chances = _softmax(logits)
        best = np.argsort(-logits, kind="stable")[:SHOWN]
        likely = table_html(
            f"The likeliest next tokens after “{self.text}”, at temperature 1.",
            ["logit", "probability"],
            [(self._named(i), [float(logits[i]), float(chances[i])]) for i in map(int, best)],
        )
        tokens = [self._named(token) for token in self._tokens]
        layers, heads = self.sizes["layers"], self.sizes["heads"]
        seen = table_html(
            f"What each head attends to, from {tokens[-1]}.",
            tokens,
            [
                (f"block {layer + 1}, head {head + 1}", self._arrays[f"{layer}.weights"][head, -1].tolist())
                for layer in range(layers)
                for head in range(heads)
            ],
            full=1.0,
        )
        ends = []
        for layer in range(layers):
            chances = _softmax(self._arrays[f"{layer}.lens"][-1])
            top = int(chances.argmax())
            ends.append((f"block {layer + 1}: {self._named(top)}", [float(chances[top])]))
        caption = "The probability of the likeliest token, did the model end after this block."
        return likely + seen + table_html(caption, ["probability"], ends)

    def _named(self, token: int) -> str:
        return self.special[token] if token < len(self.special) else visible(self._pieces[token])


def _softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def address(name: str, content: bytes) -> str:
    """Return where a page finds a file of weights, as seen from the page: its name says what is in it."""
    return f"_static/playground/{name}-{hashlib.sha256(content).hexdigest()[:10]}.safetensors"


def lay_beside(content: bytes, file: Path) -> None:
    """Write a file of weights, and beside it what a page opened from disk loads in its place.

    Args:
        content: of the file.
        file: where it goes: the `address` in the folder of the page.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    step = -(-len(content) // PARTS)
    for part in range(PARTS):
        data = base64.b64encode(content[part * step : (part + 1) * step]).decode("ascii")
        # A browser lets a page from disk fetch nothing, but run any script.
        file.with_name(f"{file.name}.{part}.js").write_text(f'unrolledWeights("{data}");\n', encoding="utf-8")


def _sizes(name: str, content: bytes) -> dict[str, int]:
    """Return the sizes of the GPT whose weights these are."""
    try:
        tensors = load(content)
        vocabulary, width = tensors["token_embedding.weight"].shape
        longest, _ = tensors["positions.table.weight"].shape
        inner, _ = tensors["layers.0.feedforward.up_proj.weight"].shape
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(
            f"{name}: expected the weights of a GPT with learned positions ({error!r})"
        ) from error
    layers = sum(key.endswith("qkv_proj.weight") for key in tensors)
    return {
        "layers": layers,
        "width": width,
        "inner": inner,
        "vocabulary": vocabulary,
        "longest": longest,
    }


def _packed(arrays: Mapping[str, Any], sizes: Mapping[str, int], n_heads: int, last: int) -> str:
    """Return the last token's numbers in half precision, in the order of ``js/playground-parts.mjs``."""
    layers, width, vocabulary = (sizes[name] for name in ("layers", "width", "vocabulary"))
    kept = [arrays[name][last] for name in ("word", "place", "embedded")]
    for layer in range(layers):
        own = {name: arrays[f"{layer}.{name}"] for name in (*_BLOCK_BEFORE, *_HEAD, *_BLOCK_AFTER)}
        for name in _BLOCK_BEFORE:
            kept.append(own[name][:, last] if own[name].ndim == 3 else own[name][last])
        for head in range(n_heads):
            kept += [own[name][head, last] for name in _HEAD]
        kept += [own[name][last] for name in _BLOCK_AFTER]
    kept += [arrays[name][last] for name in _FINAL]
    kept += [arrays[f"{layer}.lens"][last] for layer in range(layers)]
    numbers = np.concatenate([np.ravel(one) for one in kept]).astype("<f2")
    norm, seen = width + 2, 2 * n_heads * (last + 1)
    block = 2 * norm + 9 * width + 2 * sizes["inner"] + seen
    expected = 3 * width + layers * block + norm + (layers + 1) * vocabulary
    if len(numbers) != expected:
        raise ValueError(f"walk: expected {expected} numbers for the last token, got {len(numbers)}")
    return base64.b64encode(numbers.tobytes()).decode("ascii")


def _pieces(merges: Sequence[tuple[int, int, int]], first: int) -> list[bytes]:
    """Return the bytes of every token but the special ones."""
    pieces = [bytes([byte]) for byte in byte_alphabet().values()]
    n_special = first - len(pieces)
    for left, right, _ in merges:
        pieces.append(pieces[left - n_special] + pieces[right - n_special])
    return pieces
