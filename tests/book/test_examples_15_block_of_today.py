"""Chapter 15: its hand examples change without the idea; the classes it prints learn and are published."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, layer_norm, one_hot

from tests.book.cells import BOOK, run
from unrolled.data.batches import crops
from unrolled.data.story_words import story_words
from unrolled.nn import GPT, LlamaConfig, load_balance
from unrolled.pretrained import load_llama, read

PAGE = "15_block_of_today"


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    until = {
        "K, base, trained": "print(",
        "def mixture(": "torch.manual_seed(0)",
        "CONFIG = {": "with TemporaryDirectory",
    }
    torch.manual_seed(0)
    return run(
        PAGE,
        "class RMSNorm(",
        "class SwiGLU(",
        "K, base, trained",
        "def mixture(",
        "W_k = ",
        "class Attention(",
        "class Today(",
        "CONFIG = {",
        until=until,
    )


def test_without_its_mean_a_norm_notices_what_all_components_share(page: dict[str, Any]) -> None:
    norm, x = page["RMSNorm"](3), torch.tensor([1.0, 5.0, 7.0])
    torch.testing.assert_close(norm(x), torch.tensor([0.2, 1.0, 1.4]))
    torch.testing.assert_close(norm(10 * x), norm(x))
    assert not torch.allclose(norm(x + 10), norm(x), atol=0.1)
    torch.testing.assert_close(layer_norm(x + 10, [3]), layer_norm(x, [3]))


def test_a_gate_that_is_shut_lets_nothing_through(page: dict[str, Any]) -> None:
    layer, x = page["SwiGLU"](7, 11), torch.randn(5, 7)
    assert layer(x).norm() > 0.1
    nn.init.zeros_(layer.gate.weight)
    assert torch.equal(layer(x), torch.zeros(5, 7))


def test_only_stretched_the_slow_pair_stays_where_it_was_trained(page: dict[str, Any]) -> None:
    omega, far = page["omega"], page["s"] * page["trained"]
    known = page["trained"] * omega[-1]
    assert far * omega[-1] > 3.9 * known
    for name, rule in page["rules"].items():
        torch.testing.assert_close(far * rule(omega)[-1], known)
        spared = bool(torch.isclose(rule(omega)[0], omega[0]))
        assert spared == (name != "linear")


def test_only_the_experts_that_are_asked_compute(page: dict[str, Any]) -> None:
    asked = [0] * 5

    def expert(e: int) -> Any:
        def compute(x: Tensor) -> Tensor:
            asked[e] += len(x)
            return (e + 1.0) * x

        return compute

    x = torch.randn(7, 3)
    logits = torch.tensor([0.0, 3.0, -1.0, 2.0, 1.0])
    experts, router = [expert(e) for e in range(5)], lambda x: logits.expand(len(x), 5)
    share = math.exp(3) / (math.exp(3) + math.exp(2))
    torch.testing.assert_close(page["mixture"](x, router, experts), (2 * share + 4 * (1 - share)) * x)
    assert asked == [0, 7, 0, 7, 0]
    everybody = page["mixture"](x, router, experts, k=5)
    assert not torch.allclose(everybody, (2 * share + 4 * (1 - share)) * x, atol=0.1)


def test_the_balance_loss_is_least_when_all_experts_are_used() -> None:
    alike = torch.tensor([2.0, 1.0, 0.0, -1.0]).softmax(0).expand(8, 4)
    turns = torch.stack([alike[0].roll(n) for n in range(4)]).repeat(2, 1)
    assert load_balance(alike, 2) > 1.7
    torch.testing.assert_close(load_balance(turns, 2), torch.tensor(1.0))


def test_with_keys_turned_the_query_cannot_take_their_matrix_over(page: dict[str, Any]) -> None:
    """The reason why the turned key stands apart from the latent vector."""
    q, W, c = page["q"], page["W_k"], page["c"]
    torch.testing.assert_close(page["formed"], page["absorbed"])
    turned = page["turned"]
    angles = torch.arange(9, dtype=torch.float64)[:, None] * torch.tensor([1.0, 0.5, 0.25, 0.125])
    with_turn = turned(q[:, :5], angles[:5]) @ turned(c @ W, angles).mT
    queries_turned = (turned(q[:, :5], angles[:5]) @ W.mT) @ c.T
    assert not torch.allclose(with_turn, queries_turned, atol=0.1)


@pytest.mark.parametrize(("window", "reaches"), [(None, True), (8, False)])
def test_without_a_window_the_first_token_is_always_heard(window: int | None, reaches: bool) -> None:
    torch.manual_seed(1)
    model = GPT(LlamaConfig(32, 60, 24, 4, 2, 31, n_kv_heads=2, window=window)).eval()
    tokens = torch.randint(32, (1, 40))
    other = tokens.clone()
    other[0, 0] = (tokens[0, 0] + 1) % 32
    with torch.no_grad():
        assert (not torch.equal(model(tokens)[0, -1], model(other)[0, -1])) == reaches
        assert not torch.equal(model(tokens)[0, 7], model(other)[0, 7])


def test_without_norms_of_queries_and_keys_scores_grow_with_the_weights(page: dict[str, Any]) -> None:
    torch.manual_seed(2)
    x, angles = torch.randn(1, 9, 24), torch.arange(9)[:, None] * torch.tensor([1.0, 0.1])
    for normed in (True, False):
        layer = page["Attention"](24, 6, 2, 4)
        if not normed:
            for name in ("q_norm", "k_norm"):
                getattr(layer, name).forward = lambda x: x
        before = layer(x, angles)
        with torch.no_grad():
            layer.q.weight *= 10
        assert torch.allclose(layer(x, angles), before, atol=1e-4) == normed


def test_the_model_as_printed_learns(page: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model, drawn = page["Today"](d=32, n_kv_heads=1, K=8, d_ff=44), torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-3)
    words, losses = story_words(60, seed=0), []
    for _ in range(60):
        texts, targets = crops(words, 8, 16, drawn)
        losses.append(cross_entropy(model(texts).mT, targets))
        optimizer.zero_grad()
        losses[-1].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert abs(float(losses[0].detach()) - math.log(413)) < 0.2
    assert float(torch.stack(losses[-5:]).detach().mean()) < 0.75 * math.log(413)


def test_without_positions_the_model_cannot_tell_an_order(page: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = page["Today"](n_blocks=1)
    tokens = torch.tensor([[5, 9, 17, 3], [9, 5, 17, 3]])
    with torch.no_grad():
        nn.init.normal_(model.blocks[0].attention.q.weight)
        a, b = model(tokens)[:, -1]
        assert not torch.allclose(a, b, atol=1e-3)
        model.omega.zero_()
        a, b = model(tokens)[:, -1]
        torch.testing.assert_close(a, b)


def test_hugging_face_reads_what_the_page_writes(page: dict[str, Any], tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model = page["Today"]().eval()
    page["publish"](model, tmp_path)
    tokens = torch.randint(413, (3, 19))
    with torch.no_grad():
        expected = model(tokens)
        theirs = AutoModelForCausalLM.from_pretrained(tmp_path)
        torch.testing.assert_close(theirs(tokens).logits, expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(load_llama(tmp_path)(tokens), expected, rtol=1e-4, atol=1e-5)
        for block in model.blocks:
            block.attention.q_norm.gain.mul_(3)
        assert not torch.allclose(model(tokens), expected, atol=1e-3)


def test_what_is_said_without_a_network_is_what_the_package_says() -> None:
    text = (BOOK / f"{PAGE}.md").read_text(encoding="utf-8")
    said = re.search(r"\*(Offline\?.*?)\*", text)
    assert said
    source = Path(read.__file__ or "").read_text(encoding="utf-8")
    assert said[1] in re.sub(r'"\s*\n\s*f?"', "", source)


def test_a_load_that_is_even_is_one() -> None:
    chosen = one_hot(torch.arange(6) % 3, 3).float()
    assert load_balance(chosen + 1e-6, 1) == pytest.approx(1, abs=1e-4)
