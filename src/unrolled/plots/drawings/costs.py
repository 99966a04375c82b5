"""What is read and what is computed when a model writes."""

from unrolled.plots.diagram import Diagram

__all__ = ["prefill_decode"]


def prefill_decode() -> Diagram:
    """Draw a prefill beside a step of decoding, and the memory that both read. Chapter 13."""
    d = Diagram(
        "A model that writes. Prefill: all T tokens of the prompt pass the blocks at once, and their keys "
        "and values are put into the cache. Decoding: one token passes the blocks, which read the same "
        "weights and the whole cache for it, and add one key and one value for each head and block.",
        12.4,
        8.2,
    )
    for key, x, said, shape in (
        ("prefill", 2.2, "T tokens", "[B, T, d]"),
        ("decode", 10.2, "1 token", "[B, 1, d]"),
    ):
        d.note(key if key == "prefill" else "decoding step", (x, 0.3))
        d.box(f"{key} in", (x, 1.2), said, kind="data")
        d.box(key, (x, 3.9), "N blocks", size=(2.9, 1.1))
        d.box(f"{key} out", (x, 6.9), "logits", kind="data")
        d.arrow(f"{key} in", key, shape)
        scores, side = ("[B, T, V]", "left") if key == "prefill" else ("[B, 1, V]", "right")
        d.arrow(key, f"{key} out", scores, side=side)  # type: ignore[arg-type]
    d.box("weights", (6.2, 6.4), "weights", size=(2.6, 0.9), kind="fixed")
    d.box("cache", (6.2, 2.5), "cache", size=(2.6, 0.9), kind="fixed")
    d.arrow("weights", "prefill", dashed=True, via=[(6.2, 5.3), (2.9, 5.3)])
    d.arrow("weights", "decode", dashed=True, via=[(6.2, 5.3), (9.5, 5.3)])
    d.arrow("prefill", "cache", via=[(5.2, 3.9)])
    d.arrow("cache", "decode", dashed=True, via=[(7.2, 3.9)])
    d.note("keys, values", (5.1, 4.35))
    d.note("[B, G, S, K] each", (6.2, 1.6))
    d.note("memory", (6.2, 7.4))
    return d
