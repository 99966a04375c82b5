"""A mixture of experts, token by token by hand, without dropping one; and how evenly experts are used."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch.testing import assert_close
from transformers import MixtralConfig
from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock, load_balancing_loss_func

from tests.drawn import drawn, random, random_tokens
from unrolled.generate import generate
from unrolled.nn import (
    GPT,
    FeedForward,
    LlamaConfig,
    MixtureOfExperts,
    balance_losses,
    load_balance,
)
from unrolled.shapes import ShapeError
from unrolled.tap import edit, record

B, T, D, F, E, V = 3, 7, 11, 13, 5, 19
CONFIG = LlamaConfig(V, max_len=29, d_model=30, n_heads=5, n_layers=2, d_ff=17, n_kv_heads=1, tied=False)


def mixture(top_k=2, **options):
    return drawn(MixtureOfExperts(D, F, n_experts=E, top_k=top_k, **options))


@pytest.mark.signatures
@pytest.mark.parametrize("top_k", [1, 2, 5])
@pytest.mark.parametrize("expert", [None, FeedForward])
def test_every_token_goes_through_its_experts(top_k, expert):
    layer, x = mixture(top_k, **({} if expert is None else {"expert": expert})), random(B, T, D)
    answers = layer(x)
    for b in range(B):
        for t in range(T):
            p = torch.softmax(layer.router_proj.weight @ x[b, t], -1)
            best = sorted(range(E), key=lambda e: -p[e])[:top_k]
            expected = sum(p[e] * layer.experts[e](x[b, t][None])[0] for e in best) / p[best].sum()
            assert_close(answers[b, t], expected)
    assert_close(layer(x[1]), answers[1])
    assert layer(x[:, :0]).shape == (B, 0, D)


def test_it_is_mixtrals_gradients_included():
    config = MixtralConfig(
        hidden_size=D, intermediate_size=F, num_local_experts=E, num_experts_per_tok=2, num_attention_heads=1
    )
    config._experts_implementation = "eager"
    theirs, ours = drawn(MixtralSparseMoeBlock(config)), mixture()
    with torch.no_grad():
        ours.router_proj.weight.copy_(theirs.gate.weight)
        for e, expert in enumerate(ours.experts):
            gate, up = theirs.experts.gate_up_proj[e].chunk(2)
            expert.gate_proj.weight.copy_(gate)
            expert.up_proj.weight.copy_(up)
            expert.down_proj.weight.copy_(theirs.experts.down_proj[e])
    x, other = random(B, T, D).requires_grad_(), random(B, T, D).requires_grad_()
    expected = theirs(other)
    assert_close(ours(x), expected, rtol=1e-6, atol=1e-6)  # theirs chooses in single precision
    ours(x).square().sum().backward()
    expected.square().sum().backward()
    assert_close(x.grad, other.grad, rtol=1e-5, atol=1e-5)
    assert_close(ours.router_proj.weight.grad, theirs.gate.weight.grad, rtol=1e-5, atol=1e-5)


def test_no_token_is_dropped_though_all_choose_the_same():
    layer, x = mixture(1), random(B, T, D)
    with torch.no_grad():
        layer.router_proj.weight.zero_()
        layer.router_proj.weight[3] = 1.0
    x = x.abs()
    assert_close(layer(x), layer.experts[3](x))
    layer(x).sum().backward()
    assert all(weight.grad is not None for weight in layer.parameters())
    with record(layer, "experts.*.hidden") as heard:
        layer(x)
    assert [passed[0].shape[0] for passed in heard.values()] == [0, 0, 0, B * T, 0]


def test_the_balance_is_one_where_all_are_used_alike_and_theirs_otherwise():
    even = torch.eye(E).repeat(3, 1).softmax(-1)
    assert_close(load_balance(even, 1), torch.tensor(1.0))
    one = torch.zeros(T, E)
    one[:, 2] = 50.0
    assert_close(load_balance(one.softmax(-1), 1), torch.tensor(float(E)))
    logits = random(B * T, E, dtype=torch.float32)
    for top_k in (1, 2, 3):
        theirs = load_balancing_loss_func((logits,), E, top_k)
        assert_close(top_k * load_balance(logits.softmax(-1), top_k), theirs)


def model(**options):
    parts = CONFIG.parts()
    experts = partial(MixtureOfExperts, n_experts=E, top_k=2, **options)
    return drawn(GPT(CONFIG, replace(parts, feedforward=experts)))


def test_a_model_of_mixtures_writes_and_its_balance_can_be_learned():
    gpt, x = model(), random_tokens(V, B, T)
    assert torch.equal(generate(gpt, x, 9), generate(gpt, x, 9, cache=False))
    before = gpt(x)
    with balance_losses(gpt) as losses, record(gpt, "*.router") as heard:
        assert torch.equal(gpt(x), before)
    for loss, (passed,) in zip(losses, heard.values(), strict=True):
        assert_close(loss, load_balance(passed, 2))
    assert sum(losses) > 2.0
    optimizer = torch.optim.Adam(gpt.parameters(), lr=0.03)
    for _ in range(40):
        with balance_losses(gpt) as now:
            gpt(x)
        optimizer.zero_grad()
        sum(now).backward()
        optimizer.step()
    assert sum(now) < 0.97 * sum(losses)
    gpt(x)
    assert len(losses) == 2  # nobody listens any more
    alone = mixture()
    with balance_losses(alone) as losses:
        alone(random(B, T, D))
    assert len(losses) == 1


def test_an_edit_of_the_router_sends_tokens_elsewhere():
    layer, x = mixture(1), random(B, T, D)

    def always(e):
        return lambda p: torch.zeros_like(p).index_fill(-1, torch.tensor(e), 1.0)

    for e in range(E):
        with edit(layer, {"router": always(e)}):
            assert_close(layer(x), layer.experts[e](x))


def test_what_makes_no_mixture_is_refused():
    with pytest.raises(ValueError, match=r"^top_k: expected at most n_experts=5, got 6$"):
        MixtureOfExperts(D, F, n_experts=5, top_k=6)
    with pytest.raises(ValueError, match=r"^top_k: expected at most n_experts=5, got 6$"):
        load_balance(torch.zeros(T, 5), 6)
    with pytest.raises(ShapeError, match=r"x: .* D=11, got \[3, 7, 5\]"):
        mixture()(torch.zeros(B, T, 5))
    with (
        pytest.raises(LookupError, match="balance_losses: no mixture of experts in this GPT"),
        balance_losses(GPT(CONFIG)),
    ):
        pass
