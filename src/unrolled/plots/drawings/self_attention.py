"""Attention within one sequence. Chapters 4 to 7, and 12."""

from unrolled.plots.diagram import Diagram

__all__ = ["induction", "positions", "qkv_flow", "score_weigh_mix", "split_concat"]


def score_weigh_mix() -> Diagram:
    """Draw simple self-attention, softmax(X Xᵀ) X, in its three steps. Chapter 4."""
    d = Diagram(
        "Simple self-attention in three steps. Score: every word with every word, X times X transposed. "
        "Weigh: a softmax over each row. Mix: the weights times X give one new vector per word.",
        12.4,
        3.6,
    )
    d.box("x", (0.5, 0.9), "X", kind="data")
    d.box("score", (3.4, 0.9), "score\nX Xᵀ", kind="fixed", size=(1.9, 1.4), step=1)
    d.box("weigh", (6.6, 0.9), "weigh\nsoftmax", kind="fixed", size=(2.3, 1.4), step=2)
    d.box("mix", (9.8, 0.9), "mix\nA X", kind="fixed", size=(1.7, 1.4), step=3)
    d.box("out", (12.0, 0.9), "X̂", kind="data", step=3)
    d.arrow("x", "score", "[T, d]", step=1)
    d.arrow("score", "weigh", "[T, T]", step=2)
    d.arrow("weigh", "mix", "A\n[T, T]", step=3)
    d.arrow("x", "mix", "X: [T, d]", via=[(0.5, 2.8), (9.8, 2.8)], step=3)
    d.arrow("mix", "out", step=3)
    return d


def qkv_flow() -> Diagram:
    """Draw the flow of queries, keys and values through scaled dot-product attention. Chapter 5."""
    d = Diagram(
        "Scaled dot-product attention. Three matrices make queries from the tokens that look, and keys "
        "and values from the tokens that are looked at. Queries times keys, divided by the root of their "
        "size, are the scores; the mask takes some away; a softmax makes weights; weights times values "
        "are the context.",
        12.4,
        11.6,
    )
    d.box("x", (2.2, 0.4), "X", kind="data")
    d.box("source", (7.6, 0.4), "X, or another source", kind="data")
    d.box("W_q", (2.2, 2.6), "W_q", size=(1.7, 0.9), step=1)
    d.box("W_k", (6.2, 2.6), "W_k", size=(1.7, 0.9), step=1)
    d.box("W_v", (10.2, 2.6), "W_v", size=(1.7, 0.9), step=1)
    d.box("scores", (4.2, 5.4), "Q Kᵀ / √dₖ", kind="fixed", size=(5.6, 0.9), step=2)
    d.box("mask", (4.2, 7.1), "mask: who may look where", kind="fixed", size=(7.2, 0.9), step=3)
    d.box("softmax", (4.2, 8.8), "softmax of each row", kind="fixed", size=(5.6, 0.9), step=4)
    d.box("mix", (7.4, 10.6), "A V", kind="fixed", size=(2.2, 0.9), step=5)
    d.box("context", (11.2, 10.6), "context", kind="data", step=5)
    d.arrow("x", "W_q", "[T, d]", step=1)
    d.arrow("source", "W_k", "[S, d]", via=[(6.2, 1.2)], side="left", step=1)
    d.arrow("source", "W_v", via=[(10.2, 1.2)], step=1)
    d.arrow("W_q", "scores", "Q: [T, K]", step=2)
    d.arrow("W_k", "scores", "K: [S, K]", step=2)
    d.arrow("scores", "mask", "[T, S]", step=3)
    d.arrow("mask", "softmax", "[T, S]", step=4)
    d.arrow("softmax", "mix", "A: [T, S]", via=[(4.2, 10.6)], step=5)
    d.arrow("W_v", "mix", "V: [S, K]", via=[(10.2, 9.4), (7.4, 9.4)], side="right", step=5)
    d.arrow("mix", "context", "[T, K]", step=5)
    return d


