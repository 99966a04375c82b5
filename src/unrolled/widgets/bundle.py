"""Inline our own ES modules into one script.

A live notebook loads a widget's script as a blob, where a relative import has nothing to be relative to;
a page opened from disk may load no module at all. Both take one self-contained script. The modules are
written in a small, checkable dialect: named imports from ``"./x.mjs"`` at the start of a line, and
``export`` before ``function``, ``class`` or ``const``. Anything else that imports or exports is refused.
"""

import json
import re
from functools import cache
from pathlib import Path

__all__ = ["JS", "WIDGETS", "esm", "page_script", "picture_script", "stylesheet"]

JS = Path(__file__).parent / "js"
WORKER = ".worker"
"""``import { source } from "./x.worker.mjs"``: the script of a worker that runs ``serve`` of ``x.mjs``."""

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+(?:\.worker)?)\.mjs";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)
_LEFT_OVER = re.compile(r"^\s*(?:import|export)\b.*", re.MULTILINE)
_RENDER = re.compile(r"^export function render\(", re.MULTILINE)


def _widgets() -> tuple[str, ...]:
    sources = sorted(JS.glob("*.mjs"))
    return tuple(path.stem for path in sources if _RENDER.search(path.read_text(encoding="utf-8")))


WIDGETS: tuple[str, ...] = _widgets()
"""The names of all widgets: every module of ``js/`` that exports ``render``."""


@cache
def _module(path: Path) -> tuple[str, tuple[str, ...], dict[str, list[str]]]:
    """Return one module as a ``const`` that holds its exports, those names, and what it takes from where."""
    if not path.exists():
        there = ", ".join(sorted(other.stem for other in path.parent.glob("*.mjs")))
        raise ValueError(f"{path.name}: expected one of the modules {there or '(none)'}, found no such file")
    source = path.read_text(encoding="utf-8")
    needs = {
        match[2]: [part.split(" as ")[0].strip() for part in match[1].split(",") if part.strip()]
        for match in _IMPORT.finditer(source)
    }
    exports = tuple(_EXPORT.findall(source))
    body = _IMPORT.sub(lambda m: f"const {{{m[1].replace(' as ', ': ')}}} = {_const(m[2])};\n", source)
    body = _EXPORT.sub("", body)
    if bad := _LEFT_OVER.search(body):
        raise ValueError(f"{path.name}: expected named imports and plain exports, got {bad[0].strip()!r}")
    if not exports:
        raise ValueError(f"{path.name}: exports nothing")
    # The script may stand inline in a page: nothing in it, comments included, may close its element.
    body = body.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    text = f"const {_const(path.stem)} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();\n"
    return text, exports, needs


def _const(name: str) -> str:
    return "$" + re.sub(r"[-.]", "_", name)


@cache
def _worker(name: str) -> str:
    """Return a module whose `source` is a script for a worker, which may be loaded from nowhere either."""
    script = f'"use strict";\n{_inline([name])}{_const(name)}.serve(self);\n'
    # As in `_module`: it may stand inline in a page.
    written = json.dumps(script, ensure_ascii=False).replace("<", "\\u003c")
    return f"const {_const(name + WORKER)} = {{ source: {written} }};\n"


def _inline(names: list[str]) -> str:
    """Return the modules `names` and all they need, each once, needed ones first."""
    done: dict[str, str] = {}

    def visit(name: str, path: tuple[str, ...] = ()) -> None:
        if name in path:
            raise ValueError(f"modules import each other in a circle: {' -> '.join((*path, name))}")
        if name in done:
            return
        if name.endswith(WORKER):
            done[name] = _worker(name.removesuffix(WORKER))
            return
        text, _, needs = _module(JS / f"{name}.mjs")
        for need, taken in needs.items():
            visit(need, (*path, name))
            there = ("source",) if need.endswith(WORKER) else _module(JS / f"{need}.mjs")[1]
            if missing := set(taken) - set(there):
                raise ValueError(f"{name}.mjs: {need}.mjs does not export {', '.join(sorted(missing))}")
        done[name] = text

    for name in names:
        visit(name)
    return "".join(done.values())


@cache
def esm(name: str) -> str:
    """Return the script anywidget loads for the widget whose module is ``js/<name>.mjs``."""
    return f"{_inline([name])}export default {{ render: {_const(name)}.render }};\n"


@cache
def page_script(names: tuple[str, ...], pictures: str | None = None) -> str:
    """Return one classic script for a static page: the widgets `names` and the host that mounts them.

    Args:
        names: of the widgets.
        pictures: the address of `picture_script`, as seen from that of this script; the page loads it when a
            reader saves a picture. None puts it into this script, which then stands alone.
    """
    table = ", ".join(f'"{name}": {_const(name)}.render' for name in names)
    inline = [*names, "host"] if pictures else [*names, "host", "picture"]
    drawn = json.dumps(pictures) if pictures else _const("picture")
    return f'(() => {{\n"use strict";\n{_inline(inline)}$host.start({{ {table} }}, {drawn});\n}})();\n'


@cache
def picture_script() -> str:
    """Return one classic script with what draws the picture that a reader saves."""
    drawn = _inline(["picture"])
    return f'(() => {{\n"use strict";\n{drawn}globalThis.unrolledPicture = {_const("picture")};\n}})();\n'


@cache
def stylesheet() -> str:
    """Return one style sheet for all widgets: what they share, then what each adds, in the order of names."""
    own = sorted(path for path in JS.glob("*.css") if path.name != "widgets.css")
    return "".join(path.read_text(encoding="utf-8") for path in [JS / "widgets.css", *own])
