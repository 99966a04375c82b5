"""Attention without the softmax, which is a recurrent network whose state is a matrix; one idea a file."""

from unrolled.nn.linear.attention import (
    elu_plus_one,
    linear_attention,
    linear_attention_by_loop,
    linear_weights,
)
from unrolled.nn.linear.cache import StateCache
from unrolled.nn.linear.delta import delta_rule, delta_rule_by_loop, delta_weights
from unrolled.nn.linear.layers import (
    DeltaAttention,
    GatedLinearAttention,
    LinearAttention,
    silu_unit,
)
from unrolled.nn.linear.state_layer import StateLayer
from unrolled.nn.linear.state_space import SelectiveStateSpace

__all__ = [
    "DeltaAttention",
    "GatedLinearAttention",
    "LinearAttention",
    "SelectiveStateSpace",
    "StateCache",
    "StateLayer",
    "delta_rule",
    "delta_rule_by_loop",
    "delta_weights",
    "elu_plus_one",
    "linear_attention",
    "linear_attention_by_loop",
    "linear_weights",
    "silu_unit",
]
