"""How far a run is: a bar in a terminal, a line now and then elsewhere."""

import sys
from typing import Any, TextIO

from tqdm import tqdm

__all__ = ["Progress"]


class Progress:
    """Show step, loss and targets per second.

    Args:
        steps: how many there are.
        done: how many were taken before.
        stream: where to; a bar if it is a terminal, else lines. Nothing with None.
    """

    def __init__(self, steps: int, done: int = 0, stream: TextIO | None = sys.stderr) -> None:
        self.steps, self.stream = steps, stream
        self._bar: Any = None
        if stream is not None and stream.isatty():
            self._bar = tqdm(total=steps, initial=done, unit="step", file=stream, dynamic_ncols=True)
        self._next_line = 0.0

    @classmethod
    def silent(cls) -> "Progress":
        """Return one that shows nothing."""
        return cls(0, stream=None)

    def show(self, step: int, loss: float, speed: float, best: float | None) -> None:
        """Show a point of the curve; lines come about twenty times a run."""
        if self.stream is None:
            return
        try:
            self._show(self.stream, step, loss, speed, best)
        except BrokenPipeError:  # nobody watches any more; the run goes on
            self.stream = self._bar = None

    def _show(self, stream: TextIO, step: int, loss: float, speed: float, best: float | None) -> None:
        text = f"loss {loss:.4f}" + ("" if best is None else f", best validation {best:.4f}")
        text += f", {speed:,.0f} tokens/s"
        if self._bar is not None:
            self._bar.update(step - self._bar.n)
            self._bar.set_postfix_str(text)
        elif step >= self._next_line or step == self.steps:
            print(f"step {step}/{self.steps}: {text}", file=stream, flush=True)
            self._next_line = step + self.steps / 20

    def close(self) -> None:
        """Let go of the terminal."""
        if self._bar is not None:
            self._bar.close()
