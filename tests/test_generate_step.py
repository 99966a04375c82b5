"""One token by the numbers alone is one token through the model; and it steps aside when somebody looks."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from tests.test_generate import CONTEXT, KINDS, B, gpt, prompts
from unrolled.generate import generate, step
from unrolled.generate.step import stepper
from unrolled.tap import record

SHAPES = [
    {},
    {"bias": False, "tied": True},
    {"n_kv_heads": 5, "activation": "relu"},
    {"activation": "gelu_tanh", "d_ff": 23},
]


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "none"])
@pytest.mark.parametrize("changes", SHAPES, ids=str)
def test_a_step_gives_the_models_logits_and_fills_its_cache(positions, changes):
    model, tokens = gpt(positions, **changes).eval(), prompts(B, CONTEXT)
    with torch.no_grad():
        ours, theirs = model.new_cache(), model.new_cache()
        model(tokens[:, :3], cache=ours)
        model(tokens[:, :3], cache=theirs)
        one = stepper(model, ours)
        assert one is not None
        for t in range(3, CONTEXT):
            newest = tokens[:, t : t + 1]
            assert_close(one(newest), model(newest, cache=theirs), rtol=1e-12, atol=1e-12)
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        assert mine.length == other.length == CONTEXT
        for held, expected in zip(mine.held(), other.held(), strict=True):
            assert_close(held, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("positions", KINDS)
def test_the_tokens_are_the_same_with_the_step_and_without(positions, monkeypatch):
    model, given = gpt(positions), prompts(B, 2)
    with_step = generate(model, given, 2 * CONTEXT)
    monkeypatch.setattr("unrolled.generate.continuation.stepper", lambda model, cache: None)
    assert torch.equal(with_step, generate(model, given, 2 * CONTEXT))


def test_generation_takes_the_step(monkeypatch):
    taken = []

    def counting(model, cache):
        one = step.stepper(model, cache)
        return lambda tokens: taken.append(tokens.shape) or one(tokens)

    monkeypatch.setattr("unrolled.generate.continuation.stepper", counting)
    generate(gpt(), prompts(B, 2), 7)
    assert taken == [(B, 1)] * 6  # the first of the seven comes from reading the prompt


@pytest.mark.parametrize("positions", ["rotary", "alibi"])
def test_positions_inside_attention_are_left_to_the_model(positions):
    model = gpt(positions).eval()
    assert stepper(model, model.new_cache()) is None


def test_training_is_left_to_the_model():
    model = gpt().train()
    assert stepper(model, model.new_cache()) is None


def test_whoever_records_hears_every_step():
    model = gpt()
    with record(model, "*.weights") as heard:
        generate(model, prompts(B, 2), 5)
    assert [len(passed) for passed in heard.values()] == [5, 5]


@pytest.mark.parametrize("hook", ["register_forward_hook", "register_forward_pre_hook"])
def test_hooks_are_called_at_every_step(hook):
    model, calls = gpt(), []
    getattr(model.layers[1].feedforward, hook)(lambda *_: calls.append(1))
    generate(model, prompts(B, 2), 5)
    assert len(calls) == 5


def test_a_layer_of_somebodys_own_is_called():
    class Louder(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    model = gpt()
    model.layers[0].feedforward.up_proj.__class__ = Louder
    assert stepper(model.eval(), model.new_cache()) is None
