"""The models of the course, one idea a file. Importing this loads torch and nothing heavier."""

from unrolled.nn.functional import attend, attention_scores, attention_weights
from unrolled.nn.masks import causal_mask, padding_mask
from unrolled.nn.simple import SimpleSelfAttention

__all__ = [
    "SimpleSelfAttention",
    "attend",
    "attention_scores",
    "attention_weights",
    "causal_mask",
    "padding_mask",
]
