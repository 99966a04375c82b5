"""Published models by their sizes, with the counts that were published; taught in chapter 13."""

from dataclasses import dataclass
from functools import partial

from unrolled.costs.sizes import Sizes

__all__ = ["KNOWN", "Known"]


@dataclass(frozen=True)
class Known:
    """A published model.

    Attributes:
        sizes: from its paper or its configuration file.
        published: its parameters, counted in the published weights; for GPT-3, which has none, what its
            paper's appendix says.
    """

    sizes: Sizes
    published: int


_gpt2 = partial(Sizes, vocab_size=50257, max_len=1024)
_bert = partial(Sizes, vocab_size=30522, max_len=512, encoder=True)
_llama = partial(Sizes, gated=True, bias=False, learned=False, tied=False)
_llama2 = partial(_llama, vocab_size=32000, max_len=4096)
_llama3 = partial(_llama, vocab_size=128256, max_len=8192, n_kv_heads=8)

# Sizes: Radford et al., 2019, and its released weights; Brown et al., 2020, tables 2.1 and D.1; Devlin et
# al., 2019; Touvron et al., 2023; Llama Team, 2024; Jiang et al., Mistral 7B, 2023; Zhang et al., TinyLlama,
# 2024.
# GPT-2's paper says 117 M for the smallest and 345 M for the next; its authors have corrected that since.
KNOWN: dict[str, Known] = {
    "GPT-2": Known(_gpt2(d_model=768, n_heads=12, n_layers=12), 124_439_808),
    "GPT-2 medium": Known(_gpt2(d_model=1024, n_heads=16, n_layers=24), 354_823_168),
    "GPT-2 large": Known(_gpt2(d_model=1280, n_heads=20, n_layers=36), 774_030_080),
    "GPT-2 XL": Known(_gpt2(d_model=1600, n_heads=25, n_layers=48), 1_557_611_200),
    "GPT-3": Known(_gpt2(max_len=2048, d_model=12288, n_heads=96, n_layers=96), 174_600_000_000),
    "BERT base": Known(_bert(d_model=768, n_heads=12, n_layers=12), 109_482_240),
    "BERT large": Known(_bert(d_model=1024, n_heads=16, n_layers=24), 335_141_888),
    "Llama 2 7B": Known(_llama2(d_model=4096, n_heads=32, n_layers=32, d_ff=11008), 6_738_415_616),
    "Llama 2 13B": Known(_llama2(d_model=5120, n_heads=40, n_layers=40, d_ff=13824), 13_015_864_320),
    "Llama 2 70B": Known(
        _llama2(d_model=8192, n_heads=64, n_layers=80, n_kv_heads=8, d_ff=28672), 68_976_648_192
    ),
    "Llama 3 8B": Known(_llama3(d_model=4096, n_heads=32, n_layers=32, d_ff=14336), 8_030_261_248),
    "Llama 3 70B": Known(_llama3(d_model=8192, n_heads=64, n_layers=80, d_ff=28672), 70_553_706_496),
    "Mistral 7B": Known(
        _llama(
            vocab_size=32000, max_len=8192, d_model=4096, n_heads=32, n_layers=32, n_kv_heads=8, d_ff=14336
        ),
        7_241_732_096,
    ),
    "TinyLlama 1.1B": Known(
        _llama(
            vocab_size=32000, max_len=2048, d_model=2048, n_heads=32, n_layers=22, n_kv_heads=4, d_ff=5632
        ),
        1_100_048_384,
    ),
}
