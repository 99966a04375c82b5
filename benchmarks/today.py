"""The block of today: a window, a cache that forgets and a small one, a norm, experts, and Llama writing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import LlamaConfig as TheirConfig
from transformers import LlamaForCausalLM

from benchmarks.memory import MIB, allocated_peak
from benchmarks.timing import Row, Spread, Timer, verdict
from unrolled.generate import generate
from unrolled.nn import (
    GPT,
    GatedFeedForward,
    KVCache,
    LatentAttention,
    LlamaConfig,
    MixtureOfExperts,
    MultiHeadAttention,
    RMSNorm,
    Rotary,
    SlidingWindow,
)
from unrolled.pretrained import load_llama

__all__ = ["Sizes", "measure"]


@dataclass(frozen=True)
class Sizes:
    """What is measured, large enough to tell and small enough for a laptop."""

    window: int = 256
    length: int = 4096
    d_model: int = 256
    n_heads: int = 4
    d_ff: int = 512
    n_experts: int = 8
    top_k: int = 2
    n_tokens: int = 2048
    far: int = 100_000
    n_new: int = 128
    vocab_size: int = 8192
    n_layers: int = 4
    d_latent: int = 64
    d_turned: int = 32
    held: int = 8192


def measure(timer: Timer, s: Sizes | None = None) -> Iterator[Row]:
    """A layer with a window, a norm, a mixture beside a dense network as active as it, ways of decoding."""
    s = Sizes() if s is None else s
    torch.manual_seed(0)
    yield from _window(timer, s)
    yield _memory(s)
    yield _norm(timer, s)
    yield _mixture(timer, s)
    yield _forgetting(timer, s)
    yield from _latent(timer, s)
    yield _llama(timer, s)


def _window(timer: Timer, s: Sizes) -> Iterator[Row]:
    rule = SlidingWindow(s.window)
    ours = MultiHeadAttention(s.d_model, s.n_heads, mask_rule=rule)
    # The same mask from a function the layer knows nothing about.
    masked = MultiHeadAttention(s.d_model, s.n_heads, mask_rule=lambda *sizes, **on: rule(*sizes, **on))
    x = torch.randn(1, s.length, s.d_model)
    half = x[:, : s.length // 2]

    def twice() -> None:
        for _ in range(2):
            _step(ours, half)

    race = timer.race(lambda: _step(ours, x), masked=lambda: _step(masked, x), half_the_length_twice=twice)
    name = f"window {s.window} of T={s.length} D={s.d_model} H={s.n_heads}, forward + backward"
    yield race.row(name, "masked", at_least=1.0)
    yield race.row(name, "half_the_length_twice", at_least=0.85)


def _memory(s: Sizes) -> Row:
    layer = MultiHeadAttention(s.d_model, s.n_heads, mask_rule=SlidingWindow(s.window)).eval()

    def peak(length: int) -> float:
        x = torch.randn(1, length, s.d_model)
        with torch.no_grad():
            return allocated_peak(lambda: layer(x, causal=True)) / MIB

    ours, linear = peak(2 * s.length), 2 * peak(s.length)
    name = f"window {s.window} of T={2 * s.length} D={s.d_model}, allocated"
    ratio = Spread(*[ours / linear] * 3)
    said = verdict(ratio, at_most=1.05)
    return Row(name, f"linear from T={s.length}", "MiB", ours, linear, ratio, None, "≤ 1.05", said)


def _norm(timer: Timer, s: Sizes) -> Row:
    ours, theirs = RMSNorm(s.d_model), nn.RMSNorm(s.d_model, eps=1e-6)
    x = torch.randn(1, s.n_tokens, s.d_model)
    race = timer.race(lambda: _step(ours, x), torch_nn=lambda: _step(theirs, x))
    name = f"RMSNorm, N={s.n_tokens} D={s.d_model}, forward + backward"
    return race.row(name, "torch_nn", at_least=1.0)


def _mixture(timer: Timer, s: Sizes) -> Row:
    mixture = MixtureOfExperts(s.d_model, s.d_ff, n_experts=s.n_experts, top_k=s.top_k)
    dense = GatedFeedForward(s.d_model, s.top_k * s.d_ff)  # as many parameters as a token goes through
    x = torch.randn(1, s.n_tokens, s.d_model)
    race = timer.race(lambda: _step(mixture, x), dense_as_active=lambda: _step(dense, x))
    name = (
        f"{s.top_k} of {s.n_experts} experts, N={s.n_tokens} D={s.d_model} d_ff={s.d_ff}, forward + backward"
    )
    return race.row(name, "dense_as_active", at_least=1 / 1.3)


def _forgetting(timer: Timer, s: Sizes) -> Row:
    config = LlamaConfig(
        s.vocab_size,
        s.far,
        s.d_model,
        s.n_heads,
        n_layers=1,
        d_ff=s.d_ff,
        n_kv_heads=None,
        window=s.window,
    )
    model = GPT(config).eval()

    @torch.no_grad()
    def writer(held: int) -> Callable[[], Tensor]:
        """Return what writes 16 tokens behind `held` of them."""
        cache, new = model.new_cache(), torch.randint(s.vocab_size, (1, 1))
        for start in range(0, held, 4 * s.window):
            model(torch.randint(s.vocab_size, (1, min(4 * s.window, held - start))), cache=cache)

        def write() -> Tensor:
            with torch.no_grad():
                for layer in cache.layers:
                    layer.length = held  # or the rounds would come to the end of the context
                for _ in range(16):
                    logits: Tensor = model(new, cache=cache)
            return logits

        return write

    race = timer.race(writer(s.far - 16), near_the_beginning=writer(2 * s.window))
    name = f"a token behind {s.far - 16}, window {s.window}, cache that forgets"
    return race.row(name, "near_the_beginning", at_least=0.9, work=16)


def _latent(timer: Timer, s: Sizes) -> Iterator[Row]:
    """One layer writes behind many tokens, with latent vectors in its cache and with keys and values."""
    latent = LatentAttention(
        s.d_model, s.n_heads, d_latent=s.d_latent, positions=Rotary(s.d_turned, s.held + 16)
    ).eval()
    rotary = Rotary(s.d_model // s.n_heads, s.held + 16)
    whole = MultiHeadAttention(s.d_model, s.n_heads, bias=False, positions=rotary).eval()
    new, earlier = torch.randn(1, 1, s.d_model), torch.randn(1, s.held, s.d_model)

    @torch.no_grad()
    def filled(layer: nn.Module) -> KVCache:
        cache = KVCache(s.held + 16)
        for part in earlier.split(512, 1):
            layer(part, causal=True, cache=cache)
        return cache

    def writer(layer: nn.Module, cache: KVCache) -> Callable[[], None]:
        @torch.no_grad()
        def write() -> None:
            cache.length = s.held  # or the rounds would come to the end of the context
            for _ in range(16):
                layer(new, causal=True, cache=cache)

        return write

    small, large = filled(latent), filled(whole)
    race = timer.race(writer(latent, small), keys_and_values=writer(whole, large))
    name = (
        f"latent attention writes behind {s.held} tokens, {s.d_latent} + {s.d_turned} a token, D={s.d_model}"
    )
    yield race.row(name, "keys_and_values", work=16)
    ours, theirs = (sum(part.nbytes for part in cache.held()) / MIB for cache in (small, large))
    ratio = Spread(*[ours / theirs] * 3)
    share = (s.d_latent + s.d_turned) / (2 * s.d_model)
    said = verdict(ratio, at_most=share)
    name = f"latent cache of {s.held} tokens, {s.d_latent} + {s.d_turned} a token, D={s.d_model}"
    yield Row(name, "keys and values", "MiB", ours, theirs, ratio, None, f"≤ {share:.3f}", said)


def _llama(timer: Timer, s: Sizes) -> Row:
    prompt = torch.randint(s.vocab_size, (1, 8))
    theirs = LlamaForCausalLM(
        TheirConfig(
            vocab_size=s.vocab_size,
            hidden_size=s.d_model,
            intermediate_size=s.d_ff,
            num_hidden_layers=s.n_layers,
            num_attention_heads=s.n_heads,
            num_key_value_heads=s.n_heads // 2,
            max_position_embeddings=8 + s.n_new,
            bos_token_id=None,
            eos_token_id=None,
        )
    ).eval()
    for weight in theirs.parameters():
        if weight.dim() > 1:
            nn.init.normal_(weight, std=0.1)
    model = load_llama(theirs)

    def transformers_generate() -> Tensor:
        out: Tensor = theirs.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=s.n_new,
            do_sample=False,
            pad_token_id=0,
        )
        return out

    mine, other = generate(model, prompt, s.n_new), transformers_generate()
    if not torch.equal(mine, other):
        raise RuntimeError(f"expected the same tokens, got {mine.tolist()} and {other.tolist()}")
    race = timer.race(lambda: generate(model, prompt, s.n_new), transformers_generate=transformers_generate)
    name = f"Llama writes {s.n_new} tokens, {s.n_layers} layers of {s.d_model}, batch 1, cache"
    return race.row(name, "transformers_generate", at_least=1.0, work=s.n_new)


def _step(module: nn.Module, x: Tensor) -> None:
    x = x.detach().requires_grad_()
    out = module(x, causal=True) if isinstance(module, MultiHeadAttention) else module(x)
    out.sum().backward()
