"""Build what goes to a package index, into dist/: ``python -m tools.release``, or ``make dist``.

The README is shown there too, away from the repository: its links, which are relative here, become addresses.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import address
from tools.address import ROOT
from tools.edition import version

__all__ = ["ReleaseError", "absolute", "stage"]

# What stands in brackets, and where it leads. An image's text may hold anything but a bracket.
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<path>[^)\s]+)\)")


class ReleaseError(RuntimeError):
    """Nothing was built; the message says why."""


def absolute(readme: str) -> str:
    """Return the README with every relative link as an address: a page of the book, an image, or a file."""

    def replace(link: re.Match[str]) -> str:
        path = link["path"]
        if re.match(r"[a-z]+:|#", path):
            return link[0]
        page = re.fullmatch(r"book/(\w+)\.md", path)
        if link["image"]:
            to = address.raw_url(path)
        elif page:
            to = f"{address.pages_url()}{page[1]}.html"
        else:
            to = address.file_url(path.rstrip("/"))
        return f"{link['image']}[{link['text']}]({to})"

    return _LINK.sub(replace, readme)


def stage(folder: Path) -> None:
    """Lay out in `folder` what a release is built from: the last commit, and the README with addresses."""
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    readme = folder / "README.md"
    readme.write_text(absolute(readme.read_text(encoding="utf-8")), encoding="utf-8")


def build(out: Path) -> None:
    """Build the sdist and the wheel from the last commit, and have both checked."""
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "source"
        stage(source)
        made = Path(temporary) / "dist"
        for command in (["build", "--outdir", str(made), str(source)], ["twine", "check", "--strict"]):
            files = sorted(map(str, made.glob("*"))) if command[0] == "twine" else []
            if subprocess.run([sys.executable, "-m", *command, *files], check=False).returncode:
                raise ReleaseError(f"{command[0]} refused it, and says why above")
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(made, out)


def main(arguments: list[str] | None = None) -> int:
    """Build, and say what there is."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description="Build sdist and wheel.")
    parser.add_argument("--tag", help="refuse to build unless this is the version, with a v in front")
    options = parser.parse_args(arguments)
    try:
        if options.tag and options.tag != f"v{version()}":
            raise ReleaseError(f"expected the tag v{version()}, as pyproject.toml says, got {options.tag}")
        build(ROOT / "dist")
    except ReleaseError as error:
        print(f"Nothing was built: {error}.", file=sys.stderr)
        return 1
    for path in sorted((ROOT / "dist").iterdir()):
        print(f"dist/{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
