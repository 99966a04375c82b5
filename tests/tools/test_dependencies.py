"""What a chapter depends on: what it imports, what that reads, and the packages it can count on."""

import ast
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tools import dependencies
from tools.dependencies import Sources, environment_digest

ROOT = Path(__file__).parents[2]
PACKAGE = {
    "__init__.py": "",
    "leaf.py": "from . import shapes\n",
    "shapes.py": "",
    "other.py": "def late():\n    from little.nn.model import Model\n",
    "nn/__init__.py": "'Models.'\nfrom .gate import gate\nfrom .model import Model as Model\n__all__ = []\n",
    "nn/gate.py": "",
    "busy/__init__.py": "from . import one, two\n\none.start()\n",
    "busy/one.py": "",
    "busy/two.py": "",
    "nn/model.py": "from ..shapes import B\n",
    "lazy/__init__.py": (
        "if TYPE_CHECKING:\n    from .heavy import lift\ndef __getattr__(name):\n    from . import heavy\n"
    ),
    "lazy/heavy.py": "from .. import leaf\n",
    "lazy/light.py": "",
    "store.py": 'FOLDER = Path(__file__).parent / "weights"\n',
    "weights/bears.bin": "1",
    "lost/page.txt": "1",
    "taps.py": 'NAME = "weights"\n',
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in PACKAGE.items():
        path = tmp_path / "src" / "little" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def read(root: Path, code: str) -> set[str]:
    package = root / "src" / "little"
    return {path.relative_to(package).as_posix() for path in Sources(root).read_by(code)}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import torch", set()),
        ("import little", {"__init__.py"}),
        ("from little import leaf", {"__init__.py", "leaf.py", "shapes.py"}),
        ("import little.leaf as it", {"__init__.py", "leaf.py", "shapes.py"}),
        (
            "from little.other import late",
            {"__init__.py", "other.py", "nn/__init__.py", "nn/model.py", "shapes.py"},
        ),
        # A package that only passes names on counts for those that are asked for.
        ("from little.nn import Model", {"__init__.py", "nn/__init__.py", "nn/model.py", "shapes.py"}),
        ("from little.nn import gate as g", {"__init__.py", "nn/__init__.py", "nn/gate.py"}),
        ("import little.nn.gate", {"__init__.py", "nn/__init__.py", "nn/gate.py"}),
        *(
            (code, {"__init__.py", "nn/__init__.py", "nn/gate.py", "nn/model.py", "shapes.py"})
            for code in ("import little.nn", "from little import nn", "from little.nn import *")
        ),
        # One that does something counts with all it imports, whatever is asked for.
        ("from little.busy import one", {"__init__.py", "busy/__init__.py", "busy/one.py", "busy/two.py"}),
        # One that loads names when they are asked for counts for those that are.
        ("from little.lazy.light import x", {"__init__.py", "lazy/__init__.py", "lazy/light.py"}),
        (
            "from little.lazy import lift",
            {"__init__.py", "lazy/__init__.py", "lazy/heavy.py", "leaf.py", "shapes.py"},
        ),
        ("from little.store import FOLDER", {"__init__.py", "store.py", "weights/bears.bin"}),
        # A folder is named by a path: a tap, an argument or a label may be called like it.
        ("from little import taps", {"__init__.py", "taps.py"}),
        ('import little\nrecord(layer, "weights")["weights"]\ntitle = "Weights and bears"', {"__init__.py"}),
        *(
            (f"import little\n{path}", {"__init__.py", "weights/bears.bin"})
            for path in (
                'root / "weights"',
                'Path("little", "weights")',
                'files("little").joinpath("weights")',
                'os.path.join(root, "weights")',
                'root / ("weights" if small else "results")',
                'FOLDER = "little/weights"',
            )
        ),
        ('import little\nopen(root / "bears.bin")', {"__init__.py", "weights/bears.bin"}),
    ],
)
def test_imports_are_followed_and_what_these_read(root: Path, code: str, expected: set[str]) -> None:
    # A file whose folder no module names may be read by anybody.
    assert read(root, code) == expected | {"lost/page.txt"}


@pytest.mark.parametrize("code", ["%pip install little", "import_module(name)", "importlib.import_module(n)"])
def test_where_the_source_cannot_say_everything_counts(root: Path, code: str) -> None:
    assert read(root, code) == set(PACKAGE)


def test_the_stamp_follows_the_content_and_nothing_else(root: Path) -> None:
    code = "from little import leaf"
    before = Sources(root).stamp(code)
    (root / "src" / "little" / "store.py").write_text('FOLDER = Path("weights")\n')
    assert Sources(root).stamp(code) == before
    (root / "src" / "little" / "shapes.py").write_text("B = 3\n")
    assert Sources(root).stamp(code) != before
    assert Sources(root).stamp("import little.leaf") != Sources(root).stamp(code)


def test_measured_run_times_are_seen_by_no_cell(root: Path) -> None:
    before = Sources(root).stamp("import little")
    (root / "results").mkdir()
    (root / "results" / "chapter_times.json").write_text("{}")
    assert Sources(root).stamp("import little") == before
    (root / "results" / "figures.json").write_text("{}")
    assert Sources(root).stamp("import little") != before


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """What was found of the environment is kept for a process, and here it changes."""
    environment_digest.cache_clear()
    yield
    environment_digest.cache_clear()


class Package:
    def __init__(self, name: str, version: str, requires: list[str] | None = None) -> None:
        self.metadata = {"Name": name}
        self.version = version
        self.requires = requires


@pytest.mark.parametrize(
    ("added", "changes"),
    [
        (Package("a-test-needs-this", "1"), False),
        (Package("Torch", "99"), True),
        (Package("anywidget", "99", ["psygnal"]), True),
    ],
)
def test_the_environment_is_what_a_cell_can_count_on(
    monkeypatch: pytest.MonkeyPatch, added: Package, changes: bool
) -> None:
    before = environment_digest(ROOT)
    monkeypatch.setattr(dependencies, "distributions", lambda: [added, *distributions()])
    environment_digest.cache_clear()
    assert (environment_digest(ROOT) != before) is changes


def test_packages_that_packages_ask_for_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = [
        Package(
            "torch", "1", ["deep; python_version > '3'", "never; python_version < '3'", "more; extra == 'x'"]
        )
    ]
    there = [*needs, Package("deep", "1"), Package("never", "1"), Package("more", "1")]
    digests = []
    for changed in (None, "deep", "never", "more"):
        now = [
            Package(p.metadata["Name"], "2" if p.metadata["Name"] == changed else "1", p.requires)
            for p in there
        ]
        monkeypatch.setattr(dependencies, "distributions", lambda now=now: now)
        environment_digest.cache_clear()
        digests.append(environment_digest(ROOT))
    assert digests[1] != digests[0]
    assert digests[2:] == [digests[0], digests[0]]


def test_modules_of_the_package_do_nothing_when_they_are_imported() -> None:
    """So a name that a package passes on depends on its own module, and not on those beside it."""
    does = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant))
        or isinstance(node, ast.For | ast.While | ast.With)
    ]
    assert does == []


def test_a_page_of_drawings_does_not_depend_on_the_models() -> None:
    files = Sources(ROOT).read_by("from unrolled.widgets import BearsPlane")
    assert ROOT / "src" / "unrolled" / "widgets" / "bears_plane.py" in files
    assert not [path for path in files if path.parent.name == "nn"]
