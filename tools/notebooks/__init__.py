r"""Write the notebooks that Colab opens from the chapters of the book.

``python -m tools.notebooks`` turns every chapter ``book/*.md`` into ``notebooks/*.ipynb``. Colab renders
plain Markdown only, so each MyST construct becomes what it can show: an admonition a blockquote, a folded
solution a ``<details>``, a figure an image by its address, an equation number a ``\tag``. What the generator
does not know is an error that names file and line; nothing is dropped in silence.

The order of work, one file each:

* `source`: a chapter as cells, with the line each began on;
* `labels`: what may be referred to, over all pages, and its number;
* `blocks`, `directives`, `inline`: one function for each construct;
* `citations`: the list of sources; `cells`: the first cells, tags and metadata;
* `leftovers`: what must not stand in the result; `generate`: the processors in their order.
"""
