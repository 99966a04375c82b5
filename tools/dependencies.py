"""What the outputs of a chapter depend on: its code, what that imports, the files these read, the packages.

Nothing runs here: imports are read from the sources. Where that cannot say, everything counts.
"""

import ast
import hashlib
import platform
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import Distribution, distributions
from itertools import chain
from pathlib import Path
from typing import TypeGuard

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.project import project

__all__ = ["Sources", "digest", "environment_digest"]

# Whoever calls one of these may import anything.
_DYNAMIC = {"import_module", "__import__", "iter_modules", "walk_packages"}
# Measured run times stand on the page but are seen by no cell.
_UNSEEN = {"chapter_times.json", "py.typed"}
# What is called with a part of a path.
_PATHS = {
    "Path",
    "PurePath",
    "PurePosixPath",
    "joinpath",
    "with_name",
    "join",
    "files",
    "glob",
    "rglob",
    "open",
}


def digest(*parts: str | bytes) -> str:
    """Return one name for all `parts`, in their order."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part.encode() if isinstance(part, str) else part).digest())
    return whole.hexdigest()


@cache
def environment_digest(root: Path) -> str:
    """Return a digest of Python and of every package that a cell can count on.

    Those are what pyproject.toml asks for to use the package and to build the book, and what these ask for
    in turn. What else is installed, such as the tools of the tests, changes no page.
    """
    said = project(root)
    asked = [*said["dependencies"], *said["optional-dependencies"]["book"]]
    installed: dict[str, Distribution] = {}
    for package in distributions():
        installed.setdefault(canonicalize_name(package.metadata["Name"]), package)
    versions: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(text), "") for text in asked]
    while waiting:
        wanted, extra = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        found = installed.get(name)
        versions[name] = found.version if found else "none"
        for more in ("", *sorted(wanted.extras)):
            if found and (name, more) not in seen:
                seen.add((name, more))
                waiting += [(Requirement(text), more) for text in found.requires or []]
    machine = [platform.python_implementation(), platform.python_version(), platform.machine()]
    return digest(*machine, *(f"{name}=={version}" for name, version in sorted(versions.items())))


class Sources:
    """The files of a repository that a cell can see: the modules under ``src/``, and what lies by them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = root / "src"
        self._parsed: dict[Path, _Module] = {}
        self._digests: dict[Path, str] = {}
        self._imports: dict[Path, list[tuple[Path, bool]]] = {}

    def read_by(self, code: str) -> list[Path]:
        """Return every file that `code` imports, through however many modules, or that these may read."""
        cells = _Module.parse(code, package="")
        if cells is None:
            return [*self._all_modules, *self._data]
        words, folders = set(cells.words), set(cells.folders)
        files: set[Path] = set()
        followed: set[Path] = set()
        waiting = [*self._imported(cells), *((path, True) for path in self._all_modules if cells.dynamic)]
        while waiting:
            path, follow = waiting.pop()
            files.add(path)
            if follow and path not in followed:
                followed.add(path)
                words |= self._module(path).words
                folders |= self._module(path).folders
                waiting += self._needs(path)
        return sorted(files | {path for path in self._data if self._may_read(path, words, folders)})

    def stamp(self, code: str) -> str:
        """Return a digest of `code` and of all files it can see."""
        files = (f"{self._name(path)} {self._digest(path)}" for path in self.read_by(code))
        return digest(code, *files)

    @cached_property
    def whole(self) -> str:
        """A digest of all files: while it stays, every stamp of the same code stays."""
        files = (f"{self._name(path)} {self._digest(path)}" for path in self._files)
        return digest(Path(__file__).read_bytes(), *files)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = digest(path.read_bytes())
        return self._digests[path]

    def _module(self, path: Path) -> "_Module":
        if path not in self._parsed:
            folder = path.parent.relative_to(self.source)
            parsed = _Module.parse(path.read_text(encoding="utf-8"), ".".join(folder.parts))
            self._parsed[path] = parsed or _Module(dynamic=True)
        return self._parsed[path]

    def _needs(self, path: Path) -> list[tuple[Path, bool]]:
        if path not in self._imports:
            module = self._module(path)
            everything = ((other, True) for other in self._all_modules)
            self._imports[path] = list(everything if module.dynamic else self._imported(module))
        return self._imports[path]

    def _imported(self, module: "_Module") -> Iterator[tuple[Path, bool]]:
        """Yield the modules that `module` imports, and whether what they import counts, too."""
        for name in module.imports:
            yield from self._whole(name)
        for base, name in module.names:
            yield from self._one(base, name)

    def _whole(self, name: str) -> Iterator[tuple[Path, bool]]:
        """Yield the module `name`, and the packages that run before it: a and a.b before a.b.c."""
        parts = name.split(".")
        names = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
        found = [self._known[name] for name in names if name in self._known]
        for path in found:
            yield path, path == found[-1] or self._module(path).passes is None

    def _one(self, base: str, name: str) -> Iterator[tuple[Path, bool]]:
        """Yield what ``from base import name`` needs: of a package that only passes on, no more than that."""
        passes = self._module(self._known[base]).passes if base in self._known else None
        module = f"{base}.{name}"
        if module in self._known:
            yield from self._whole(module)
        if passes is not None and name in passes:
            yield from ((path, follow and path != self._known[base]) for path, follow in self._whole(base))
            # A package that passes on a module of its own leads here again.
            if passes[name] != (base, name):
                yield from self._one(*passes[name])
        elif module not in self._known:
            yield from self._whole(base)

    @cached_property
    def _known(self) -> dict[str, Path]:
        """Every module by the name it is imported under."""
        places = ((path, path.relative_to(self.source).with_suffix("").parts) for path in self._all_modules)
        return {".".join(parts[:-1] if parts[-1] == "__init__" else parts): path for path, parts in places}

    @cached_property
    def _all_modules(self) -> list[Path]:
        return [path for path in self._files if path.suffix == ".py"]

    @cached_property
    def _data(self) -> list[Path]:
        return [path for path in self._files if path.suffix != ".py" and path.name not in _UNSEEN]

    @cached_property
    def _files(self) -> list[Path]:
        results = self.root / "results"
        folders = [self.source] + ([] if results.is_symlink() else [results])
        return [
            path
            for folder in folders
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not any(re.search(r"^__pycache__$|\.egg-info$", p) for p in path.parts)
        ]

    @cached_property
    def _named(self) -> tuple[set[str], set[str]]:
        """The texts of all modules, and those that are parts of a path."""
        modules = [self._module(path) for path in self._all_modules]
        return set().union(*(m.words for m in modules)), set().union(*(m.folders for m in modules))

    def _may_read(self, path: Path, words: set[str], folders: set[str]) -> bool:
        """Tell whether somebody who uses `words`, and `folders` in paths, may read the data file.

        It may be read by its name, which may stand anywhere, or by its folder's, which must stand in a path:
        many a text is called like a folder. A file whose place no module names may be read by everybody.
        """
        here, folder = {path.name, path.stem}, path.parent.name
        if here & words or folder in folders:
            return True
        return not here & self._named[0] and folder not in self._named[1]


