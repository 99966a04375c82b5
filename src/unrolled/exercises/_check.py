"""The engine of the checks: run a learner's function beside the reference, and name the mistake.

A check compares the function with the reference on a few random inputs whose dimensions are different
primes, so no wrong axis can hide behind an equal size. Where the two differ, each known wrong solution
is run on the same input: if one gives what the learner's function gave (or raises what it raised), its
message says what happened.
"""

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from unrolled.exercises._said import apart, describe, failed, passed, refusal, stopped, unattempted, unwritten
from unrolled.exercises.result import Result

__all__ = [
    "Case",
    "Exercise",
    "Misconception",
    "Outcome",
    "close",
    "run",
]

Solution = Callable[..., Tensor]

# Wide enough for a solution in float32, far narrower than any misconception.
RTOL, ATOL = 1e-4, 1e-5


@dataclass(frozen=True)
class Misconception:
    """A classic wrong solution, and what to tell a learner who wrote it.

    Attributes:
        name: a few words, for tests and for reading the list.
        solution: takes what the learner's function takes. It may raise: an equal exception counts as equal.
        message: what went wrong and why; what was expected and what came is added by the engine.
    """

    name: str
    solution: Solution
    message: str


@dataclass(frozen=True)
class Case:
    """One random input: the tensors by the name of the argument. `batched` marks a leading dimension B."""

    inputs: dict[str, Tensor]
    batched: bool = False

    def __str__(self) -> str:
        return " and ".join(
            f"{name} of shape {list(x.shape)}" if x.dim() else f"{name} = {x.item():g}"
            for name, x in self.inputs.items()
        )

    def arguments(self, dtype: torch.dtype | None = None) -> list[Tensor]:
        """Return fresh copies, so that a function which writes into its input spoils nothing."""
        return [
            x.clone().to(dtype) if dtype and x.is_floating_point() else x.clone()
            for x in self.inputs.values()
        ]


@dataclass(frozen=True)
class Outcome:
    """What a function did with a case: returned something, or raised."""

    value: Any = None
    error: Exception | None = None
    changed_input: bool = False
    called: frozenset[str] = frozenset()  # PyTorch's functions and methods, by their names

    def same(self, other: "Outcome") -> bool:
        """Whether two functions did the same: equal tensors, or the same exception with the same words."""
        if self.error or other.error:
            return type(self.error) is type(other.error) and str(self.error) == str(other.error)
        return (
            isinstance(self.value, Tensor)
            and isinstance(other.value, Tensor)
            and close(self.value, other.value)
        )


