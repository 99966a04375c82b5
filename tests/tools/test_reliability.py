"""The experiment on what the course survives, with some dozens of inputs of another seed; its result."""

import json
import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.widgets.every import WIDGETS
from tools.experiments.__main__ import experiments
from tools.experiments.reliability import EVENTS, INPUTS, kills
from tools.experiments.reliability.arguments import check_arguments, recorded
from tools.experiments.reliability.mutations import damaged
from tools.experiments.reliability.page_files import check_page_reader
from tools.experiments.reliability.pages import check_pages
from tools.experiments.reliability.readers import Reader, check, readers
from unrolled.training.results import read_result

SEED = 1
READERS = readers()
DECISION = Path(__file__).parents[2] / "docs" / "decisions" / "0067-reliability.md"


def test_it_is_one_of_the_experiments() -> None:
    assert "reliability" in experiments()


def test_damage_is_the_same_from_the_same_seed_and_mostly_another_from_another() -> None:
    whole = json.dumps({"a": [1, 2.5, "x"], "b": {"c": None}}).encode()
    made = [damaged(whole, random.Random(i), ".json") for i in range(200)]
    assert made == [damaged(whole, random.Random(i), ".json") for i in range(200)]
    assert len(set(made)) > 100


@pytest.mark.parametrize("name", READERS)
def test_a_reader_refuses_what_is_damaged_or_reads_what_it_holds(name: str) -> None:
    verdict = check(name, READERS[name], 24, SEED)
    assert verdict.failures == []
    assert sum(verdict.answers.values()) == 24
    assert verdict.answers["refused"] + verdict.answers["as the file says"] > 6


def test_a_reader_that_is_careless_is_found(tmp_path: Path) -> None:
    def careless(read: object, *errors: type[BaseException]) -> set[str]:
        reader = Reader(
            lambda folder: (folder / "one.json").write_text('{"a": [1, 2, 3]}'),
            read,  # type: ignore[arg-type]
            errors or (ValueError,),
        )
        return set(check("careless", reader, 60, SEED).answers)

    def lenient(folder: Path) -> object:
        return (folder / "one.json").read_bytes()

    assert "other numbers" in careless(lenient, OSError)
    assert "refused without its name" in careless(lambda folder: json.loads(lenient(folder)))  # type: ignore
    assert "another error" in careless(lambda folder: json.loads(lenient(folder))["a"][2])  # type: ignore


@pytest.mark.parametrize("name", [name for name in WIDGETS if not name.startswith("explore")])
def test_a_widget_refuses_what_it_cannot_show_or_comes_out_whole(name: str) -> None:
    verdict, made = check_arguments(name, 30, SEED)
    assert verdict.failures == []
    assert 0 < len(made) < 30


@pytest.mark.parametrize("name", ["attention-map", "qkv-bench", "token-cutter"])
def test_whatever_a_reader_does_no_script_runs_and_no_number_is_none(page: Page, name: str) -> None:
    _, made = check_arguments(name, 30, SEED)
    verdict = check_pages(page.context, name, made, 120, SEED, events=60)
    assert verdict.failures == []
    assert sum(verdict.answers.values()) == 120


def test_a_widget_that_is_careless_is_found(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """A widget that puts what is typed into its page as HTML, and computes with what is no number."""
    careless = """addEventListener("input", (event) => {
        const out = document.querySelector(".unrolled-live").appendChild(document.createElement("p"));
        out.textContent = String(Number(event.target.value) / 0);
        if (/[<]/.test(event.target.value)) out.innerHTML = event.target.value;
        if (event.target.value.length > 1000) throw new Error("too long");
    });"""
    assert page.context.browser is not None
    context = page.context.browser.new_context()  # its pages may do what those of the tests may not
    context.add_init_script(careless)
    found = "\n".join(check_pages(context, "token-cutter", [], 400, SEED, events=100).failures)
    context.close()
    assert "markup" in found or "a script ran" in found
    assert re.search(r"shows .*(NaN|Infinity)", found)


def test_the_pages_reader_of_weights(page: Page) -> None:
    verdict = check_page_reader(page.context, 100, SEED)
    assert verdict.failures == []
    assert verdict.answers["refused"] > 30


def test_what_a_kill_leaves_is_told_from_what_it_lost(tmp_path: Path) -> None:
    """One kill; `tests.training.test_checkpoint` has kills at every critical place."""
    figures = kills.kills(tmp_path / "kills", n=1, steps=30, seed=SEED)
    assert figures["kills"] == 1
    assert figures["kills, runs that were finished"] >= 1
    assert figures["kills, most steps to take again"] <= kills.EVERY
    bad = ("not SIGKILL's", "ended otherwise", "damaged", "lost")
    assert not any(number for name, number in figures.items() if any(word in name for word in bad))


def test_recorded_arguments_make_the_widget_again() -> None:
    made = recorded("paint-mixer")
    assert made.make(**made.given).state() == WIDGETS["paint-mixer"].make().state()


def test_what_was_measured_is_without_a_failure_and_is_what_the_decision_says() -> None:
    result = read_result("reliability")
    figures = {name: values[0] for name, values in result["metrics"].items()}
    words = ("failures", "not SIGKILL's", "otherwise", "damaged", "lost", "not told")
    failures = {name: number for name, number in figures.items() if any(word in name for word in words)}
    assert len(failures) >= 9
    assert not any(failures.values()), failures
    assert figures["kills"] == 50
    assert figures["kills, most steps to take again"] <= kills.EVERY
    assert figures["readers"] == len(READERS) + 1
    assert set(result["tables"]["widgets"]) == set(WIDGETS)
    assert figures["readers, fewest inputs to one"] == figures["widgets, fewest inputs to one"] == INPUTS
    assert not [name for name, commit in result["tables"]["commits"].items() if commit.endswith("+changes")]
    said = DECISION.read_text(encoding="utf-8")
    for number in (
        figures["readers"],
        figures["readers, inputs"],
        figures["widgets"],
        figures["widgets, inputs"],
        figures["kills"],
        figures["kills, while a checkpoint was written"],
        figures["kills, most steps to take again"],
        figures["full disks"],
        figures["folders gone read-only"],
        EVENTS,
    ):
        assert re.search(rf"(?<![\d,]){number:,}(?![\d,])", said), number
