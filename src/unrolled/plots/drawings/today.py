"""Two blocks, of GPT-2 and of today. Chapter 15."""

from unrolled.plots.diagram import Diagram

__all__ = ["block_today"]


def block_today() -> Diagram:
    """Draw GPT-2's block beside today's, part by part. Chapter 15."""
    d = Diagram(
        "Two blocks side by side, both pre-norm, each from below: norm, attention, a sum with the residual "
        "connection, norm, feed-forward, a sum. GPT-2's: a learned position is added to the token before the "
        "first block; LayerNorm; attention whose every head has keys and values of its own; a feed-forward "
        "layer of two matrices with GELU; biases. Today's: nothing is added to the token; RMSNorm; "
        "attention with rotary positions, norms of queries and keys, and shared keys and values; a "
        "feed-forward layer of three matrices, one of them a gate; no biases.",
        12.4,
        13.4,
    )
    attention = "attention\nown keys, values", "attention\nrotary, q/k norm\nshared keys, values"
    networks = "feed-forward\nGELU", "feed-forward\nSwiGLU, or\nexperts of it"
    for n, (x, name, token, norm) in enumerate(
        ((3.3, "GPT-2, 2019", "token + position", "LayerNorm"), (9.4, "today", "token", "RMSNorm"))
    ):
        d.note(f"{name}: {'no biases' if n else 'biases'}", (x, 0.3))
        below = f"{name} in"
        d.box(below, (x, 1.3), token, kind="data")
        y = 1.9
        for k, layer in enumerate((attention[n], networks[n])):
            branch = y + 0.15
            parts = ((norm, 0.8), (layer, 1.95), ("+", 0.72))
            for part, tall in parts:
                box = f"{name} {k} {part[:4]}"
                y += tall / 2 + 0.45
                if part == "+":
                    d.box(box, (x, y), "+", kind="op")
                    d.arrow((x, branch), box, via=[(x - 2.75, branch), (x - 2.75, y)])
                else:
                    d.box(box, (x, y), part, size=(3.0 if part == norm else 4.7, tall))
                d.arrow(below, box)
                below = box
                y += tall / 2
            y += 0.25
        d.arrow(below, (x, y + 0.5))
    return d
