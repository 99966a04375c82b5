"""The experiment on today's block changes one part at a time, and records what a page draws."""

from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from tools.experiments import today
from tools.experiments.briefly import with_attention
from tools.experiments.today import BASE, BLOCK, CASES, VIEWS, active, build, measure
from unrolled.data.text import corpus
from unrolled.training.results import read_result


@pytest.mark.parametrize("name", CASES)
def test_a_token_passes_as_many_parameters_in_every_case(name: str) -> None:
    assert active(build(name)) == pytest.approx(active(build(BASE)), rel=0.003)


def test_of_eight_experts_six_are_idle():
    model = build("eight experts, two asked")
    expert = sum(p.numel() for p in model.layers[0].feedforward.experts[3].parameters())
    assert sum(p.numel() for p in model.parameters()) - active(model) == 4 * 6 * expert


def test_the_cache_keeps_what_the_part_promises():
    kept = {name: today.table(name)["numbers in the cache"] for name in CASES}
    everything = 4 * BLOCK * 2 * 128
    assert kept[BASE] == everything
    assert kept["one head of keys and values"] == everything / 4
    assert kept["window of 32"] == everything * 32 / BLOCK
    assert kept["latent attention"] == 4 * BLOCK * (48 + 16)
    assert kept["all of Llama's"] == everything / 2


def test_another_view_leaves_the_weights_as_they_are():
    model, tokens = build(BASE).eval(), torch.randint(0, 1536, (3, BLOCK))
    parts = CASES[BASE].change(model.config.parts())
    whole = with_attention(model, parts, mask_rule=None)
    narrow = with_attention(model, parts, mask_rule=VIEWS["window of 32"])
    with torch.no_grad():
        assert_close(whole(tokens), model(tokens))
        assert_close(narrow(tokens)[:, :32], model(tokens)[:, :32])
        assert not torch.allclose(narrow(tokens)[:, 40:], model(tokens)[:, 40:])


def test_what_is_trained_is_recorded_and_not_trained_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = (BASE, "rotary positions", "eight experts, two asked")
    monkeypatch.setattr(today, "CASES", {name: CASES[name] for name in some})
    monkeypatch.setattr(today, "_CHANGES", {name: CASES[name] for name in some})
    monkeypatch.setattr(today, "BATCH", 2)
    books = [corpus(40_000, 3)]

    def record() -> dict[str, list[float]]:
        measure(books, steps=20, seeds=(7,), folder=tmp_path, runs=tmp_path / "runs")
        return read_result("today", tmp_path)["metrics"]

    first = record()
    assert {key.removeprefix(f"{BASE}, ") for key in first if key.startswith(f"{BASE}, loss, ")} == {
        f"loss, {view}" for view in VIEWS
    }
    found = read_result("today", tmp_path)["tables"]
    assert len(found["curves"][BASE][0]) == len(found["points"]) == 1
    assert found["curves"][BASE][0][0] < 7.4  # ln 1,536 = 7.34
    monkeypatch.setattr(today, "train", None)  # called no more
    assert record() == first
    (tmp_path / "runs" / "GPT-2's-block-7.pt").unlink()
    with pytest.raises(TypeError):
        record()
