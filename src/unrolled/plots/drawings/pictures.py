"""How a picture becomes a sequence. Chapter 16."""

from unrolled.plots.diagram import Diagram

__all__ = ["vit"]


def vit() -> Diagram:
    """Draw the way of a picture through a vision transformer. Chapter 16."""
    d = Diagram(
        "A vision transformer. The picture is cut into N patches of P times P pixels; one matrix makes a "
        "vector of each. A learned class token goes in front. A learned vector is added at each place. The "
        "blocks read all of it. The class token's vector goes to the output layer, which scores the labels.",
        12.4,
        14.4,
    )
    d.box("picture", (3.6, 0.5), "picture", kind="data")
    d.box("cut", (3.6, 2.6), "cut into patches", kind="fixed", size=(5.6, 0.9), step=1)
    d.box("project", (3.6, 4.7), "E", size=(1.7, 0.9), step=1)
    d.box("front", (3.6, 6.8), "put in front", kind="fixed", size=(4.2, 0.9), step=2)
    d.box("token", (10.2, 6.8), "class token", size=(4.0, 0.9), step=2)
    d.box("plus", (3.6, 8.8), "+", kind="op", step=3)
    d.box("positions", (10.2, 8.8), "positions W", size=(4.0, 0.9), step=3)
    d.box("blocks", (3.6, 10.9), "blocks", size=(3.4, 0.9), step=4)
    d.box("head", (3.6, 13.0), "U", size=(1.7, 0.9), step=5)
    d.box("labels", (9.6, 13.0), "scores of the labels", kind="data", step=5)
    d.arrow("picture", "cut", "[H, W]", step=1)
    d.arrow("cut", "project", "[N, P²]", step=1)
    d.arrow("project", "front", "[N, d]", step=2)
    d.arrow("token", "front", "[1, d]", step=2)
    d.arrow("front", "plus", "[N + 1, d]", step=3)
    d.arrow("positions", "plus", "[N + 1, d]", step=3)
    d.arrow("plus", "blocks", "X: [N + 1, d]", step=4)
    d.arrow("blocks", "head", "row 0: [d]", step=5)
    d.arrow("head", "labels", "[labels]", step=5)
    return d
