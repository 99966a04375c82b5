"""How a text becomes what a model reads. The interlude."""

from unrolled.plots.diagram import Diagram

__all__ = ["text_to_tokens"]


def text_to_tokens() -> Diagram:
    """Draw the way from a text to vectors: words, bytes, pieces, ids, embeddings. Used in the interlude."""
    d = Diagram(
        "From text to vectors. The text is cut into words. Each word is a row of bytes. Rules learned from "
        "a text merge neighbouring bytes into pieces. A table numbers the pieces; the numbers pick rows of "
        "the embedding matrix, one vector per token.",
        12.4,
        11.2,
    )
    d.box("text", (3.4, 0.5), "bears bear", kind="data")
    d.box("words", (3.4, 2.6), "cut into words", kind="fixed", size=(5.4, 0.9), step=1)
    d.box("bytes", (3.4, 4.7), "UTF-8", kind="fixed", size=(3.4, 0.9), step=2)
    d.box("merges", (3.4, 6.8), "merges", size=(3.4, 0.9), step=3)
    d.box("learned", (9.4, 6.8), "learned by counting", kind="data", step=3)
    d.box("ids", (3.4, 8.7), "ids", kind="data", step=4)
    d.box("embedding", (3.4, 10.6), "embedding", size=(4.0, 0.9), step=5)
    d.box("x", (10.0, 10.6), "X", kind="data", step=5)
    d.arrow("text", "words", "characters", step=1)
    d.arrow("words", "bytes", "bears, ␣bear", step=2)
    d.arrow("bytes", "merges", "b e a r s, ␣ b e a r", step=3)
    d.arrow("learned", "merges", step=3)
    d.arrow("merges", "ids", "be ar s, ␣be ar", step=4)
    d.arrow("ids", "embedding", "[T]", step=5)
    d.arrow("embedding", "x", "[T, d]", step=5)
    return d
