"""From recurrent networks to the transformer, one visible attention weight at a time.

The package behind the course *Attention, Unrolled*. Import the part you need:

* `unrolled.nn`: the models, one idea a file (loads torch and nothing heavier);
* `unrolled.tap`: see attention weights without touching the computation;
* `unrolled.data`: what the models learn from;
* `unrolled.plots`, `unrolled.widgets`: pictures of arrays;
* `unrolled.exercises`: checks that tell a learner what is wrong.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
