"""Our RNN, GRU and LSTM are torch.nn's: outputs, states and gradients, fused and step by step."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.testing import assert_close

from tests.drawn import random
from unrolled.nn import GRU, LSTM, RNN
from unrolled.tap import record

B, T, IN, HIDDEN = 3, 7, 5, 11
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}


def pair(kind, n_layers, bidirectional, dtype):
    """Return one of ours and torch's with its parameters."""
    torch.manual_seed(3)
    ours = kind(IN, HIDDEN, n_layers, bidirectional=bidirectional).to(dtype)
    theirs = getattr(torch.nn, kind.__name__)(
        IN, HIDDEN, n_layers, batch_first=True, bidirectional=bidirectional, dtype=dtype
    )
    # Both go layer by layer, forward before backward, weights before biases.
    for parameter, weight in zip(theirs.parameters(), in_their_order(ours, lambda w: w), strict=True):
        parameter.data.copy_(weight.data)
    return ours, theirs


def in_their_order(ours, take):
    return [take(weight) for cell in ours.cells for weight in cell.kernel_weights()]


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("lengths", [None, [2, 7, 5], [3, 1, 2]])
@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_outputs_states_and_gradients(kind, n_layers, bidirectional, lengths, with_state, recorded, dtype):
    ours, theirs = pair(kind, n_layers, bidirectional, dtype)
    x = random(B, T, IN, dtype=dtype)
    rows = n_layers * (1 + bidirectional)
    state = tuple(random(rows, B, HIDDEN, dtype=dtype, seed=1 + i) for i in range(kind.cell.n_states))
    results = []
    for run in (run_ours, run_theirs):
        inputs = [part.clone().requires_grad_() for part in (x, *state)]
        output, end = run(
            ours if run is run_ours else theirs,
            inputs[0],
            tuple(inputs[1:]) if with_state else None,
            lengths,
            recorded,
        )
        seen = [random(*out.shape, dtype=dtype, seed=11 + i) for i, out in enumerate((output, *end))]
        sum((out * weight).sum() for out, weight in zip((output, *end), seen, strict=True)).backward()
        results.append(((output, *end), [part.grad for part in inputs[: 1 + len(state) * with_state]]))
    (outputs, input_gradients), (expected, expected_gradients) = results
    tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    assert_close(outputs, expected, **tolerance)
    assert_close(input_gradients, expected_gradients, **tolerance)
    assert_close(in_their_order(ours, lambda w: w.grad), [w.grad for w in theirs.parameters()], **tolerance)


def run_ours(model, x, state, lengths, recorded):
    lengths = None if lengths is None else torch.tensor(lengths)
    if not recorded:
        return model(x, state, lengths)
    with record(model) as rec:
        result = model(x, state, lengths)
    assert all(len(steps) == T for steps in rec.values())
    return result


def run_theirs(model, x, state, lengths, recorded):
    is_lstm = isinstance(model, torch.nn.LSTM)
    state = state if state is None or is_lstm else state[0]
    if lengths is None:
        output, end = model(x, state)
    else:
        packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        output, end = model(packed, state)
        output, _ = pad_packed_sequence(output, batch_first=True, total_length=T)
    return output, end if is_lstm else (end,)


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_the_same_first_weights(kind):
    torch.manual_seed(5)
    theirs = getattr(torch.nn, kind.__name__)(IN, HIDDEN)
    bound = max(float(weight.detach().abs().max()) for weight in theirs.parameters())
    ours = kind(IN, HIDDEN)
    largest = [float(weight.detach().abs().max()) for weight in ours.parameters()]
    assert max(largest) == pytest.approx(bound, rel=0.05)
    assert sum(weight.numel() for weight in ours.parameters()) == sum(w.numel() for w in theirs.parameters())
