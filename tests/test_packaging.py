"""pyproject.toml, the lock file and environment.yml agree, and the code is Python 3.11."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement

from tools import lock

ROOT = Path(__file__).parents[1]
PYTHONS = {"3.11": "3.11.7", "3.12": "3.12.1", "3.13": "3.13.2"}
SYSTEMS = {
    "linux": {
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
    },
    "macos": {
        "sys_platform": "darwin",
        "platform_system": "Darwin",
        "platform_machine": "arm64",
        "os_name": "posix",
    },
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What Colab ships: the package must not ask for more.
COLAB = {"torch": "2.11", "ipywidgets": "7.7.1", "numpy": "2.1", "anywidget": "0.9.21", "matplotlib": "3.10"}


def required(*, extras=True):
    groups = PROJECT["optional-dependencies"].values() if extras else []
    return [Requirement(line) for group in (PROJECT["dependencies"], *groups) for line in group]


def locked_lines():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def locked(python, system):
    """Return the version of every package that pip installs from the lock there."""
    environment = default_environment() | SYSTEMS[system]
    environment |= {"python_version": python, "python_full_version": PYTHONS[python]}
    environment |= {
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    versions = {}
    for requirement in map(Requirement, locked_lines()):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            assert requirement.name not in versions, f"{requirement.name} is locked twice"
            (pin,) = requirement.specifier
            assert pin.operator == "==", f"{requirement} is no exact version"
            versions[requirement.name] = pin.version
    return versions


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_holds_every_dependency_at_a_version_it_admits(python, system):
    versions = locked(python, system)
    for requirement in required():
        assert requirement.name in versions, f"{requirement.name}: run make lock"
        version = versions[requirement.name]
        assert requirement.specifier.contains(version), f"{requirement}: the lock has {version}"
    # The build backend too: the package is installed without build isolation.
    assert tuple(map(int, versions["setuptools"].split("."))) >= (77,)


def test_torch_is_the_tested_version_and_brings_no_cuda_package():
    lines = locked_lines()
    assert "torch==2.13.0" in lines
    assert lock.TORCH == "torch==2.13.0"
    assert not [line for line in lines if re.match("nvidia|cuda|triton", line)]


def test_what_only_cuda_needs_is_left_out_of_a_lock():
    written = "# by a tool\ncuda-toolkit==13.0 ; x\nnumpy==2\nnvidia-nccl-cu13==2\n"
    written += "triton==3\ntorch==5\ntritone==7\n"
    assert lock.without_cuda(written) == "numpy==2\ntorch==5\ntritone==7\n"


def test_the_lock_says_how_it_is_made():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert text == lock.HEADER + lock.without_cuda(text)
    assert "make lock" in lock.HEADER


@pytest.mark.parametrize(("name", "version"), COLAB.items())
def test_the_lower_bounds_admit_what_colab_ships(name, version):
    (requirement,) = [r for r in required(extras=False) if r.name == name]
    assert requirement.specifier.contains(version)


def test_conda_and_binder_install_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, inner = environment["dependencies"]
    assert (python, pip) == ("python=3.11", "pip")
    assert inner == {"pip": ["-r requirements.lock", "--editable ."]}
    assert environment["channels"] == ["conda-forge"]


def test_no_index_is_written_into_the_repository():
    """Which index packages come from is the reader's choice: pip's settings say it."""
    for name in ("requirements.lock", "environment.yml", "pyproject.toml", "Makefile", "README.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"--(extra-)?index-url|--find-links|download\.pytorch|pypi\.|/simple\b", text), (
            name
        )


def test_python_3_11_to_3_13():
    assert PROJECT["requires-python"] == ">=3.11"
    named = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line}
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    assert named == set(workflow["jobs"]["test"]["strategy"]["matrix"]["python"]) == set(PYTHONS)


def test_every_file_is_python_3_11():
    files = [path for folder in ("src", "tools", "book", "tests") for path in (ROOT / folder).rglob("*.py")]
    files = [path for path in files if "_build" not in path.parts]
    assert ROOT / "src/unrolled/nn/functional.py" in files
    for path in files:
        ast.parse(path.read_text(encoding="utf-8"), filename=str(path), feature_version=(3, 11))


def test_ci_runs_the_tests_and_nothing_cleverer():
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().splitlines() == ["#!/usr/bin/env bash", "set -euo pipefail", "make test"]


def find_python(tmp_path, **scripts):
    """Run tools/find_python.sh where only these programs are on PATH."""
    for name, script in scripts.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", ROOT / "tools/find_python.sh"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )


OLD = 'case "$2" in *print*) echo 3.9 ;; *) exit 1 ;; esac'
BARE = 'case "$2" in *print*) echo 3.12 ;; *ensurepip*) exit 1 ;; esac'


def test_an_old_python_and_one_without_venv_are_named(tmp_path):
    done = find_python(tmp_path, python3=OLD, **{"python3.12": BARE})
    assert done.returncode == 1
    assert not done.stdout
    assert "Python 3.11 or newer, with venv, is needed" in done.stderr
    assert f"{tmp_path}/python3: is Python 3.9" in done.stderr
    assert f"{tmp_path}/python3.12: Python 3.12 without venv" in done.stderr
    assert "python3.13: not found" in done.stderr


def test_a_python_that_serves_is_found_behind_one_that_does_not(tmp_path):
    done = find_python(tmp_path, python3=OLD, **{"python3.11": f'exec {sys.executable} "$@"'})
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/python3.11\n")
