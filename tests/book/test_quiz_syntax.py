"""The quiz syntax: what is read, and what is refused with a word on what was expected."""

import pytest

from tools.quiz_syntax import Choice, Quiz, QuizSyntaxError, parse_quiz

GOOD = """:label: quiz-symmetric
Is $XX^\\top$ *symmetric*?

A second paragraph.

- [x] yes, since $x_i \\cdot x_j = x_j \\cdot x_i$ :: the dot product
  does not care for order
- [ ] no :: try two vectors

"""


def test_a_quiz_is_read_with_its_markdown_left_alone() -> None:
    assert parse_quiz(GOOD) == Quiz(
        label="quiz-symmetric",
        question="Is $XX^\\top$ *symmetric*?\n\nA second paragraph.",
        choices=(
            Choice(
                True,
                "yes, since $x_i \\cdot x_j = x_j \\cdot x_i$",
                "the dot product does not care for order",
            ),
            Choice(False, "no", "try two vectors"),
        ),
    )


def test_a_label_read_by_the_directive_may_be_handed_in() -> None:
    body = GOOD.split("\n", 1)[1]
    assert parse_quiz(body, label="quiz-symmetric") == parse_quiz(GOOD)


def test_a_colon_pair_inside_code_is_no_separator() -> None:
    quiz = parse_quiz("Q?\n- [x] `x[::2]` :: every second\n- [ ] `x[1:]` :: drops one", label="q")
    assert quiz.choices[0] == Choice(True, "`x[::2]`", "every second")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Q?\n- [x] a :: b\n- [ ] c :: d", "expected a label"),
        (":label: Not A Label\nQ?\n- [x] a :: b\n- [ ] c :: d", "got 'Not A Label'"),
        (":lable: q\nQ?\n- [x] a :: b\n- [ ] c :: d", "got :lable:"),
        (":label: q\n- [x] a :: b\n- [ ] c :: d", "expected a question"),
        (":label: q\nQ?\n- [x] a :: b\n- [ ] c", "expected 'choice :: feedback', got 'c'"),
        (":label: q\nQ?\n- [x] a :: b\n- [ ] c ::", "expected 'choice :: feedback'"),
        (":label: q\nQ?\n- [x] a :: b\n- [ ] c :: d :: e", "expected 'choice :: feedback'"),
        (":label: q\nQ?\n- [x] a :: b\n- [y] c :: d", "got '[y]'"),
        (":label: q\nQ?\n- [x] a :: b", "expected at least two choices"),
        (":label: q\nQ?\n- [ ] a :: b\n- [ ] c :: d", "exactly one right choice '- [x] …', got 0"),
        (":label: q\nQ?\n- [x] a :: b\n- [x] c :: d", "exactly one right choice '- [x] …', got 2"),
        (":label: q\nQ?\n- [x] a :: b\n- [ ] c :: d\nmore", "expected only choices"),
    ],
)
def test_a_quiz_nobody_could_answer_is_refused(text: str, says: str) -> None:
    with pytest.raises(QuizSyntaxError) as refused:
        parse_quiz(text)
    assert says in str(refused.value)
