from collections.abc import Callable

import pytest

from tools import address
from tools.notebooks.generate import GenerationError

Convert = Callable[..., str]
PAGES = address.pages_url().rstrip("/")
RAW = f"https://raw.githubusercontent.com/{address.slug()}/main"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{ref}`symbols`", f"[Symbols we use]({PAGES}/notation.html#symbols)"),
        ("{ref}`the\nletters <symbols>`", f"[the letters]({PAGES}/notation.html#symbols)"),
        ("[a *b*](notation.md)", f"[a *b*]({PAGES}/notation.html)"),
        ("[a](notation.md#sizes)", f"[a]({PAGES}/notation.html#sizes)"),
        ("[](notation.md)", f"[Notation]({PAGES}/notation.html)"),
        ("[](symbols)", f"[Symbols we use]({PAGES}/notation.html#symbols)"),
        ("[code](../src/unrolled/tap.py)", f"[code]({RAW}/src/unrolled/tap.py)"),
        ("![alt](figures/a.png){width=50%}", f"![alt]({RAW}/book/figures/a.png)"),
        ("[out](https://pytorch.org){.external}", "[out](https://pytorch.org)"),
    ],
)
def test_roles_and_links(markdown: Convert, text: str, made: str) -> None:
    assert markdown(text) == made


@pytest.mark.parametrize(
    "text",
    [
        "`{ref}` and `` {ref}`x` ``",
        "$a_{ij}[x](y)$ and $\\text{sub}`x`$",
        r"\$5 and \$6 for [out](https://pytorch.org)",
        "<https://pytorch.org>",
    ],
)
def test_code_and_mathematics_stay_as_they_are(markdown: Convert, text: str) -> None:
    assert markdown(text) == text


def test_links_within_the_chapter_stay_within_the_notebook(markdown: Convert) -> None:
    made = markdown(
        "See {ref}`here`, [here](#here) and [there](#a-part).\n\n(here)=\n## One *thing*\n\n## A part\n\nx"
    )
    assert made == (
        "See [One *thing*](#here), [here](#here) and [there](#a-part).\n\n"
        '<a id="here" name="here"></a>\n\n## One *thing*\n\n'
        '<a id="a-part" name="a-part"></a>\n\n## A part\n\nx'
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{cite}`elman1990finding`", "([Elman, 1990](#cite-elman1990finding))"),
        ("{cite:t}`vaswani2017attention`", "[Vaswani et al. (2017)](#cite-vaswani2017attention)"),
        (
            "{cite}`elman1990finding, levy2014neural`",
            "([Elman, 1990](#cite-elman1990finding); [Levy and Goldberg, 2014](#cite-levy2014neural))",
        ),
    ],
)
def test_citations_name_authors_and_year(markdown: Convert, text: str, shown: str) -> None:
    cited, sources = markdown(f"Text {text}.").split("\n\n## Sources\n\n")
    assert cited == f"Text {shown}."
    assert "Not Cited" not in sources
    for target in (part.split(")")[0] for part in cited.split("](#")[1:]):
        assert f'<a id="{target}" name="{target}"></a>' in sources


def test_sources_stand_where_the_chapter_wants_them(markdown: Convert) -> None:
    made = markdown(
        "{cite}`levy2014neural` {cite}`elman1990finding`\n\n## Sources\n\n```{bibliography}\n```\n\n## Last"
    )
    listed = made[made.index("## Sources") : made.index("## Last")]
    assert made.count("## Sources") == 1
    assert listed.index("Jeffrey L. Elman. Finding structure in time.") < listed.index(
        "Omer Levy and Yoav Goldberg."
    )
    assert listed.count("\n- ") == 2


def test_footnotes_are_numbered_as_they_are_referred_to(markdown: Convert) -> None:
    made = markdown(
        "One[^b] two[^a] again[^b].\n\n[^a]: A *remark*\n    in lines.\n\n[^b]: See {ref}`symbols`."
    )
    text, notes = made.split("\n\n## Notes\n\n")
    one, two = (f'<sup><a href="#note-{n}">{n}</a></sup>' for n in (1, 2))
    assert text == f"One{one} two{two} again{one}."
    first, second = notes.split("\n")
    assert first.startswith('1. <a id="note-1" name="note-1"></a>See [Symbols we use](')
    assert second == '2. <a id="note-2" name="note-2"></a>A *remark* in lines.'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ref}`nowhere`", ":9: refers to 'nowhere', and there is no such label"),
        ("a\n{eq}`nowhere`", ":10: refers to 'nowhere'"),
        ("{numref}`symbols`", r":9: \{numref\} is a role the notebooks do not know"),
        ("[x](nowhere.md)", ":9: links to 'nowhere.md', and there is no such page"),
        ("[x](notation.md#nowhere)", "links to 'notation.md#nowhere', and there is no such label or heading"),
        ("[x](#nowhere)", "links to '#nowhere'"),
        ("{cite}`nobody`", ":9: cites 'nobody', which stands in no bibliography"),
        ("x[^none]", "refers to the footnote 'none', and there is none"),
        ("[x][y]\n\n[y]: notation.md", ":11: .* cells share no definitions"),
    ],
)
def test_what_leads_nowhere_is_refused(markdown: Convert, text: str, message: str) -> None:
    with pytest.raises(GenerationError, match=message):
        markdown(text)


def test_all_problems_are_told_at_once(markdown: Convert) -> None:
    with pytest.raises(GenerationError) as caught:
        markdown("{ref}`a`\n\n{nonsense}`b`\n\n```{nonsense}\n```")
    assert [problem.line for problem in caught.value.problems] == [9, 11, 13]