@dataclass
class _Module:
    """What one source says: the modules it imports, and the texts in it, which name the files it reads."""

    imports: set[str] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    passes: dict[str, tuple[str, str]] | None = None
    """Where each name comes from, of a module that does nothing but pass names on."""
    dynamic: bool = False

    @classmethod
    def parse(cls, text: str, package: str) -> "_Module | None":
        """Return what `text` says, a module of `package`; nothing if it is no Python, such as a magic."""
        try:
            tree = ast.parse(text)
        except SyntaxError:
            return None
        found = cls(passes=_passed_on(tree, package))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found.imports.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = _base(node, package)
                whole = any(alias.name == "*" for alias in node.names)
                found.imports.update([base] if whole else [])
                found.names.update((base, alias.name) for alias in node.names if not whole)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.words.update(_places(node.value))
                found.folders.update(_places(node.value) if "/" in node.value else ())
            elif isinstance(node, ast.Name | ast.Attribute):
                name = node.id if isinstance(node, ast.Name) else node.attr
                found.dynamic = found.dynamic or name in _DYNAMIC
            for part in _parts_of_paths(node):
                found.folders.update(_places(part))
        return found


def _passed_on(tree: ast.Module, package: str) -> dict[str, tuple[str, str]] | None:
    """Return from where each name comes if `tree` only imports names and lists them, else nothing.

    It may load them when they are asked for, by a `__getattr__`, and tell type checkers alone from where.
    """
    names: dict[str, tuple[str, str]] = {}
    for node in chain.from_iterable(node.body if _is_for_types(node) else [node] for node in tree.body):
        if isinstance(node, ast.ImportFrom) and all(alias.name != "*" for alias in node.names):
            base = _base(node, package)
            names |= {alias.asname or alias.name: (base, alias.name) for alias in node.names}
        elif not _says_nothing(node):
            return None
    return names


def _is_for_types(node: ast.stmt) -> TypeGuard[ast.If]:
    """Tell whether a statement is ``if TYPE_CHECKING:`` without an else."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not node.orelse


def _says_nothing(node: ast.stmt) -> bool:
    """Tell whether a statement is a docstring, a list of names such as ``__all__``, or how to load them."""
    if isinstance(node, ast.FunctionDef):
        return node.name in {"__getattr__", "__dir__"}
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return all(isinstance(target, ast.Name) and target.id.startswith("__") for target in targets)


def _base(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    above = parts[: len(parts) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _parts_of_paths(node: ast.AST) -> Iterator[str]:
    """Yield the texts that `node` makes paths of: the sides of a ``/``, what ``Path`` is called with."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        parts = [node.left, node.right]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        parts = node.args if called in _PATHS else []
    for part in parts:
        for text in ast.walk(part):
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value


def _places(text: str) -> Iterable[str]:
    return (part for part in text.split("/") if part) if len(text) < 200 else ()
