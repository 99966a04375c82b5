"""One token with fewer calls is one token through the model, whatever was done to the model before."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune
from torch.testing import assert_close

from tests.generate.gpts import CONTEXT, KINDS, B, V, gpt, prompts
from unrolled.generate import generate
from unrolled.nn import (
    GPT,
    EncoderBlock,
    LlamaConfig,
    MultiHeadAttention,
    ParallelBlock,
    RMSNorm,
    Rotary,
    YarnScaling,
)
from unrolled.nn.lean import lean
from unrolled.tap import record

SHAPES = [
    {},
    {"bias": False, "tied": True},
    {"n_kv_heads": 5, "activation": "relu"},
    {"activation": "gelu_tanh", "d_ff": 23},
    {"d_ff": 0},
]


def stepped(model, tokens, first=3):
    """Return the logits of every step, as generation takes it and as the model says, and the two caches."""
    ours, theirs = model.new_cache(), model.new_cache()
    with torch.no_grad():
        model(tokens[:, :first], cache=ours)
        model(tokens[:, :first], cache=theirs)
        step = lean(model, ours, call=partial(model, cache=ours))
        newest = [tokens[:, t : t + 1] for t in range(first, tokens.shape[1])]
        by_step, by_model = [step(new) for new in newest], [model(new, cache=theirs) for new in newest]
    return torch.cat(by_step, 1), torch.cat(by_model, 1), (ours, theirs)


@pytest.mark.parametrize("positions", KINDS)
@pytest.mark.parametrize("changes", SHAPES, ids=str)
def test_a_step_gives_the_models_logits_and_fills_its_cache(positions, changes):
    model, tokens = gpt(positions, **changes).eval(), prompts(B, CONTEXT)
    by_step, by_model, (ours, theirs) = stepped(model, tokens)
    assert_close(by_step, by_model, rtol=1e-12, atol=1e-12)
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        assert mine.length == other.length == CONTEXT
        for held, expected in zip(mine.held(), other.held(), strict=True):
            assert_close(held, expected, rtol=1e-12, atol=1e-12)


# What people do to a model before they let it write. Each changes what it computes.


def changed(x):
    """Return something else of the same shape and kind, which no norm takes back."""
    return x.roll(1, -1) if x.is_floating_point() else (x + 1) % V


class Louder(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


class Adapter(nn.Module):
    """A low-rank change beside a layer that stays."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.low = nn.Linear(layer.in_features, 2, dtype=torch.float64)
        self.high = nn.Linear(2, layer.out_features, dtype=torch.float64)

    def forward(self, x):
        return self.layer(x) + self.high(self.low(x))


class Rolled(nn.Module):
    def forward(self, weight):
        return changed(weight)


def biased_head(model):
    model.lm_head.bias = nn.Parameter(torch.randn(model.lm_head.out_features, dtype=torch.float64))


def post_norm(model):
    c = model.config
    model.layers[0] = EncoderBlock(c.d_model, c.n_heads, 4 * c.d_model, norm="post").double().eval()


def replaced(path, method="forward"):
    def change(model):
        module = model.get_submodule(path)
        original = getattr(module, method)
        setattr(module, method, lambda *args, **kwargs: changed(original(*args, **kwargs)))

    return change


def hooked(path, register="register_forward_hook"):
    def change(model):
        module = model.get_submodule(path)
        if register == "register_forward_hook":
            module.register_forward_hook(lambda module, given, output: changed(output))
        else:
            module.register_forward_pre_hook(lambda module, given: (changed(given[0]), *given[1:]))

    return change


def subclassed(path):
    def change(model):
        module = model.get_submodule(path)
        kind = type(module)
        module.__class__ = type(kind.__name__, (kind,), {"forward": _changed(kind)})

    return change


def _changed(kind):
    def forward(self, *args, **kwargs):
        return changed(kind.forward(self, *args, **kwargs))

    return forward


def exchanged(path, make):
    def change(model):
        parent, _, name = path.rpartition(".")
        setattr(model.get_submodule(parent), name, make(model.get_submodule(path)))

    return change


