"""From recurrent networks to the transformer, one visible attention weight at a time.

What a model attends to, on one line, for those of ``transformers`` and for our own:

>>> from unrolled import look                                    # doctest: +SKIP
>>> look(model, tokenizer, "I love bears")                       # doctest: +SKIP
>>> look(model, tokenizer, "I love bears").save_html("it.html")  # doctest: +SKIP

A GPT of real English in the page, every number of it at hand, is `unrolled.widgets.Playground`.

The rest of the package is what stands behind the course. Import the part you need:

* `unrolled.looking`: `look`, and `Look` for weights that you have;
* `unrolled.nn`: the models, one idea a file (loads torch and nothing heavier);
* `unrolled.tap`: see attention weights without touching the computation, or put others in their place;
* `unrolled.probe`: what a model's heads and layers do, measured and taken apart;
* `unrolled.data`: what the models learn from;
* `unrolled.plots`, `unrolled.widgets`: pictures of arrays;
* `unrolled.exercises`: checks that tell a learner what is wrong.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled.looking import Look, look

__version__ = "0.1.0"
"""The version of the package."""
__all__ = ["Look", "__version__", "look"]


def __getattr__(name: str) -> Any:
    """Return `look` or `Look`; until somebody asks, nothing is loaded."""
    if name not in {"Look", "look"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from unrolled import looking

    return getattr(looking, name)


def __dir__() -> list[str]:
    """Return the public names too, loaded or not."""
    return sorted({*globals(), *__all__})
