"""The public names of the package: which page of the reference each stands on, and what is internal.

A name is public when the ``__all__`` of a public module lists it. It is known by its shortest path, such as
``unrolled.nn.GPT`` for ``unrolled.nn.gpt.GPT``, and it stands in the section of the module that defines it.
"""

import ast
import importlib
import inspect
import math
import pkgutil
import re
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

__all__ = ["INTERNAL", "PAGES", "Public", "modules", "of_page", "page_of", "public_names"]

# Each page, and what stands on it: a package with its modules, but for those that have a page of their own.
PAGES = {
    "reference_look": ["unrolled", "unrolled.looking"],
    "reference_shapes": ["unrolled.shapes", "unrolled.tap", "unrolled.timeline"],
    "reference_nn": ["unrolled.nn"],
    "reference_generate": ["unrolled.generate"],
    "reference_probe": ["unrolled.probe"],
    "reference_pretrained": ["unrolled.pretrained"],
    "reference_data": ["unrolled.data"],
    "reference_tokenizers": ["unrolled.data.tokenizers"],
    "reference_training": ["unrolled.training", "unrolled.cli"],
    "reference_recipes": ["unrolled.training.recipes"],
    "reference_costs": ["unrolled.costs"],
    "reference_plots": ["unrolled.plots"],
    "reference_widgets": ["unrolled.widgets"],
    "reference_exercises": ["unrolled.exercises"],
}

_LOOKING = "what `look` is made of"
_FIELDS = "how the functions of `unrolled.pretrained` read a configuration"
_WORDS = "the words and rules of a corpus, whose module passes on what others need"
_TOKENIZER = "what the tokenizers have in common"
# Modules that serve others of the package: no promise is made of their names, and why.
INTERNAL = {
    "unrolled.costs.whole": "a check of what the functions of costs are given",
    "unrolled.data.seeds": "passed on by `unrolled.training`",
    "unrolled.data.spanish_grammar": _WORDS,
    "unrolled.data.spanish_lexicon": _WORDS,
    "unrolled.data.text_lexicon": _WORDS,
    "unrolled.data.three_bears_grammar": _WORDS,
    "unrolled.data.three_bears_lexicon": _WORDS,
    "unrolled.data.tokenizers.inputs": _TOKENIZER,
    "unrolled.data.tokenizers.library": _TOKENIZER,
    "unrolled.data.tokenizers.saved": _TOKENIZER,
    "unrolled.data.tokenizers.table": _TOKENIZER,
    "unrolled.inputs": "checks of what people hand in",
    "unrolled.looking.export": _LOOKING,
    "unrolled.looking.ours": _LOOKING,
    "unrolled.looking.pieces": _LOOKING,
    "unrolled.looking.refuse": _LOOKING,
    "unrolled.looking.scene": _LOOKING,
    "unrolled.looking.theirs": _LOOKING,
    "unrolled.pretrained.configs": _FIELDS,
    "unrolled.pretrained.fields": _FIELDS,
    "unrolled.pretrained.llama_config": _FIELDS,
    "unrolled.pretrained.read": _FIELDS,
    "unrolled.pretrained.states": _FIELDS,
    "unrolled.pretrained.vit_config": _FIELDS,
    "unrolled.rounding": "how pages and stored weights round numbers to 8 bits",
    "unrolled.training.files": "how checkpoints and results are written",
    "unrolled.training.progress": "what a run shows while it goes",
    "unrolled.training.state": "how checkpoints are laid out",
    "unrolled.widgets.bundle": "how the widgets' scripts become one",
    "unrolled.widgets.colour": "colours of the widgets as numbers",
    "unrolled.widgets.maps": "checks of what widgets are given",
    "unrolled.widgets.qkv_settings": "checks of what a widget is given",
}


@dataclass(frozen=True)
class Public:
    """One public name."""

    path: str
    """The shortest path it is imported from."""
    home: str
    """The module that defines it."""
    section: str
    """The public module in whose section it stands: its home, if that is public."""
    kind: str
    """``class``, ``exception``, ``function`` or ``data``."""

    @property
    def name(self) -> str:
        """The name without its module."""
        return self.path.rpartition(".")[2]


@cache
def modules() -> dict[str, ModuleType]:
    """Return every module of the package that is not private by its name, imported."""
    import unrolled

    names = ["unrolled", *(found.name for found in pkgutil.walk_packages(unrolled.__path__, "unrolled."))]
    public = (name for name in names if not any(part.startswith("_") for part in name.split(".")))
    return {name: importlib.import_module(name) for name in sorted(public)}


def page_of(module: str) -> str | None:
    """Return the page on which the names of `module` stand; none if it is internal."""
    if module in INTERNAL:
        return None
    whole = {"unrolled"}  # the package itself, not all that is in it
    fitting = [
        (len(front), page)
        for page, fronts in PAGES.items()
        for front in fronts
        if module == front or (front not in whole and module.startswith(f"{front}."))
    ]
    return max(fitting)[1] if fitting else None


@cache
def public_names() -> list[Public]:
    """Return every public name once, in the order of the modules and of their ``__all__``."""
    found: dict[tuple[str, str], Public] = {}
    for module, loaded in modules().items():
        if module in INTERNAL:
            continue
        for name in loaded.__all__:
            value = getattr(loaded, name)
            if isinstance(value, ModuleType):
                continue
            home = _home(module, name, value)
            if (home, name) not in found:
                section = module if home in INTERNAL else home
                front = _shortest(home, module, name, value)
                found[home, name] = Public(f"{front}.{name}", home, section, _kind(value))
    return list(found.values())


def of_page(page: str) -> dict[str, list[Public]]:
    """Return the public names on a page, by section; sections in the order in which chapters teach them."""
    there: dict[str, list[Public]] = {}
    for public in public_names():
        if page_of(public.section) == page:
            there.setdefault(public.section, []).append(public)
    return {section: there[section] for section in sorted(there, key=_order)}


def _order(module: str) -> tuple[int, float, str]:
    """Return what sections are sorted by: packages, then the chapter that teaches them, then the name."""
    taught = _first_chapter(modules()[module].__doc__ or "")
    return (not hasattr(modules()[module], "__path__"), taught, module)


def _first_chapter(text: str) -> float:
    """Return the first chapter that `text` says it is taught in; infinity if it names none."""
    said = re.search(r"\bchapters? (\d+)", text)
    return int(said[1]) if said else math.inf


def _passes_on(module: str, name: str, value: Any) -> bool:
    held = modules()[module]
    return name in held.__all__ and getattr(held, name) is value


def _home(module: str, name: str, value: Any) -> str:
    """Return the module that defines what `module` lists."""
    stated = getattr(value, "__module__", "")
    if isinstance(stated, str) and stated in modules() and _passes_on(stated, name, value):
        return stated
    above = _imported_from(module).get(name)
    return _home(above, name, value) if above in modules() else module


@cache
def _imported_from(module: str) -> dict[str, str]:
    """Return the module that each name of `module` is imported from."""
    tree = ast.parse(inspect.getsource(modules()[module]))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def _shortest(home: str, listed: str, name: str, value: Any) -> str:
    """Return the highest public package over `home` that passes the name on; `listed` does, if no other."""
    parts = home.split(".")
    above = [".".join(parts[: n + 1]) for n in range(len(parts))]
    return next((m for m in above if m not in INTERNAL and _passes_on(m, name, value)), listed)


def _kind(value: Any) -> str:
    if isinstance(value, type) and getattr(value, "__module__", "").startswith("unrolled"):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if hasattr(inspect.unwrap(value), "__code__") else "data"
