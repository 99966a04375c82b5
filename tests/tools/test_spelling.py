"""Every word that readers read is known; what is no word is left out, and a slip is told with its place."""

from pathlib import Path

import pytest

from tools.spelling import WORDS, Vocabulary, main, prose, words

PAGE = """---
file_format: mystnb
---

# A titel

```{code-cell}
wrnog = 1
```

```{exercise} Ruond
:label: ex-sikp
Solve it, `cdoe` and {cite}`vaswnai2017`, $x_{idnex}$ or [a lnik](nowhree.md "told") and ReLU, d_modle.

~~~python
wrnog = 2
~~~

It is dnoe.
```

$$
\\text{fromula}
$$ (eq-lable)

<b class="clsas">Bold</b> of a reader's page, see https://exmaple.org/pgae.
% a commnet
"""


def test_what_readers_read_is_looked_at_and_nothing_else() -> None:
    found = {word for _, word in words(PAGE)}
    assert found >= {"titel", "ruond", "lnik", "dnoe", "bold", "reader", "solve"}
    wrong = {"wrnog", "sikp", "cdoe", "vaswnai", "idnex", "nowhree", "modle", "fromula", "lable", "clsas"}
    assert not found & (wrong | {"exmaple", "pgae", "commnet", "mystnb", "relu", "told"})
    assert (5, "titel") in set(words(PAGE))
    assert dict(prose("one\n\n$$ a $$ two"))[3].split() == ["two"]


def test_a_word_is_known_by_its_stem() -> None:
    known = Vocabulary(["mask", "query", "don’t"])
    for word in ("mask", "masks", "masked", "masking", "queries", "don’t"):
        assert word in known
    for word in ("maks", "querry", "task"):
        assert word not in known
    assert known.like("maskk") == "mask"
    assert known.like("zymurgy") == ""


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "01_a.md").write_text("# Atention\n\nAttention attends.\n", encoding="utf-8")
    known = tmp_path / "words.txt"
    known.write_text("attend\nattention\n", encoding="utf-8")
    return tmp_path, known


def test_a_slip_is_told_with_its_place_and_the_word_it_is_like(
    repository: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root, known = repository
    assert main([], root, known) == 1
    said = capsys.readouterr().err
    assert "book/01_a.md:1: “atention” is not a known word; “attention” is" in said
    assert "--add" in said


def test_a_right_word_is_put_on_the_list(
    repository: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root, known = repository
    (root / "book" / "01_a.md").write_text("Zebras attend; a zebra’s attention.\n", encoding="utf-8")
    assert main(["--add"], root, known) == 0
    assert capsys.readouterr().out == "zebra (book/01_a.md:1)\n"
    assert known.read_text(encoding="utf-8") == "attend\nattention\nzebra\n"
    assert main([], root, known) == 0


def test_a_line_that_is_no_word_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("word\nTwo\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"words\.txt: expected a word in small letters, got 'Two'"):
        Vocabulary.read(tmp_path / "words.txt")


def test_the_list_is_in_order_with_a_word_once() -> None:
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    assert lines == sorted(set(lines))


def test_no_document_has_an_unknown_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, capsys.readouterr().err
