"""The one address: where the repository lives in public, and every link made from it.

It stands in ``project.urls.Repository`` of pyproject.toml and nowhere else. In GitHub Actions the variable
``GITHUB_REPOSITORY`` (owner/name) overrides it, so that a fork publishes links to itself without an edit.

Run ``python -m tools.address`` to see the links.
"""

import os
import re
from pathlib import Path
from urllib.parse import quote, urlencode

from tools.project import project

__all__ = [
    "BRANCH",
    "AddressError",
    "binder_url",
    "clone_url",
    "colab_url",
    "edit_url",
    "file_url",
    "issues_url",
    "new_issue_url",
    "pages_url",
    "raw_url",
    "repository",
    "slug",
]

ROOT = Path(__file__).parents[1]
BRANCH = "main"
SLUG = r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+"


class AddressError(ValueError):
    """The address is none that links can be made from; the message says where it stands."""


def repository() -> str:
    """Return the repository's address, such as ``https://github.com/owner/name``, without a last slash.

    Raises:
        AddressError: what pyproject.toml or the environment says is no such address.
    """
    forked = os.environ.get("GITHUB_REPOSITORY")
    if forked:
        server = os.environ.get("GITHUB_SERVER_URL") or "https://github.com"
        source, url = "GITHUB_SERVER_URL and GITHUB_REPOSITORY", f"{server.rstrip('/')}/{forked}"
    else:
        source, url = (
            "project.urls.Repository in pyproject.toml",
            str(project()["urls"]["Repository"]).rstrip("/"),
        )
    if not re.fullmatch(rf"https://[A-Za-z0-9.-]+/{SLUG}", url):
        raise AddressError(f"{source}: expected https://<host>/<owner>/<name>, got {url!r}")
    return url.removesuffix(".git")


def slug() -> str:
    """Return ``owner/name``."""
    return "/".join(repository().split("/")[-2:])


def pages_url() -> str:
    """Return where GitHub Pages serves the book, with a last slash."""
    owner, name = slug().split("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def _inside(path: str | Path) -> str:
    """Return `path`, relative to the repository's root, as a piece of a URL."""
    text = Path(path).as_posix()
    if text.startswith("/") or ".." in text.split("/"):
        raise AddressError(f"path: expected one relative to the repository's root, got {text!r}")
    return quote(text)


def colab_url(notebook: str | Path) -> str:
    """Return the link that opens `notebook`, such as ``notebooks/04-….ipynb``, in Colab."""
    return f"https://colab.research.google.com/github/{slug()}/blob/{BRANCH}/{_inside(notebook)}"


def binder_url(notebook: str | Path) -> str:
    """Return the link that opens `notebook` in Binder, which builds environment.yml first."""
    return f"https://mybinder.org/v2/gh/{slug()}/{BRANCH}?labpath={_inside(notebook)}"


def clone_url() -> str:
    """Return the link by which an installed VS Code asks for a folder and clones the repository."""
    return f"vscode://vscode.git/clone?{urlencode({'url': repository()})}"


def edit_url(path: str | Path) -> str:
    """Return the link to GitHub's editor for a file of the repository."""
    return f"{repository()}/edit/{BRANCH}/{_inside(path)}"


def file_url(path: str | Path) -> str:
    """Return the link to the page of a file of the repository."""
    return f"{repository()}/blob/{BRANCH}/{_inside(path)}"


def raw_url(path: str | Path) -> str:
    """Return the link to a file's content, to download or to show as an image."""
    return f"https://raw.githubusercontent.com/{slug()}/{BRANCH}/{_inside(path)}"


def issues_url() -> str:
    """Return the list of issues."""
    return f"{repository()}/issues"


def new_issue_url(title: str, body: str = "") -> str:
    """Return the link to a new issue that is filled in already."""
    said = {"title": title, "body": body} if body else {"title": title}
    return f"{issues_url()}/new?{urlencode(said)}"


if __name__ == "__main__":
    print(repository(), pages_url(), issues_url(), sep="\n")
