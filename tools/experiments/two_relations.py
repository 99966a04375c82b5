"""Two relations, one head or two with as many parameters; and one head that is given more of everything."""

from tools.experiments.trial import Trial
from unrolled.training.recipes.two_relations import TwoRelations

TRIALS = [
    Trial("two-relations", TwoRelations(), store="two-relations"),
    Trial("two-relations-eight-heads", TwoRelations(n_heads=8), store="two-relations-eight-heads"),
    Trial("two-relations-one-head", TwoRelations(n_heads=1), store="two-relations-one-head"),
    Trial("two-relations-one-head-long", TwoRelations(n_heads=1, steps=4000)),
    Trial("two-relations-one-head-wide", TwoRelations(n_heads=1, d_model=128)),
    Trial("two-relations-one-head-ff", TwoRelations(n_heads=1, d_ff=32)),
]