def split_concat() -> Diagram:
    """Draw multi-head attention: project, split, attend in each, concatenate, project. Chapter 6."""
    d = Diagram(
        "Multi-head attention. The projected queries, keys and values are split into heads; each head "
        "attends by itself; the heads' results are laid side by side and pass through an output "
        "projection.",
        12.4,
        10.4,
    )
    d.box("x", (6.2, 0.4), "X", kind="data")
    d.box("project", (6.2, 2.1), "W_q, W_k, W_v", size=(5.0, 0.9))
    d.box("split", (6.2, 3.9), "split", kind="fixed", size=(11.6, 0.9), step=1)
    for n in range(3):
        x = 2.0 + 4.2 * n
        d.box(f"head {n + 1}", (x, 5.8), f"attention\nhead {n + 1}", kind="fixed", size=(3.0, 1.4), step=2)
    d.box("concat", (6.2, 7.7), "concatenate", kind="fixed", size=(11.6, 0.9), step=3)
    d.box("out", (6.2, 9.4), "W_o", size=(5.0, 0.9), step=4)
    d.arrow("x", "project", "[B, T, D]")
    d.arrow("project", "split", "3 × [B, T, D]", step=1)
    for n in range(3):
        x = 2.0 + 4.2 * n
        d.arrow((x, 4.35), f"head {n + 1}", "[B, T, K]", step=2)
        d.arrow(f"head {n + 1}", "concat", "[B, T, K]", step=3)
    d.arrow("concat", "out", "[B, T, D]", step=4)
    d.arrow("out", (6.2, 10.4), step=4)
    return d


def positions() -> Diagram:
    """Draw the three points where positions enter: embeddings, queries and keys, scores. Chapter 7."""
    d = Diagram(
        "Three points where positions enter. Sinusoidal and learned positions are added to the "
        "embeddings. Rotary positions turn queries and keys. ALiBi lowers the scores by the distance.",
        12.4,
        10.0,
    )
    d.box("tokens", (3.0, 0.4), "tokens", kind="data")
    d.box("embedding", (3.0, 2.0), "embedding", size=(3.4, 0.9))
    d.box("add", (3.0, 3.6), "+", kind="op")
    d.box("added", (8.9, 3.6), "sinusoidal or learned", kind="fixed", size=(6.2, 0.9))
    d.box("projections", (3.0, 5.2), "W_q, W_k", size=(3.4, 0.9))
    d.box("turn", (3.0, 6.8), "turn", kind="fixed", size=(2.2, 0.9))
    d.box("rotary", (8.9, 6.8), "rotary: angle of t", kind="fixed", size=(6.2, 0.9))
    d.box("scores", (3.0, 8.4), "q · k", kind="fixed", size=(2.2, 0.9))
    d.box("minus", (5.4, 8.4), "+", kind="op")
    d.box("alibi", (8.9, 8.4), "ALiBi: −λ |i − j|", kind="fixed", size=(5.4, 0.9))
    d.box("softmax", (5.4, 9.7), "softmax", kind="data")
    d.arrow("tokens", "embedding", "[B, T]")
    d.arrow("embedding", "add", "[B, T, D]")
    d.arrow("added", "add")
    d.arrow("add", "projections", "[B, T, D]")
    d.arrow("projections", "turn", "[B, H, T, K]")
    d.arrow("rotary", "turn")
    d.arrow("turn", "scores", "[B, H, T, K]")
    d.arrow("scores", "minus")
    d.arrow("alibi", "minus")
    d.arrow("minus", "softmax")
    return d


def induction() -> Diagram:
    """Draw how two heads in two layers find what followed last time. Chapter 12."""
    d = Diagram(
        "Two heads that work together on the letters b, e, a, b. In layer 1 a head of e looks at the letter "
        "before it, and writes b into the stream of e. In layer 2 a head of the last b looks for a letter "
        "that stood after b, finds e by its key, and writes e into the stream. The guess of what comes next "
        "is e.",
        12.4,
        9.4,
    )
    for name, x, letter in (("b1", 1.0, "b"), ("e", 4.6, "e"), ("a", 7.4, "a"), ("b2", 10.8, "b")):
        d.box(name, (x, 0.5), letter, kind="data")
    d.box("moved", (4.6, 3.3), "e, after b", kind="fixed", size=(3.4, 1.0), step=1)
    d.box("found", (10.8, 6.1), "b, next: e", kind="fixed", size=(3.0, 1.0), step=2)
    d.box("guess", (10.8, 8.7), "guess: e", kind="data", step=3)
    d.arrow("e", "moved", "stream\n[T, d]", step=1)
    d.arrow(
        "b1",
        "moved",
        "layer 1: who\nis before me?\n[T, K]",
        via=[(1.0, 3.3)],
        side="right",
        dashed=True,
        step=1,
    )
    d.arrow("b2", "found", "stream\n[T, d]", side="left", step=2)
    d.arrow("moved", "found", "layer 2: who\nstood after b?\n[T, K]", via=[(4.6, 6.1)], dashed=True, step=2)
    d.arrow("found", "guess", "[T, V]", step=3)
    return d
