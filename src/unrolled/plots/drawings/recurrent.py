"""Recurrent networks, with and without attention. Chapters 1 to 3."""

from unrolled.plots.diagram import Diagram

__all__ = ["attention_paths", "encoder_decoder", "lstm_cell"]


def lstm_cell() -> Diagram:
    """Draw one step of an LSTM: three gates, what is new, and the cell state passing through. Chapter 1."""
    d = Diagram(
        "One step of an LSTM. Above, the cell state goes from left to right: it is multiplied by the "
        "forget gate, and what the input gate lets through of the candidate is added. Below, the previous "
        "hidden state and the word feed three gates and the candidate; the output gate decides how much "
        "of tanh of the cell state becomes the new hidden state.",
        12.4,
        7.0,
    )
    d.box("c before", (0.7, 6.2), "cₜ₋₁", kind="data", step=1)
    d.box("h before", (0.7, 1.7), "hₜ₋₁", kind="data")
    d.box("x", (0.7, 0.7), "xₜ", kind="data")
    d.box("joined", (2.6, 0.7), "[hₜ₋₁; xₜ]", kind="data")
    d.box("forget", (3.3, 3.0), "σ\nforget", size=(1.75, 1.4), step=1)
    d.box("input", (5.2, 3.0), "σ\ninput", size=(1.6, 1.4), step=2)
    d.box("candidate", (7.0, 3.0), "tanh\nnew", size=(1.6, 1.4), step=2)
    d.box("output", (8.9, 3.0), "σ\noutput", size=(1.75, 1.4), step=3)
    d.box("times f", (3.3, 6.2), "×", kind="op", step=1)
    d.box("times i", (6.1, 4.8), "×", kind="op", step=2)
    d.box("plus", (6.1, 6.2), "+", kind="op", step=2)
    d.box("tanh", (10.7, 4.8), "tanh", kind="fixed", size=(1.3, 0.8), step=3)
    d.box("times o", (10.7, 3.0), "×", kind="op", step=3)
    d.box("c", (11.9, 6.2), "cₜ", kind="data", step=2)
    d.box("h", (11.9, 2.0), "hₜ", kind="data", step=3)
    d.arrow("h before", "joined", via=[(2.6, 1.7)])
    d.arrow("x", "joined")
    d.arrow("joined", "forget", via=[(3.3, 1.6)], step=1)
    d.arrow("joined", "input", via=[(5.2, 0.7)], step=2)
    d.arrow("joined", "candidate", via=[(7.0, 0.7)], step=2)
    d.arrow("joined", "output", via=[(8.9, 0.7)], step=3)
    d.arrow("c before", "times f", "[B, dₕ]", step=1)
    d.arrow("forget", "times f", "fₜ", step=1)
    d.arrow("times f", "plus", step=2)
    d.arrow("input", "times i", "iₜ", via=[(5.2, 4.8)], side="left", step=2)
    d.arrow("candidate", "times i", "gₜ", via=[(7.0, 4.8)], step=2)
    d.arrow("times i", "plus", step=2)
    d.arrow("plus", "c", "[B, dₕ]", step=2)
    d.arrow((10.7, 6.2), "tanh", step=3)
    d.arrow("tanh", "times o", step=3)
    d.arrow("output", "times o", "oₜ", step=3)
    d.arrow("times o", "h", via=[(10.7, 2.0)], step=3)
    return d


def encoder_decoder() -> Diagram:
    """Draw an encoder that hands one vector to a decoder, both unrolled. Chapter 2."""
    d = Diagram(
        "An encoder of three steps reads let's, go and the end sign; its last state is the one vector the "
        "decoder starts from. The decoder writes vamos and the end sign; the word it wrote is its next "
        "input.",
        12.4,
        5.2,
    )
    for n, word in enumerate(["let's", "go", "<eos>"]):
        x = 1.1 + 2.0 * n
        d.box(f"in {n}", (x, 0.4), word, kind="data")
        d.box(f"encoder {n}", (x, 2.6), "LSTM", size=(1.5, 0.9))
        d.arrow(f"in {n}", f"encoder {n}", "[B, D]" if n == 0 else "")
        if n:
            d.arrow(f"encoder {n - 1}", f"encoder {n}")
    for n, (read, written) in enumerate([("<bos>", "vamos"), ("vamos", "<eos>")]):
        x = 8.8 + 2.6 * n
        d.box(f"read {n}", (x, 0.4), read, kind="data", step=2 + n)
        d.box(f"decoder {n}", (x, 2.6), "LSTM", size=(1.5, 0.9), step=2 + n)
        d.box(f"written {n}", (x, 4.8), written, kind="data", step=2 + n)
        d.arrow(f"read {n}", f"decoder {n}", step=2 + n)
        d.arrow(f"decoder {n}", f"written {n}", "[B, V]", side="left", step=2 + n)
    d.arrow("encoder 2", "decoder 0", "h, c\n[B, dₕ]", step=1)
    d.arrow("decoder 0", "decoder 1", step=3)
    d.arrow("written 0", "read 1", via=[(10.0, 4.8), (10.0, 0.4)], dashed=True, step=3)
    return d


def attention_paths() -> Diagram:
    """Draw the new paths from every encoder state to one decoder step. Chapter 3."""
    d = Diagram(
        "One decoder step with attention. The decoder's state is scored against each encoder state, a "
        "softmax turns the two scores into weights, the encoder states weighted so add up to the context "
        "vector, and context and decoder state together go through a fully connected layer to the next "
        "word.",
        12.4,
        9.0,
    )
    for n, word in enumerate(["let's", "go"]):
        x = 1.9 + 2.8 * n
        d.box(f"in {n}", (x, 0.4), word, kind="data")
        d.box(f"encoder {n}", (x, 2.0), "LSTM", size=(1.5, 0.9))
        d.arrow(f"in {n}", f"encoder {n}")
    d.box("read", (8.4, 0.4), "<bos>", kind="data")
    d.box("decoder", (8.4, 2.0), "LSTM", size=(1.5, 0.9))
    d.box(
        "scores",
        (3.3, 3.9),
        "scores: h₁·h̄₁   h₁·h̄₂",
        kind="fixed",
        size=(5.2, 0.9),
        step=1,
    )
    d.box("softmax", (3.3, 5.5), "softmax", kind="fixed", size=(5.2, 0.9), step=2)
    d.box("mix", (3.3, 7.3), ".4 h̄₁ + .6 h̄₂", kind="fixed", size=(5.2, 0.9), step=3)
    d.box("connected", (10.4, 7.3), "fully\nconnected", size=(2.9, 1.5), step=4)
    d.box("word", (10.4, 8.7), "vamos", kind="data", step=4)
    d.arrow("encoder 0", "encoder 1")
    d.arrow("encoder 1", "decoder", "[B, dₕ]")
    d.arrow("read", "decoder")
    d.arrow("encoder 0", "scores", "h̄₁", step=1)
    d.arrow("encoder 1", "scores", "h̄₂", step=1)
    d.arrow("decoder", "scores", "h₁: [B, dₕ]", via=[(8.4, 3.9)], step=1)
    d.arrow("scores", "softmax", "[B, S]", step=2)
    d.arrow("softmax", "mix", "weights [B, S]", step=3)
    d.arrow("encoder 0", "mix", via=[(0.3, 2.0), (0.3, 7.3)], step=3)
    d.arrow("mix", "connected", "context\n[B, dₕ]", step=4)
    d.arrow("decoder", "connected", "h₁: [B, dₕ]", via=[(10.4, 2.0)], side="left", step=4)
    d.arrow("connected", "word", step=4)
    return d
