import pytest

from tools.notebooks import generate as module
from tools.notebooks.directives import DIRECTIVES
from tools.notebooks.leftovers import find_leftovers


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("```{note}", "a directive"),
        ("> ~~~~{math} x", "a directive"),
        (":::{tip}", "a directive"),
        (":::", "a colon fence"),
        ("see {ref}`there`", "a role"),
        ("{cite:t}`him`", "a role"),
        ("(there)=", "a target"),
        ("+++", "a cell break"),
        ('+++ {"tags": []}', "a cell break"),
        ("% a remark", "a comment"),
        ("costs {{ price }}", "a substitution"),
        ("said[^note]", "a footnote"),
        ("{.lead #x}", "an attribute line"),
        ("<project:page.md>", "a link of the book's"),
    ],
)
def test_what_colab_would_show_as_written_is_found(line: str, what: str) -> None:
    assert [(at, name) for at, name, _ in find_leftovers(f"Text.\n\n{line}\n")] == [(2, what)]


@pytest.mark.parametrize(
    "text",
    [
        "`{ref}` and ``{ref}`x` `` and f(x)=1",
        "```python\nx = f'{ref}'\n+++\n% magic\n(x)=\n{a}`b`\n```",
        "    % indented code",
        "$\\text{sub}_{{x}}$ and 5 % of them, 1 ::: 2",
        "$$\n% a comment\n\\hat{{x}}\n$$",
        "<details>\n<summary>a</summary>\n\nb\n\n</details>",
    ],
)
def test_code_mathematics_and_html_are_left_alone(text: str) -> None:
    assert list(find_leftovers(text)) == []


def test_a_fence_in_code_that_names_a_directive_is_found_all_the_same() -> None:
    assert list(find_leftovers("a\n\n```{nonsense}\nb\n```")) == [(2, "a directive", "```{nonsense}")]


def test_what_a_processor_leaves_fails_the_build_with_file_and_line(convert, monkeypatch) -> None:
    monkeypatch.setitem(DIRECTIVES, "note", lambda found, ctx: f"(left)=\n\n{found.body}")
    text = "## One\n\nText.\n\n## Two\n\n```{note}\n\n(left)=\n\n{ref}`x`\n```"
    with pytest.raises(module.GenerationError) as caught:
        convert(text)
    assert str(caught.value).split("\n") == [
        "book/07_test.md:17: a target was left over: (left)=",
        "book/07_test.md:19: a role was left over: {ref}`x`",
    ]
    monkeypatch.undo()
    assert convert(text.replace("{ref}`x`", "x"))
