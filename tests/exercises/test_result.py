"""A result reads the same wherever it is shown, and shows no learner's text as markup."""

import pytest

from unrolled.exercises import Result


@pytest.mark.parametrize(
    ("passed", "attempted", "state", "heading"),
    [
        (True, True, "passed", "Right."),
        (False, True, "failed", "Not yet."),
        (False, False, "unattempted", "Not attempted yet:"),
    ],
)
def test_the_three_states_show_in_every_form(passed: bool, attempted: bool, state: str, heading: str) -> None:
    result = Result(passed, attempted, "words")
    assert result.state == state
    assert heading in str(result)
    assert str(result).endswith("words")
    assert repr(result) == str(result)
    assert f'data-state="{state}"' in result._repr_html_()
    assert heading in result._repr_html_()
    assert heading in result._repr_markdown_()


def test_text_is_never_markup() -> None:
    result = Result(False, True, "<img src=x onerror=alert(1)> & *a* [0, 1]\nnext")
    html = result._repr_html_()
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; &amp;" in html
    markdown = result._repr_markdown_()
    assert r"\<img src=x onerror=alert(1)\> \& \*a\* \[0, 1\]" in markdown
    assert "  \n> next" in markdown


def test_code_in_a_message_is_set_as_code() -> None:
    html = Result(passed=False, attempted=True, message="Write `a < b`, not `b`.")._repr_html_()
    assert "Write <code>a &lt; b</code>, not <code>b</code>." in html
