"""The mechanisms of the course, each drawn by one call: ``plots.drawings.lstm_cell().show()``.

Thick edges hold parameters, thin ones compute without any, circles are single operations. Shapes stand on the
arrows in the letters of `unrolled.shapes`. Each function returns a `Diagram`; those that are easier to follow
one step at a time have steps.
"""

from unrolled.plots.drawings.costs import prefill_decode
from unrolled.plots.drawings.models import bert, block, gpt, transformer
from unrolled.plots.drawings.parallel import data_parallel
from unrolled.plots.drawings.pictures import vit
from unrolled.plots.drawings.recurrent import attention_paths, encoder_decoder, lstm_cell
from unrolled.plots.drawings.rolled_up import state_matrix
from unrolled.plots.drawings.self_attention import (
    induction,
    positions,
    qkv_flow,
    score_weigh_mix,
    split_concat,
)
from unrolled.plots.drawings.today import block_today
from unrolled.plots.drawings.tokens import text_to_tokens

__all__ = [
    "attention_paths",
    "bert",
    "block",
    "block_today",
    "data_parallel",
    "encoder_decoder",
    "gpt",
    "induction",
    "lstm_cell",
    "positions",
    "prefill_decode",
    "qkv_flow",
    "score_weigh_mix",
    "split_concat",
    "state_matrix",
    "text_to_tokens",
    "transformer",
    "vit",
]
