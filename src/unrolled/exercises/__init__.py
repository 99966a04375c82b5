"""Checks that tell a learner what is wrong, a module for each chapter.

>>> from unrolled.exercises.self_attention import check_weights
>>> print(check_weights(None))
○ Not attempted yet: Replace the placeholder by your function.
"""

from unrolled.exercises import (
    attention,
    block,
    encoder_decoder,
    gpt,
    masked_lm,
    multi_head,
    positions,
    queries_keys_values,
    reading,
    recurrent,
    self_attention,
    translator,
)
from unrolled.exercises.result import Result

__all__ = [
    "Result",
    "attention",
    "block",
    "encoder_decoder",
    "gpt",
    "masked_lm",
    "multi_head",
    "positions",
    "queries_keys_values",
    "reading",
    "recurrent",
    "self_attention",
    "translator",
]
