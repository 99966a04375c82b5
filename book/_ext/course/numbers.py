"""Number equations, exercises and figures by chapter: (4.1), Exercise 4.2.

A chapter's number is the number its file begins with, so that it stays when chapters before it are missing
or a page is built alone; Sphinx would count the pages of the table of contents.
"""

import re

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

_CHAPTER = re.compile(r"^(\d+)_")


def by_chapter(app: Sphinx, env: BuildEnvironment) -> None:
    """Replace the running numbers Sphinx assigned by (chapter, n); pages that are no chapter get (n,)."""
    for docname, kinds in env.toc_fignumbers.items():
        chapter = _CHAPTER.match(docname)
        before = (int(chapter[1]),) if chapter else ()
        for numbers in kinds.values():
            for n, node_id in enumerate(numbers, start=1):
                numbers[node_id] = (*before, n)


def setup(app: Sphinx) -> None:
    """Run after Sphinx counted and before any page is written."""
    app.connect("env-check-consistency", by_chapter)
