"""Attention of any model on one line: `look` asks the model, `Look` shows what it answers.

>>> from unrolled import look                                   # doctest: +SKIP
>>> look(model, tokenizer, "I love bears").save_html("it.html")   # doctest: +SKIP

The folder is not called ``look``: a module of that name would stand in the function's place.

Taught in the appendix on `look`.
"""

from unrolled.looking.gather import Attention
from unrolled.looking.look import look
from unrolled.looking.widget import Look

__all__ = ["Attention", "Look", "look"]
