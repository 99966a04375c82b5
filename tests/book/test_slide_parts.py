"""What of a section comes on slides: code and tables that are long in parts, words that say enough."""

import pytest
from docutils import nodes
from sphinx.errors import ExtensionError

from book._ext.course.editions import code, marks, tables, words

LINE = "x = 1"


def cell(source: str, answer: str = "") -> nodes.container:
    made = nodes.container("", nb_element="cell_code")
    made += nodes.container("", nodes.literal_block(source, source), nb_element="cell_code_source")
    if answer:
        made += nodes.container("", nodes.literal_block(answer, answer), nb_element="cell_code_output")
    return made


def shown(block: nodes.Node) -> list[str]:
    return [piece.astext() for piece in code.pieces(block)]


def lines(number: int) -> str:
    return "\n".join([LINE] * number)


def paragraph(text: str) -> nodes.paragraph:
    return nodes.paragraph(text, text)


def said(found: list[nodes.Node]) -> str:
    return "".join(node.astext() for node in found)


def test_short_code_stands_with_what_it_answers() -> None:
    assert shown(cell(lines(3), "7")) == [f"{lines(3)}\n\n7"]


def test_long_code_is_cut_where_something_is_defined_and_nothing_is_lost() -> None:
    source = f"{lines(14)}\n\n{lines(2)}\n\ndef f():\n    a = 1\n\n{lines(10)}"
    parts = shown(cell(source, "7"))
    assert [part.split("\n")[0] for part in parts] == [LINE, "def f():"]
    assert "".join(parts).replace("\n", "") == source.replace("\n", "")


def test_code_is_not_cut_within_a_text_of_several_lines() -> None:
    source = f'{lines(8)}\n\ndef f():\n    """It says\n\n{lines(20)}\n    """'
    assert [part.count('"""') % 2 for part in shown(cell(source))] == [0, 0]


def test_of_an_experiment_the_outcome_is_shown() -> None:
    assert shown(cell(lines(60), lines(5))) == [lines(5)]
    assert shown(cell(lines(30), lines(5))) == [lines(5)]
    assert shown(cell(lines(60))) == []
    assert shown(cell(lines(60), lines(60))) == []


@pytest.mark.parametrize(("rows", "sizes"), [(3, [3]), (12, [12]), (13, [6, 7]), (30, [10, 10, 10])])
def test_a_long_table_comes_in_parts_with_the_same_head(rows: int, sizes: list[int]) -> None:
    body = nodes.tbody("", *(nodes.row("", nodes.entry("", paragraph(str(n)))) for n in range(rows)))
    head = nodes.thead("", nodes.row("", nodes.entry("", paragraph("head"))))
    parts = tables.parts(nodes.table("", nodes.tgroup("", head, body, cols=1)))
    bodies = [next(part.findall(nodes.tbody)) for part in parts]
    assert [len(part) for part in bodies] == sizes
    assert [row.astext() for part in bodies for row in part] == [str(n) for n in range(rows)]
    assert all(next(part.findall(nodes.thead)).astext() == "head" for part in parts)


def test_a_first_sentence_of_few_words_takes_the_next_with_it() -> None:
    text = "Now mix. Take a little of this and some of that, and add them up. Then stop."
    assert said(words.lead([paragraph(text)])) == text.removesuffix(" Then stop.")
    strong = nodes.paragraph("", "", nodes.Text("One. "), nodes.strong("", "This is what it is about."))
    assert said(words.lead([paragraph(text), strong])) == "This is what it is about."


def test_what_leads_up_to_a_picture_is_the_paragraph_or_how_it_ends() -> None:
    short, last = "The same words, once more:", "Each row of the map is a word that looks at the others:"
    assert said(words.introduction([paragraph("Far."), paragraph(short)])) == short
    assert said(words.introduction([paragraph(f"{'Much is said here. ' * 20}{last}")])) == last
    assert words.introduction([paragraph("They are what it was made for.")]) == []
    # Behind another thing to look at, a paragraph leads up to that.
    assert words.introduction([paragraph(short), nodes.literal_block("x", "x")]) == []


def test_a_mark_nobody_knows_is_refused() -> None:
    for text in ("slide", "slide: also", "Slide: none", "slide\n"):
        assert marks.mark(nodes.comment("", text)), text
    assert marks.mark(nodes.comment("", "TODO: slide")) is None
    with pytest.raises(ExtensionError, match="expected '% slide', '% slide: also' or '% slide: none'"):
        marks.mark(nodes.comment("", "slide: big"))
