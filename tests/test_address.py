"""One address, and every link made from it."""

import re
import subprocess
from pathlib import Path

import pytest

from tools import address, citation

ROOT = Path(__file__).parents[1]


@pytest.fixture
def fork(monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "Ada-L/unrolled.fork")
    monkeypatch.delenv("GITHUB_SERVER_URL", raising=False)


def test_without_a_fork_the_address_is_the_declared_one():
    declared = re.search(r'^Repository = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert address.repository() == declared[1]
    assert declared[1].endswith("/" + address.slug())


FORK = "Ada-L/unrolled.fork"
FORKED = [
    (address.repository, (), f"https://github.com/{FORK}"),
    (address.slug, (), FORK),
    (address.pages_url, (), "https://ada-l.github.io/unrolled.fork/"),
    (
        address.colab_url,
        ("notebooks/a b.ipynb",),
        f"https://colab.research.google.com/github/{FORK}/blob/main/notebooks/a%20b.ipynb",
    ),
    (
        address.binder_url,
        ("notebooks/a b.ipynb",),
        f"https://mybinder.org/v2/gh/{FORK}/main?labpath=notebooks/a%20b.ipynb",
    ),
    (
        address.clone_url,
        (),
        f"vscode://vscode.git/clone?url=https%3A%2F%2Fgithub.com%2F{FORK.replace('/', '%2F')}",
    ),
    (address.edit_url, ("book/a.md",), f"https://github.com/{FORK}/edit/main/book/a.md"),
    (address.file_url, ("book/a.md",), f"https://github.com/{FORK}/blob/main/book/a.md"),
    (address.raw_url, (Path("book/a.md"),), f"https://raw.githubusercontent.com/{FORK}/main/book/a.md"),
    (address.issues_url, (), f"https://github.com/{FORK}/issues"),
    (address.new_issue_url, ("x & y",), f"https://github.com/{FORK}/issues/new?title=x+%26+y"),
    (address.new_issue_url, ("x", "y"), f"https://github.com/{FORK}/issues/new?title=x&body=y"),
]


@pytest.mark.usefixtures("fork")
@pytest.mark.parametrize(("link", "arguments", "expected"), FORKED)
def test_in_a_fork_every_link_is_the_forks(link, arguments, expected):
    assert link(*arguments) == expected


def test_the_server_may_be_another(fork, monkeypatch):
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://git.example.org/")
    assert address.repository() == f"https://git.example.org/{FORK}"


def test_the_address_of_a_clone_will_do(monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "Ada/course.git")
    assert address.repository() == "https://github.com/Ada/course"


def test_a_users_own_page_has_no_folder(monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "Ada/ada.github.io")
    assert address.pages_url() == "https://ada.github.io/"


@pytest.mark.parametrize("wrong", ["name-alone", "a/b/c", "a/b?c", "a b/c"])
def test_an_address_no_link_can_be_made_from_is_named(monkeypatch, wrong):
    monkeypatch.setenv("GITHUB_REPOSITORY", wrong)
    with pytest.raises(address.AddressError, match=re.escape(f"/{wrong}'")):
        address.repository()


@pytest.mark.parametrize("wrong", ["/etc/passwd", "../secret", "book/../../secret"])
def test_a_path_outside_the_repository_is_named(wrong):
    with pytest.raises(address.AddressError, match=f"relative to the repository's root, got '{wrong}'"):
        address.edit_url(wrong)


def test_the_citation_is_the_generated_one():
    assert (ROOT / "CITATION.cff").read_text(encoding="utf-8") == citation.citation()


def test_the_address_stands_nowhere_else():
    """In pyproject.toml, and in what is generated: a fork has nothing to edit."""
    tracked = subprocess.run(
        [
            "git",
            "-c",
            "safe.directory=*",
            "grep",
            "-I",
            "-l",
            "-i",
            "-F",
            "-e",
            address.slug(),
            "-e",
            address.pages_url(),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "pyproject.toml" in tracked
    elsewhere = [path for path in tracked if not path.startswith("notebooks/")]
    assert set(elsewhere) <= {"pyproject.toml", "CITATION.cff"}, "write it with tools.address"
