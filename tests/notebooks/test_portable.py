import nbformat
import pytest

from tools.notebooks.portable import failures

CELLS = [
    "import os\n\nimport torch\nfrom torch import nn",
    # As a check that was tuned to one kind of processor, and one that goes on after it.
    "assert os.environ.get('ATEN_CPU_CAPABILITY') != 'default', 'another digit'",
    "assert torch.get_num_threads() == 1, 'sums cut otherwise'",
    """
layer = nn.Linear(3, 5)
before = layer.weight.detach().clone()
optimizer = torch.optim.SGD(layer.parameters(), lr=0.0)
layer(torch.ones(2, 3)).sum().backward()
optimizer.step()
""",
    "assert torch.allclose(layer.weight, before, rtol=1e-5, atol=0)",
    "assert torch.equal(layer.weight, before), 'moved by rounding'",
]


@pytest.fixture(scope="module")
def found() -> tuple[list[str], list[str]]:
    """What fails in a small notebook, and what is said meanwhile."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    said: list[str] = []
    return failures({"07_small": nbformat.writes(notebook)}, said.append), said


def test_a_check_fails_on_the_processors_it_was_not_made_for(found: tuple[list[str], list[str]]) -> None:
    other_set, threads, other_digits = found[0]
    assert other_set.startswith("07_small, SSE: ")
    assert "AssertionError: another digit" in other_set
    assert threads.startswith("07_small, two threads: ")
    assert "AssertionError: sums cut otherwise" in threads
    assert other_digits.startswith("07_small, other last digits: ")
    assert "AssertionError: moved by rounding" in other_digits


def test_each_run_is_told(found: tuple[list[str], list[str]]) -> None:
    assert found[1] == [
        "07_small, AVX-512: no cells failed",
        "07_small, SSE: 1 cell failed",
        "07_small, two threads: 1 cell failed",
        "07_small, other last digits: 1 cell failed",
    ]
