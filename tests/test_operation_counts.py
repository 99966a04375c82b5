"""What bounds the benchmarks' ratios, in numbers that no clock disturbs.

The ratios: docs/decisions/0052-what-bounds-a-ratio.md.
"""

from collections import Counter
from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gpt import LAPTOP, Sizes, ours
from benchmarks.seq2seq import CAPTIONS, SMALL
from unrolled.nn import MultiHeadAttention, causal_mask
from unrolled.nn.seq2seq import Seq2Seq, Seq2SeqConfig
from unrolled.tap import record


class Calls(TorchDispatchMode):
    """Write down the kernels that run, and the shapes they return."""

    def __init__(self):
        super().__init__()
        self.seen = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        self.seen[func.overloadpacket.__name__, tuple(getattr(out, "shape", ()))] += 1
        return out

    def shapes(self, *names):
        return Counter({shape: n for (name, shape), n in self.seen.items() if name in names})


def multiplications(s, score):
    """Multiplications in the products of a forward pass, for each pair of a source and a target word."""
    torch.manual_seed(0)
    model = Seq2Seq(
        Seq2SeqConfig(s.source_vocab_size, s.target_vocab_size, s.d_model, s.d_hidden, score=score)
    )
    source = torch.randint(s.source_vocab_size, (s.batch, s.source_len))
    target = torch.randint(s.target_vocab_size, (s.batch, s.target_len))
    # Recorded, an LSTM runs step by step in products that can be counted; its fused kernel cannot.
    with FlopCounterMode(display=False) as counted, record(model, "*.gates"):
        model(source, target)
    return counted.get_total_flops() // (2 * s.batch * s.target_len)


@pytest.mark.parametrize(("s", "none", "dot"), [(SMALL, 177_152, 193_024), (CAPTIONS, 1_935_360, 1_369_088)])
def test_what_attention_adds_to_a_seq2seq_step_and_what_it_saves(s, none, dot):
    d, h, S = s.d_model, s.d_hidden, s.source_len
    lstms = 2 * 4 * h // 2 * (d + h // 2) + 4 * h * (d + h)
    assert multiplications(s, None) == lstms + h * s.target_vocab_size == none
    # Scores and contexts look at every source word; the head reads d_model numbers in place of d_hidden.
    assert multiplications(s, "dot") == lstms + 2 * S * h + 2 * h * d + d * s.target_vocab_size == dot


def casts(s, bf16):
    """Changes of type in one forward and backward pass."""
    torch.manual_seed(0)
    model, tokens = ours(s), torch.randint(s.vocab_size, (s.batch, s.length))
    with Calls() as counted:
        with torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext():
            loss = cross_entropy(model(tokens).flatten(0, 1).float(), tokens.flatten())
        loss.backward()
    return counted.shapes("_to_copy").total()


@pytest.mark.parametrize(("s", "extra"), [(Sizes(3, 2, 22, 7, 5, 11), 102), (LAPTOP, 134)])
def test_what_bf16_casts_in_a_gpt_step(s, extra):
    # Forward and back. A block: four weights with their biases, two norms' outcomes, q, k, v and the
    # context of the kernel that runs in float32, two sublayers' outcomes. Outside: norm, head, logits.
    assert 2 * ((8 + 2 + 4 + 2) * s.n_layers + 3) == extra
    assert casts(s, bf16=True) - casts(s, bf16=False) == extra


@torch.no_grad()
@pytest.mark.parametrize("causal", [False, True])
def test_recording_writes_scores_once_and_copies_each_head_once(causal):
    B, T, D, H = 3, 11, 14, 2
    layer = MultiHeadAttention(D, H).eval()
    theirs = nn.MultiheadAttention(D, H, batch_first=True).eval()
    x, mask = torch.randn(B, T, D), ~causal_mask(T) if causal else None
    with FlopCounterMode(display=False) as products, record(layer, "weights"):
        layer(x, causal=causal)
    torch.backends.mha.set_fastpath_enabled(False)  # its kernel is none the counter knows
    try:
        with FlopCounterMode(display=False) as reference:
            theirs(x, x, x, attn_mask=mask, average_attn_weights=False)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    assert products.get_total_flops() == reference.get_total_flops() == 2 * B * T * (4 * D * D + 2 * T * D)
    with record(layer, "weights"), Calls() as counted:
        layer(x, causal=causal)
    # Queries, keys, values, and at last the contexts: each copied once, in the order it is stored in.
    assert counted.shapes("clone") == {(B, H, T, D // H): 3, (B, T, H, D // H): 1}
    # One product writes T times S numbers; a mask, one for all heads, and the softmax change them in place.
    over_pairs = {name for name, shape in counted.seen if shape in {(B, H, T, T), (B * H, T, T)}}
    changed = over_pairs - {"bmm", "view", "_unsafe_view", "expand", "alias", "detach"}
    assert changed == ({"add_", "softmax"} if causal else {"softmax"})
    assert counted.shapes("where") == ({(T, T): 1} if causal else {})
