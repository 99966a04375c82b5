"""What a transformer costs: parameters, operations, bytes, and the least time; taught in chapter 13.

>>> from unrolled.costs import KNOWN, cache_bytes, parameters
>>> llama = KNOWN["Llama 2 13B"].sizes
>>> parameters(llama).total, cache_bytes(llama, length=4096)
(13015864320, 3355443200)

Whole numbers in, whole numbers out, without torch. For this package's models see `unrolled.costs.ours`.
"""

from unrolled.costs.hardware import Hardware
from unrolled.costs.known import KNOWN, Known
from unrolled.costs.memory import cache_bytes, traffic, weight_bytes
from unrolled.costs.operations import Operations, Phase, operations
from unrolled.costs.parameters import Parameters, parameters
from unrolled.costs.sizes import Sizes
from unrolled.costs.today import Today

__all__ = [
    "KNOWN",
    "Hardware",
    "Known",
    "Operations",
    "Parameters",
    "Phase",
    "Sizes",
    "Today",
    "cache_bytes",
    "operations",
    "parameters",
    "traffic",
    "weight_bytes",
]
