"""The block, and the models stacked from it. Chapters 8 to 11."""

from unrolled.plots.diagram import Diagram, Point

__all__ = ["bert", "block", "gpt", "transformer"]


def block() -> Diagram:
    """Draw the two designs of the block side by side: pre-norm and post-norm. Chapter 8."""
    d = Diagram(
        "Two designs of a transformer block. Pre-norm: the residual connection carries x past a norm and "
        "attention and adds what they make, then past a norm and the feed-forward layer. Post-norm: x is "
        "carried past attention alone, and the norm stands after the sum, on the residual path itself.",
        12.4,
        11.0,
    )
    for key, x, parts in (
        ("pre", 3.6, ["norm", "attention", "+", "norm", "feed-forward", "+"]),
        ("post", 10.0, ["attention", "+", "norm", "feed-forward", "+", "norm"]),
    ):
        d.box(key, (x, 1.2), "x", kind="data")
        d.note(f"{key}-norm", (x, 0.3))
        end, y = _sublayers(d, key, parts, (x, 1.6), key, "[B, T, D]")
        d.arrow(end, (x, y + 0.9))
    return d


def _sublayers(
    d: Diagram, key: str, parts: list[str], at: Point, below: str, shape: str = "", width: float = 3.8
) -> tuple[str, float]:
    """Draw sublayers upwards, each with its residual connection; return the last, and its height.

    The connection leaves below what it carries x past: after the start, a sum or, in post-norm, a norm.
    """
    x, y = at
    branch = y + 0.4
    carried = "+" if parts[0] == "norm" else "norm"  # what a residual connection leaves from
    for n, part in enumerate(parts):
        name, y = f"{key} {n}", y + 1.35
        if part == "+":
            d.box(name, (x, y), "+", kind="op")
            d.arrow((x, branch), name, via=[(x - width / 2 - 0.5, branch), (x - width / 2 - 0.5, y)])
        else:
            d.box(name, (x, y), part, size=(2.2 if part == "norm" else width, 0.8))
        d.arrow(below, name, shape if n == 0 else "")
        if part == carried:
            branch = y + 0.67
        below = name
    return below, y


def transformer() -> Diagram:
    """Draw the encoder–decoder of 2017 whole, with Add & Norm after each sublayer. Chapter 9."""
    d = Diagram(
        "The transformer of 2017. The encoder: embedding plus positions, then N times self-attention, add "
        "and norm, feed-forward, add and norm. The decoder: embedding plus positions of what is written "
        "so far, then N times masked self-attention, cross-attention whose keys and values come from the "
        "encoder, and feed-forward, each followed by add and norm; a linear layer and a softmax give the "
        "next word.",
        12.4,
        19.4,
    )
    encoder = ["self-attention", "add & norm", "feed-forward", "add & norm"]
    decoder = [
        "masked\nself-attention",
        "add & norm",
        "cross-\nattention",
        "add & norm",
        "feed-forward",
        "add & norm",
    ]
    cross = 0.0
    for key, x, said, parts in (
        ("encoder", 3.0, "source", encoder),
        ("decoder", 9.6, "target, shifted right", decoder),
    ):
        width = 3.9
        d.box(f"{key} in", (x, 0.4), said, kind="data")
        d.box(f"{key} embedding", (x, 2.0), "embedding", size=(width, 0.8))
        d.box(f"{key} positions", (x, 3.4), "+", kind="op")
        d.box(f"{key} waves", (x - 2.5, 3.4), "~", kind="op")
        d.arrow(f"{key} in", f"{key} embedding", f"[B, {'S' if key == 'encoder' else 'T'}]")
        d.arrow(f"{key} embedding", f"{key} positions")
        d.arrow(f"{key} waves", f"{key} positions")
        below, y, branch = f"{key} positions", 4.5, 4.4
        for n, part in enumerate(parts):
            name = f"{key} {n}"
            tall = 1.35 if "\n" in part else 0.8
            y += tall / 2 + 0.35
            d.box(name, (x, y), part, size=(width, tall))
            cross = y if part.startswith("cross") else cross
            d.arrow(below, name)
            if part == "add & norm":
                side = x - width / 2 - 0.45
                d.arrow((x, branch), name, via=[(side, branch), (side, y)])
                branch = y + 0.62
            y += tall / 2 + 0.35
            below = name
        d.box(f"{key} frame", (x - 0.2, (4.1 + y) / 2), "N ×", kind="frame", size=(5.3, y - 4.0))
        if key == "encoder":
            top = below
    d.arrow(top, "decoder 2", "memory\n[B, S, D]", via=[(3.0, 11.4), (6.5, 11.4), (6.5, cross)])
    d.box("linear", (9.6, 17.0), "linear", size=(3.9, 0.8))
    d.box("softmax", (9.6, 18.5), "softmax", kind="fixed", size=(3.9, 0.8))
    d.arrow(below, "linear", "[B, T, D]")
    d.arrow("linear", "softmax", "[B, T, V]")
    return d


