"""A repository of two short chapters and a package of their own, small enough to build many times."""

import subprocess
import sys
from pathlib import Path

from tests.book.conftest import ROOT

FRONT = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n  display_name: Python 3\n---\n\n"
FIRST = """# The first

The first speaks of [the second](02_second.md) and of {eq}`eq-other`, see {cite}`elman1990finding`.

```{code-cell}
from little.leaf import leaf

print("leaf", leaf())
```

$$ a = b $$ (eq-first)

```{bibliography}
:filter: docname in docnames
```
"""
SECOND = """# The second

The second imports what the first does not.

```{code-cell}
import sys

from little import core

sys.stdout.write("the row")
sys.stdout.flush()
sys.stdout.write(" goes on\\n\\n")
sys.stdout.flush()
sys.stdout.write("  and its second line\\n")
sys.stdout.flush()
print(core.core())
```

$$ c = d $$ (eq-other)
"""
TOC = "format: jb-book\nroot: index\nchapters:\n  - file: 01_first\n  - file: 02_second\n"


def lay_out(root: Path) -> Path:
    """Write the repository at `root` and return it."""
    book, package = root / "book", root / "src" / "little"
    for folder in (book, package, root / "notebooks"):
        folder.mkdir(parents=True)
    for name in ("tools", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    for name in ("_config.yml", "_words.yml", "_ext", "_assets", "_templates", "references.bib"):
        (book / name).symlink_to(ROOT / "book" / name)
    (book / "_toc.yml").write_text(TOC)
    (book / "index.md").write_text("# A little book\n\nIt is short.\n\n```{course-times}\n```\n")
    (book / "01_first.md").write_text(FRONT + FIRST)
    (book / "02_second.md").write_text(FRONT + SECOND)
    for name in ("01_first", "02_second"):
        (root / "notebooks" / f"{name}.ipynb").touch()  # the site has those that are committed
    (package / "__init__.py").write_text("")
    (package / "leaf.py").write_text("def leaf():\n    return 2\n")
    (package / "deep.py").write_text("DEEP = 3\n")
    (package / "core.py").write_text("from .deep import DEEP\n\n\ndef core():\n    return DEEP\n")
    return root


def edit(path: Path, old: str, new: str) -> None:
    """Put `new` in the place of `old`, which stands there once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def files(folder: Path) -> dict[str, bytes]:
    """Return what a folder holds."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def by_hand(root: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Type ``jupyter-book build book`` in a shell that knows nothing of the repository."""
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(root), "PYTHONHASHSEED": "7", "LANG": "C.UTF-8"}
    return subprocess.run(
        [*command, str(root / "book"), "--path-output", str(output), *options],
        cwd=output.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
