import importlib.util
import json
import os
import shlex
import subprocess
import sys
from importlib.machinery import ModuleSpec
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement

from tests.notebooks.conftest import FIXTURES
from tools import address
from tools.notebooks.cells import FORBIDDEN, HELPERS, setup_source
from tools.notebooks.generate import GenerationError, generate


def run(
    source: str,
    missing: set[str],
    monkeypatch: pytest.MonkeyPatch,
    colab: Any = None,
    refused: str = "none",
) -> list[str]:
    """Run the cell as IPython reads it, with these modules missing; return what it would have pip do.

    What pip is asked for is there afterwards, unless it is `refused`.
    """
    asked: list[str] = []
    missing = set(missing)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    scope: dict[str, Any] = {}

    def magic(name: str, line: str) -> None:
        assert name == "pip"
        asked.append(line.format(**scope))
        if (module := names([asked[-1]])[0].replace("-", "_")) != refused:
            missing.discard(module)

    find: Any = lambda name: None if name in missing else ModuleSpec(name, None)
    monkeypatch.setattr(importlib.util, "find_spec", find)
    if colab is not None:
        monkeypatch.setitem(__import__("sys").modules, "google", SimpleNamespace(colab=colab))
        monkeypatch.setitem(__import__("sys").modules, "google.colab", colab)
    scope["get_ipython"] = lambda: SimpleNamespace(run_line_magic=magic)
    exec(TransformerManager().transform_cell(source), scope)
    return asked


def names(asked: list[str]) -> list[str]:
    """Return the packages that pip is asked for, without where they come from."""
    return [Requirement(shlex.split(line)[-1]).name for line in asked]


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


@pytest.mark.parametrize("fork", [None, "somebody/transformers-course", "torch/numpy-jax"])
def test_the_cell_installs_nothing_that_colab_has(fork: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a fork is called: what counts is what pip is asked for, not the words of an address."""
    if fork:
        monkeypatch.setenv("GITHUB_REPOSITORY", fork)
    source = "".join(json.loads(generate(FIXTURES)["07_everything"])["cells"][1]["source"])
    assert (fork or address.slug()) in source
    asked = run(source, {"unrolled", *HELPERS}, monkeypatch)
    assert names(asked) == ["unrolled", *HELPERS.values()]
    assert not set(names(asked)) & set(FORBIDDEN)
    assert {"torch", "numpy", "transformers"} <= set(FORBIDDEN)
    assert source.count("--no-deps") == source.count("%pip")


@pytest.mark.parametrize("module", ["unrolled", "anywidget", "bertviz"])
def test_an_installation_that_fails_ends_the_cell_with_a_word_of_our_own(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not with a NameError, a chapter later: pip does not end a cell when it fails."""
    source = setup_source("https://x", {"bertviz": "bertviz"})
    told: list[bool] = []
    output = SimpleNamespace(enable_custom_widget_manager=lambda: told.append(True))
    said = f"The setup could not install {module}: .* Run this cell again; .* tell us: https://x/issues"
    with pytest.raises(ImportError, match=said):
        run(source, {module}, monkeypatch, SimpleNamespace(output=output), refused=module)
    assert not told


@pytest.mark.parametrize("given", [None, "ACTIVE"])
def test_threads_wait_quietly_before_torch_is_loaded_unless_the_user_says_otherwise(
    given: str | None,
) -> None:
    source = setup_source("https://x", {}).split("if importlib")[0]
    assert "torch" not in source
    code = f"{source}\nassert 'torch' not in sys.modules\nprint(os.environ['OMP_WAIT_POLICY'])"
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    environment |= {"OMP_WAIT_POLICY": given} if given else {}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{given or 'PASSIVE'}\n"


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
