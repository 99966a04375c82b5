"""Who may import whom, and what an import brings in."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import unrolled

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
# A part of the package, and the parts it may import. What is not named here may import any part.
MAY_IMPORT = {
    "unrolled": {"unrolled.looking"},  # when somebody asks for `look`: the test below
    "unrolled.shapes": set(),
    "unrolled.tap": set(),
    "unrolled.nn": {"unrolled.shapes", "unrolled.tap", "unrolled.nn"},
}
MAY_NOT_IMPORT = {"unrolled.plots": {"unrolled.nn"}, "unrolled.widgets": {"unrolled.nn"}}
HEAVY = {
    "IPython",
    "anywidget",
    "bertviz",
    "ipykernel",
    "ipywidgets",
    "jupyter_core",
    "matplotlib",
    "nbformat",
    "pandas",
    "sklearn",
    "traitlets",
    "transformers",
}
MODULES = sorted(info.name for info in pkgutil.walk_packages(unrolled.__path__, "unrolled."))


def imports(text, package):
    """Return every module that `text`, a module inside `package`, imports, in functions too."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            front = parents[: len(parents) + 1 - node.level] if node.level else []
            module = ".".join([*front, *([node.module] if node.module else [])])
            # `from unrolled import nn` imports unrolled.nn.
            found |= {f"{module}.{alias.name}" for alias in node.names} | {module}
    return found


def within(module, part):
    return module == part or module.startswith(part + ".")


def module_files():
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        yield name, imports(path.read_text(encoding="utf-8"), name if is_package else name.rpartition(".")[0])


def test_the_reader_of_imports_reads_every_form():
    text = "import a.b\nfrom c import d\ndef f():\n    from . import g\n    from ..h import i\n"
    assert imports(text, "p.q") == {"a.b", "c", "c.d", "p.q", "p.q.g", "p.h", "p.h.i"}


def test_the_parts_import_only_what_they_may():
    seen = set()
    for name, imported in module_files():
        own = {module for module in imported if within(module, "unrolled")} - {"unrolled"}
        # What `from unrolled.shapes import Mask` names twice counts once.
        own = {module for module in own if module in MODULES}
        outside = {module for module in imported if module.split(".")[0] in ("tools", "book", "tests")}
        assert not outside, f"{name} imports {sorted(outside)}: the package stands without them"
        for part, admitted in MAY_IMPORT.items():
            if name == part or (part != "unrolled" and within(name, part)):
                seen.add(part)
                wrong = {module for module in own if not any(within(module, ok) for ok in admitted)}
                assert not wrong, f"{name} imports {sorted(wrong)}"
        for part, refused in MAY_NOT_IMPORT.items():
            if within(name, part):
                wrong = {module for module in own if any(within(module, no) for no in refused)}
                assert not wrong, f"{name} imports {sorted(wrong)}: it takes arrays and labels"
    assert seen == set(MAY_IMPORT)


def loaded_by(module):
    """Return the packages that a fresh interpreter holds after importing `module`."""
    script = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["unrolled.nn", "unrolled.shapes", "unrolled.tap"])
def test_the_models_bring_in_torch_and_nothing_heavier(module):
    loaded = loaded_by(module)
    assert "torch" in loaded
    assert not loaded & HEAVY


def test_the_package_itself_brings_in_nothing():
    assert not loaded_by("unrolled") & (HEAVY | {"torch", "numpy", "jaxtyping"})


def test_costs_are_counted_without_torch():
    assert not loaded_by("unrolled.costs") & (HEAVY | {"torch", "numpy", "jaxtyping"})


@pytest.mark.parametrize("part", ["unrolled.plots", "unrolled.widgets"])
def test_pictures_of_arrays_bring_in_no_models(part):
    script = f"import sys, {part}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split() if within(name, "unrolled.nn")]


def in_order(name):
    """Sort as ruff does: constants, then classes, then functions."""
    return (not name.isupper(), not name[0].isupper(), name)


@pytest.mark.parametrize("name", ["unrolled", *MODULES])
def test_all_exists_is_true_and_sorted(name):
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(set(module.__all__), key=in_order), f"{name}.__all__ is not sorted"
    for public in module.__all__:
        assert hasattr(module, public), f"{name}.__all__ names {public!r}, which is not there"
