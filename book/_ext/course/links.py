"""The addresses a page offers: run, download, edit, report."""

from dataclasses import dataclass
from pathlib import Path

from tools import address

__all__ = ["ARCHIVE", "Links", "links"]

ARCHIVE = "notebooks.zip"


@dataclass(frozen=True)
class Links:
    """Where a page's buttons lead; all but `edit` and `issue` are empty for a page without a notebook."""

    colab: str
    download: str
    edit: str
    issue: str
    binder: str = ""
    archive: str = ""
    """All notebooks in one file."""
    editor: str = ""
    """The repository, to be cloned by VS Code."""


def links(root: Path, docname: str) -> Links:
    """Return the addresses of the page `docname` of the repository at `root`."""
    notebook = f"notebooks/{docname}.ipynb"
    has_notebook = (root / notebook).exists()
    return Links(
        colab=address.colab_url(notebook) if has_notebook else "",
        download="../" * docname.count("/") + notebook if has_notebook else "",
        edit=address.edit_url(f"book/{docname}.md"),
        issue=address.new_issue_url(f"book/{docname}.md: "),
        binder=address.binder_url(notebook) if has_notebook else "",
        archive="../" * docname.count("/") + ARCHIVE if has_notebook else "",
        editor=address.clone_url() if has_notebook else "",
    )
