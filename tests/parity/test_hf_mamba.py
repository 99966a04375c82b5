"""A selective state space is that of `transformers`' Mamba and Mamba 2, with what these have around it."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv1d, silu
from torch.testing import assert_close
from transformers import Mamba2Config, MambaConfig
from transformers.models.mamba.modeling_mamba import MambaMixer
from transformers.models.mamba2.modeling_mamba2 import Mamba2Mixer

from tests.drawn import drawn, random
from tests.parity.double import Double
from unrolled.nn import RMSNorm, SelectiveStateSpace

# Mamba's channels E, states N, components of a step R, kernel of the convolution W; Mamba 2's heads H of P.
B, T, D, E, N, R, W, H, P = 2, 71, 5, 10, 3, 2, 4, 7, 11


pytestmark = pytest.mark.usefixtures("in_double")


def around(mixer, x):
    """Return what goes into the state space, and the gate: a projection and a short convolution, of torch."""
    projected = mixer.in_proj(x).mT  # [B, 2 E, T]
    gate, steps = projected[:, : mixer.intermediate_size], None
    inner = projected[:, mixer.intermediate_size :]
    if isinstance(mixer, MambaMixer):
        inner, gate = gate, inner
    else:
        inner, steps = inner[:, :-H], inner[:, -H:]
    padded = nn.functional.pad(inner, (W - 1, 0))
    mixed = silu(conv1d(padded, mixer.conv1d.weight, mixer.conv1d.bias, groups=inner.shape[1]))
    return mixed.mT, gate.mT, None if steps is None else steps.mT


def put(parameter, weight):
    with torch.no_grad():
        parameter.copy_(weight)


def mamba(mixer):
    """Return Mamba's layer of layers of ours: one for each component of its state, since each has a decay."""
    layers = nn.ModuleList(SelectiveStateSpace(E, E, d_state=1) for _ in range(N))
    rows = mixer.x_proj.weight
    for n, layer in enumerate(layers):
        put(layer.x_proj.weight, torch.eye(E))
        put(layer.out_proj.weight, torch.eye(E))
        put(layer.input_proj.weight, rows[R + n, None])
        put(layer.output_proj.weight, rows[R + N + n, None])
        put(layer.step_proj.weight, mixer.dt_proj.weight @ rows[:R])
        put(layer.step_bias, mixer.dt_proj.bias)
        put(layer.log_decay, mixer.A_log[:, n])
        put(layer.skip, mixer.D if n == 0 else torch.zeros(E))

    def run(x):
        mixed, gate, _ = around(mixer, x)
        return mixer.out_proj(sum(layer(mixed) for layer in layers) * silu(gate))

    return layers, run


def mamba2(mixer):
    """Return Mamba 2's layer with one of ours, whose projections pick out what the convolution has mixed."""
    width = H * P
    layer = SelectiveStateSpace(width + 2 * N + H, H, d_head=P, d_state=N)
    picked = torch.eye(width + 2 * N + H)
    put(layer.x_proj.weight, picked[:width])
    put(layer.input_proj.weight, picked[width : width + N])
    put(layer.output_proj.weight, picked[width + N : width + 2 * N])
    put(layer.step_proj.weight, picked[width + 2 * N :])
    put(layer.out_proj.weight, picked[:, :width])
    put(layer.step_bias, mixer.dt_bias)
    put(layer.log_decay, mixer.A_log)
    put(layer.skip, mixer.D)
    norm = RMSNorm(width, eps=mixer.norm.variance_epsilon)
    put(norm.weight, mixer.norm.weight)

    def run(x):
        mixed, gate, steps = around(mixer, x)
        found = layer(torch.cat([mixed, steps], -1))[..., :width]
        return mixer.out_proj(norm(found * silu(gate)))

    return nn.ModuleList([layer]), run


def mixers():
    first = MambaConfig(hidden_size=D, state_size=N, time_step_rank=R, conv_kernel=W, expand=2)
    second = Mamba2Config(
        hidden_size=P,
        expand=H,
        num_heads=H,
        head_dim=P,
        state_size=N,
        n_groups=1,
        conv_kernel=W,
        chunk_size=13,
    )
    return {"Mamba": (MambaMixer, first, mamba, D), "Mamba 2": (Mamba2Mixer, second, mamba2, P)}


@pytest.mark.parametrize("kind", mixers())
def test_its_outputs_and_gradients(kind):
    make, config, ours, width = mixers()[kind]
    with Double():
        mixer = drawn(make(config, 0), std=0.4)
    layers, run = ours(mixer)
    x, other = random(B, T, width).requires_grad_(), random(B, T, width).requires_grad_()
    with Double():
        expected = mixer(other)
        expected.square().sum().backward()
    theirs = {name: weight.grad.clone() for name, weight in mixer.named_parameters()}
    mixer.zero_grad()
    found = run(x)
    found.square().sum().backward()
    assert_close(found, expected, rtol=1e-9, atol=1e-9 * float(expected.detach().abs().max()))
    assert_close(x.grad, other.grad, rtol=1e-9, atol=1e-9 * float(other.grad.abs().max()))
    pairs = {"A_log": [layer.log_decay.grad for layer in layers], "D": [layers[0].skip.grad]}
    pairs |= {"in_proj.weight": [mixer.in_proj.weight.grad], "conv1d.weight": [mixer.conv1d.weight.grad]}
    pairs["dt_proj.bias" if kind == "Mamba" else "dt_bias"] = [sum(layer.step_bias.grad for layer in layers)]
    for name, grads in pairs.items():
        grad = torch.stack(grads, -1).reshape(theirs[name].shape)
        assert_close(grad, theirs[name], rtol=1e-9, atol=1e-9 * float(theirs[name].abs().max()))
