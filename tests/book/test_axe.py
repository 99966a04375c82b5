"""The watch itself: axe is heard in light and in dark, for colours and for what else differs there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.book.test_pages import axe_finds_nothing

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title><style>
.late {{ display: none }} {style}</style></head>
<body><main><h1>A page</h1><p class="text">Words.</p><p>More <a href="#a" id="a">links</a>.</p>
<ul><li>one</li></ul><button>Go</button><img src="data:," alt="A picture">
<label>Field <input></label><img class="late" src="data:,"></main></body></html>"""
DARK = "@media (prefers-color-scheme: dark) {{ {} }}"


@pytest.mark.parametrize(
    ("style", "rule"),
    [
        (".text { color: #ccc; background: #fff }", "color-contrast"),
        (DARK.format(".text { color: #333; background: #000 }"), "color-contrast"),
        (DARK.format(".late { display: inline; width: 9px; height: 9px }"), "image-alt"),
    ],
    ids=["faint in light", "faint in dark", "a picture without words in dark"],
)
def test_what_is_wrong_is_found(tmp_path: Path, new_page: Callable[..., Page], style: str, rule: str) -> None:
    path = tmp_path / "page.html"
    page = new_page(color_scheme="light")
    path.write_text(PAGE.format(style=""), encoding="utf-8")
    page.goto(path.as_uri())
    axe_finds_nothing(page)
    page.emulate_media(color_scheme="light")
    path.write_text(PAGE.format(style=style), encoding="utf-8")
    page.goto(path.as_uri())
    with pytest.raises(AssertionError, match=rule):
        axe_finds_nothing(page)
