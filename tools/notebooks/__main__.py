"""Write the notebooks, or check that they are what the chapters give.

``python -m tools.notebooks`` writes; ``--check`` compares and fails with the differences; ``--time`` runs
chapters and notes how long each took; ``--portable`` runs them as other processors would, and fails where
a cell does.
"""

import argparse
import difflib
import sys
from pathlib import Path

from tools.notebooks.generate import GenerationError, generate

ROOT = Path(__file__).parents[2]


def drift(root: Path, made: dict[str, str]) -> list[str]:
    """Return, line by line, how the notebooks on disk differ from those `made`."""
    folder = root / "notebooks"
    said: list[str] = []
    for page, text in sorted(made.items()):
        path = folder / f"{page}.ipynb"
        if not path.is_file():
            said.append(f"notebooks/{page}.ipynb is missing")
        elif (there := path.read_bytes().decode("utf-8")) != text:
            lines = difflib.unified_diff(
                there.splitlines(),
                text.splitlines(),
                f"notebooks/{page}.ipynb",
                f"from book/{page}.md",
                "",
                "",
                0,
                "",
            )
            said += [line[:160] for line, _ in zip(lines, range(40), strict=False)]
    return said + [f"notebooks/{name}.ipynb has no chapter" for name in stale(root, made)]


def stale(root: Path, made: dict[str, str]) -> list[str]:
    """Return the names of the notebooks whose chapter is gone."""
    folder = root / "notebooks"
    names = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.ipynb")}
    return sorted(names - set(made))


def write(root: Path, made: dict[str, str]) -> None:
    """Write the notebooks, and remove those whose chapter is gone."""
    for name in stale(root, made):
        (root / "notebooks" / f"{name}.ipynb").unlink()
    for page, text in made.items():
        path = root / "notebooks" / f"{page}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="fail if notebooks/ is not what the chapters give")
    what.add_argument(
        "--time", nargs="*", metavar="PAGE", help="run these chapters, or all, and note the time"
    )
    what.add_argument(
        "--portable", nargs="*", metavar="PAGE", help="run these chapters, or all, as other processors would"
    )
    options = parser.parse_args(arguments)
    try:
        made = generate(root)
    except GenerationError as error:
        print(error, file=sys.stderr)
        return 1
    if not made:
        print("book/: expected at least one chapter with file_format: mystnb, got none", file=sys.stderr)
        return 1
    if options.check:
        said = drift(root, made)
        print(
            "\n".join(
                [*said, "Run python -m tools.notebooks"] if said else [f"{len(made)} notebooks up to date"]
            )
        )
        return 1 if said else 0
    for option in ("time", "portable"):
        if unknown := sorted(set(getattr(options, option) or ()) - set(made)):
            print(f"--{option}: expected chapters among {sorted(made)}, got {unknown}", file=sys.stderr)
            return 1
    if options.portable is not None:
        from tools.notebooks.portable import failures

        found = failures({page: made[page] for page in options.portable or made}, print)
        print("\n\n".join(found), file=sys.stderr)
        return 1 if found else 0
    if options.time is not None:
        from tools.notebooks.timing import record

        record(root, {page: made[page] for page in options.time or made})
        made = generate(root)  # a notebook says how long it runs
    write(root, made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
