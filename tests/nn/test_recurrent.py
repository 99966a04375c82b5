"""The cells step by step, the layers over padded sequences, what the taps hear, and what is refused."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.drawn import random, seeds
from unrolled.nn import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from unrolled.shapes import ShapeError
from unrolled.tap import Tap, edit, record

B, T, IN, HIDDEN, LAYERS = 3, 7, 5, 11, 2
repeatable = settings(max_examples=25)
every = pytest.mark.parametrize("kind", [RNN, GRU, LSTM])


def network(kind, n_layers=LAYERS, **options):
    torch.manual_seed(7)
    return kind(IN, HIDDEN, n_layers, **options).double()


def gradients(model, *outputs):
    total = sum((out * random(*out.shape, seed=i)).sum() for i, out in enumerate(outputs))
    return torch.autograd.grad(total, list(model.parameters()))


def test_an_rnn_cell_is_its_equation():
    cell = RNNCell(IN, HIDDEN).double()
    x, h = random(B, IN), random(B, HIDDEN, seed=1)
    expected = torch.tanh(
        x @ cell.input_proj.weight.T
        + cell.input_proj.bias
        + h @ cell.hidden_proj.weight.T
        + cell.hidden_proj.bias
    )
    (after,) = cell(x, (h,))
    assert_close(after, expected)


def test_an_lstm_cell_is_torch_s_and_its_gates_are_shares():
    cell = LSTMCell(IN, HIDDEN).double()
    theirs = torch.nn.LSTMCell(IN, HIDDEN, dtype=torch.float64)
    for parameter, ours in zip(theirs.parameters(), cell.kernel_weights(), strict=True):
        parameter.data = ours.data
    x, state = random(B, IN), (random(B, HIDDEN, seed=1), random(B, HIDDEN, seed=2))
    with record(cell) as rec:
        h, c = cell(x, state)
    assert_close((h, c), theirs(x, state), rtol=0, atol=1e-12)
    i, f, g, o = rec["gates"][0].unbind(1)
    assert_close(rec["memory"][0], f * state[1] + i * g)
    assert_close(h, o * torch.tanh(c))
    assert ((i > 0) & (i < 1) & (f > 0) & (f < 1) & (o > 0) & (o < 1) & (g.abs() < 1)).all()


def test_a_gru_cell_is_torch_s_and_its_update_gate_keeps():
    cell = GRUCell(IN, HIDDEN).double()
    theirs = torch.nn.GRUCell(IN, HIDDEN, dtype=torch.float64)
    for parameter, ours in zip(theirs.parameters(), cell.kernel_weights(), strict=True):
        parameter.data = ours.data
    x, h = random(B, IN), random(B, HIDDEN, seed=1)
    with record(cell) as rec:
        (after,) = cell(x, (h,))
    assert_close(after, theirs(x, h), rtol=0, atol=1e-12)
    r, z, new = rec["gates"][0].unbind(1)
    assert_close(after, (1 - z) * new + z * h)
    assert ((r > 0) & (r < 1) & (z > 0) & (z < 1)).all()


@every
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("lengths", [None, [7, 2, 5], [3, 1, 2]])
def test_fused_is_unrolled(kind, bidirectional, lengths):
    model = network(kind, bidirectional=bidirectional)
    rows = LAYERS * model.n_directions
    x = random(B, T, IN).requires_grad_()
    state = tuple(random(rows, B, HIDDEN, seed=i) for i in range(kind.cell.n_states))
    lengths = None if lengths is None else torch.tensor(lengths)
    output, end = model(x, state, lengths)
    with record(model):
        unrolled, unrolled_end = model(x, state, lengths)
    assert output.shape == (B, T, model.n_directions * HIDDEN)
    assert all(part.shape == (rows, B, HIDDEN) for part in end)
    assert_close((unrolled, unrolled_end), (output, end), rtol=0, atol=1e-12)
    assert_close(gradients(model, unrolled, *unrolled_end), gradients(model, output, *end))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_taps_hear_every_step_of_every_cell(bidirectional):
    model = network(LSTM, bidirectional=bidirectional)
    x = random(B, T, IN)
    with record(model, "*.gates") as gates, record(model, "*.memory") as memory:
        output, (_, c) = model(x)
    assert list(gates) == [f"cells.{i}.gates" for i in range(LAYERS * model.n_directions)]
    for row, (heard, cells) in enumerate(zip(gates.values(), memory.values(), strict=True)):
        assert [tuple(step.shape) for step in heard] == [(B, 4, HIDDEN)] * T
        assert_close(cells[-1], c[row])
    # The last layer's forward cell wrote the first half of the outputs, first step first.
    last = (LAYERS - 1) * model.n_directions
    for t in range(T):
        o, c_t = gates[f"cells.{last}.gates"][t][:, 3], memory[f"cells.{last}.memory"][t]
        assert_close(output[:, t, :HIDDEN], o * torch.tanh(c_t))


def test_the_taps_of_an_rnn_hear_its_hidden_states():
    model, x = network(RNN), random(B, T, IN)
    with record(model, "*.hidden") as rec:
        output, (h,) = model(x)
    assert_close(torch.stack(rec["cells.1.hidden"], dim=1), output)
    assert_close(rec["cells.0.hidden"][-1], h[0])


@every
@given(
    lengths=st.lists(st.integers(1, T), min_size=B, max_size=B),
    bidirectional=st.booleans(),
    recorded=st.booleans(),
    seed=seeds,
)
@repeatable
def test_each_padded_sequence_is_what_it_is_alone(kind, lengths, bidirectional, recorded, seed):
    model = network(kind, bidirectional=bidirectional)
    x = random(B, T, IN, seed=seed)
    if recorded:
        with record(model):
            output, end = model(x, lengths=torch.tensor(lengths))
    else:
        output, end = model(x, lengths=torch.tensor(lengths))
    for row, length in enumerate(lengths):
        alone, alone_end = model(x[row : row + 1, :length])
        assert_close(output[row, :length], alone[0])
        assert output[row, length:].eq(0).all()
        for part, alone_part in zip(end, alone_end, strict=True):
            assert_close(part[:, row], alone_part[:, 0])


@every
@pytest.mark.parametrize("recorded", [False, True])
def test_padding_changes_nothing_and_gets_no_gradient(kind, recorded):
    model, lengths = network(kind, bidirectional=True), torch.tensor([7, 2, 5])
    padding = torch.arange(T) >= lengths[:, None]  # [B, T]
    x = random(B, T, IN)
    y = torch.where(padding[..., None], random(B, T, IN, seed=1), x)
    results = []
    for inputs in (x, y):
        inputs.requires_grad_()
        if recorded:
            with record(model):
                output, end = model(inputs, lengths=lengths)
        else:
            output, end = model(inputs, lengths=lengths)
        output.square().sum().backward()
        assert inputs.grad[padding].eq(0).all()
        assert not inputs.grad[~padding].eq(0).any()
        results.append((output, end, [w.grad.clone() for w in model.parameters()]))
        model.zero_grad()
    assert_close(*results, rtol=0, atol=0)


@every
def test_in_two_parts_is_in_one(kind):
    model, x = network(kind), random(B, T, IN)
    whole, end = model(x)
    first, state = model(x[:, :3])
    second, end_of_second = model(x[:, 3:], state)
    assert_close(torch.cat([first, second], dim=1), whole)
    assert_close(end_of_second, end)


@every
@pytest.mark.parametrize("recorded", [False, True])
def test_dropout_stands_between_layers_and_only_while_training(kind, recorded):
    def run(model, x):
        if not recorded:
            return model(x)[0]
        with record(model):
            return model(x)[0]

    x = random(B, T, IN)
    plain, dropping = network(kind), network(kind, dropout=0.5)
    assert not torch.allclose(run(dropping, x), run(dropping, x))
    assert_close(run(dropping.eval(), x), run(plain, x))
    # A single layer has nothing between.
    assert_close(run(network(kind, 1, dropout=0.5), x), run(network(kind, 1), x))
    # With everything dropped, the second layer hears silence: every sequence gives the same.
    silent = run(network(kind, dropout=1.0), x)
    assert_close(silent, silent[:1].expand_as(silent))


@every
def test_recording_does_not_outlive_the_block(kind):
    model, x = network(kind), random(B, T, IN)
    with record(model) as rec:
        model(x)
    heard = sum(len(steps) for steps in rec.values())
    model(x)
    assert sum(len(steps) for steps in rec.values()) == heard


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"x": random(B, T, IN + 1)}, ShapeError, "x: expected shape [B, T, D] with D=5, got [3, 7, 6]"),
        ({"x": random(T, IN)}, ShapeError, "x: expected shape [B, T, D] with D=5, got [7, 5]"),
        ({"x": random(B, 0, IN)}, ShapeError, "x: expected at least one step, got [3, 0, 5]"),
        (
            {"lengths": torch.tensor([1, 2])},
            ShapeError,
            "lengths: expected shape [B] with B=3, got [2]",
        ),
        ({"lengths": torch.tensor([7, 0, 5])}, ValueError, "lengths: expected 1 to 7, got [7, 0, 5]"),
        ({"lengths": torch.tensor([7, 8, 5])}, ValueError, "lengths: expected 1 to 7, got [7, 8, 5]"),
        (
            {"lengths": torch.tensor([7.0, 2.5, 5.0])},
            TypeError,
            "lengths: expected integers (int64 or int32), got torch.float32",
        ),
        (
            {"state": random(LAYERS, B, HIDDEN)},
            ValueError,
            "state: expected a tuple of 2 tensors, got Tensor",
        ),
        (
            {"state": (random(LAYERS, B, HIDDEN),)},
            ValueError,
            "state: expected a tuple of 2 tensors, got a tuple of 1",
        ),
        (
            {"state": (random(LAYERS, B, HIDDEN), random(LAYERS, B + 1, HIDDEN))},
            ShapeError,
            "state: expected shape [L, B, D] with L=2, B=3, D=11, got [2, 4, 11]",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, said):
    with pytest.raises(error, match=f"^{re.escape(said)}$"):
        network(LSTM)(**({"x": random(B, T, IN)} | arguments))


@every
@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ((IN, HIDDEN, 0), "n_layers: expected a positive integer, got 0"),
        ((IN, 0, 1), "d_hidden: expected a positive integer, got 0"),
        ((0, HIDDEN, 1), "d_in: expected a positive integer, got 0"),
    ],
)
def test_sizes_that_make_no_network_are_refused(kind, sizes, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        kind(*sizes)


@every
@pytest.mark.parametrize("dropout", [-0.1, 1.5])
def test_a_dropout_that_is_no_share_is_refused(kind, dropout):
    with pytest.raises(ValueError, match=re.escape(f"dropout: expected a share from 0 to 1, got {dropout}")):
        kind(IN, HIDDEN, dropout=dropout)


@every
@pytest.mark.signatures
def test_the_signatures_hold(kind):
    model = network(kind, bidirectional=True)
    model(random(B, T, IN))
    with record(model):
        _, state = model(random(B, T, IN), lengths=torch.tensor([7, 2, 5]))
    model(random(B, T, IN), state)


# What people do to a cell is done by the layer too: it takes the kernel only where nobody did anything.


@every
@pytest.mark.parametrize("part", ["", "input_proj", "hidden_proj"])
def test_a_hook_on_a_cell_is_called_at_every_step(kind, part):
    model, x, calls = network(kind), random(B, T, IN), []
    before, _ = model(x)
    model.cells[1].get_submodule(part).register_forward_hook(lambda *_: calls.append(1))
    after, _ = model(x)
    assert len(calls) == T
    assert_close(after, before, rtol=0, atol=1e-12)


@every
def test_a_layer_in_a_projections_place_counts(kind):
    class Halved(torch.nn.Module):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(x) / 2

    model, half, x = network(kind), network(kind), random(B, T, IN)
    model.cells[0].input_proj = Halved(model.cells[0].input_proj)
    with torch.no_grad():
        for weight in half.cells[0].input_proj.parameters():
            weight /= 2
    assert_close(model(x)[0], half(x)[0], rtol=0, atol=1e-12)


@every
def test_the_kernel_runs_unless_a_tap_is_heard_or_edited(kind, monkeypatch):
    model, x, steps = network(kind), random(B, T, IN), []
    real = model._unrolled
    monkeypatch.setattr(model, "_unrolled", lambda *given: steps.append(1) or real(*given))
    model(x)
    assert not steps
    for path, tap in list(model.named_modules()):
        if isinstance(tap, Tap):
            for context in (record(model, path), edit(model, {path: torch.sin})):
                with context:
                    model(x)
                assert steps.pop(), path
                model(x)
                assert not steps, path


@every
def test_an_edit_at_a_tap_reaches_what_comes_out(kind):
    model, x = network(kind, 1), random(B, T, IN)
    tap = getattr(model.cells[0], {RNN: "hidden", GRU: "gates", LSTM: "memory"}[kind])
    tap.register_forward_hook(lambda module, given, output: 0 * output)
    assert model(x)[0].eq(0).all()


@every
@pytest.mark.parametrize("lengths", [None, torch.zeros(0, dtype=torch.long)])
def test_a_batch_of_nothing_gives_nothing(kind, lengths):
    output, state = network(kind, bidirectional=True)(random(0, T, IN), lengths=lengths)
    assert output.shape == (0, T, 2 * HIDDEN)
    assert all(part.shape == (2 * LAYERS, 0, HIDDEN) for part in state)
