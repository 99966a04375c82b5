"""Every example in a docstring shows what comes out of it, and what users meet first has one."""

import doctest
import inspect

import pytest
import torch

from tools.public_names import modules, of_page

# Pages of the reference whose packages have an example for every class and function they pass on.
SHOWN = ("reference_nn", "reference_generate", "reference_probe", "reference_pretrained", "reference_look")
FINDER = doctest.DocTestFinder(exclude_empty=True)


PARTS = sorted({".".join(name.split(".")[:2]) for name in modules()} - {"unrolled.__main__"})


@pytest.mark.parametrize("part", PARTS)
def test_the_examples_of_a_part_are_true(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part at a time, so that what is slow to import is imported once."""
    monkeypatch.setenv("UNROLLED_OFFLINE", "1")
    torch.manual_seed(0)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for name, module in modules().items():
        if name == part or (part != "unrolled" and name.startswith(f"{part}.")):
            for test in FINDER.find(module, name):
                runner.run(test, out=told.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(told)


def test_what_users_meet_first_has_an_example() -> None:
    packages = {name for name, module in modules().items() if hasattr(module, "__path__")}
    there = [public for page in SHOWN for names in of_page(page).values() for public in names]
    met = [p for p in there if p.kind in {"class", "function"} and p.path.rpartition(".")[0] in packages]
    assert len(met) > 100
    assert [
        p.path for p in met if ">>>" not in (inspect.getdoc(getattr(modules()[p.home], p.name)) or "")
    ] == []
