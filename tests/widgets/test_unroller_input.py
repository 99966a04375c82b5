"""What the unroller refuses, and what it makes of weights and vectors of any kind."""

from typing import Any

import numpy as np
import pytest
import torch

from unrolled.widgets import Unroller

VECTORS = {"eat": [1.0, 0.0, 2.0], "pizza": [0.0, 1.0, 0.5]}
H = 5


def weights(gates: int = 1, d: int = 3, h: int = H) -> list[Any]:
    return [torch.ones(gates * h, d), torch.ones(gates * h, h), torch.ones(gates * h), torch.ones(gates * h)]


@pytest.mark.parametrize("as_given", [torch.nn.Parameter, lambda w: w.numpy(), lambda w: w.tolist()])
def test_weights_may_be_parameters_arrays_or_lists(as_given: Any) -> None:
    unroller = Unroller((["eat", "pizza"], np.array(list(VECTORS.values()))), "Eat pizza!", rnn=[
        as_given(weight) for weight in weights()
    ])  # fmt: skip
    assert unroller.units == [f"unit {k}" for k in range(1, 6)]
    first = np.tanh(3.0 + 1 + 1)
    assert unroller.states()["h"][0] == pytest.approx([first] * H)
    assert unroller.states()["h"][1] == pytest.approx([np.tanh(1.5 + 1 + H * first + 1)] * H)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rnn": None}, "rnn, lstm: expected the weights of at least one of them, got none"),
        ({"rnn": weights()[:3]}, "rnn: expected W_x, W_h, b_x and b_h, got 3 arrays"),
        ({"rnn": weights(d=2)}, r"rnn W_x: expected shape \[5, 3\], got \[5, 2\]"),
        ({"rnn": weights(gates=4)}, r"rnn W_h: expected \[H, H\], H from 1 to 8, got \[20, 5\]"),
        ({"lstm": weights()}, r"lstm W_h: expected \[4 H, H\], H from 1 to 8, got \[5, 5\]"),
        ({"rnn": weights(h=11)}, r"H from 1 to 8, got \[11, 11\]"),
        ({"lstm": weights(gates=4, h=7)}, "expected states of one size, got {'rnn': 5, 'lstm': 7}"),
        ({"rnn": [weights()[0] * float("nan"), *weights()[1:]]}, "rnn W_x: expected finite numbers, got nan"),
        ({"units": ["a"]}, "units: expected 5 different names"),
        ({"units": ["a"] * 5}, "units: expected 5 different names"),
        ({"cell": "lstm"}, "cell: expected one of rnn, got 'lstm'"),
        ({"step": 3}, "step: expected 0 to 2, the words of the sentence, got 3"),
        ({"step": -1}, "step: expected 0 to 2"),
        ({"sentence": "eat pasta"}, "sentence: expected words out of eat, pizza; got 'pasta'"),
        ({"sentence": "..."}, "sentence: expected at least one word"),
        ({"sentence": "eat " * 25}, "sentence: expected at most 24 words, got 25"),
        ({"vectors": {"eat pizza": [1.0, 0, 0]}}, "vectors: expected single words as names, got 'eat pizza'"),
        ({"vectors": {"eat": [1.0, 0, 0], "Eat": [1.0, 0, 0]}}, "words that differ in more than case"),
        ({"vectors": {"eat": [1.0, 0, float("inf")]}}, "vectors: expected finite numbers, got inf"),
        ({"vectors": (["eat", "pizza"], [[1.0, 2.0, 3.0]])}, r"expected shape \[2, any\], got \[1, 3\]"),
    ],
)
def test_python_says_what_it_expected(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"vectors": VECTORS, "sentence": "eat pizza", "rnn": weights(), **change}
    with pytest.raises(ValueError, match=message):
        Unroller(given.pop("vectors"), given.pop("sentence"), **given)


@pytest.mark.parametrize("forced", [{"g": 0}, {"f": 0.5}, {"x": 1}])
def test_only_gates_are_forced_and_only_open_or_shut(forced: dict[str, float]) -> None:
    unroller = Unroller(VECTORS, "eat pizza", lstm=weights(gates=4))
    with pytest.raises(ValueError, match="forced: expected 0 or 1 for i, f, o, got"):
        unroller.forced = forced
    unroller.forced = {"f": 0, "o": 1}
    assert unroller.states()["f"].max() == 0
    assert unroller.states()["o"].min() == 1


def test_wrong_kinds_are_named() -> None:
    with pytest.raises(
        TypeError, match=r"vectors: expected \{word: numbers\} or \(words, \[V, D\]\), got list"
    ):
        Unroller([["eat", 1]], "eat", rnn=weights())  # type: ignore[arg-type]
