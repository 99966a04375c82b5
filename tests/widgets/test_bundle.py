"""The bundler takes our small dialect of modules, and refuses everything else by name."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from unrolled import Look
from unrolled.widgets import bundle
from unrolled.widgets.base import Widget
from unrolled.widgets.explore import Explored


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bundle, "JS", tmp_path)
    return tmp_path


def write(folder: Path, **sources: str) -> None:
    for name, source in sources.items():
        (folder / f"{name.replace('_', '-')}.mjs").write_text(source, encoding="utf-8")


def test_a_module_is_inlined_once_and_before_those_that_need_it(modules: Path, page: Page) -> None:
    write(
        modules,
        base_one="export const one = 1;\nlet calls = 0;\nexport function count() { return ++calls; }\n",
        left='import { one, count } from "./base-one.mjs";\ncount();\nexport const two = one + 1;\n',
        right=(
            'import { two } from "./left.mjs";\nimport { one as uno, count } from "./base-one.mjs";\n'
            "export function sum() { return [two + uno, count()]; }\n"
        ),
    )
    script = bundle._inline(["right", "left"])
    assert script.count("const one = 1") == 1
    assert page.evaluate(f"(() => {{ {script} return $right.sum(); }})()") == [3, 2]


def test_a_circle_is_refused(modules: Path) -> None:
    write(
        modules,
        a='import { b } from "./b.mjs";\nexport const a = 1;\n',
        b='import { a } from "./a.mjs";\nexport const b = 1;\n',
    )
    with pytest.raises(ValueError, match="circle: a -> b -> a"):
        bundle._inline(["a"])


@pytest.mark.parametrize(
    "line",
    [
        "export default 3;",
        'export * from "./x.mjs";',
        'import x from "./x.mjs";',
        'import "./x.mjs";',
        'import { x } from "https://example.org/x.mjs";',
        "export { x };",
        "export let x = 1;",
    ],
)
def test_what_is_not_in_the_dialect_is_refused(modules: Path, line: str) -> None:
    write(modules, odd=f"export const fine = 1;\n{line}\n")
    with pytest.raises(
        ValueError, match=r"odd\.mjs: expected named imports and plain exports, got '(im|ex)port"
    ):
        bundle._inline(["odd"])


def test_a_missing_module_is_named_with_those_there_are(modules: Path) -> None:
    write(modules, a='import { b } from "./gone.mjs";\nexport const a = 1;\n')
    with pytest.raises(ValueError, match=r"gone\.mjs: expected one of the modules a, found no such file"):
        bundle._inline(["a"])


def test_a_name_that_is_not_exported_is_refused(modules: Path) -> None:
    write(modules, a='import { c } from "./b.mjs";\nexport const a = 1;\n', b="export const b = 1;\n")
    with pytest.raises(ValueError, match=r"a\.mjs: b\.mjs does not export c"):
        bundle._inline(["a"])


def test_a_module_without_exports_is_refused(modules: Path) -> None:
    write(modules, mute="const a = 1;\n")
    with pytest.raises(ValueError, match=r"mute\.mjs: exports nothing"):
        bundle._inline(["mute"])


def test_the_page_script_may_stand_inline() -> None:
    script = bundle.page_script(bundle.WIDGETS)
    assert "</script" not in script
    assert "<!--" not in script


def test_every_widget_is_found() -> None:
    """Each class of the package that names a script, and no other script, renders."""
    classes, found = [Widget], set[type[Widget]]()
    while classes:
        one = classes.pop()
        classes += one.__subclasses__()
        if one.__module__.startswith(("unrolled.widgets.", Look.__module__)) and hasattr(one, "name"):
            found.add(one)
    # A widget that is made is of a class of its own, of the same name; the last has no kernel to talk to.
    names = {*(one.name for one in found), Explored.name}
    assert tuple(sorted(names)) == bundle.WIDGETS
    assert {"attention-map", "bears-plane", "explore", "paint-mixer"} <= set(bundle.WIDGETS)


def test_the_scripts_never_parse_html() -> None:
    parses = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(")
    for path in bundle.JS.glob("*.mjs"):
        # d3's selections have a method html(), which sets innerHTML; nobody calls it.
        ways = parses[1:] if path.stem == "d3-selection" else (*parses, ".html(")
        source = path.read_text(encoding="utf-8")
        assert [way for way in ways if way in source] == [], path.name


def test_one_sheet_holds_what_widgets_share_and_then_what_each_adds(tmp_path, monkeypatch):
    for name, text in {"widgets": ".u {}\n", "beta": ".b {}\n", "alpha": ".a {}\n"}.items():
        (tmp_path / f"{name}.css").write_text(text)
    monkeypatch.setattr(bundle, "JS", tmp_path)
    assert bundle.stylesheet.__wrapped__() == ".u {}\n.a {}\n.b {}\n"


@pytest.mark.parametrize("path", sorted(bundle.JS.glob("*.mjs")), ids=lambda path: path.stem)
def test_no_value_within_a_text_goes_over_two_lines(path: Path) -> None:
    """What takes the comments out of the page's script goes line by line through texts within texts."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [n for n, line in enumerate(lines, 1) if line.rstrip().endswith("${")] == []