@dataclass(frozen=True)
class Exercise:
    """What a learner's function should do, on which inputs, and how it usually goes wrong.

    Attributes:
        output: what the function returns, as the chapter calls it, for the messages.
        reference: the right solution.
        cases: inputs, unbatched ones first.
        misconceptions: tried in order; the first that does what the learner's function did is named.
        shortcuts: remarks on functions of PyTorch that are right but skip the exercise, by their names.
    """

    output: str
    reference: Solution
    cases: Sequence[Case]
    misconceptions: Sequence[Misconception]
    shortcuts: Mapping[str, str] = field(default_factory=dict)

    def check(self, fn: object) -> Result:
        """Return what is right or wrong about `fn`; never raise because of it."""
        if refused := refusal(fn, list(self.cases[0].inputs)):
            return refused
        assert callable(fn)
        changed = False
        called: set[str] = set()
        for number, case in enumerate(self.cases):
            outcome = run(fn, case)
            if number == 0 and (placeholder := unwritten(outcome.value, outcome.error, self.output)):
                return unattempted(placeholder)
            wrong = self._wrong(fn, outcome, case)
            if wrong:
                return failed(wrong)
            changed |= outcome.changed_input
            called |= outcome.called
        inputs = ", ".join(str(case) for case in self.cases)
        notes = [remark for name, remark in self.shortcuts.items() if name in called]
        if changed:
            notes.append(
                "One remark: your function changes its input in place, which surprises whoever uses it next."
            )
        return passed(
            "\n".join([f"Equal to the package on {len(self.cases)} random inputs: {inputs}.", *notes])
        )

    def _wrong(self, fn: Callable[..., Any], outcome: Outcome, case: Case) -> str | None:
        """Return what is wrong with an outcome, or None if it is right."""
        expected = self.reference(*case.arguments())
        got = outcome.value
        if (
            outcome.error is None
            and isinstance(got, Tensor)
            and got.is_floating_point() == expected.is_floating_point()
            and close(got, expected)
        ):
            return None
        difference = self._difference(fn, outcome, expected, case)
        for known in self.misconceptions:
            if outcome.same(run(known.solution, case)):
                return f"{known.message}\n{difference}"
        if case.batched:
            return (
                "Your function is right for one sentence, but not for a batch [B, T, d]. "
                f"Count the dimensions from the end: -1 and -2 stay what they are when B comes in "
                f"front.\n{difference}"
            )
        return difference

    def _difference(self, fn: Callable[..., Any], outcome: Outcome, expected: Tensor, case: Case) -> str:
        """Return what was expected and what came, in the plainest terms that tell them apart."""
        shape = list(expected.shape)
        if outcome.error is not None:
            return stopped(fn, outcome.error, f"for {case}")
        got = outcome.value
        if not isinstance(got, Tensor):
            kind = f"a torch tensor of shape {shape}" if shape else "one number, a torch tensor of shape []"
            return f"For {case}: expected {self.output} as {kind}, got {describe(got)}."
        if list(got.shape) != shape:
            return f"For {case}: expected {self.output} of shape {shape}, got shape {list(got.shape)}."
        if got.is_floating_point() != expected.is_floating_point():
            kind = "floating-point numbers" if expected.is_floating_point() else "integers"
            return f"For {case}: expected {self.output} in {kind}, got {got.dtype}."
        got = got.detach().to("cpu", torch.float64)
        bad = ~torch.isclose(got, expected.double(), rtol=RTOL, atol=ATOL)
        place = bad.nonzero()[0].tolist()
        want, came = expected[tuple(place)].item(), got[tuple(place)].item()
        right, wrong = apart(want, came) if expected.is_floating_point() else (f"{want:.0f}", f"{came:.0f}")
        where = str(place) if place else ""
        return f"For {case}: expected {self.output}{where} = {right}, got {wrong}."


def close(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors have one shape and the same numbers, up to float32's rounding."""
    if a.is_complex() or b.is_complex():
        return False
    a, b = (x.detach().to("cpu", torch.float64) for x in (a, b))
    return a.shape == b.shape and torch.allclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=True)


def run(fn: Callable[..., Any], case: Case) -> Outcome:
    """Call `fn` on copies of a case's tensors and keep whatever comes of it."""
    outcome = _run(fn, case, None)
    # A learner who fills torch.zeros(T, T) works in float32 and is not wrong.
    if outcome.error is not None and re.search("dtype|scalar type", str(outcome.error)):
        return _run(fn, case, torch.float32)
    return outcome


def _run(fn: Callable[..., Any], case: Case, dtype: torch.dtype | None) -> Outcome:
    arguments, untouched = case.arguments(dtype), case.arguments(dtype)
    listener = _Listener()
    try:
        with warnings.catch_warnings(), listener:
            # PyTorch warns of `.T` on a batch and of softmax without dim; the check says more than they do.
            warnings.simplefilter("ignore")
            value = fn(*arguments)
    except Exception as error:
        return Outcome(error=error)
    changed = any(not torch.equal(a, u) for a, u in zip(arguments, untouched, strict=True))
    return Outcome(value=value, changed_input=changed, called=frozenset(listener.called))


class _Listener(TorchFunctionMode):
    """Note which functions of PyTorch a learner's function calls: "softmax", in whichever way."""

    def __init__(self) -> None:
        super().__init__()
        self.called: set[str] = set()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.called.add(getattr(func, "__name__", ""))
        return func(*args, **(kwargs or {}))
