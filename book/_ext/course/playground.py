"""The weights of the playground lie beside its page, and come when a reader types."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

import unrolled
from unrolled.widgets.playground import address, lay_beside

# Where `unrolled.training.stored` keeps them, which loads torch: seconds, for a build that ran no cell.
FOLDER = Path(unrolled.__file__).parent / "weights"
_ADDRESS = re.compile(r'"address":"(_static/playground/([\w-]+)-[0-9a-f]{10}\.safetensors)"')


def add_weights(app: Sphinx, error: Exception | None) -> None:
    """Write the weights that pages name next to them.

    Raises:
        ExtensionError: a page was run with other weights than those that are stored now.
    """
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for page in out.glob("*.html"):
        for named, stem in set(_ADDRESS.findall(page.read_text(encoding="utf-8"))):
            weights = FOLDER / f"{stem}.safetensors"
            content = weights.read_bytes() if weights.exists() else b""
            if address(stem, content) != named:
                raise ExtensionError(
                    f"{page.stem}: expected weights {named}, which are not stored now; run the page again"
                )
            if not (out / named).exists():
                lay_beside(content, out / named)


def setup(app: Sphinx) -> None:
    """Connect to Sphinx's events."""
    app.connect("build-finished", add_weights)
