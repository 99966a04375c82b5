"""What stands in the sources and not in the objects: signatures as they are typed, comments on constants.

Evaluated, ``Sequence`` would be the array type of jaxtyping that it stands for, and a default of 1e-5 the
text that Python writes for it. So both are read from the source.
"""

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from types import FunctionType, MethodType
from typing import Any

from torch import nn

from tools.public_names import Public, modules

__all__ = ["constant", "doc_of_constant", "entry", "members", "signature"]

_WIDEST = 160  # characters of a value that is shown


def entry(public: Public) -> list[str]:
    """Return the lines that make the entry of a name: directives of autodoc, or what stands of a constant."""
    module, _, name = public.path.rpartition(".")
    if public.kind == "data":
        value, doc = constant(public.home, name), doc_of_constant(public.home, name)
        shown = [f"   :value: {value}"] if value else []
        head = [f".. py:data:: {name}", f"   :module: {module}", *shown, ""]
        return [*head, *textwrap.indent(doc, "   ").splitlines(), ""]
    lines = [f".. auto{public.kind}:: {module}::{name}"]
    if public.kind != "function":
        lines.append(f"   :members: {', '.join(members(getattr(modules()[public.home], name)))}")
    return [line for line in lines if not line.endswith(": ")] + [""]


def members(cls: type) -> list[str]:
    """Return what of a class has an entry: its public methods and properties, and fields with a docstring."""
    # What a private base has in its name is the class's own.
    bases = [
        base
        for base in cls.__mro__[1:]
        if base.__module__.startswith("unrolled.") and base.__name__[0] == "_"
    ]
    own: list[str] = []
    for name, value in ((name, value) for owner in (cls, *bases) for name, value in vars(owner).items()):
        called = isinstance(value, FunctionType | classmethod | staticmethod | property)
        if called and name not in own and not name.startswith("_") and getattr(value, "__doc__", None):
            own.append(name)
    return own + [name for name, doc in _fields(cls).items() if doc and not name.startswith("_")]


def signature(value: Any) -> tuple[str, str] | None:
    """Return the arguments as they are typed, and what is returned; None where there is nothing to call."""
    if inspect.isclass(value) and (getattr(value, "_is_protocol", False) or _is_plain_error(value)):
        return None
    if inspect.isclass(value) and value.__init__ is nn.Module.__init__:  # which takes anything, to refuse it
        return "()", ""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    typed, defaults, returned = _typed(value)
    parts: list[str] = []
    kinds = [p.kind for p in found.parameters.values()]
    for n, (name, parameter) in enumerate(found.parameters.items()):
        if name == "self" and isinstance(value, FunctionType):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not {
            parameter.VAR_POSITIONAL,
            parameter.KEYWORD_ONLY,
        } & set(kinds[:n]):
            parts.append("*")
        star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        star = "**" if parameter.kind is parameter.VAR_KEYWORD else star
        part = star + name
        if name in typed:
            part += f": {typed[name]}"
        if parameter.default is not parameter.empty:
            part += (" = " if name in typed else "=") + _default(parameter.default, defaults.get(name))
        parts.append(part)
    return f"({', '.join(parts)})", returned


def constant(module: str, name: str) -> str:
    """Return what a constant is set to, as it is typed, if that is short."""
    node, _ = _assigned(module).get(name, (None, ""))
    text = ast.unparse(node.value) if node is not None and node.value is not None else ""
    return text if len(text) <= _WIDEST and "\n" not in text else ""


def doc_of_constant(module: str, name: str) -> str:
    """Return what is said of a constant: the text that stands behind it, or the comment before it."""
    return _assigned(module).get(name, (None, ""))[1]


@cache
def _assigned(module: str) -> dict[str, tuple[ast.Assign | ast.AnnAssign | None, str]]:
    """Return each name that a module assigns, with the assignment and what is said of it."""
    source = inspect.getsource(modules()[module])
    return _assignments(source, ast.parse(source).body)


