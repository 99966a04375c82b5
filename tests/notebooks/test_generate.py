import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tools import address
from tools.notebooks.__main__ import ROOT, drift, main
from tools.notebooks.generate import GenerationError, generate
from tools.notebooks.leftovers import find_leftovers

FIXTURES = Path(__file__).parent / "fixtures"
Convert = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the fixtures' book and the notebooks generated from it."""
    shutil.copytree(FIXTURES / "book", tmp_path / "book")
    assert main([], root=tmp_path) == 0
    return tmp_path


def test_the_committed_notebooks_are_what_the_chapters_give(ours: dict[str, str]) -> None:
    assert ours
    assert drift(ROOT, ours) == []


def test_everything_becomes_a_valid_notebook_with_nothing_left_over(everything: str) -> None:
    notebook = nbformat.reads(everything, as_version=4)
    nbformat.validate(notebook)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert [left for source in sources for left in find_leftovers(source)] == []
    assert "the notebook must not hold this" not in everything
    assert "1 / 0" in everything
    assert "a remark for authors" not in everything
    assert all(
        not cell.outputs and cell.execution_count is None for cell in notebook.cells if "outputs" in cell
    )


def test_the_first_cell_says_what_this_is_and_leads_back(everything: str) -> None:
    first = "".join(json.loads(everything)["cells"][0]["source"])
    base = address.slug()
    assert first.startswith(
        '<a id="top" name="top"></a>\n\n# Everything a chapter may hold\n\n[![Open in Colab]('
    )
    assert (
        f"(https://colab.research.google.com/github/{base}/blob/main/notebooks/07_everything.ipynb)" in first
    )
    assert f"({address.pages_url()}07_everything.html)" in first
    assert "Chapter 7" in first
    assert "CC BY 4.0" in first
    assert "[MIT]" in first
    assert "*File* ▸ *Save a copy in Drive*" in first
    assert "once a session, in a minute or less" in first
    assert everything.count("# Everything a chapter may hold") == 1


def test_every_section_begins_a_cell(convert: Convert) -> None:
    made = [
        "".join(cell["source"])
        for cell in convert("Text.\n\n(a)=\n## A\n\nx\n\n### B\n\n```python\n# no\n```")
    ]
    assert made == ["Text.", '<a id="a" name="a"></a>\n\n## A\n\nx', "### B\n\n```python\n# no\n```"]


def test_cells_keep_their_identity_and_no_two_share_one(everything: str) -> None:
    ids = [cell["id"] for cell in json.loads(everything)["cells"]]
    assert len(set(ids)) == len(ids)
    later = json.loads(generate(FIXTURES)["07_everything"])
    assert [cell["id"] for cell in later["cells"]] == ids


def test_another_process_with_another_hash_seed_writes_the_same_bytes(repository: Path) -> None:
    path = repository / "notebooks" / "07_everything.ipynb"
    before = path.read_bytes()
    path.unlink()
    code = (
        "import pathlib, sys; from tools.notebooks.__main__ import main; main([], pathlib.Path(sys.argv[1]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(repository)],
        check=True,
        cwd=ROOT,
        env={"PYTHONHASHSEED": "7", "LC_ALL": "C"},
    )
    assert path.read_bytes() == before
    assert before.endswith(b"}\n")
    assert b"\r" not in before


def test_only_a_chapter_that_asks_gets_a_gpu(everything: str, ours: dict[str, str]) -> None:
    metadata = json.loads(everything)["metadata"]
    assert metadata["accelerator"] == "GPU"
    assert metadata["colab"] == {"gpuType": "T4", "toc_visible": True}
    assert metadata["kernelspec"]["name"] == "python3"
    here = ours["04_self_attention"]
    assert json.loads(here)["metadata"]["colab"] == {"toc_visible": True}
    assert "accelerator" not in json.loads(here)["metadata"]


def test_a_notebook_says_whether_a_gpu_helps(ours: dict[str, str]) -> None:
    """And says so truly: where no GPU is asked for, no cell looks for one."""
    for page, text in ours.items():
        notebook = json.loads(text)
        code = "".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
        first = "".join(notebook["cells"][0]["source"])
        asks = "accelerator" in notebook["metadata"]
        assert ("uses a GPU where there is one; everything runs without" in first) == asks, page
        assert ("A GPU is of no use here: no cell uses one." in first) != asks, page
        assert any(word in code for word in ("cuda", "choose_device", "workers(")) == asks, page


