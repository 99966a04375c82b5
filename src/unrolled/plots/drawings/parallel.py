"""Training in several processes. Chapter 14."""

from unrolled.plots.diagram import Diagram

__all__ = ["data_parallel"]


def data_parallel() -> Diagram:
    """Draw one step of two workers: own rows, own gradients, one mean, the same weights. Chapter 14."""
    d = Diagram(
        "One training step of two workers. The rows of a batch are dealt out; each worker has a copy of the "
        "whole model, computes its own loss and its own gradients, and an all-reduce gives both the mean of "
        "the gradients. Both optimizers then take the same step, so the copies stay equal.",
        12.4,
        13.2,
    )
    middle = 6.2
    d.box("batch", (middle, 0.5), "one batch", kind="data")
    d.box("reduce", (middle, 8.3), "all-reduce: the mean of all gradients", kind="fixed", size=(11.6, 1.0))
    for r, x, rows in ((0, 3.0, "rows 0, 2, 4 …"), (1, 9.4, "rows 1, 3, 5 …")):
        d.box(f"model {r}", (x, 3.2), f"model of\nworker {r}", size=(4.2, 1.5))
        d.box(f"loss {r}", (x, 5.6), f"loss of {rows}", kind="fixed", size=(5.2, 0.9))
        d.box(f"step {r}", (x, 10.5), "AdamW", kind="fixed", size=(4.2, 0.9))
        d.box(f"new {r}", (x, 12.6), "the same new weights", kind="data")
        d.arrow("batch", f"model {r}", "[B/2, T]", via=[(x, 0.5)])
        d.arrow(f"model {r}", f"loss {r}", "[B/2, T, V]")
        d.arrow(f"loss {r}", (x, 7.8), "gradients")
        d.arrow((x, 8.8), f"step {r}", "mean")
        d.arrow(f"step {r}", f"new {r}")
    return d
