r"""One step of an RNN and of an LSTM, and the classic mistakes in them. Chapter 1."""

import torch
from torch import Tensor

from unrolled.exercises._check import Misconception

__all__ = ["LSTM_STEP", "RNN_STEP", "UNROLL", "lstm_step", "rnn_step", "unroll"]


def rnn_step(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    """Return tanh(W_x x + W_h h + b), [H]."""
    return torch.tanh(W_x @ x + W_h @ h + b)


def unroll(X: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    """Return the hidden state after each row of X, [T, H], from a state of zeros."""
    h = torch.zeros_like(b)
    states = []
    for x in X:
        h = rnn_step(x, h, W_x, W_h, b)
        states.append(h)
    return torch.stack(states)


def lstm_step(sums: Tensor, c: Tensor) -> Tensor:
    """Return the new h and c, [2, H], from the sums of i, f, g, o, [4 H], and the last c, [H]."""
    i, f, g, o = sums.chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.stack([torch.sigmoid(o) * torch.tanh(c), c])


RNN_STEP = [
    Misconception(
        "no tanh",
        lambda x, h, W_x, W_h, b: W_x @ x + W_h @ h + b,
        "The tanh is missing. Without it the state can grow without bound, and two steps would be one "
        "matrix product.",
    ),
    Misconception(
        "sigmoid",
        lambda x, h, W_x, W_h, b: torch.sigmoid(W_x @ x + W_h @ h + b),
        "You squashed with the sigmoid, to numbers between 0 and 1. Gates do that; the state of an RNN takes "
        "tanh, between −1 and 1.",
    ),
    Misconception(
        "tanh of each part",
        lambda x, h, W_x, W_h, b: torch.tanh(W_x @ x) + torch.tanh(W_h @ h) + b,
        "You squashed word and state one by one. Add first, then take one tanh of the whole sum.",
    ),
    Misconception(
        "no state",
        lambda x, h, W_x, W_h, b: torch.tanh(W_x @ x + b),
        "The last state h plays no part, so the network cannot remember anything: `W_h @ h` is missing.",
    ),
    Misconception(
        "no bias",
        lambda x, h, W_x, W_h, b: torch.tanh(W_x @ x + W_h @ h),
        "The bias b is missing from the sum.",
    ),
    Misconception(
        "transposed",
        lambda x, h, W_x, W_h, b: torch.tanh(x @ W_x + h @ W_h + b),
        "The weights stand on the wrong side: row k of W_x holds what number k of the state makes of the "
        "word, so it is `W_x @ x` and `W_h @ h`.",
    ),
    Misconception(
        "W_h transposed",
        lambda x, h, W_x, W_h, b: torch.tanh(W_x @ x + h @ W_h + b),
        "`h @ W_h` uses the columns of W_h. Row k belongs to number k of the new state: `W_h @ h`.",
    ),
    Misconception(
        "elementwise",
        lambda x, h, W_x, W_h, b: torch.tanh(W_x * x + W_h * h + b),
        "`*` multiplies entry by entry. A matrix times a vector is `@`.",
    ),
    Misconception(
        "state kept",
        lambda x, h, W_x, W_h, b: h + torch.tanh(W_x @ x + W_h @ h + b),
        "You added the last state to the new one. A vanilla RNN replaces its state; adding to a memory is "
        "what the LSTM does.",
    ),
]


def _stateless(X: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    return torch.tanh(X @ W_x.T + b)


def _biased_start(X: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    h = torch.ones_like(b)
    states = []
    for x in X:
        h = rnn_step(x, h, W_x, W_h, b)
        states.append(h)
    return torch.stack(states)


UNROLL = [
    Misconception(
        "last state only",
        lambda X, W_x, W_h, b: unroll(X, W_x, W_h, b)[-1],
        "You returned the last state only. Keep the state after every word, and stack them: [T, H].",
    ),
    Misconception(
        "with the start",
        lambda X, W_x, W_h, b: torch.cat([torch.zeros_like(b)[None], unroll(X, W_x, W_h, b)]),
        "You kept the state before the first word too. Keep what comes out of each step: T states.",
    ),
    Misconception(
        "states before instead of after",
        lambda X, W_x, W_h, b: torch.cat([torch.zeros_like(b)[None], unroll(X, W_x, W_h, b)[:-1]]),
        "You kept the state before each word instead of the one after it: append after the step, not before.",
    ),
    Misconception(
        "state not carried on",
        _stateless,
        "Every word was read with a state of zeros: the new h does not come back into the next step.",
    ),
    Misconception(
        "start of ones",
        _biased_start,
        "You started with ones. Before the first word nothing has been read: the state starts at zero.",
    ),
    Misconception(
        "backwards",
        lambda X, W_x, W_h, b: unroll(X.flip(0), W_x, W_h, b),
        "You read the sentence from its last word to its first.",
    ),
    Misconception(
        "no tanh",
        lambda X, W_x, W_h, b: _linear(X, W_x, W_h, b),
        "The tanh is missing in the step.",
    ),
    Misconception(
        "transposed result",
        lambda X, W_x, W_h, b: unroll(X, W_x, W_h, b).T,
        "You returned [H, T]. One row for each word: [T, H].",
    ),
]


def _linear(X: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    h = torch.zeros_like(b)
    states = []
    for x in X:
        h = W_x @ x + W_h @ h + b
        states.append(h)
    return torch.stack(states)


def _ordered(order: str) -> "Misconception":
    """Return the step with the four sums taken in another order than i, f, g, o."""

    def step(sums: Tensor, c: Tensor) -> Tensor:
        parts = dict(zip(order, sums.chunk(4), strict=True))
        return lstm_step(torch.cat([parts[gate] for gate in "ifgo"]), c)

    return Misconception(
        f"order {order}",
        step,
        f"You took the sums in the order {', '.join(order)}. PyTorch has them as i, f, g, o.",
    )


def _gates(sums: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    i, f, g, o = sums.chunk(4)
    return torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)


def _with(change: str) -> "Misconception":
    """Return one of the wrong steps, by its name."""

    def step(sums: Tensor, c: Tensor) -> Tensor:
        i, f, g, o = _gates(sums)
        if change == "sigmoid g":
            g = torch.sigmoid(sums.chunk(4)[2])
        if change == "no squashing":
            i, f, g, o = sums.chunk(4)
        new = f * c + i * g
        if change == "no forgetting":
            new = c + i * g
        if change == "one gate for both":
            new = f * c + (1 - f) * g
        if change == "no memory":
            new = i * g
        shown = o * torch.tanh(new)
        if change == "no tanh of c":
            shown = o * new
        if change == "no output gate":
            shown = torch.tanh(new)
        if change == "old c":
            shown = o * torch.tanh(c)
        return torch.stack([new, shown] if change == "c first" else [shown, new])

    return Misconception(change, step, _SAYS[change])


_SAYS = {
    "sigmoid g": "The candidate g went through the sigmoid, so it can only add. It takes tanh: news may be "
    "negative.",
    "no squashing": "The sums were not squashed. Gates are σ of a sum, the candidate is tanh of one.",
    "no forgetting": "The forget gate plays no part: the old c comes in whole. It is `f * c`.",
    "one gate for both": "You let in 1 − f of the news. A GRU does that; an LSTM has an input gate too.",
    "no memory": "The old c is gone: `f * c` is missing from the sum.",
    "no tanh of c": "h is o times tanh(c), so that it stays between −1 and 1; the tanh is missing.",
    "no output gate": "The output gate plays no part: h is o times tanh(c).",
    "old c": "h was made from the old c. Renew the memory first, then show it.",
    "c first": "You stacked c before h. The order is h, then c, as in PyTorch's (h, c).",
}

LSTM_STEP = [
    *(_with(change) for change in _SAYS),
    *(_ordered(order) for order in ("ifog", "figo", "fiog", "igfo", "iofg", "ofig")),
    Misconception(
        "h alone",
        lambda sums, c: lstm_step(sums, c)[0],
        "You returned h alone. The next step needs both: `torch.stack([h, c])`.",
    ),
    Misconception(
        "c alone",
        lambda sums, c: lstm_step(sums, c)[1],
        "You returned c alone. The next step needs both: `torch.stack([h, c])`.",
    ),
    Misconception(
        "side by side",
        lambda sums, c: torch.cat([*lstm_step(sums, c)]),
        "You joined h and c end to end, [2 H]. Stack them: `torch.stack([h, c])`, [2, H].",
    ),
]
