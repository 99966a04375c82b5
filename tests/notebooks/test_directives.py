import re
from collections.abc import Callable

import pytest
from markdown_it import MarkdownIt

from tools.notebooks.generate import GenerationError

Convert = Callable[..., str]


def html(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


@pytest.mark.parametrize("fence", ["```", ":::"])
@pytest.mark.parametrize(("name", "title"), [("note", "Note"), ("warning", "Warning")])
def test_an_admonition_becomes_a_blockquote_with_a_bold_title(
    markdown: Convert, fence: str, name: str, title: str
) -> None:
    assert markdown(f"{fence}{{{name}}}\nMind this.\n{fence}") == f"> **{title}**\n>\n> Mind this."


def test_text_on_the_first_line_of_a_note_is_kept(markdown: Convert) -> None:
    assert markdown("```{note} First.\nSecond.\n```") == "> **Note**\n>\n> First.\n>\n> Second."


def test_an_admonition_with_a_list_and_an_equation_stays_one_blockquote(markdown: Convert) -> None:
    made = markdown(
        "````{note}\n- one\n- two\n\n  ```{math}\n  :label: e\n  a &= b \\\\\n  c &= d\n  ```\n\nEnd.\n````"
    )
    assert all(line.startswith(">") for line in made.split("\n"))
    assert "> - two" in made
    # On one line: Jupyter takes equations out before it reads the quote's marks.
    assert ">   $$\\begin{aligned} a &= b \\\\ c &= d \\end{aligned} \\tag{7.1}$$" in made
    assert html(made).count("<blockquote>") == 1


def test_a_plain_quote_with_an_equation_keeps_its_marks_out_of_it(markdown: Convert) -> None:
    assert "> $$ x + 1 $$" in markdown("> Said:\n>\n> $$\n> x + 1\n> $$")


@pytest.mark.parametrize(
    "text",
    [
        "$$\nx = 1\n$$ (eq-one)",
        "```{math}\n:label: eq-one\nx = 1\n```",
        "```{math}\n:name: eq-one\n\nx = 1\n```",
    ],
)
def test_a_labelled_equation_gets_a_tag_and_an_anchor(markdown: Convert, text: str) -> None:
    made = markdown(text)
    assert made.endswith("$$\nx = 1\n\\tag{7.1}\n$$")
    assert '<a id="equation-eq-one" name="equation-eq-one"></a>' in made


def test_equations_are_numbered_in_order_and_only_with_a_label(markdown: Convert) -> None:
    made = markdown(
        "$$\na\n$$\n\n$$\nb\n$$ (eq-b)\n\n```{math}\n:label: eq-c\nc\n```\n\n{eq}`eq-c` {eq}`eq-b`"
    )
    assert re.findall(r"\\tag\{(.*?)\}", made) == ["7.1", "7.2"]
    assert made.endswith("[(7.2)](#equation-eq-c) [(7.1)](#equation-eq-b)")


def test_a_numbered_align_becomes_aligned_since_it_takes_no_tag(markdown: Convert) -> None:
    made = markdown("$$\n\\begin{align}\na &= b\n\\end{align}\n$$ (eq-a)")
    assert "\\begin{aligned}\na &= b\n\\end{aligned}\n\\tag{7.1}" in made


def test_an_exercise_becomes_a_numbered_heading(markdown: Convert) -> None:
    made = markdown(
        "## Exercises\n\n```{exercise} Which axis?\n:label: ex-a\n\n*Difficulty: easy.*\n\nFind it.\n```"
    )
    assert (
        '<a id="ex-a" name="ex-a"></a>\n\n### Exercise 7.1 — Which axis?\n\n*Difficulty: easy.*\n\nFind it.'
        in made
    )


def test_a_solution_in_an_exercise_becomes_a_fold_with_its_code(markdown: Convert) -> None:
    made = markdown(
        "`````{exercise}\n:label: ex-a\nDo.\n\n````{dropdown} Solution of *it*, $a_{ij} < 1$\nSo:\n\n"
        "```python\nx = {'a': 1}\n\n\ny = 2\n```\n````\n`````"
    )
    assert made.startswith('<a id="ex-a" name="ex-a"></a>\n\n## Exercise 7.1\n\nDo.\n\n<details>\n')
    assert "<summary>Solution of <em>it</em>, $a_{ij} &lt; 1$</summary>\n\nSo:" in made
    assert made.endswith("```python\nx = {'a': 1}\n\n\ny = 2\n```\n\n</details>")
    assert "<code" in html(made)


def test_exercises_are_counted_unless_told_not_to(markdown: Convert) -> None:
    made = markdown(
        "```{exercise}\na\n```\n\n```{exercise}\n:nonumber:\nb\n```\n\n"
        "```{exercise} C\n:label: c\nc\n```\n\n{ref}`c`"
    )
    assert re.findall("## (.*)", made) == ["Exercise 7.1", "Exercise", "Exercise 7.2 — C"]
    assert made.endswith("[Exercise 7.2](#c)")


QUIZ = """```{quiz}
:label: quiz-softmax
Which *axis* of $a_{ij}$?

- [x] The last, $j$ :: Rows add up to **one**.
- [ ] The first :: See {ref}`quiz-softmax`.
```"""


def test_a_quiz_becomes_a_question_and_a_fold_for_each_choice(markdown: Convert) -> None:
    made = markdown(QUIZ)
    assert "**Question.** Which *axis* of $a_{ij}$?" in made
    assert made.count("<details>") == made.count("</details>") == 2
    assert "<summary>The last, $j$</summary>\n\n**Right.** Rows add up to **one**." in made
    assert "<summary>The first</summary>\n\n**No.** See [quiz-softmax](#quiz-softmax)." in made


def test_a_quiz_no_one_could_answer_is_refused(markdown: Convert) -> None:
    with pytest.raises(GenerationError, match=r"07_test\.md:9: .*exactly one right choice"):
        markdown(QUIZ.replace("[x]", "[ ]"))


def test_the_run_time_is_told_where_it_was_measured(markdown: Convert) -> None:
    text = "```{chapter-facts}\n```\n\nText."
    assert markdown(text) == "Text."
    told = markdown(text, cpu_s=12.3, gpu_s=300, hardware="2 CPU cores", date="2026-01-02")
    where = "one fast machine: 2 CPU cores, 2026-01-02; a busier or slower one takes longer"
    assert told == f"*Runs in 12 s on a CPU, 5 min on a GPU ({where}).*\n\nText."


def test_what_serves_the_pages_alone_is_dropped(markdown: Convert) -> None:
    assert markdown("Before.\n\n% a remark\n\nAfter.") == "Before.\n\nAfter."


def test_code_stays_as_it_is(markdown: Convert) -> None:
    plain = "```text\n{ref}`a`\n\n\n% kept\n(kept)=\n```"
    assert markdown(plain) == plain


def test_a_directive_in_a_list_stays_in_the_list(markdown: Convert) -> None:
    made = markdown("1. first\n\n   ```{note}\n   Mind.\n   ```\n\n2. second")
    assert made == "1. first\n\n   > **Note**\n   >\n   > Mind.\n\n2. second"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Text.\n\n```{nonsense} x\nbody\n```", r"^book/07_test\.md:11: \{nonsense\} is a directive"),
        ("Text.\n\n```{figure} a.png\n```", r":11: \{figure\} is a directive the notebooks do not know"),
        ("Term\n: What it means.", ":9: a definition list: the notebooks do not know it"),
        ("Text.\n\n<div>\na\n</div>", ":11: HTML: the notebooks do not know it"),
        ("\\begin{align}\np &= q\n\\end{align}", ":9: a bare environment of LaTeX: the notebooks do not"),
        ("```{note}\nText.\n\n{nonsense}`x`\n```", r"^book/07_test\.md:12: \{nonsense\} is a role"),
        (
            ":::{note}\n```{code-cell}\n1\n```\n:::",
            r"^book/07_test\.md:10: \{code-cell\} must stand by itself",
        ),
        (
            "````{note}\n:class: tip\n\n```{math}\n:label: a\n:label: b\nx\n```\n{eq}`c`\n````",
            r":17: refers to 'c'",
        ),
    ],
)
def test_what_is_not_known_is_named_with_its_line(markdown: Convert, text: str, message: str) -> None:
    with pytest.raises(GenerationError, match=message):
        markdown(text)
