"""The playground's model computes what torch does, tensor by tensor, also where a reader has changed it."""

import base64
import hashlib
import os
from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from safetensors.torch import save
from torch import Tensor

from tests.widgets.playgrounds import HEADS, small_model, store, tokenizer
from unrolled.nn import GPT
from unrolled.probe import walkthrough
from unrolled.tap import edit
from unrolled.training.eight_bits import to_eight_bits
from unrolled.widgets import bundle

SENTENCES = (
    "I love bears",
    "She bears the pain",
    "Bears won the game",
    "bears",
    "भालू 🐻 bears",
    "\x00\x07 tab\tand\nline",
    "مرحبا bears",
    "aaaaaaaaaaaa",
    "I love love love bears, bears",
    "e\u0301 é ﬀ",
)
TOLERANCE = 1e-4


def run(
    page: Page,
    body: str,
    given: Any,
    names: tuple[str, ...] = ("playground-engine", "playground-state", "safetensors", "sha256"),
) -> Any:
    return page.evaluate(f"async (given) => {{ {bundle._inline(list(names))} {body} }}", given)


READ = """
    const bytes = Uint8Array.from(atob(given.weights), (c) => c.charCodeAt(0));
    const engine = new $playground_engine.Engine($safetensors.readTensors(bytes.buffer),
        { nHeads: 2, eps: 1e-5 });
    const runs = [engine.begin()];
    const nothing = $playground_state.nothingDone();
    const read = (tokens, done = nothing) => { for (const share of engine.read(runs[0], tokens, done)); };
    const named = (x) => Object.fromEntries(Object.entries(x).map(([name, one]) => [name, plain(one)]));
    const plain = (x) => (ArrayBuffer.isView(x) ? [...x] : Array.isArray(x) ? x.map(plain)
        : x && typeof x === "object" ? named(x) : x);
    const traced = (t) => plain(engine.trace(runs[0], t));
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = store(tmp_path_factory.mktemp("weights") / "small.safetensors")
    return base64.b64encode(path.read_bytes()).decode()


def close(got: Any, expected: Tensor, what: str) -> None:
    torch.testing.assert_close(
        torch.tensor(got, dtype=torch.float32),
        expected.float(),
        rtol=TOLERANCE,
        atol=TOLERANCE,
        msg=lambda text: f"{what}: {text}",
    )


def compare(trace: dict[str, Any], walk: dict[str, Tensor], t: int) -> int:
    """Compare everything in a trace; return how many tensors that were."""
    seen = 0

    def one(got: Any, name: str, at: Any) -> None:
        nonlocal seen
        seen += 1
        close(got, walk[name][at], name)

    for name in ("word", "place", "embedded", "logits"):
        one(trace[name], name, t)
    for part, name in (("mean", "final.mean"), ("variance", "final.variance"), ("out", "final")):
        one(trace["norm"][part], name, t)
    for layer, block in enumerate(trace["blocks"]):
        one(block["input"], f"{layer - 1}.output" if layer else "embedded", t)
        for ours, theirs in (("norm", "norm"), ("secondNorm", "second_norm")):
            for part, name in (("mean", ".mean"), ("variance", ".variance"), ("out", "")):
                one(block[ours][part], f"{layer}.{theirs}{name}", t)
        for name in ("query", "key", "value"):
            seen += 1
            close(block[name], walk[f"{layer}.{name}"][:, t].flatten(), name)
        for head in range(HEADS):
            one(block["heads"][head]["scores"], f"{layer}.scores", (head, t, slice(t + 1)))
            one(block["heads"][head]["weights"], f"{layer}.weights", (head, t, slice(t + 1)))
            one(block["heads"][head]["context"], f"{layer}.context", (head, t))
        for name in ("joined", "projected", "middle", "up", "hidden", "down", "output"):
            one(block[name], f"{layer}.{name}", t)
        one(trace["lens"][layer], f"{layer}.lens", t)
    return seen


def test_every_tensor_of_ten_sentences_equals_torch(page: Page, weights: str) -> None:
    texts = [tokenizer().encode(text) for text in SENTENCES]
    traces = run(
        page,
        READ + "return given.texts.map((ids) => { read(ids); return ids.map((_, t) => traced(t)); });",
        {"weights": weights, "texts": texts},
    )
    seen = 0
    for ids, of in zip(texts, traces, strict=True):
        walk = walkthrough(small_model(), torch.tensor(ids))
        for t, trace in enumerate(of):
            seen += compare(trace, walk, t)
    assert seen > 5_000


def test_a_token_more_or_another_end_costs_no_new_beginning(page: Page, weights: str) -> None:
    ids = tokenizer().encode("I love bears and bears love me")
    got = run(
        page,
        READ
        + """
        const steps = (tokens) => [...engine.read(runs[0], tokens, nothing)].length;
        const all = steps(given.ids.slice(0, -1));
        const more = steps(given.ids);
        const other = steps([...given.ids.slice(0, -1), 7]);
        const none = steps([...given.ids.slice(0, -1), 7]);
        return { counts: [all, more, other, none], trace: traced(given.ids.length - 1) };""",
        {"weights": weights, "ids": ids},
    )
    assert got["counts"][0] > 1
    assert got["counts"][1:] == [1, 1, 0]
    compare(got["trace"], walkthrough(small_model(), torch.tensor([*ids[:-1], 7])), len(ids) - 1)


def logits_of(model: GPT, ids: list[int], changes: dict[str, Any]) -> Tensor:
    with torch.no_grad(), edit(model, changes):
        return model(torch.tensor([ids]))[0]


def test_heads_blocks_tokens_and_weights_that_are_changed_change_what_follows(
    page: Page, weights: str
) -> None:
    ids = tokenizer().encode("Bears won the game")
    last = len(ids) - 1

    def without_head(context: Tensor) -> Tensor:
        context[:, 1] = 0
        return context

    def hidden(scores: Tensor) -> Tensor:
        others = torch.arange(len(ids))[:, None] != torch.arange(len(ids))
        barred = others & (torch.arange(len(ids)) == 2)
        return scores.masked_fill(barred, -torch.inf)

    def by_hand(given: Tensor) -> Tensor:
        row = given[0, 0, last].clone()
        rest = 1 - row[1]
        row *= 0.3 / rest
        row[1] = 0.7
        given[0, 0, last] = row
        return given

    model = small_model()
    same = {"heads": [], "blocks": [], "hidden": [], "set": []}
    cases = [
        ({**same, "heads": [[0, 1]]}, {"layers.0.attention.context": without_head}),
        ({**same, "hidden": [2]}, {f"layers.{layer}.attention.scores": hidden for layer in range(2)}),
        ({**same, "set": [[1, 0, last, 1, 0.7]]}, {"layers.1.attention.weights": by_hand}),
    ]
    got = run(
        page,
        READ
        + """
        const after = (done) => {
            read(given.ids, done);
            return traced(given.ids.length - 1).logits;
        };
        const plainly = after(nothing);
        return { plainly, changed: given.cases.map((done) => [after(done), after(nothing)]),
            block: [after({ ...nothing, blocks: [1] })] };""",
        {"weights": weights, "ids": ids, "cases": [done for done, _ in cases]},
    )
    for (done, changes), (changed, back) in zip(cases, got["changed"], strict=True):
        expected = logits_of(model, ids, changes)[last]
        close(changed, expected, str(done))
        assert (torch.tensor(changed) - torch.tensor(got["plainly"])).abs().max() > 1e-3
        assert back == got["plainly"]
    walk = walkthrough(model, torch.tensor(ids))
    close(got["block"][0], walk["0.lens"][last], "without the last block")


@pytest.mark.parametrize(
    ("row", "set_", "expected"),
    [
        ([0.5, 0.3, 0.2], {0: 0.2}, [0.2, 0.48, 0.32]),
        ([0.5, 0.3, 0.2], {0: 0.0, 1: 0.0}, [0.0, 0.0, 1.0]),
        ([0.5, 0.3, 0.2], {0: 0.9, 1: 0.6}, [0.6, 0.4, 0.0]),
        ([0.5, 0.5], {0: 0.25, 1: 0.25}, [0.5, 0.5]),
        ([1.0], {0: 0.3}, [1.0]),
        ([1.0], {0: 0.0}, [0.0]),
    ],
)
def test_a_weight_set_by_hand_is_taken_from_the_others(
    page: Page, row: list[float], set_: dict[int, float], expected: list[float]
) -> None:
    got = run(
        page,
        """const row = Float32Array.from(given.row);
        $playground_engine.byHand(row, given.set);
        return [...row];""",
        {"row": row, "set": [[0, 0, 0, j, w] for j, w in set_.items()]},
    )
    assert got == pytest.approx(expected, abs=1e-6)


def test_a_digest_is_that_of_the_standard_library(page: Page) -> None:
    texts = [b"", b"abc", os.urandom(55), os.urandom(56), os.urandom(64), os.urandom(119), os.urandom(10_001)]
    got = run(
        page,
        "return given.map((one) => $sha256.sha256(Uint8Array.from(one)));",
        [list(text) for text in texts],
    )
    assert got == [hashlib.sha256(text).hexdigest() for text in texts]


def test_files_that_are_no_weights_are_named(page: Page) -> None:
    whole = save(to_eight_bits({"w": torch.randn(3, 5), "v": torch.randn(4)}))
    no_step = save({"w": torch.ones(2, 2, dtype=torch.int8)})
    other = save({"w": torch.ones(2, 2, dtype=torch.int64)})
    cases = [b"", b"1234567", whole[:100], whole[:-1], no_step, other, (2**40).to_bytes(8, "little") + b"{}"]
    got = run(
        page,
        """return given.map((one) => {
            try {
                $safetensors.readTensors(Uint8Array.from(one).buffer);
                return "read";
            } catch (error) {
                return error.message;
            }
        });""",
        [list(case) for case in [*cases, whole]],
    )
    assert "read" not in got[:-1]
    assert got[-1] == "read"
    for message, said in zip(
        got,
        [
            "without a whole",
            "without a whole",
            "",
            "cut or altered",
            "w: expected a step",
            "got I64",
            "without a whole",
        ],
        strict=False,
    ):
        assert said in message


def test_a_state_that_nobody_can_make_is_refused(page: Page) -> None:
    """A link may say anything."""
    bad = [
        {"written": [99]},
        {"at": [-2, 0]},
        {"done": {"heads": [[0, 2]], "blocks": [], "hidden": [], "set": []}},
        {"done": {"heads": [], "blocks": [], "hidden": [], "set": [[0, 0, 1, 2, 0.5]]}},
        {"done": {"heads": [], "blocks": [], "hidden": [], "set": [[0, 0, 1, 1, 1.5]]}},
        {"how": {"temperature": -1, "topK": None, "topP": 1}},
        {"how": {"temperature": 1, "topK": 0, "topP": 1}},
        {"how": {"temperature": 1, "topK": None, "topP": 2}},
        {"drawn": [1.5, 3]},
        {"drawn": [0.5, "<img>"]},
        {"second": 3},
        {"number": {"place": {"part": "query", "layer": 0, "head": 2}, "k": 0}},
        {"seed": 10},
    ]
    refused = run(
        page,
        """const { checked, first } = $playground_state;
        const sizes = { layers: 2, heads: 2, width: 6, vocabulary: 9, longest: 7 };
        const offered = { temperature: [0, 0.8, 1], topK: [1, 2], topP: [0.5, 1] };
        checked(first(), sizes, offered);
        return given.map((part) => {
            try { checked({ ...first(), ...part }, sizes, offered); return false; } catch { return true; }
        });""",
        bad,
    )
    assert refused == [True] * len(bad)