PATHS = [
    "token_embedding",
    "positions",
    "dropout",
    "layers.1",
    "layers.1.attention_norm",
    "layers.0.attention",
    "layers.0.attention.qkv_proj",
    "layers.0.attention.out_proj",
    "layers.0.attention.weights",
    "layers.1.feedforward",
    "layers.1.feedforward.up_proj",
    "layers.1.feedforward.activation",
    "layers.1.stream",
    "final_norm",
    "lm_head",
]
CHANGES = {
    "a head with a bias": biased_head,
    "a post-norm block": post_norm,
    "a linear layer of another class": exchanged("lm_head", lambda x: setattr(x, "__class__", Louder) or x),
    "an adapter": exchanged("layers.0.attention.qkv_proj", Adapter),
    "another module for a tap": exchanged("layers.0.stream", lambda tap: Rolled()),
    "another module for the weights' tap": exchanged("layers.0.attention.weights", lambda tap: Rolled()),
    "a parametrization": lambda model: parametrize.register_parametrization(
        model.layers[1].feedforward.down_proj, "weight", Rolled()
    ),
    "pruning": lambda model: prune.l1_unstructured(model.layers[1].attention.qkv_proj, "weight", amount=0.7),
    "a replaced residual path": replaced("layers.0", "residual"),
    **{f"a replaced forward of {path}": replaced(path) for path in PATHS},
    **{f"a hook behind {path}": hooked(path) for path in PATHS},
    **{f"a hook before {path}": hooked(path, "register_forward_pre_hook") for path in PATHS},
    **{f"a subclass at {path}": subclassed(path) for path in PATHS},
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_was_done_to_the_model_a_step_does_it_too(name):
    torch.manual_seed(5)
    model, tokens = gpt().eval(), prompts(B, CONTEXT)
    before = stepped(model, tokens)[1]
    CHANGES[name](model)
    by_step, by_model, _ = stepped(model.eval(), tokens)
    assert_close(by_step, by_model, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(by_model, before)


def test_a_hook_on_all_modules_and_a_patched_class_are_heeded_too(monkeypatch):
    model, tokens = gpt().eval(), prompts(B, CONTEXT)
    before = stepped(model, tokens)[1]
    hook = nn.modules.module.register_module_forward_hook(
        lambda module, given, output: changed(output) if isinstance(module, nn.LayerNorm) else None
    )
    try:
        by_step, by_model, _ = stepped(model, tokens)
    finally:
        hook.remove()
    assert_close(by_step, by_model, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(by_model, before)
    monkeypatch.setattr(nn.Linear, "forward", lambda self, x: changed(x @ self.weight.T))
    by_step, by_model, _ = stepped(model, tokens)
    assert_close(by_step, by_model, rtol=1e-12, atol=1e-12)
    monkeypatch.setattr(EncoderBlock, "residual", lambda self, x, norm, sublayer: x + 2 * sublayer(norm(x)))
    by_step, by_model, _ = stepped(model, tokens)
    assert_close(by_step, by_model, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("positions", KINDS)
def test_the_tokens_are_the_same_with_the_step_and_without(positions, monkeypatch):
    model, given = gpt(positions), prompts(B, 2)
    with_step = generate(model, given, 2 * CONTEXT)
    monkeypatch.setattr("unrolled.generate.continuation.lean", lambda model, cache, call: call)
    assert torch.equal(with_step, generate(model, given, 2 * CONTEXT))


@pytest.mark.parametrize("added", [False, True])
def test_generation_takes_the_step(monkeypatch, added):
    """Also where a library has given all modules a method more, as transformers does."""
    if added:
        monkeypatch.setattr(nn.Module, "smart_apply", lambda self: None, raising=False)
    taken = []

    def counting(model, cache, call):
        one = lean(model, cache, call=call)
        assert one is not call
        return lambda tokens: taken.append(tokens.shape) or one(tokens)

    monkeypatch.setattr("unrolled.generate.continuation.lean", counting)
    generate(gpt(), prompts(B, 2), 7)
    assert taken == [(B, 1)] * 6  # the first of the seven comes from reading the prompt


def test_training_is_left_to_the_model():
    model = gpt().train()
    assert lean(model, model.new_cache()) is model


def test_whoever_records_hears_every_step():
    model = gpt()
    with record(model) as heard:
        generate(model, prompts(B, 2), 5)
    assert {len(passed) for passed in heard.values()} == {5}


@pytest.mark.parametrize("hook", ["register_forward_hook", "register_forward_pre_hook"])
@pytest.mark.parametrize("path", PATHS)
def test_hooks_are_called_at_every_step(hook, path):
    model, calls = gpt(), []
    getattr(model.get_submodule(path), hook)(lambda *_: calls.append(1))
    generate(model, prompts(B, 2), 5)
    assert len(calls) == 5


# The parts of today.

TODAY = {
    "plain": {},
    "biases and heads of their own": {"bias": True, "d_head": 6},
    "norms of each head": {"head_norm": "each"},
    "norms across heads": {"head_norm": "across", "norm_order": "output"},
    "a window": {"window": 3},
    "stretched": {"scaling": YarnScaling(3.0, 5)},
    "no positions": {"positions": "none"},
    "side by side": {"block": ParallelBlock, "norm_order": "both"},
    "norms on both sides": {"norm_order": "both", "scaled_embedding": True},
}
TODAYS_PATHS = [
    "layers.0.attention.positions",
    "layers.0.attention_norm",
    "layers.1.feedforward.gate_proj",
    "layers.1.feedforward.gate",
    "layers.1.feedforward",
    "final_norm",
]


def llama(**changes):
    torch.manual_seed(3)
    block = changes.pop("block", None)
    config = LlamaConfig(
        V, CONTEXT, d_model=20, n_heads=5, n_layers=2, d_ff=23, n_kv_heads=1, tied=False, **changes
    )
    model = GPT(config, replace(config.parts(), block=block)).double()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return model.eval()


@pytest.mark.parametrize("changes", TODAY.values(), ids=TODAY)
def test_a_step_of_todays_block_gives_its_logits_and_takes_no_module(changes, monkeypatch):
    model, tokens = llama(**changes), prompts(B, CONTEXT)
    by_step, by_model, (ours, theirs) = stepped(model, tokens)
    assert_close(by_step, by_model, rtol=1e-12, atol=1e-12)
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        for held, expected in zip(mine.held(), other.held(), strict=True):
            assert_close(held, expected, rtol=1e-12, atol=1e-12)
    if changes.get("head_norm") == "across":
        return  # which is called, and calls its norm
    one = lean(model, ours)
    called = []
    monkeypatch.setattr(MultiHeadAttention, "__call__", lambda *a, **k: called.append(1))
    monkeypatch.setattr(RMSNorm, "__call__", lambda *a, **k: called.append(1))
    with torch.no_grad():
        ours.layers[0].length = ours.layers[1].length = CONTEXT - 1
        one(tokens[:, :1])
    assert not called


@pytest.mark.parametrize("path", TODAYS_PATHS)
@pytest.mark.parametrize("how", [replaced, hooked, subclassed])
def test_whatever_was_done_to_todays_block_a_step_does_it_too(how, path):
    model, tokens = llama(), prompts(B, CONTEXT)
    _, before, (_, kept) = stepped(model, tokens)
    how(path)(model)
    by_step, by_model, (ours, theirs) = stepped(model.eval(), tokens)
    assert_close(by_step, by_model, rtol=1e-12, atol=1e-12)
    keys = [cache.layers[0].held()[0] for cache in (ours, theirs, kept)]
    assert_close(keys[0], keys[1], rtol=1e-12, atol=1e-12)
    # Queries and keys that were changed alike match as before.
    assert not torch.allclose(by_model, before) or not torch.allclose(keys[1], keys[2])


BOTH = {"norm_order": "both", "scaled_embedding": True}
BOTH_PATHS = ["token_embedding", "layers.0.attention_after", "layers.1.feedforward_after"]
PARALLEL = BOTH | {"block": ParallelBlock}
PARALLEL_PATHS = [
    *BOTH_PATHS,
    "layers.1",
    "layers.0.shared_norm",
    "layers.0.attention",
    "layers.1.feedforward",
]
MORE = [(BOTH, path) for path in BOTH_PATHS] + [(PARALLEL, path) for path in PARALLEL_PATHS]


@pytest.mark.parametrize("how", [replaced, hooked, subclassed])
@pytest.mark.parametrize(("changes", "path"), MORE, ids=str)
def test_whatever_was_done_to_norms_behind_and_to_blocks_side_by_side(how, path, changes):
    model, tokens = llama(**changes), prompts(B, CONTEXT)
    _, before, _ = stepped(model, tokens)
    how(path)(model)
    by_step, by_model, _ = stepped(model.eval(), tokens)
    assert_close(by_step, by_model, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(by_model, before)


class Mirrored(Rotary):
    """Turns the other way, and adds to the scores besides."""

    def turn(self, x, offset=0):
        return super().turn(x.flip(-1), offset)

    def bias(self, n_queries, n_keys):
        return torch.arange(n_keys, dtype=torch.float64).expand(n_queries, n_keys)


def test_positions_and_masks_of_ones_own_are_called():
    for change in (
        lambda part: setattr(part, "positions", Mirrored(4, CONTEXT)),
        lambda part: setattr(part.positions, "turn", lambda x, offset=0: x),
        lambda part: setattr(part.positions, "bias", lambda n, m: torch.ones(n, m).double().tril()),
        lambda part: setattr(
            part, "mask_rule", lambda n, m, device=None: torch.ones(n, m).tril(m - n - 1) > 0
        ),
        lambda part: setattr(part, "sinks", torch.nn.Parameter(torch.ones(5).double())),
    ):
        model, tokens = llama(), prompts(B, CONTEXT)
        for layer in model.layers:
            change(layer.attention)
        by_step, by_model, _ = stepped(model, tokens)
        assert_close(by_step, by_model, rtol=1e-12, atol=1e-12)
