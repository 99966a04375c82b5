"""One layer of multi-head attention beside `nn.MultiheadAttention`, x-transformers and the explicit form."""

import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from benchmarks.explicit import explicit
from benchmarks.timing import Row, Timer
from unrolled.nn import MultiHeadAttention, causal_mask
from unrolled.tap import record

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it still calls torch.jit.script
    from x_transformers.x_transformers import Attention

__all__ = ["SIZES", "measure"]

SIZES = ((8, 128, 128, 4), (4, 512, 256, 8), (1, 2048, 512, 8))


def measure(timer: Timer, sizes: tuple[tuple[int, int, int, int], ...] = SIZES) -> Iterator[Row]:
    """Forward as in evaluation (no gradients), and forward + backward as in training; full and causal."""
    for B, T, D, H in sizes:
        for causal in (False, True):
            yield from _layer(timer, B, T, D, H, causal)


def _layer(timer: Timer, B: int, T: int, D: int, H: int, causal: bool) -> Iterator[Row]:
    torch.manual_seed(0)
    x = torch.randn(B, T, D)
    ours = MultiHeadAttention(D, H)
    theirs = nn.MultiheadAttention(D, H, batch_first=True)
    # Theirs has no biases, so it is compared with ours without.
    unbiased = MultiHeadAttention(D, H, bias=False)
    flash = Attention(dim=D, heads=H, dim_head=D // H, causal=causal, flash=True)
    mask = causal_mask(T) if causal else None
    # What nn.Transformer passes: a float mask, and the hint that it is the causal one.
    float_mask = nn.Transformer.generate_square_subsequent_mask(T) if causal else None

    def torch_mha(need_weights: bool = False) -> Tensor:
        hint = causal and not need_weights
        out: Tensor = theirs(
            x,
            x,
            x,
            need_weights=need_weights,
            average_attn_weights=False,
            attn_mask=float_mask,
            is_causal=hint,
        )[0]
        return out

    def recorded() -> None:
        with record(ours, "weights"):
            ours(x, causal=causal)

    name = f"attention {'causal' if causal else 'full'} B={B} T={T} D={D} H={H}"
    for layer in (ours, unbiased, theirs, flash):
        layer.train()
    race = timer.race(
        _backward(lambda: ours(x, causal=causal), ours),
        nn_MultiheadAttention=_backward(torch_mha, theirs),
        explicit=_backward(lambda: explicit(ours, x, mask), ours),
    )
    yield race.row(f"{name}, forward + backward", "nn_MultiheadAttention", at_least=1.0)
    yield race.row(f"{name}, forward + backward", "explicit")
    race = timer.race(
        _backward(lambda: unbiased(x, causal=causal), unbiased),
        x_transformers=_backward(lambda: flash(x), flash),
    )
    yield race.row(f"{name}, forward + backward, no bias", "x_transformers", at_least=1.0)
    for layer in (ours, unbiased, theirs, flash):
        layer.eval()
    with torch.no_grad():
        race = timer.race(
            lambda: ours(x, causal=causal),
            nn_MultiheadAttention=torch_mha,
            nn_MultiheadAttention_no_fastpath=_without_fastpath(torch_mha),
            explicit=lambda: explicit(ours, x, mask),
        )
        modes = ("nn_MultiheadAttention", "nn_MultiheadAttention_no_fastpath")
        yield race.row(f"{name}, forward", *modes, at_least=1.0)
        yield race.row(f"{name}, forward", "explicit", at_least=4.0 if T == 512 else None)
        race = timer.race(lambda: unbiased(x, causal=causal), x_transformers=lambda: flash(x))
        yield race.row(f"{name}, forward, no bias", "x_transformers", at_least=1.0)
        race = timer.race(
            recorded,
            need_weights=lambda: torch_mha(True),
            need_weights_no_fastpath=_without_fastpath(lambda: torch_mha(True)),
        )
        modes = ("need_weights", "need_weights_no_fastpath")
        yield race.row(f"{name}, recorded forward", *modes, at_least=1.0)


def _backward(forward: Callable[[], Tensor], layer: nn.Module) -> Callable[[], None]:
    def run() -> None:
        forward().sum().backward()
        layer.zero_grad()

    return run


def _without_fastpath(run: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Run without the inference kernel of `nn.MultiheadAttention`, which is the slower mode in some sizes."""

    def slow() -> Tensor:
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            return run()
        finally:
            torch.backends.mha.set_fastpath_enabled(True)

    return slow