def _assignments(source: str, body: list[ast.stmt]) -> dict[str, Any]:
    lines = source.splitlines()
    found: dict[str, Any] = {}
    for n, node in enumerate(body):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        each = [
            one for target in targets for one in (target.elts if isinstance(target, ast.Tuple) else [target])
        ]
        names = [one.id for one in each if isinstance(one, ast.Name)]
        if not names or not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        behind = body[n + 1] if n + 1 < len(body) else None
        doc = ""
        if isinstance(behind, ast.Expr) and isinstance(behind.value, ast.Constant):
            doc = inspect.cleandoc(str(behind.value.value))
        doc = doc or _comment(lines, node)
        found.update((name, (node, doc)) for name in names)
    return found


def _comment(lines: list[str], node: ast.stmt) -> str:
    """Return the comment on the lines before a statement, or behind it."""
    above: list[str] = []
    for line in reversed(lines[: node.lineno - 1]):
        if not line.strip().startswith("#"):
            break
        above.insert(0, line.strip().removeprefix("#").strip())
    behind = re.search(r"  # (.+)$", lines[(node.end_lineno or node.lineno) - 1])
    text = " ".join(above) or (behind[1] if behind else "")
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", ":")) or not text else ".")


@cache
def _fields(cls: type) -> dict[str, str]:
    """Return what a class assigns in its body, with what is said of it behind."""
    source = textwrap.dedent(inspect.getsource(cls))
    body = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)).body
    said = {}
    for node, behind in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            doc = (
                isinstance(behind, ast.Expr) and isinstance(behind.value, ast.Constant) and behind.value.value
            )
            said[node.target.id] = str(doc or "")
    return said


def _is_plain_error(value: type) -> bool:
    return issubclass(value, BaseException) and "__init__" not in vars(value)


def _typed(value: Any) -> tuple[dict[str, str], dict[str, str], str]:
    """Return the annotations and defaults of the parameters as they are typed, and of what is returned."""
    if not inspect.isclass(value):
        return _of_function(value)
    if dataclasses.is_dataclass(value) or hasattr(value, "_fields"):
        typed: dict[str, str] = {}
        defaults: dict[str, str] = {}
        for base in reversed(value.__mro__):
            if base.__module__.startswith("unrolled"):
                for name, node in _annotated(base).items():
                    typed[name] = ast.unparse(node.annotation)
                    if node.value is not None and not isinstance(node.value, ast.Call):
                        defaults[name] = ast.unparse(node.value)
        return typed, defaults, ""
    typed, defaults, _ = _of_function(value.__init__)
    return typed, defaults, ""


def _annotated(cls: type) -> dict[str, ast.AnnAssign]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    body = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)).body
    return {n.target.id: n for n in body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}


def _of_function(value: Any) -> tuple[dict[str, str], dict[str, str], str]:
    value = inspect.unwrap(value.__func__ if isinstance(value, MethodType) else value)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(value)))
    except (OSError, TypeError, SyntaxError):
        return {}, {}, ""
    found = next((n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)), None)
    if found is None:
        return {}, {}, ""
    a = found.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    typed = {arg.arg: ast.unparse(arg.annotation) for arg in every if arg.annotation is not None}
    return typed, dict(_defaults(a)), ast.unparse(found.returns) if found.returns else ""


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, str]]:
    places = [*arguments.posonlyargs, *arguments.args]
    for arg, node in zip(places[len(places) - len(arguments.defaults) :], arguments.defaults, strict=True):
        yield arg.arg, ast.unparse(node)
    for arg, kw in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if kw is not None:
            yield arg.arg, ast.unparse(kw)


def _default(value: Any, typed: str | None) -> str:
    """Return a default as it is typed, or as Python writes it where that says more than an address."""
    text = typed or repr(value)
    return text if typed or not re.search(r"<| at 0x", text) else "..."
