"""Links that Sphinx does not see: of the documents on GitHub, and of notebooks to the published pages."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

from tools import address

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "results").glob("*.md")])
# From a document at the root, as the repository's pages show it: what the host keeps beside the files.
_HOST = re.compile(r"\.\./\.\./(?:security|issues)/")
_LINK = re.compile(r"\]\(([^)\s]+)(?:\s\"[^\"]*\")?\)")


def anchors(text: str) -> set[str]:
    """Return the anchors GitHub gives the headings of a document."""
    heads = re.findall(
        r"^#+ +(.*?) *$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    )
    plain = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", head) for head in heads)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in plain}


def broken(document: Path) -> list[str]:
    """Return the links of a document that lead to no file of the repository, or to no heading."""
    wrong = []
    for link in _LINK.findall(re.sub(r"```.*?```|`[^`]*`", "", document.read_text("utf-8"), flags=re.DOTALL)):
        path, _, anchor = link.partition("#")
        target = (document.parent / unquote(path)).resolve() if path else document
        if re.match(r"[a-z]+:", link) or (document.parent == ROOT and _HOST.match(link)):
            continue
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target.read_text("utf-8"))
        ):
            wrong.append(f"{document.name}: {link}")
    return wrong


def test_what_is_broken_is_found(tmp_path: Path) -> None:
    other = tmp_path / "other.md"
    other.write_text("# A heading: with `code`\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#a-heading-with-code) [c](https://example.org) `[d](code.md)`\n"
        "[e](gone.md) [f](other.md#gone) [g](#gone)\n",
        encoding="utf-8",
    )
    assert broken(page) == ["page.md: gone.md", "page.md: other.md#gone", "page.md: #gone"]


def test_links_of_documents_lead_somewhere() -> None:
    assert len(DOCUMENTS) > 20
    assert [link for document in DOCUMENTS for link in broken(document)] == []


def test_links_of_notebooks_lead_to_places_of_the_published_book(built_book: Path) -> None:
    home = re.escape(address.pages_url())
    ids: dict[str, set[str]] = {}
    checked, wrong = 0, []
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
        for name, anchor in re.findall(rf"{home}([\w./-]*?)(?:#([\w%.:-]+))?(?=[)\s\"'>,]|$)", text):
            page = built_book / (name or "index.html")
            checked += 1
            if page.is_file() and name not in ids:
                ids[name] = set(re.findall(r'\sid="([^"]+)"', page.read_text(encoding="utf-8")))
            if not page.is_file() or (anchor and unquote(anchor) not in ids[name]):
                wrong.append(f"{notebook.name}: {name}#{anchor}")
    assert checked > 20
    assert wrong == []
