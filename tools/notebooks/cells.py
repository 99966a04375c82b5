"""What a notebook has beside the chapter's own cells: the first two, tags, identities and metadata."""

import hashlib
import json
import re
from typing import Any

import nbformat

from tools import course
from tools.notebooks.context import Context
from tools.notebooks.source import Cell

__all__ = ["FORBIDDEN", "following", "header", "notebook_text", "setup_source"]

# What Colab may lack of the package's needs: the module to look for, and the package that brings it.
HELPERS = {
    "jaxtyping": "jaxtyping",
    "wadler_lindig": "wadler-lindig",
    "anywidget": "anywidget",
    "psygnal": "psygnal",
}
# A pin on one of these would make Colab reinstall gigabytes it has.
FORBIDDEN = ("torch", "numpy", "transformers", "matplotlib", "ipywidgets", "jax", "tensorflow")
HIDDEN = {
    "remove-cell",
    "remove-input",
    "remove_cell",
    "remove_input",
    "hide-input",
    "hide-cell",
    "hide_input",
}

_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"


def header(heading: str, ctx: Context) -> str:
    """Return the first cell: title, badge, the way back to the book, licence, what to do first."""
    page = ctx.chapter.page
    colab_url = ctx.address.colab_url(f"notebooks/{page}.ipynb")
    badge = f"[![Open in Colab]({_BADGE})]({colab_url})\n\n" if colab_url else ""
    part = f"Chapter {ctx.chapter.number}" if ctx.chapter.number is not None else "A part"
    back = (
        f"{part} of [{course.title()}]({ctx.page_url('index')}): [read it as a page]({ctx.page_url(page)})."
    )
    licence = (
        "Text: [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). "
        f"Code: [MIT]({ctx.address.repository()}/blob/main/LICENSE)."
    )
    # A notebook ships without outputs, and the text speaks of them.
    run = "Run all cells before you read: *Runtime* ▸ *Run all* in Colab, *Run* ▸ *Run All Cells* in Jupyter."
    gpu = "A GPU is of no use here: no cell uses one."
    if ctx.chapter.front.get("gpu") is True:
        gpu = "A cell that trains a model uses a GPU where there is one; everything runs without."
    colab = (
        "In Colab the first cell installs the course's package, once a session, in a minute or less unless "
        "the network is slow. Colab forgets what you change unless you save a copy: *File* ▸ *Save a copy in "
        f"Drive*. {gpu}"
    )
    return f"{heading}\n\n{badge}{back}\n{licence}\n\n{run}\n\n{colab}"


def following(ctx: Context) -> str:
    """Return where the course goes on after this chapter; nothing after the last."""
    later = ctx.chapters[ctx.chapters.index(ctx.chapter.page) + 1 :]
    if not later:
        return ""
    title, colab = ctx.book.pages[later[0]].title, ctx.address.colab_url(f"notebooks/{later[0]}.ipynb")
    if not colab:
        return f"**Next:** [{title}]({ctx.page_url(later[0])})."
    return f"**Next:** [{title}]({colab}) in Colab, or [as a page]({ctx.page_url(later[0])})."


def setup_source(repository: str, extra: dict[str, str]) -> str:
    """Return the code of the install cell; it does nothing where the package is installed.

    Args:
        repository: the public address of the repository.
        extra: further helpers of one chapter, from module to package.

    Raises:
        ValueError: a helper is one that Colab has, and that must not be reinstalled.
    """
    for package in extra.values():
        if (name := re.split(r"[\s<>=!~\[;@]", package)[0].lower()) in FORBIDDEN:
            raise ValueError(f"colab_needs: {name} must not be installed in Colab, which has it")
    needs = HELPERS | extra
    listed = "\n".join(
        f"    {json.dumps(module)}: {json.dumps(package)}," for module, package in needs.items()
    )
    return f"""# @title Setup: install the course's package (nothing happens where it is installed)
import importlib.util
import os
import sys

# Threads that wait leave the processor to others; this has to be said before any are made.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if importlib.util.find_spec("unrolled") is None:
    %pip install -q --no-deps "unrolled @ git+{repository}"
helpers = {{
{listed}
}}
for module, package in helpers.items():
    if importlib.util.find_spec(module) is None:
        %pip install -q --no-deps {{package}}
importlib.invalidate_caches()
missing = [name for name in ("unrolled", *helpers) if importlib.util.find_spec(name) is None]
if missing:
    raise ImportError(
        f"The setup could not install {{', '.join(missing)}}: what pip says stands above. Without a network "
        "nothing can be installed. Run this cell again; if it still fails, choose Runtime > Disconnect and "
        "delete runtime, then Runtime > Run all, or tell us: {repository}/issues"
    )

if "google.colab" in sys.modules:  # let Colab show the widgets
    from google.colab import output

    output.enable_custom_widget_manager()"""


def cell_metadata(cell: Cell) -> dict[str, Any]:
    """Return what Jupyter and Colab need to know of a cell's tags."""
    metadata = dict(cell.metadata)
    if cell.kind == "code" and HIDDEN & set(cell.tags) and "notebook-only" not in cell.tags:
        metadata |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    if kept := [tag for tag in cell.tags if tag == "raises-exception"]:
        metadata["tags"] = kept
    return metadata


def notebook_metadata(front: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook's metadata; only a chapter with ``gpu: true`` asks Colab for a GPU."""
    metadata: dict[str, Any] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "colab": {"toc_visible": True},
    }
    if front.get("gpu") is True:
        metadata["accelerator"] = "GPU"
        metadata["colab"]["gpuType"] = "T4"
    return metadata


def notebook_text(page: str, cells: list[Cell], metadata: dict[str, Any]) -> str:
    """Return the file of a valid notebook without outputs; its cells keep their identity from run to run."""
    nodes = []
    for index, cell in enumerate(cells):
        node: dict[str, Any] = {
            "cell_type": cell.kind,
            "id": hashlib.sha256(f"{page}:{index}".encode()).hexdigest()[:12],
            "metadata": cell_metadata(cell),
            "source": cell.source.splitlines(keepends=True),
        }
        nodes.append(node | {"execution_count": None, "outputs": []} if cell.kind == "code" else node)
    text = json.dumps(
        {"cells": nodes, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5},
        ensure_ascii=False,
        indent=1,
        sort_keys=True,
    )
    nbformat.validate(nbformat.reads(text, as_version=4))  # type: ignore[no-untyped-call]
    return text + "\n"
