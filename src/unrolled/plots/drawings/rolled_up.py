"""Attention as a recurrent network. Chapter 17."""

from unrolled.plots.diagram import Diagram

__all__ = ["state_matrix"]


def state_matrix() -> Diagram:
    """Draw one step of linear attention: a pair is written into the state, a query reads it. Chapter 17."""
    d = Diagram(
        "One step of attention without a softmax. The token's vector gives a query, a key and a value. The "
        "outer product of key and value is added to the state, a matrix of K rows and V columns, which goes "
        "on to the next token. The query times the state is the token's context.",
        12.4,
        8.6,
    )
    d.box("x", (6.2, 0.4), "xₜ", kind="data")
    d.box("project", (6.2, 2.0), "W_k, W_v, W_q", size=(4.6, 0.9))
    d.box("outer", (3.4, 4.0), "k vᵀ", kind="fixed", size=(2.4, 0.9), step=1)
    d.box("before", (0.9, 6.0), "Sₜ₋₁", kind="data", step=1)
    d.box("add", (3.4, 6.0), "+", kind="fixed", size=(1.4, 0.9), step=1)
    d.box("read", (7.6, 6.0), "q S", kind="fixed", size=(2.0, 0.9), step=2)
    d.box("after", (11.4, 7.8), "Sₜ", kind="data", step=1)
    d.box("out", (11.4, 6.0), "oₜ", kind="data", step=2)
    d.arrow("x", "project", "[d]")
    d.arrow("project", "outer", "k: [K], v: [V]", via=[(3.4, 2.0)], side="left", step=1)
    d.arrow("outer", "add", "[K, V]", step=1)
    d.arrow("before", "add", step=1)
    d.arrow("add", "read", "[K, V]", step=2)
    d.arrow("project", "read", "q: [K]", via=[(7.6, 3.0)], step=2)
    d.arrow("add", "after", via=[(3.4, 7.8)], step=1)
    d.arrow("read", "out", "[V]", step=2)
    return d
