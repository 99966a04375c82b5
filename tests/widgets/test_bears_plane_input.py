"""What the bears plane refuses in Python, and what it says."""

from typing import Any

import numpy as np
import pytest
from traitlets import TraitError

from tests.widgets.bears import LANDMARKS, SENTENCES, VECTORS
from unrolled.widgets.bears_plane import BearsPlane


@pytest.fixture
def widget() -> BearsPlane:
    return BearsPlane(VECTORS, SENTENCES, landmarks=LANDMARKS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vectors": {"bears": (1.0, float("nan"))}}, "two finite numbers for 'bears', got"),
        ({"vectors": {"bears": (1.0, 2.0, 3.0)}}, r"two finite numbers for 'bears', got \[1.0, 2.0, 3.0\]"),
        ({"vectors": (["bears"], np.zeros((2, 2)))}, r"expected shape \[V, 2\] with V=1, got \[2, 2\]"),
        ({"vectors": {"Bears": (0, 0), "bears": (0, 1)}}, "differ in more than case"),
        ({"vectors": {"two bears": (0, 0)}}, "single words as names, got 'two bears'"),
        ({"vectors": {}}, "expected at least one word"),
        ({"sentences": []}, "expected a list of 1 to 4 sentences, got 0"),
        ({"sentences": "I love bears"}, "expected a list of 1 to 4 sentences, got 'I love bears'"),
        ({"sentences": [" "]}, "expected at least one word, got ' '"),
        ({"sentences": ["bears hibernate"]}, "out of I, she, .*got 'hibernate'"),
        ({"sentences": ["I love honey"]}, "expected 'bears' in it, got 'I love honey'"),
        ({"sentences": ["bears " * 13]}, "at most 12 words, got 13"),
        ({"scale": -1.0}, "scale: expected a finite number, 0 or more, got -1"),
        ({"scale": float("inf")}, "scale: expected a finite number, 0 or more, got inf"),
        ({"limit": 1.0}, "limit: expected a finite number of at least 1.4, got 1"),
        ({"landmarks": {"animal": (1.0,)}}, "landmarks: expected two finite numbers"),
    ],
)
def test_python_says_what_it_expected(change: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TraitError), match=message):
        BearsPlane(**{"vectors": VECTORS, "sentences": SENTENCES, **change})


def test_vectors_of_no_known_kind_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="got list"):
        BearsPlane([1, 2], SENTENCES)  # type: ignore[arg-type]


def test_later_vectors_are_checked_too(widget: BearsPlane) -> None:
    with pytest.raises(ValueError, match=r"two numbers between -2 and 2 for 'I', got \[9.0, 0.0\]"):
        widget.vectors = [[9.0, 0.0]] * len(VECTORS)
    with pytest.raises(ValueError, match=r"expected shape \[V, 2\] with V=9"):
        widget.vectors = [[0.0, 0.0]]
    with pytest.raises(ValueError, match=r"got \[nan, 0.0\]"):
        widget.vectors = [[float("nan"), 0.0]] * len(VECTORS)
