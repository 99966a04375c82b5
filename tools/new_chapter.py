"""Start a chapter: ``python -m tools.new_chapter 05 qkv "Queries, keys, values"``.

Writes ``book/05_qkv.md`` with every part that a chapter has, in their order, its line in
``book/_toc.yml``, and an empty part of it in ``book/teaching.md``, where there is such a page. With
``interlude`` for a number the page has none, and is listed by hand.
What is to be written stands in it as ``TODO``; the notebook generator and the book build
take the page as it is, so a chapter can be looked at from its first minute.
"""

import argparse
import re
import sys
from pathlib import Path

from tools.teaching import with_chapter

__all__ = ["main", "text"]

ROOT = Path(__file__).parents[1]

TEMPLATE = r"""---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
---

# @title@

```{chapter-facts}
```

TODO Begin with something a reader can see go wrong, or wonder about. No definitions yet.

**TODO The question of this chapter, in one sentence?**

TODO What the reader will have built at the end, and what it cannot do.

```{code-cell}
import torch

from unrolled.exercises.self_attention import (
    check_order,
    check_weights,
)
from unrolled.nn import attend, attention_scores, attention_weights
from unrolled.widgets.attention_map import AttentionMap

torch.set_printoptions(precision=3, sci_mode=False)
```

## What should happen

TODO The picture: a plot or a widget of the idea, before any formula. Say in words what to look at.

## By hand

TODO Numbers a reader can check on paper: three tokens, four numbers each, rounded to three digits.

| | one | two | three | four |
| --- | --- | --- | --- | --- |
| I | 0 | 0 | 0 | 1 |
| love | 1 | 0 | 0 | 1 |
| bears | 1 | 1 | 1 | 0 |

```{code-cell}
words = ["I", "love", "bears"]
X = torch.tensor([
    [0.0, 0.0, 0.0, 1.0],  # I
    [1.0, 0.0, 0.0, 1.0],  # love
    [1.0, 1.0, 1.0, 0.0],  # bears
])
X.shape  # [T, d]
```

TODO Every step by hand, and after it an assert that the code gives the same numbers.

## The equation

TODO Name every symbol as the [notation](notation.md) has it.

$$
\hat X = \operatorname{softmax}(X X^\top)\, X
$$ (eq-@slug@)

## The code of that equation

TODO The code of {eq}`eq-@slug@`, line by line what the equation says, built here and not imported.

```{code-cell}
def in_the_page(X):
    '''TODO One sentence, for X of shape [..., T, d].'''
    scores = X @ X.transpose(-2, -1)  # [..., T, T]
    weights = torch.softmax(scores, dim=-1)
    return weights @ X  # [..., T, d]


in_the_page(X)
```

## The same as the package, the same as PyTorch

```{code-cell}
by_package = attend(attention_weights(attention_scores(X, X)), X)
fused = torch.nn.functional.scaled_dot_product_attention
by_torch = fused(X[None], X[None], X[None], scale=1.0)[0]

assert torch.allclose(in_the_page(X), by_package, atol=1e-6)
assert torch.allclose(in_the_page(X), by_torch, atol=1e-6)
```

## Try it

TODO A widget, and one thing to try with it that surprises.

```{code-cell}
seen = attention_weights(attention_scores(X, X))
AttentionMap(seen, words, title="I love bears")
```

## An experiment that could have gone the other way

TODO Say first what each outcome would mean. Then measure, with seeds, and report what came out.

```{code-cell}
def measure(seed):
    '''TODO Measure with this seed, and return one number.'''
    chance = torch.Generator().manual_seed(seed)
    noisy = X + 0.1 * torch.randn(X.shape, generator=chance)
    return (in_the_page(noisy) - in_the_page(X)).norm().item()


{seed: round(measure(seed), 3) for seed in range(3)}
```

## Exercises

TODO Four or more; at least two are checked on the spot by `unrolled.exercises`.

@exercises@

## Quiz

@quizzes@

## What you know now, and what is missing

- TODO What is now known, in three points.

TODO What is still missing. It is the question of the next chapter.

## Sources

TODO Cite where the ideas come from {cite}`vaswani2017attention`.

```{bibliography}
:filter: docname in docnames
:list: bullet
```
"""

EXERCISE = """```{exercise} TODO Exercise @n@
:label: ex-@slug@-@n@

*Difficulty: TODO easy. About TODO 5 minutes.@how@*

TODO What to do, and how to know that it is done.
```

```{dropdown} Hint
TODO A question that leads on.
```

```{dropdown} Solution
@solution@
```"""

