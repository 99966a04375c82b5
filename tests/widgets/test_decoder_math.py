"""The encoder–decoder in JavaScript and in numpy equals `unrolled.nn.Seq2Seq` in float64."""

from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from tests.widgets.seq2seqs import SOURCE, TARGET, seq2seq
from unrolled.nn.seq2seq import Memory, Seq2Seq
from unrolled.tap import record
from unrolled.widgets import _seq2seq, bundle

TOLERANCE = 1e-9
MODELS = [
    (score, n_layers, bidirectional, seed)
    for score in (None, "dot")
    for n_layers in (1, 2)
    for bidirectional in (False, True)
    for seed in range(3)
]

RUN = """({ weights, source, target, given, damage }) => {
  const net = $seq2seq.readModel(weights);
  const read = $seq2seq.encode(net, source);
  const off = new Set(damage.off);
  const other = $seq2seq.encode(net, [...source].reverse());
  let state = $seq2seq.damaged(read.state, other.state, { ...damage, off });
  const first = state;
  const steps = target.map((word, t) => {
    const answer = $seq2seq.decodeStep(net, word, state, read.outputs, given[t]);
    state = answer.state;
    return answer;
  });
  return { ...read, first, steps };
}"""


def in_browser(page: Page, argument: Any) -> Any:
    return page.evaluate(f"(given) => {{ {bundle._inline(['seq2seq'])} return ({RUN})(given); }}", argument)


def close(got: Any, expected: Tensor) -> None:
    torch.testing.assert_close(
        torch.tensor(got, dtype=torch.float64), expected.detach(), rtol=0, atol=TOLERANCE
    )


def lists(model: Seq2Seq) -> dict[str, Any]:
    return {name: values.tolist() for name, values in model.state_dict().items()}


def as_state(layers: list[dict[str, list[float]]]) -> tuple[Tensor, Tensor]:
    h, c = (torch.tensor([one[kind] for one in layers], dtype=torch.float64) for kind in "hc")
    return h[:, None], c[:, None]  # [L, 1, d_hidden]


@pytest.mark.parametrize(("score", "n_layers", "bidirectional", "seed"), MODELS)
def test_every_step_equals_torch(
    page: Page, score: str | None, n_layers: int, bidirectional: bool, seed: int
) -> None:
    model = seq2seq(score, n_layers, bidirectional, seed)
    g = torch.Generator().manual_seed(seed)
    source = torch.randint(len(SOURCE), (1, 3 + 2 * seed), generator=g)
    target = torch.randint(len(TARGET), (1, 4), generator=g)
    none = {"mix": 0, "blur": 0, "scale": 1, "off": []}
    got = in_browser(
        page,
        {
            "weights": lists(model),
            "source": source[0].tolist(),
            "target": target[0].tolist(),
            "given": [None] * 4,
            "damage": none,
        },
    )
    memory = model.encode(source)
    close(got["outputs"], memory.outputs[0])
    for ours, theirs in zip(as_state(got["state"]), memory.state, strict=True):
        close(ours.tolist(), theirs)
    assert got["first"] == got["state"]  # no damage changes no bit
    if score is None:
        logits, state = model.decode(target, memory)
        assert got["steps"][0]["weights"] is None
    else:
        with record(model, "weights") as heard:
            logits, state = model.decode(target, memory)
        close([step["weights"] for step in got["steps"]], heard["weights"][0][0])
        close([step["context"] for step in got["steps"]], (heard["weights"][0] @ memory.outputs)[0])
    close([step["logits"] for step in got["steps"]], logits[0])
    close([step["shares"] for step in got["steps"]], logits[0].softmax(-1))
    for ours, theirs in zip(as_state(got["steps"][-1]["state"]), state, strict=True):
        close(ours.tolist(), theirs)


@pytest.mark.parametrize("seed", range(3))
def test_scores_of_the_readers_own_give_torchs_next_word(page: Page, seed: int) -> None:
    model = seq2seq("dot", seed=seed)
    source, target = torch.tensor([[3, 1, 4, 0]]), torch.tensor([[0, 2]])
    given = torch.randn(2, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 3
    got = in_browser(
        page,
        {
            "weights": lists(model),
            "source": source[0].tolist(),
            "target": target[0].tolist(),
            "given": given.tolist(),
            "damage": {"mix": 0, "blur": 0, "scale": 1, "off": []},
        },
    )
    assert model.score is not None
    model.score.register_forward_hook(lambda *_: given[None])
    with record(model, "weights") as heard:
        logits, _ = model.decode(target, model.encode(source))
    close([step["weights"] for step in got["steps"]], heard["weights"][0][0])
    close([step["weights"] for step in got["steps"]], given.softmax(-1))
    close([step["logits"] for step in got["steps"]], logits[0])
    assert all(step["ownScores"] != row for step, row in zip(got["steps"], given.tolist(), strict=True))


@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_damaged_context_vector_gives_torchs_next_word(page: Page, n_layers: int) -> None:
    model = seq2seq(None, n_layers)
    source, target = torch.tensor([[3, 1, 4, 0]]), torch.tensor([[0, 2, 1]])
    mix, blur, scale, off = 0.3, 0.25, 1.4, [2, 7]
    got = in_browser(
        page,
        {
            "weights": lists(model),
            "source": source[0].tolist(),
            "target": target[0].tolist(),
            "given": [None] * 3,
            "damage": {"mix": mix, "blur": blur, "scale": scale, "off": off},
        },
    )
    memory, other = model.encode(source), model.encode(source.flip(1))
    parts = []
    for own, from_other in zip(memory.state, other.state, strict=True):
        part = (1 - mix) * own + mix * from_other
        parts.append(scale * ((1 - blur) * part + blur * part.mean(-1, keepdim=True)))
    h, c = (part.detach().clone() for part in parts)
    h[0, 0, 2] = 0.0  # numbers count h 1 to 6, c 1 to 6, then the next layer
    c[0, 0, 1] = 0.0
    for ours, theirs in zip(as_state(got["first"]), (h, c), strict=True):
        close(ours.tolist(), theirs)
    logits, _ = model.decode(target, Memory((h, c), memory.outputs, None))
    close([step["logits"] for step in got["steps"]], logits[0])
    undamaged, _ = model.decode(target, memory)
    assert not torch.allclose(undamaged, logits, atol=1e-3)


@pytest.mark.parametrize(("score", "n_layers", "bidirectional", "seed"), MODELS)
def test_numpy_equals_torch(score: str | None, n_layers: int, bidirectional: bool, seed: int) -> None:
    model = seq2seq(score, n_layers, bidirectional, seed)
    arrays = {name: values.numpy() for name, values in model.state_dict().items()}
    source = [3, 1, 4, 0]
    memory = model.encode(torch.tensor([source]))
    outputs, state = _seq2seq.encode(arrays, source)
    close(outputs.tolist(), memory.outputs[0])
    for k in (0, 1):
        close(np.stack([layer[k] for layer in state]).tolist(), memory.state[k][:, 0])
    steps = _seq2seq.translate(arrays, source, bos=0, eos=0, max_len=4)
    word, hidden = 0, None
    for step in steps:
        logits, hidden = model.decode(torch.tensor([[word]]), memory, hidden)
        shares = logits[0, 0].softmax(-1)
        word = int(shares.argmax())
        assert step.word == word
        assert step.share == pytest.approx(float(shares[word]), abs=TOLERANCE)
        assert (step.weights is None) == (score is None)
        if step.weights is not None:
            assert step.weights.sum() == pytest.approx(1)
    assert len(steps) == 4 or word == 0