def test_a_notebook_leads_on_to_the_next(repository: Path) -> None:
    for page, title in (("08_next", "On"), ("10_last", "Out")):
        (repository / "book" / f"{page}.md").write_text(
            f"---\nfile_format: mystnb\n---\n# {title}\n\nText.\n", encoding="utf-8"
        )
    made = {page: json.loads(text)["cells"][-1]["source"] for page, text in generate(repository).items()}
    assert made["07_everything"] == [
        f"**Next:** [On]({address.colab_url('notebooks/08_next.ipynb')}) in Colab, "
        f"or [as a page]({address.pages_url()}08_next.html)."
    ]
    assert made["08_next"][0].startswith(f"**Next:** [Out]({address.colab_url('notebooks/10_last.ipynb')})")
    assert made["10_last"] == ["Text."]


@pytest.mark.parametrize("tag", ["hide-input", "remove-cell", "hide-cell", "remove-input"])
def test_hidden_code_is_folded(convert: Convert, tag: str) -> None:
    (cell,) = convert(f"```{{code-cell}}\n:tags: [{tag}]\nx = 1\n```")
    assert cell["metadata"] == {"cellView": "form", "jupyter": {"source_hidden": True}}
    assert cell["source"] == ["x = 1"]


def test_tags_choose_between_book_and_notebook(convert: Convert) -> None:
    cells = convert(
        "```{code-cell}\n:tags: [book-only]\n1\n```\n\n"
        "```{code-cell}\n:tags: [notebook-only, remove-cell]\n2\n```\n\n"
        "```{code-cell}\n:tags: [raises-exception]\n3\n```"
    )
    assert [(cell["source"], cell["metadata"]) for cell in cells] == [
        (["2"], {}),
        (["3"], {"tags": ["raises-exception"]}),
    ]


def test_text_may_be_for_the_book_or_the_notebook_alone(convert: Convert) -> None:
    cells = convert(
        'One.\n\n+++ {"tags": ["book-only"]}\n\nTwo.\n\n+++ {"tags": ["notebook-only"]}\n\nThree.'
    )
    assert ["".join(cell["source"]) for cell in cells] == ["One.", "Three."]


def test_pages_that_are_no_chapters_become_no_notebooks(repository: Path) -> None:
    text = (repository / "book" / "07_everything.md").read_text(encoding="utf-8")
    (repository / "book" / "index.md").write_text("---\nfile_format: mystnb\n---\n# Home\n", encoding="utf-8")
    (repository / "book" / "_build").mkdir()
    (repository / "book" / "_build" / "08_copy.md").write_text(text, encoding="utf-8")
    assert list(generate(repository)) == ["07_everything"]


def test_a_chapter_without_a_title_is_refused(repository: Path) -> None:
    (repository / "book" / "08_next.md").write_text(
        "---\nfile_format: mystnb\n---\nText.\n", encoding="utf-8"
    )
    with pytest.raises(
        GenerationError, match=r"^book/08_next\.md:1: expected the chapter to begin with a title"
    ):
        generate(repository)


def test_the_check_passes_and_then_names_what_drifted(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check"], root=repository) == 0
    chapter = repository / "book" / "07_everything.md"
    text = chapter.read_text(encoding="utf-8")
    chapter.write_text(text.replace("Find the axis.", "Find that axis."), encoding="utf-8")
    (repository / "notebooks" / "06_gone.ipynb").write_text("{}", encoding="utf-8")
    capsys.readouterr()
    assert main(["--check"], root=repository) == 1
    said = capsys.readouterr().out
    assert '-    "Find the axis.' in said
    assert '+    "Find that axis.' in said
    assert "notebooks/06_gone.ipynb has no chapter" in said
    assert main([], root=repository) == 0
    assert main(["--check"], root=repository) == 0
    (repository / "notebooks" / "07_everything.ipynb").unlink()
    assert main(["--check"], root=repository) == 1
    assert "notebooks/07_everything.ipynb is missing" in capsys.readouterr().out


def test_a_broken_chapter_fails_the_command_and_writes_nothing(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (repository / "notebooks" / "07_everything.ipynb").read_bytes()
    chapter = repository / "book" / "07_everything.md"
    lines = chapter.read_text(encoding="utf-8").split("\n")
    chapter.write_text("\n".join([*lines, "See {ref}`nowhere`."]), encoding="utf-8")
    assert main([], root=repository) == 1
    assert f"book/07_everything.md:{len(lines) + 1}: refers to 'nowhere'" in capsys.readouterr().err
    assert (repository / "notebooks" / "07_everything.ipynb").read_bytes() == before


def test_a_book_without_chapters_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "book").mkdir()
    assert main([], root=tmp_path) == 1
    assert "expected at least one chapter" in capsys.readouterr().err


def test_a_name_that_two_chapters_give_is_refused(repository: Path) -> None:
    """Sphinx takes the last of them, and a reference leads to the wrong chapter."""
    (repository / "book" / "08_again.md").write_text(
        "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n# Again\n\n$$\nx\n$$ (eq-mix)\n",
        encoding="utf-8",
    )
    with pytest.raises(GenerationError, match=r"08_again\.md:1: .*'eq-mix'.* 07_everything"):
        generate(repository)