# Stand-ins: the chapter's own checks go into a module of `unrolled.exercises`.
CHECKED = {
    1: (
        "check_weights",
        "my_weights",
        """def my_weights(scores):
    return torch.softmax(scores, dim=-1)""",
    ),
    2: (
        "check_order",
        "my_places",
        """def my_places(X):
    return X + torch.arange(len(X))[:, None]""",
    ),
}

QUIZ = """```{quiz}
:label: quiz-@slug@-@n@
TODO Question @n@?

- [x] TODO the right choice :: TODO why it is right
- [ ] TODO a wrong choice :: TODO what whoever chose it had in mind, and where it fails
- [ ] TODO another wrong choice :: TODO the same for this one
```"""


def _exercise(n: int) -> str:
    page = EXERCISE.replace("@n@", str(n))
    if n not in CHECKED:
        return page.replace("@how@", "").replace("@solution@", "TODO Why, and then the code.")
    check, name, code = CHECKED[n]
    page = page.replace("@how@", " Checked.").replace(
        "@solution@", f":name: solution-@slug@-{n}\n\n~~~python\n{code}\n~~~\n\nTODO Why."
    )
    head = code.split("\n")[0]
    return f"{page}\n\n```{{code-cell}}\n{head}\n    ...  # your code\n\n\n{check}({name})\n```"


def text(number: int | None, name: str, title: str) -> str:
    """Return the page of a new chapter.

    Args:
        number: the chapter's number, which stands before its heading; None for one without.
        name: the short name, such as ``qkv``; labels are made of it.
        title: the heading.
    """
    slug = name.replace("_", "-")
    exercises = "\n\n".join(_exercise(n) for n in range(1, 5))
    quizzes = "\n\n".join(QUIZ.replace("@n@", str(n)) for n in range(1, 4))
    page = TEMPLATE.replace("@exercises@", exercises).replace("@quizzes@", quizzes)
    return (
        page.replace("'''", '"""')
        .replace("@slug@", slug)
        .replace("@title@", title if number is None else f"{number}. {title}")
    )


def listed(toc: str, page: str) -> str:
    """Return the table of contents with `page` behind the last chapter whose number is not greater."""
    lines = toc.splitlines(keepends=True)
    chapters = [
        (n, found[1], found[2])
        for n, line in enumerate(lines)
        if (found := re.match(r"(\s*)- file: (\d\d)_", line))
    ]
    before = [n for n, _, number in chapters if number <= page[:2]] or [n - 1 for n, _, _ in chapters[:1]]
    if not before:
        return toc
    lines.insert(before[-1] + 1, f"{chapters[0][1]}- file: {page}\n")
    return "".join(lines)


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.new_chapter", description="Start a chapter.")
    parser.add_argument("number", help="two digits, such as 05, or interlude")
    parser.add_argument("name", help="small letters, digits and underscores, such as qkv")
    parser.add_argument("title", help="the heading, such as 'Queries, keys, values'")
    given = parser.parse_args(arguments)
    problem = ""
    if not re.fullmatch(r"\d\d|interlude", given.number):
        problem = f"number: expected two digits such as 05, or interlude, got {given.number!r}"
    elif not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", given.name):
        problem = (
            f"name: expected small letters, digits and single underscores such as qkv, got {given.name!r}"
        )
    elif not given.title.strip() or "\n" in given.title:
        problem = f"title: expected one line of text, got {given.title!r}"
    elif taken := sorted((root / "book").glob(f"{given.number}_*.md")):
        problem = f"number: book/{taken[0].name} has it already"
    if problem:
        print(problem, file=sys.stderr)
        return 1
    page = f"{given.number}_{given.name}"
    number = int(given.number) if given.number.isdigit() else None
    (root / "book" / f"{page}.md").write_bytes(text(number, given.name, given.title.strip()).encode("utf-8"))
    print(f"Wrote book/{page}.md")
    teachers = root / "book" / "teaching.md"
    if teachers.is_file():
        heading = text(number, given.name, given.title.strip()).partition("\n# ")[2].partition("\n")[0]
        laid_out = with_chapter(teachers.read_text(encoding="utf-8"), page, heading)
        teachers.write_bytes(laid_out.encode("utf-8"))
        print("Laid out its part in book/teaching.md")
    toc = root / "book" / "_toc.yml"
    before = toc.read_text(encoding="utf-8")
    if number is not None and (after := listed(before, page)) != before:
        toc.write_text(after, encoding="utf-8")
        print(f"Listed it in book/_toc.yml; move the line `- file: {page}` if it belongs to another part")
    else:
        print(f"In book/_toc.yml, among the chapters of its part, add:\n      - file: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
