"""The benchmarks run, at sizes that take no time, and say what they measured; no test looks at a clock."""

import json
import math
from dataclasses import replace

import pytest
import torch

from benchmarks import attention, costs, generate, gpt, gpu, linear, memory, report, seq2seq, today
from benchmarks.__main__ import main
from benchmarks.explicit import explicit
from benchmarks.timing import Race, Row, Spread, Timer, verdict
from unrolled.nn import GPT, GPTConfig, MultiHeadAttention, causal_mask

TIMER = Timer(pairs=3)
TODAY = today.Sizes(
    window=5,
    length=202,
    d_model=12,
    n_heads=2,
    d_ff=7,
    n_experts=3,
    n_tokens=11,
    far=211,
    n_new=5,
    vocab_size=13,
    d_latent=3,
    d_turned=4,
    held=17,
)
TINY = gpt.Sizes(n_layers=2, n_heads=3, d_model=15, length=7, batch=5, vocab_size=11)
PAIRS = seq2seq.Sizes("tiny", 3, 5, 7, source_vocab_size=11, target_vocab_size=13, d_model=4, d_hidden=6)


def test_a_spread_is_the_median_and_the_ranks_around_it():
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    # Of 100 the ranks 41 and 60 (about 50 -/+ 9.8) hold the median 19 times in 20.
    assert Spread.of([float(i) for i in range(1, 101)]) == Spread(50.5, 40.0, 61.0)


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (Spread(1.1, 0.9, 1.2), "met"),
        (Spread(0.98, 0.9, 1.1), "within the noise"),
        (Spread(0.8, 0.7, 0.9), "missed"),
    ],
)
def test_a_verdict_heeds_the_noise(ratio, said):
    assert verdict(ratio, at_least=1.0) == said


def test_a_verdict_on_what_should_be_small():
    spread = Spread(1.1, 1.0, 1.2)
    said = [verdict(spread, at_most=limit) for limit in (1.15, 1.05, 0.9)]
    assert said == ["met", "within the noise", "missed"]
    assert verdict(spread) == ""


def test_a_race_takes_ratios_round_by_round_and_the_faster_reference():
    race = Race({"ours": [1.0, 2.0, 4.0], "again": [1.0, 2.0, 4.0], "a": [3.0, 6.0, 12.0], "b": [9.0] * 3})
    row = race.row("case", "a", "b", at_least=2.0, work=10)
    assert (row.reference, row.ratio, row.noise) == ("a", Spread(3.0, 3.0, 3.0), Spread(1.0, 1.0, 1.0))
    assert (row.unit, row.ours, row.theirs) == ("tokens/s", 5.0, 10 / 6.0)
    assert (row.target, row.verdict) == ("≥ 2.00", "met")
    assert race.row("case", "b").theirs == 9000.0


def test_every_contestant_runs_once_a_round():
    runs = []
    race = Timer(pairs=4).race(lambda: runs.append("ours"), other=lambda: runs.append("other"))
    assert {name: len(times) for name, times in race.times.items()} == {"ours": 4, "again": 4, "other": 4}
    # Three rounds before the clock is read; ours runs twice in each. Another one begins each timed round.
    assert runs[:9] == ["ours", "ours", "other"] * 3
    assert runs[9:18] == ["ours", "ours", "other", "ours", "other", "ours", "other", "ours", "ours"]


def test_explicit_attention_is_the_layer_it_is_compared_with():
    torch.manual_seed(0)
    layer, x, mask = MultiHeadAttention(15, 3).double(), torch.randn(5, 7, 15).double(), causal_mask(7)
    torch.testing.assert_close(explicit(layer, x, mask), layer(x, causal=True))


@pytest.mark.parametrize(
    ("run", "n_rows"),
    [
        (lambda: attention.measure(TIMER, ((2, 7, 15, 3),)), 14),
        (lambda: gpt.measure(TIMER, TINY, replace(TINY, batch=4)), 4),
        (lambda: generate.measure(TIMER, TINY, n_new=5), 2),
        (lambda: seq2seq.measure(TIMER, (PAIRS,)), 5),
        (lambda: today.measure(TIMER, TODAY), 9),
        (lambda: linear.measure(TIMER, (7, 67)), 4),
        (lambda: gpu.measure(TIMER, TINY, torch.device("cpu"), compiled=False, size=32), 2),
    ],
    ids=["attention", "gpt", "generate", "seq2seq", "today", "linear", "gpu"],
)
def test_a_group_measures(run, n_rows):
    rows = list(run())
    assert len(rows) == n_rows
    assert len({(row.case, row.reference) for row in rows}) >= n_rows - 1
    for row in rows:
        assert row.ours > 0
        assert row.theirs > 0
        assert row.ratio.low <= row.ratio.median <= row.ratio.high
        assert bool(row.target) == bool(row.verdict)


