"""The addresses a page offers: run, download, edit, report."""

from dataclasses import dataclass
from pathlib import Path

from tools import address

__all__ = ["Links", "links"]


@dataclass(frozen=True)
class Links:
    """Where a page's buttons lead; `colab` and `download` are empty for a page without a notebook."""

    colab: str
    download: str
    edit: str
    issue: str


def links(root: Path, docname: str) -> Links:
    """Return the addresses of the page `docname` of the repository at `root`."""
    notebook = f"notebooks/{docname}.ipynb"
    has_notebook = (root / notebook).exists()
    return Links(
        colab=address.colab_url(notebook) if has_notebook else "",
        download="../" * docname.count("/") + notebook if has_notebook else "",
        edit=address.edit_url(f"book/{docname}.md"),
        issue=address.new_issue_url(f"book/{docname}.md: "),
    )
