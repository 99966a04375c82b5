"""Look into a model, and take it apart: what its layers hold, who looks at whom, and what it does without.

* `unrolled.probe.layers`: the vectors and the weights of every layer;
* `unrolled.probe.scores`: how much a head looks where it is known to look;
* `unrolled.probe.ablation`: a head without what it found;
* `unrolled.probe.patching`: a run with something of another run put in;
* `unrolled.probe.lens`: what would be said if the model ended early;
* `unrolled.probe.rollout`: attention to attention, through all layers;
* `unrolled.probe.circuits`: what the weights of heads do together, with no text at all;
* `unrolled.probe.walkthrough`: every number on the way of one text.

All of it stands on `unrolled.tap`: `record` and `edit`. Taught in chapters 6, 11 and 12.
"""

from unrolled.probe.ablation import mean_head, resample_head, without_head, zero_head
from unrolled.probe.circuits import Composition, composition, head_columns, ov_circuit, qk_circuit
from unrolled.probe.layers import Layers, bert_layers
from unrolled.probe.lens import logit_lens
from unrolled.probe.patching import Patched, patch_heads, patch_positions, put_head, put_position
from unrolled.probe.rollout import rollout
from unrolled.probe.scores import map_score, previous_token_score
from unrolled.probe.walkthrough import walkthrough

__all__ = [
    "Composition",
    "Layers",
    "Patched",
    "bert_layers",
    "composition",
    "head_columns",
    "logit_lens",
    "map_score",
    "mean_head",
    "ov_circuit",
    "patch_heads",
    "patch_positions",
    "previous_token_score",
    "put_head",
    "put_position",
    "qk_circuit",
    "resample_head",
    "rollout",
    "walkthrough",
    "without_head",
    "zero_head",
]
