"""Let the models write: greedily, by chance, by beam search. Taught in chapters 9 and 10."""

from unrolled.generate.beam import beam_search
from unrolled.generate.continuation import generate
from unrolled.generate.decoders import StepDecoder, step_decoder
from unrolled.generate.greedy import translate
from unrolled.generate.sampling import keep_top_k, keep_top_p, sample_next

__all__ = [
    "StepDecoder",
    "beam_search",
    "generate",
    "keep_top_k",
    "keep_top_p",
    "sample_next",
    "step_decoder",
    "translate",
]