def gpt() -> Diagram:
    """Draw a decoder-only model: causal blocks, and the next word at every position. Chapter 10."""
    words, following = ["I", "love", "bears"], ["love", "bears", "."]
    d = Diagram(
        "GPT. Tokens are embedded, positions are added, N pre-norm blocks follow, each of causal self- "
        "attention and a feed-forward layer, then a last norm, and a linear layer that shares its matrix "
        "with the embedding. At every position the target is the next token: the input shifted by one.",
        12.4,
        17.3,
    )
    x = 6.2
    for n, (word, target) in enumerate(zip(words, following, strict=True)):
        d.box(f"token {n}", (4.0 + 2.2 * n, 0.4), word, kind="data")
        d.box(f"target {n}", (4.0 + 2.2 * n, 16.9), target, kind="data")
    d.box("embedding", (x, 2.0), "embedding", size=(6.6, 0.8))
    for n in range(3):
        d.arrow(f"token {n}", "embedding", "[B, T]" if n == 2 else "")
    d.box("positions", (x, 3.4), "+", kind="op")
    d.box("table", (10.2, 3.4), "positions", size=(3.2, 0.8))
    d.arrow("embedding", "positions", "[B, T, D]")
    d.arrow("table", "positions")
    parts = ["norm", "causal attention", "+", "norm", "feed-forward", "+"]
    end, y = _sublayers(d, "block", parts, (x, 3.75), "positions", width=5.0)
    d.box("blocks", (x - 0.3, (4.2 + y) / 2 + 0.25), "N ×", kind="frame", size=(7.2, y - 3.3))
    d.box("last norm", (x, y + 1.5), "norm", size=(2.2, 0.8))
    d.box("head", (x, y + 2.9), "linear", size=(6.6, 0.8))
    d.arrow(end, "last norm")
    d.arrow("last norm", "head", "[B, T, D]")
    for n in range(3):
        d.arrow((4.0 + 2.2 * n, y + 3.3), f"target {n}", "[B, T, V]" if n == 2 else "")
    d.arrow(
        "embedding", "head", "the same\nmatrix", via=[(2.0, 2.0), (2.0, y + 2.9)], side="left", dashed=True
    )
    return d


def bert() -> Diagram:
    """Draw BERT's three sums of inputs, its encoder, and what is read off at the top. Chapter 11."""
    d = Diagram(
        "BERT. Each token's input is the sum of three learned vectors: of the token, of its position and "
        "of its segment. An encoder in which all see all follows. At the hidden place the masked-language "
        "head guesses the word; at the first place, [CLS], a classifier reads the whole sentence.",
        12.4,
        11.2,
    )
    tokens = ["[CLS]", "[MASK]", "won", "[SEP]"]
    for n, token in enumerate(tokens):
        x = 3.3 + 2.45 * n
        d.box(f"token {n}", (x, 2.9), token, size=(2.1, 0.8))
        d.box(f"position {n}", (x, 1.7), f"p{'₀₁₂₃'[n]}", size=(2.1, 0.8))
        d.box(f"segment {n}", (x, 0.5), "A", size=(2.1, 0.8))
    for text, y in (("token", 2.9), ("+ position", 1.7), ("+ segment", 0.5)):
        d.note(text, (1.1, y))
    d.box("encoder", (7.0, 5.9), "N blocks: everybody sees everybody", size=(10.0, 1.4))
    for n in range(len(tokens)):
        d.arrow(f"token {n}", "encoder", "[B, T, D]" if n == 3 else "")
    d.box("classifier", (3.4, 8.4), "classifier", size=(3.4, 0.9))
    d.box("guess", (7.9, 8.4), "language head", size=(4.4, 0.9))
    d.arrow("encoder", "classifier", "[B, D]")
    d.arrow("encoder", "guess", "[B, T, D]")
    d.box("label", (3.4, 10.6), "team", kind="data")
    d.box("word", (7.9, 10.6), "bears", kind="data")
    d.arrow("classifier", "label", "[B, classes]")
    d.arrow("guess", "word", "[B, T, V]")
    return d
