"""The check behind every shape error, and the shapes that stand in the signatures."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from unrolled import shapes
from unrolled.shapes import ShapeError, check_shape

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("size", "pattern", "known"),
    [
        ((3, 5), "T D", {}),
        ((3, 5), "T D", {"T": 3, "D": 5}),
        ((2, 3, 5), "B T D", {"B": 2}),
        ((3, 5), "... T D", {"D": 5}),
        ((7, 2, 3, 5), "... T D", {"D": 5}),
        ((), "...", {}),
        ((0, 5), "T D", {"D": 5}),
    ],
)
def test_a_shape_that_fits_passes(size, pattern, known):
    check_shape("x", torch.zeros(size), pattern, **known)


@pytest.mark.parametrize(
    ("size", "pattern", "known", "said"),
    [
        ((3,), "T D", {}, "x: expected shape [T, D], got [3]"),
        ((2, 3, 5), "T D", {}, "x: expected shape [T, D], got [2, 3, 5]"),
        ((3,), "... T D", {}, "x: expected shape [..., T, D], got [3]"),
        ((3, 5), "T D", {"D": 7}, "x: expected shape [T, D] with D=7, got [3, 5]"),
        (
            (2, 3, 5),
            "... T D",
            {"D": 7, "T": 3},
            "x: expected shape [..., T, D] with T=3, D=7, got [2, 3, 5]",
        ),
        ((), "B", {}, "x: expected shape [B], got []"),
    ],
)
def test_a_shape_that_does_not_is_told_what_was_expected_and_what_came(size, pattern, known, said):
    with pytest.raises(ShapeError, match=f"^{re.escape(said)}$"):
        check_shape("x", torch.zeros(size), pattern, **known)


def test_what_is_no_tensor_is_named():
    with pytest.raises(TypeError, match=r"^x: expected a torch tensor, got list$"):
        check_shape("x", [[1.0, 2.0]], "T D")


def test_a_shape_error_is_a_value_error():
    assert issubclass(ShapeError, ValueError)


def test_the_docstring_gives_the_legend():
    rows = re.findall(r"^``(\w)``\s+(\w+)\s+(.*)$", shapes.__doc__, re.MULTILINE)
    assert [letter for letter, _, _ in rows] == list(shapes.LEGEND)
    for letter, argument, meaning in rows:
        assert shapes.LEGEND[letter].startswith((argument, meaning.split(":")[0]))


ENFORCED = ["-p", "no:cacheprovider", "-q", "--jaxtyping-packages=unrolled.nn,beartype.beartype"]


def run_with_signatures_enforced(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "pytest", *ENFORCED, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_shapes_in_the_signatures_are_true():
    """Tests marked `signatures` run again in an interpreter that checks every annotation of unrolled.nn."""
    done = run_with_signatures_enforced("-m", "signatures", "tests/nn", "tests/parity")
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 1


def test_a_signature_that_is_not_kept_is_seen(tmp_path):
    """The watch itself: a vector where a signature says [*B, T, S] is refused before the function runs."""
    wrong = tmp_path / "test_wrong.py"
    wrong.write_text(
        "import torch\n"
        "from unrolled.nn import attention_weights\n"
        "def test_wrong():\n"
        "    attention_weights(torch.zeros(3))\n"
    )
    done = run_with_signatures_enforced(str(wrong))
    assert done.returncode == 1
    assert "the parameters of unrolled.nn.functional.attention_weights" in done.stdout
