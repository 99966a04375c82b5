"""Remember the first word: a task that asks for nothing but memory. Taught in chapter 1.

A sentence starts with one of four words and goes on with `distance` words drawn at random, which mean
nothing. After the last, the network has to say which word came first. Guessing is right one time in four.
"""

import torch
from torch import Generator, Tensor, nn

from unrolled.nn import LSTM, RNN

__all__ = ["FIRST", "REST", "FirstWord", "accuracy", "sentences", "train_first_word"]

FIRST = ("always", "never", "often", "rarely")
"""The words that may come first, one of which is to be remembered."""
REST = ("eat", "the", "delicious", "looking", "and", "smelling", "pizza")
"""What comes after the first word, always the same."""


def sentences(n: int, distance: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return sentences ``[n, 1 + distance]``, as places in ``FIRST + REST``, and their first ``[n]``.

    Raises:
        ValueError: `n` or `distance` is below one.
    """
    if n < 1 or distance < 1:
        raise ValueError(f"n, distance: expected 1 or more, got {n} and {distance}")
    first = torch.randint(len(FIRST), (n, 1), generator=generator)
    rest = torch.randint(len(FIRST), len(FIRST) + len(REST), (n, distance), generator=generator)
    return torch.cat([first, rest], dim=1), first[:, 0]


class FirstWord(nn.Module):
    """A recurrent network that reads to the end and says which word came first.

    Args:
        cell: ``"rnn"`` or ``"lstm"``.
        d_model: components per word vector.
        d_hidden: components per state.
        forget_bias: with an LSTM, where the bias of the forget gate starts; torch's start unless given.
    """

    def __init__(
        self, cell: str, d_model: int = 8, d_hidden: int = 16, forget_bias: float | None = None
    ) -> None:
        super().__init__()
        if cell not in ("rnn", "lstm"):
            raise ValueError(f"cell: expected 'rnn' or 'lstm', got {cell!r}")
        if forget_bias is not None and cell != "lstm":
            raise ValueError("forget_bias: expected an LSTM with it, got an RNN, which has no gates")
        self.embedding = nn.Embedding(len(FIRST) + len(REST), d_model)
        self.net: RNN | LSTM = (LSTM if cell == "lstm" else RNN)(d_model, d_hidden)
        self.head = nn.Linear(d_hidden, len(FIRST))
        if forget_bias is not None:
            with torch.no_grad():  # two biases are added; the rows stand in the order i, f, g, o
                _, _, b_x, b_h = self.net.cells[0].kernel_weights()  # type: ignore[operator]
                b_x[d_hidden : 2 * d_hidden], b_h[d_hidden : 2 * d_hidden] = forget_bias, 0.0

    def forward(self, words: Tensor) -> Tensor:
        """Return a score for each of the four first words, ``[B, 4]``, from ``[B, T]``."""
        states, _ = self.net(self.embedding(words))  # [B, T, d_hidden]
        scores: Tensor = self.head(states[:, -1])
        return scores


def train_first_word(
    cell: str,
    distance: int,
    *,
    seed: int = 0,
    forget_bias: float | None = None,
    shorter_too: bool = False,
    d_hidden: int = 16,
    steps: int = 300,
    batch: int = 64,
    lr: float = 1e-2,
) -> FirstWord:
    """Train a network to remember the first word over `distance` others, and return it.

    Args:
        cell: ``"rnn"`` or ``"lstm"``.
        distance: words between the first and the question.
        seed: of the first weights and of the sentences; the global random state is left alone.
        forget_bias: see `FirstWord`.
        shorter_too: draw each batch's distance from 1 to `distance`, instead of always the whole.
        d_hidden: components per state.
        steps: batches; Adam, gradients clipped to length 1.
        batch: sentences a batch.
        lr: the learning rate.
    """
    g = Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = FirstWord(cell, d_hidden=d_hidden, forget_bias=forget_bias)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        far = int(torch.randint(1, distance + 1, (), generator=g)) if shorter_too else distance
        words, answer = sentences(batch, far, g)
        loss = nn.functional.cross_entropy(model(words), answer)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()


@torch.no_grad()
def accuracy(model: FirstWord, distance: int, n: int = 500, seed: int = 1_000_000) -> float:
    """Return the share of `n` new sentences whose first word the model names."""
    words, answer = sentences(n, distance, Generator().manual_seed(seed))
    return float((model(words).argmax(dim=1) == answer).double().mean())
