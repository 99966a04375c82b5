"""An edit of a tap does on every model what a hook there would do, on slow and fast paths alike."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from unrolled.generate import beam_search, generate, step_decoder
from unrolled.nn import (
    BERT,
    GPT,
    GRU,
    LSTM,
    RNN,
    BertConfig,
    GPTConfig,
    HeadParts,
    LatentAttention,
    LlamaConfig,
    MixtureOfExperts,
    MultiHeadAttention,
    Rotary,
    Seq2Seq,
    Seq2SeqConfig,
    SimpleSelfAttention,
    SingleHeadAttention,
    SoftCap,
    Transformer,
    TransformerConfig,
    ViT,
    ViTConfig,
)
from unrolled.nn.lean import lean
from unrolled.tap import Tap, edit, record

B, T, S, V, D, H = 2, 5, 7, 13, 12, 3
SMALL = GPTConfig(vocab_size=V, max_len=11, d_model=D, n_heads=H, n_layers=2, d_ff=17)


def words(*shape: int) -> torch.Tensor:
    return torch.randint(3, V, shape, generator=torch.Generator().manual_seed(1))


def vectors(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(2)).double()


@dataclass(frozen=True)
class Case:
    model: torch.nn.Module
    given: tuple[Any, ...]


def drawn(model: torch.nn.Module) -> Any:
    generator = torch.Generator().manual_seed(3)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.5, generator=generator)
    return model.double().eval()


PICTURES = ViTConfig(image_size=6, patch_size=3, n_labels=5, d_model=D, n_heads=H, n_layers=2, d_ff=17)
LATENT = partial(LatentAttention, d_latent=7, positions=Rotary(2, 11))
PARTS = {
    "of experts": {"feedforward": partial(MixtureOfExperts, n_experts=2, top_k=2)},
    "of latent vectors": {"attention": LATENT},
    "capped with sinks": {
        "attention": partial(
            MultiHeadAttention, parts=HeadParts(scores=partial(SoftCap, 2.0), sinks=torch.zeros)
        )
    },
}
GPTS = {
    "learned": SMALL,
    "grouped heads, turned": replace(SMALL, positions="rotary", n_kv_heads=1),
    "biased": replace(SMALL, positions="alibi"),
    "attention alone": replace(SMALL, d_ff=0),
    "of today, normed": LlamaConfig(
        V, 11, D, H, n_layers=2, d_ff=17, n_kv_heads=1, head_norm="each", norm_order="output"
    ),
    "windowed": LlamaConfig(V, 11, D, H, n_layers=2, d_ff=17, n_kv_heads=1, window=3),
}


def gpt(kind: str) -> Any:
    if kind in GPTS:
        return drawn(GPT(GPTS[kind]))
    return drawn(GPT(SMALL, replace(SMALL.parts(), **PARTS[kind])))


MAKE = {
    **{f"GPT, {kind}": lambda k=kind: Case(gpt(k), (words(B, T),)) for kind in (*GPTS, *PARTS)},
    "ViT": lambda: Case(drawn(ViT(PICTURES)), (vectors(B, 3, 6, 6),)),
    "BERT": lambda: Case(
        drawn(BERT(BertConfig(vocab_size=V, max_len=11, d_model=D, n_heads=H, n_layers=2, d_ff=17))),
        (words(B, T),),
    ),
    "Transformer": lambda: Case(
        drawn(
            Transformer(
                TransformerConfig(V, V, max_len=11, d_model=D, n_heads=H, n_layers=2, d_ff=17, norm="pre")
            )
        ),
        (words(B, S), words(B, T)),
    ),
    **{
        f"Seq2Seq, {score}": lambda s=score: Case(
            drawn(Seq2Seq(Seq2SeqConfig(V, V, d_model=D, d_hidden=10, score=s))), (words(B, S), words(B, T))
        )
        for score in ("dot", "additive", None)
    },
    **{
        f"{kind.__name__}": lambda k=kind: Case(drawn(k(D, 3, 2, bidirectional=True)), (vectors(B, T, D),))
        for kind in (RNN, GRU, LSTM)
    },
    "SimpleSelfAttention": lambda: Case(SimpleSelfAttention(), (vectors(B, T, D),)),
    "SingleHeadAttention": lambda: Case(drawn(SingleHeadAttention(D, 3)), (vectors(B, T, D),)),
}
# No constant: added to all scores of a row it would change nothing.
CHANGE = torch.sin


def output(case: Case) -> torch.Tensor:
    out = case.model(*case.given)
    return out[0] if isinstance(out, tuple) else out


@pytest.mark.parametrize("kind", MAKE)
def test_at_every_tap_of_every_model_an_edit_is_what_a_hook_does(kind: str) -> None:
    case = MAKE[kind]()
    expected, names = output(case), set()
    for path, tap in list(case.model.named_modules()):
        if not isinstance(tap, Tap):
            continue
        names.add(path.rpartition(".")[2])
        with edit(case.model, {path: lambda x: x}):
            assert_close(output(case), expected, rtol=0, atol=1e-12)
        with edit(case.model, {path: CHANGE}):
            edited = output(case)
        handle = tap.register_forward_hook(lambda module, given, passed: CHANGE(passed))
        assert_close(edited, output(case), rtol=0, atol=1e-12)
        handle.remove()
        assert (edited - expected).abs().max() > 1e-6, f"{path}: the edit was not heard of"
        assert torch.equal(output(case), expected), f"{path}: something was left behind"
    heads = {"queries", "keys", "latents" if "latent" in kind else "values", "scores", "weights", "context"}
    if "GPT" in kind or kind in ("BERT", "Transformer", "ViT"):
        assert names >= heads | {"output", "stream"}
    elif kind in ("RNN", "GRU", "LSTM"):
        assert "hidden" in names
    elif kind != "Seq2Seq, None":
        assert names >= {"scores", "weights", "context"}


@pytest.mark.parametrize("kind", [*GPTS, *PARTS])
def test_a_cached_step_under_an_edit_is_the_whole_pass_under_it(kind: str) -> None:
    model, x = gpt(kind), words(B, T)
    for path, tap in list(model.named_modules()):
        if isinstance(tap, Tap):
            # In place, where the cache's own keys and values would be changed again at every step.
            with torch.no_grad(), edit(model, {path: lambda passing: passing.sin_()}):
                expected, cache = model(x), model.new_cache()
                logits = [model(x[:, :2], cache=cache)]
                step = lean(model, cache, call=lambda token, kept=cache: model(token, cache=kept))
                logits += [step(x[:, t : t + 1]) for t in range(2, T)]
                assert_close(torch.cat(logits, 1), expected, rtol=0, atol=1e-12)
                assert torch.equal(generate(model, x, 5), generate(model, x, 5, cache=False))


@pytest.mark.parametrize("pattern", ["decoder.layers.*.attention.keys", "*.cross_attention.*", "*.output"])
def test_a_search_with_a_cache_under_an_edit_finds_what_it_finds_without(pattern: str) -> None:
    model, source = MAKE["Transformer"]().model, words(B, S)
    found = []
    for cache in (True, False):
        with edit(model, {pattern: CHANGE}):
            found.append(beam_search(step_decoder(model, cache), source, bos=1, eos=2, max_len=7))
    assert_close(found[0], found[1])
    assert not torch.equal(found[0][1], beam_search(model, source, bos=1, eos=2, max_len=7)[1])


def test_an_edit_of_the_weights_is_what_the_context_is_made_of() -> None:
    """By hand: a head made to look at the first token alone hands on that token's value."""

    def first(weights: torch.Tensor) -> torch.Tensor:
        weights[:, 1] = torch.eye(T)[0].double()
        return weights

    model, x = drawn(GPT(SMALL)), words(B, T)
    with record(model, "*.values", "*.context") as heard, edit(model, {"layers.1.*.weights": first}):
        model(x)
    values, context = (heard[f"layers.1.attention.{name}"][0] for name in ("values", "context"))
    assert_close(context[:, 1], values[:, 1, :1].expand(B, T, D // H))
    assert not torch.allclose(context[:, 2], values[:, 2, :1].expand(B, T, D // H))


def test_gradients_reach_what_an_edit_put_in() -> None:
    model, x = drawn(GPT(SMALL)), words(B, T)
    put = vectors(B, H, T, D // H).requires_grad_()
    with edit(model, {"layers.0.attention.context": lambda context: context + 0 * context + put}):
        model(x).sum().backward()
    assert put.grad is not None
    assert put.grad.abs().min() > 0
    assert model.layers[0].attention.qkv_proj.weight.grad.abs().max() > 0
