r"""The block of today, as Llama, Mistral, Qwen, SmolLM, OLMo and Gemma have it: a `GPT` of other parts.

``GPT(LlamaConfig(...))`` has root-mean-square norms, gated feed-forward networks, rotary positions, grouped
heads, and no biases. Hugging Face's models are the reference it is tested against. Taught in chapter 15.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import nn

from unrolled.nn.capped import CappedLinear
from unrolled.nn.embedding import Positions
from unrolled.nn.experts import MixtureOfExperts
from unrolled.nn.feedforward import Activation
from unrolled.nn.gated import GatedFeedForward
from unrolled.nn.gpt import GPTConfig
from unrolled.nn.heads import AcrossHeads, HeadParts, SoftCap, each_head
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.nn.norms import RMSNorm
from unrolled.nn.parts import Parts, linear_head, output_norm, pre_norm
from unrolled.nn.rotary import Rotary
from unrolled.nn.scaled import ScaledEmbedding
from unrolled.nn.stretched import FrequencyRule
from unrolled.nn.window import SlidingWindow
from unrolled.shapes import check_sizes
from unrolled.tap import Tap

__all__ = ["LlamaConfig"]


@dataclass(frozen=True)
class LlamaConfig(GPTConfig):
    """The sizes and choices of a `GPT` of today; the defaults are SmolLM's smallest, of 135 million.

    Reference:
        Touvron et al., Llama 2, 2023; Jiang et al., Mistral 7B, 2023; Llama Team, The Llama 3 Herd of Models,
        2024; OLMo Team, 2 OLMo 2 Furious, 2024; Qwen Team, Qwen3 Technical Report, 2025; Jiang et al.,
        Mixtral of Experts, 2024; Gemma Team, Gemma 2, 2024.

    Example:
        >>> from unrolled.nn import GPT, LlamaConfig
        >>> config = LlamaConfig(11, d_model=8, n_heads=2, n_kv_heads=1, n_layers=1, d_ff=16)
        >>> GPT(config).final_norm
        RMSNorm(8, eps=1e-05)
    """

    vocab_size: int = 49152
    max_len: int = 2048
    d_model: int = 576
    n_heads: int = 9
    n_layers: int = 30
    d_ff: int | None = 1536
    """Width of the gated networks; four times `d_model` if None, 0 for blocks of attention alone."""
    n_kv_heads: int | None = 3
    positions: Positions = "rotary"
    """Rotary positions, or none."""
    activation: Activation = "silu"
    bias: bool = False
    """Whether queries, keys and values have one."""
    tied: bool = True
    out_bias: bool = False
    """Whether the output of attention has one."""
    ff_bias: bool = False
    """Whether the gated networks have one."""
    d_head: int | None = None
    """Components of each head; ``d_model / n_heads`` unless given."""
    head_norm: Literal["each", "across"] | None = None
    """A norm of queries and keys, of each head by itself, or across all heads together."""
    norm_order: Literal["pre", "output", "both"] = "pre"
    """Whether norms stand before the sublayers, or behind them before their output is added, or both."""
    scaling: FrequencyRule | None = None
    """How rotary frequencies are stretched for long contexts."""
    window: int | None = None
    """How many positions a token sees; all before it unless given."""
    n_experts: int | None = None
    """Experts in place of each gated network; each is `d_ff` wide."""
    top_k: int = 2
    """How many of its experts each token goes through."""
    score_cap: float | None = None
    """What the scores of attention never exceed."""
    logit_cap: float | None = None
    """What the logits never exceed."""
    scaled_embedding: bool = False
    """Whether token vectors are multiplied by the root of `d_model` on their way in."""

    def __post_init__(self) -> None:
        """Refuse sizes and choices that make no model."""
        super().__post_init__()
        check_sizes(d_head=self.d_head, window=self.window, n_experts=self.n_experts, top_k=self.top_k)
        if self.n_experts is not None and self.top_k > self.n_experts:
            raise ValueError(f"top_k: expected at most n_experts={self.n_experts}, got {self.top_k}")
        if self.n_experts is not None and self.d_ff == 0:
            raise ValueError("n_experts: expected None for blocks of attention alone, d_ff=0")
        if self.n_experts is None and self.top_k != LlamaConfig.top_k:
            raise ValueError(
                f"top_k: expected {LlamaConfig.top_k} in a model without experts, got {self.top_k}"
            )
        if self.positions != "rotary" and self.scaling is not None:
            raise ValueError(
                f"scaling: expected None where positions are {self.positions!r}, got {self.scaling!r}"
            )
        for name in ("score_cap", "logit_cap"):
            cap = getattr(self, name)
            if cap is not None and not cap > 0:
                raise ValueError(f"{name}: expected a positive number or None, got {cap!r}")
        for name, choices in {
            "positions": ("rotary", "none"),
            "head_norm": ("each", "across", None),
            "norm_order": ("pre", "output", "both"),
        }.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}: expected one of {choices}, got {getattr(self, name)!r}")

    def parts(self) -> Parts:
        """Return the makers of the blocks' parts; with `dataclasses.replace`, a model is made of others."""
        norm = partial(RMSNorm, eps=self.norm_eps)
        d_head = self.d_model // self.n_heads if self.d_head is None else self.d_head
        rotary = None
        if self.positions == "rotary":
            rotary = Rotary(d_head, self.max_len, self.rotary_base, scaling=self.scaling)
        norms = {"each": partial(each_head, norm), "across": partial(AcrossHeads, norm), None: None}
        feedforward: Callable[[int, int], nn.Module] = partial(
            GatedFeedForward, activation=self.activation, bias=self.ff_bias
        )
        if self.n_experts is not None:
            feedforward = partial(
                MixtureOfExperts, n_experts=self.n_experts, top_k=self.top_k, expert=feedforward
            )
        return Parts(
            norm=norm,
            attention=partial(
                MultiHeadAttention,
                n_kv_heads=self.n_kv_heads,
                bias=self.bias,
                positions=rotary,
                mask_rule=None if self.window is None else SlidingWindow(self.window),
                parts=HeadParts(
                    d_head=self.d_head,
                    out_bias=self.out_bias,
                    norm=norms[self.head_norm],
                    scores=Tap if self.score_cap is None else partial(SoftCap, self.score_cap),
                ),
            ),
            feedforward=feedforward,
            after=norm if self.norm_order == "both" else None,
            residual=output_norm if self.norm_order == "output" else pre_norm,
            embedding=ScaledEmbedding if self.scaled_embedding else nn.Embedding,
            head=linear_head if self.logit_cap is None else partial(CappedLinear, cap=self.logit_cap),
        )
