"""Checks that tell a learner what is wrong, a module for each chapter.

>>> from unrolled.exercises.self_attention import check_weights
>>> print(check_weights(None))
○ Not attempted yet: Replace the placeholder by your function.
"""

from unrolled.exercises import encoder_decoder, positions, queries_keys_values, recurrent, self_attention
from unrolled.exercises.result import Result

__all__ = ["Result", "encoder_decoder", "positions", "queries_keys_values", "recurrent", "self_attention"]
