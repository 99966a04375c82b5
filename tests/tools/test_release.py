"""What a package index is given: whole, without the tests, and with links that lead somewhere from there."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from email import message_from_bytes
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest

from tests.repository import copy_repository, tracked
from tools import address, release
from tools.release import ROOT, absolute

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUILD = """
import sys
from setuptools import build_meta
out = sys.argv[1]  # setuptools puts its own arguments there
for make in (build_meta.build_sdist, build_meta.build_wheel):
    make(out)
"""


@pytest.fixture(scope="session")
def dist(once: Callable[..., Path]) -> Path:
    """The folder of sdist and wheel, built of the files as they are now, with no network."""

    def fill(folder: Path) -> None:
        source = folder / "source"
        copy_repository(source)
        readme = source / "README.md"
        readme.write_text(absolute(readme.read_text(encoding="utf-8")), encoding="utf-8")
        command = [sys.executable, "-c", BUILD, str(folder / "dist")]
        done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    return once("dist", fill) / "dist"


@pytest.fixture
def wheel(dist: Path) -> zipfile.ZipFile:
    (path,) = dist.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    files = [name for name in tracked() if (ROOT / name).is_file()]
    ours = {name.removeprefix("src/") for name in files if name.startswith("src/unrolled/")}
    # `src/unrolled/results` is a link to the folder of what was measured.
    ours |= {f"unrolled/{name}" for name in files if re.fullmatch(r"results/[^/]+\.json", name)}
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == ours
    assert {"unrolled/py.typed", "unrolled/weights/gpt-playground.safetensors"} <= held


def test_the_sdist_makes_the_same_wheel_and_holds_no_test(dist: Path, wheel: zipfile.ZipFile) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    package = {f"src/{name}" for name in wheel.namelist() if ".dist-info/" not in name}
    assert package <= names
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names
    assert not [name for name in names if name.startswith(("tests", "book", "tools"))]


def test_the_metadata_asks_for_what_pyproject_says_and_its_links_lead_somewhere(
    wheel: zipfile.ZipFile,
) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    metadata = message_from_bytes(wheel.read(name))
    asked = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    plain = [re.sub(r"\s", "", line) for line in asked]
    assert sorted(plain) == sorted(line.replace("<9", "<9") for line in map(ordered, PROJECT["dependencies"]))
    text = str(metadata.get_payload())
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(links) > 10
    assert [link for link in links if not link.startswith("https://")] == []


def ordered(requirement: str) -> str:
    """Return a requirement as setuptools writes it: its bounds sorted."""
    found = re.match(r"[\w-]+", requirement)
    assert found
    return found[0] + ",".join(sorted(requirement[found.end() :].replace(" ", "").split(",")))


# A package that the book or the tests need, and no user of the models.
OUTSIDE = """
import sys
sys.path.insert(0, sys.argv[1])
refused = set(sys.argv[2].split(","))
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
import importlib, pkgutil, unrolled
assert unrolled.__file__.startswith(sys.argv[1]), unrolled.__file__
from unrolled import look
for module in pkgutil.walk_packages(unrolled.__path__, "unrolled."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from unrolled.widgets import bertviz
try:
    import transformers
except ModuleNotFoundError:
    print("whole without", len(refused), "packages")
"""


def test_every_module_of_the_wheel_loads_without_what_the_book_and_the_tests_need(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path / "site")
    extras = PROJECT["optional-dependencies"]
    refused = {name_of(line) for group in extras.values() for line in group} - needed(PROJECT["dependencies"])
    modules = [*sorted(name.replace("-", "_") for name in refused), "sklearn", "sphinx", "yaml"]
    command = [sys.executable, "-c", OUTSIDE, str(tmp_path / "site"), ",".join(modules)]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={"PATH": ""}
    )
    assert done.stdout == f"whole without {len(set(modules))} packages\n", done.stderr[-2000:]


def name_of(requirement: str) -> str:
    return re.split(r"[\s<>=!\[;]", requirement, maxsplit=1)[0].lower()


def needed(requirements: Sequence[str]) -> set[str]:
    """Return what these packages need to be installed, through however many others."""
    found: set[str] = set()
    waiting = [name_of(line) for line in requirements]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            try:
                asked = requires(name) or []
            except PackageNotFoundError:  # of another system
                continue
            waiting += [name_of(line) for line in asked if "extra ==" not in line]
    return found


USER = """
from torch import Tensor, ones, tensor
from unrolled.looking import Look
from unrolled.nn import GPT, GPTConfig, causal_mask
from unrolled.tap import record

config = GPTConfig(11, d_model=8, n_heads=2, n_layers=1, max_len=5)
model = GPT(config)
with record(model, "*.weights") as seen:
    logits: Tensor = model(tensor([[1, 2, 3]]))
names: list[str] = list(seen)
mask: Tensor = causal_mask(3)
shown: Look = Look.of(ones(1, 1, 2, 2), ["a", "b"])
GPTConfig("eleven")
"""


def test_a_users_script_is_checked_against_the_types_of_the_wheel(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path / "site")
    (tmp_path / "script.py").write_text(USER)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "script.py"],
        cwd=tmp_path,
        env={"PATH": "", "MYPYPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    # All is right but the last line, whose mistake is only seen by who reads the types.
    last = USER.count("\n")
    found = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(found) == 1, done.stdout + done.stderr
    said = f'script.py:{last}: error: Argument 1 to "GPTConfig" has incompatible type "str"'
    assert found[0].startswith(said)


@pytest.mark.parametrize(
    ("link", "leads_to"),
    [
        ("[a](book/look.md)", "[a]({pages}look.html)"),
        ("![a](book/look.svg)", "![a]({raw}book/look.svg)"),
        ("[a](src/unrolled/)", "[a]({file}src/unrolled)"),
        ("[a](CONTRIBUTING.md)", "[a]({file}CONTRIBUTING.md)"),
        ("[a](https://example.org/b)", "[a](https://example.org/b)"),
        ("[a](#b)", "[a](#b)"),
    ],
)
def test_a_relative_link_becomes_an_address(link: str, leads_to: str) -> None:
    raw, file = address.raw_url("x").removesuffix("x"), address.file_url("x").removesuffix("x")
    assert absolute(link) == leads_to.format(pages=address.pages_url(), raw=raw, file=file)


def test_another_tag_than_the_version_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["--tag", "v0.0.0"]) == 1
    assert (
        f"expected the tag v{PROJECT['version']}, as pyproject.toml says, got v0.0.0"
        in capsys.readouterr().err
    )


def test_a_release_is_made_of_the_last_commit_alone(tmp_path: Path) -> None:
    release.stage(tmp_path / "source")
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    staged = [path for path in (tmp_path / "source").rglob("*") if path.is_file() or path.is_symlink()]
    assert sorted(path.relative_to(tmp_path / "source").as_posix() for path in staged) == sorted(listed)
    assert "](book/" not in (tmp_path / "source" / "README.md").read_text(encoding="utf-8")
