"""Inline our own ES modules into one script.

A live notebook loads a widget's script as a blob, where a relative import has nothing to be relative to;
a page opened from disk may load no module at all. Both take one self-contained script. The modules are
written in a small, checkable dialect: named imports from ``"./x.mjs"`` at the start of a line, and
``export`` before ``function``, ``class`` or ``const``. Anything else that imports or exports is refused.
"""

import re
from functools import cache
from pathlib import Path

__all__ = ["JS", "esm", "page_script", "stylesheet"]

JS = Path(__file__).parent / "js"

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+)\.mjs";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)
_LEFT_OVER = re.compile(r"^\s*(?:import|export)\b.*", re.MULTILINE)


@cache
def _module(name: str) -> tuple[str, tuple[str, ...]]:
    """Return one module as a ``const`` that holds its exports, and the modules it needs."""
    path = JS / f"{name}.mjs"
    source = path.read_text(encoding="utf-8")
    needs = tuple(match[2] for match in _IMPORT.finditer(source))
    exports = re.findall(_EXPORT, source)
    body = _IMPORT.sub(lambda m: f"const {{{m[1].replace(' as ', ': ')}}} = {_const(m[2])};\n", source)
    body = _EXPORT.sub("", body)
    if bad := _LEFT_OVER.search(body):
        raise ValueError(f"{path.name}: expected named imports and plain exports, got {bad[0].strip()!r}")
    if not exports:
        raise ValueError(f"{path.name}: exports nothing")
    return f"const {_const(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();\n", needs


def _const(name: str) -> str:
    return "$" + name.replace("-", "_")


def _inline(names: list[str]) -> str:
    """Return the modules `names` and all they need, each once, needed ones first."""
    done: dict[str, str] = {}

    def visit(name: str, path: tuple[str, ...] = ()) -> None:
        if name in path:
            raise ValueError(f"modules import each other in a circle: {' -> '.join((*path, name))}")
        if name in done:
            return
        text, needs = _module(name)
        for need in needs:
            visit(need, (*path, name))
        done[name] = text

    for name in names:
        visit(name)
    return "".join(done.values())


@cache
def esm(name: str) -> str:
    """Return the script anywidget loads for the widget whose module is ``js/<name>.mjs``."""
    return f"{_inline([name])}export default {{ render: {_const(name)}.render }};\n"


@cache
def page_script(names: tuple[str, ...]) -> str:
    """Return one classic script for a static page: the widgets `names` and the host that mounts them."""
    table = ", ".join(f'"{name}": {_const(name)}.render' for name in names)
    return f'(() => {{\n"use strict";\n{_inline([*names, "host"])}$host.start({{ {table} }});\n}})();\n'


@cache
def stylesheet() -> str:
    """Return the style sheet all widgets share."""
    return (JS / "widgets.css").read_text(encoding="utf-8")
