"""The check of label smoothing, for chapter 9."""

from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy, nll_loss
from torch.overrides import TorchFunctionMode

from unrolled.exercises._check import Case, Exercise, Misconception, run
from unrolled.exercises._draw import gaussian, ids
from unrolled.exercises._said import failed
from unrolled.exercises.result import Result

__all__ = ["check_smoothed_loss"]

EPSILON = 0.1


def smoothed_loss(logits: Tensor, answers: Tensor) -> Tensor:
    """Return the mean cross-entropy with a tenth of the probability spread over all words."""
    return cross_entropy(logits.flatten(0, -2), answers.flatten(), label_smoothing=EPSILON)


def _of(logits: Tensor, answers: Tensor) -> Tensor:
    """Return what the model gives the right words, as log-probabilities."""
    return logits.log_softmax(-1).gather(-1, answers[..., None])[..., 0]


def check_smoothed_loss(fn: object) -> Result:
    """Check ``fn(logits, answers)``: the mean loss with ε = 0.1, [..., T, V] and ids [..., T] -> a number."""
    cases = []
    for *front, length, words in [(5, 7), (3, 11), (2, 5, 7)]:
        answers = ids(words, *front, length)
        cases.append(Case({"logits": gaussian(*front, length, words), "answers": answers}, bool(front)))
    result = Exercise("loss", smoothed_loss, cases, LOSSES).check(fn)
    if result.passed and _left_to_pytorch(fn, cases[0]):
        return failed(
            "The loss is right, but PyTorch has smoothed it: leave `label_smoothing=` out, and write the two "
            "parts by hand, of the right word and of all words."
        )
    return result


class _Smoothing(TorchFunctionMode):
    """Note whether a cross-entropy of PyTorch is asked to smooth."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = False

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.asked |= func is cross_entropy and bool((kwargs or {}).get("label_smoothing"))
        return func(*args, **(kwargs or {}))


def _left_to_pytorch(fn: object, case: Case) -> bool:
    assert callable(fn)
    smoothing = _Smoothing()
    with smoothing:
        run(fn, case)
    return smoothing.asked


def _others_only(logits: Tensor, answers: Tensor) -> Tensor:
    log_p, right = logits.log_softmax(-1), _of(logits, answers)
    others = (log_p.sum(-1) - right) / (logits.shape[-1] - 1)
    return -((1 - EPSILON) * right + EPSILON * others).mean()


LOSSES = [
    Misconception(
        "not smoothed",
        lambda logits, answers: -_of(logits, answers).mean(),
        "That is the plain cross-entropy: the target is one for the right word and zero for all others.",
    ),
    Misconception(
        "the right word keeps all",
        lambda logits, answers: -(_of(logits, answers) + EPSILON * logits.log_softmax(-1).mean(-1)).mean(),
        "Your targets add up to 1.1. The tenth that is spread out has to be taken from the right word: it "
        "keeps 1 − ε, and gets its own share ε/V of what is spread.",
    ),
    Misconception(
        "spread over the others",
        _others_only,
        "You spread ε over the other words alone. Many write it so; here, and in PyTorch, it is spread "
        "over all V words, and the right one gets its ε/V too.",
    ),
    Misconception(
        "summed",
        lambda logits, answers: answers.numel() * smoothed_loss(logits, answers),
        "You added the losses of the words up. Take their mean.",
    ),
    Misconception(
        "sign",
        lambda logits, answers: -smoothed_loss(logits, answers),
        "The sign is wrong: logarithms of probabilities are negative, and a loss is not.",
    ),
    Misconception(
        "answers of the model smoothed",
        lambda logits, answers: (
            -((1 - EPSILON) * _of(logits, answers).exp() + EPSILON / logits.shape[-1]).log().mean()
        ),
        "You smoothed what the model says. Smooth what it should say: the targets.",
    ),
    Misconception(
        "logits for logarithms",
        lambda logits, answers: (
            (1 - EPSILON) * nll_loss(logits.flatten(0, -2), answers.flatten()) - EPSILON * logits.mean()
        ),
        "You took the logits for logarithms of probabilities. `logits.log_softmax(dim=-1)` makes them so.",
    ),
]