def test_the_costs_of_writing_and_of_pairs():
    config = GPTConfig(vocab_size=11, max_len=7, d_model=6, n_heads=2, n_layers=1)
    rows = list(costs.measure(TIMER, config, 5, (3, 13), 6, 2))
    cases = ["prefill of 7", "decoding, batch 5", "pairs, T=3 d=6", "pairs, T=13 d=6"]
    for case, row in zip(cases, rows, strict=False):
        assert case in row.case
        assert row.ours > 0
        assert row.theirs > 0
    assert [row.unit for row in rows[:4]] == ["tokens/s", "tokens/s", "ms", "ms"]


def test_where_a_ratio_passes_one():
    assert costs.crossing((2, 8), [0.5, 2.0]) == pytest.approx(4)
    assert costs.crossing((2, 8, 32), [0.1, 0.5, 2.0]) == pytest.approx(16)
    assert math.isnan(costs.crossing((2, 8), [1.5, 2.0]))


def test_memory_is_counted_in_a_process_of_its_own(monkeypatch):
    # Each thread of the kernel has a room of its own to work in, which at these sizes is not small.
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    rows = {row.case: row for row in memory.measure(TIMER, (256, 512), d_model=32, n_heads=2)}
    short, long = (rows[f"causal forward T={length} D=32, allocated"] for length in (256, 512))
    # Queries, keys and values, the context, the output: 5 x T x D floats, and what the kernel works in.
    floats = short.ours * 2**20 / 4
    assert 5 * 256 * 32 <= floats < 7 * 256 * 32
    assert short.ours < long.ours <= 2 * short.ours
    # The explicit form holds weights of H x T x T on top.
    assert short.theirs > 2 * 256 * 256 * 4 / 2**20


def test_the_peak_is_of_what_is_held_at_once():
    def run():
        first = torch.ones(1000, 256)
        second = first + 1
        del first
        return second + second

    # Two at once, never three; scalars come on top.
    assert memory.allocated_peak(run) == pytest.approx(2 * 1000 * 256 * 4, abs=64)


def test_flops_follow_the_weights():
    config = GPTConfig(vocab_size=11, max_len=7, d_model=15, n_heads=3, n_layers=2, bias=False)
    weights = 2 * 12 * 15**2 + 11 * 15 + (2 * 2 + 1) * 15  # blocks, tied embedding, norms
    assert gpu.flops_per_token(GPT(config), TINY) == 6 * weights + 12 * 2 * 15 * 7


def test_results_are_kept_by_group(tmp_path):
    run = {
        "date": "2026-01-01",
        "commit": "abc",
        "command": "python -m benchmarks",
        "machine": report.machine(),
        "threads": 1,
        "pairs": 3,
        "clock": "wall",
        "load": [0.5, 0.6],
    }
    spread = Spread(1.5, 1.4, 1.6)
    row = Row("a case", "theirs", "ms", 2.0, 3.0, spread, Spread(1.0, 0.9, 1.1), "≥ 1.00", "met")
    report.update(tmp_path, "first", run, [row])
    report.update(tmp_path, "second", run, [row])
    report.update(tmp_path, "first", run | {"commit": "def"}, [])
    results = json.loads((tmp_path / "benchmarks.json").read_text(encoding="utf-8"))
    assert [(kept["commit"], kept["rows"]) for kept in results["first"]] == [("def", [])]
    assert results["second"][0]["rows"][0]["ratio"] == {"median": 1.5, "low": 1.4, "high": 1.6}
    text = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    line = "| a case | theirs | 2 | 3 | ms | 1.50 (1.40–1.60) | 1.00 (0.90–1.10) | ≥ 1.00 | met |"
    assert text.count(line) == 1
    with pytest.raises(ValueError, match=r"benchmarks\.json: .* got nan for first/0/rows/0/ours"):
        report.update(tmp_path, "first", run, [replace(row, ours=math.nan)])
    assert json.loads((tmp_path / "benchmarks.json").read_text(encoding="utf-8")) == results


def test_results_of_another_machine_stand_beside(tmp_path):
    spread = Spread(1.5, 1.4, 1.6)
    row = Row("a case", "theirs", "ms", 2.0, 3.0, spread, None, "", "")
    about = {"date": "2026-01-01", "command": "c", "threads": 1, "pairs": 3, "clock": "wall", "load": [0, 0]}
    here = {**report.machine(), "cpu": "this"}
    for commit, machine in (
        ("abc", here),
        ("def", {**here, "cpu": "other"}),
        ("ghi", {**here, "torch": "9"}),
    ):
        report.update(tmp_path, "first", {**about, "commit": commit, "machine": machine}, [row])
    results = json.loads((tmp_path / "benchmarks.json").read_text(encoding="utf-8"))
    assert [run["commit"] for run in results["first"]] == ["def", "ghi"], "of each machine the latest"
    text = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert text.count("## first") == 1
    assert text.index("commit def") < text.index("other") < text.index("commit ghi")
    assert text.count("| a case |") == 2


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    threads = torch.get_num_threads()
    assert main(["--only", "gpu", "--threads", str(threads), "--out", str(tmp_path)]) == 0
    assert "gpu: skipped, no GPU at hand" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    with pytest.raises(SystemExit):
        main(["--only", "speed"])
    assert "expected some of attention, memory" in capsys.readouterr().err
