import importlib.util
import json
import re
import shlex
from importlib.machinery import ModuleSpec
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tools import address
from tools.notebooks.cells import FORBIDDEN, setup_source
from tools.notebooks.generate import GenerationError


def run(source: str, missing: set[str], monkeypatch: pytest.MonkeyPatch, colab: Any = None) -> list[str]:
    """Run the cell as IPython reads it, with these modules missing; return what it would have pip do."""
    asked: list[str] = []
    scope: dict[str, Any] = {}

    def magic(name: str, line: str) -> None:
        assert name == "pip"
        asked.append(line.format(**scope))

    find: Any = lambda name: None if name in missing else ModuleSpec(name, None)
    monkeypatch.setattr(importlib.util, "find_spec", find)
    if colab is not None:
        monkeypatch.setitem(__import__("sys").modules, "google", SimpleNamespace(colab=colab))
        monkeypatch.setitem(__import__("sys").modules, "google.colab", colab)
    scope["get_ipython"] = lambda: SimpleNamespace(run_line_magic=magic)
    exec(TransformerManager().transform_cell(source), scope)
    return asked


def test_nothing_happens_where_everything_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(setup_source(address.repository(), {}), set(), monkeypatch) == []


def test_in_a_bare_colab_the_package_and_its_small_helpers_are_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = run(
        setup_source(address.repository(), {}), {"unrolled", "jaxtyping", "wadler_lindig"}, monkeypatch
    )
    repository = f"unrolled @ git+https://github.com/{address.slug()}"
    assert [shlex.split(line)[1:] for line in asked] == [
        ["-q", "--no-deps", repository],
        ["-q", "--no-deps", "jaxtyping"],
        ["-q", "--no-deps", "wadler-lindig"],
    ]
    assert all(line.startswith("install ") for line in asked)


@pytest.mark.parametrize(("module", "package"), [("anywidget", "anywidget"), ("psygnal", "psygnal")])
def test_each_helper_is_installed_only_where_it_is_missing(
    module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(setup_source("https://x", {}), {module}, monkeypatch) == [f"install -q --no-deps {package}"]


def test_a_chapter_may_ask_for_a_helper_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    source = setup_source("https://x", {"bertviz": "bertviz"})
    assert run(source, {"bertviz"}, monkeypatch) == ["install -q --no-deps bertviz"]


def test_the_cell_names_nothing_that_colab_has(everything: str) -> None:
    source = "".join(json.loads(everything)["cells"][1]["source"])
    words = set(re.findall(r"[a-z]+", source.lower().replace("attention-unrolled", "")))
    assert "pip" in words
    assert not words & set(FORBIDDEN)
    assert {"torch", "numpy", "transformers"} <= set(FORBIDDEN)
    assert source.count("--no-deps") == source.count("%pip")


@pytest.mark.parametrize(
    "package", ["torch", "Torch==2.11", "numpy>=2", "transformers[torch]", "torch @ git+https://x"]
)
def test_a_chapter_must_not_ask_for_what_colab_has(convert: Any, package: str) -> None:
    front = f"---\nfile_format: mystnb\ncolab_needs:\n  module: '{package}'\n---\n"
    with pytest.raises(GenerationError, match=r"book/07_test\.md:1: colab_needs: \w+ must not be installed"):
        convert("Text.", front=front)


def test_colab_is_told_to_show_widgets(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []
    output = SimpleNamespace(enable_custom_widget_manager=lambda: told.append(True))
    run(setup_source("https://x", {}), set(), monkeypatch, colab=SimpleNamespace(output=output))
    assert told == [True]
