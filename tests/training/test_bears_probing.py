"""The figures of the bears model: complete, and each what its name says."""

import copy

import pytest
import torch

from unrolled.data.bears import CANONICAL, KINDS, SENSES, Sentence, generate
from unrolled.data.bears_tokens import encode_bears
from unrolled.probe import without_head
from unrolled.training.bears_probing import bears_figures, bears_vectors, probe_layers
from unrolled.training.recipes.bears import Bears

ASKED = [
    Sentence(tuple(text.split()), sense, text.split().index("bears"), None)
    for sense, text in CANONICAL.items()
]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Bears(n_layers=2, n_heads=3, d_model=21).model().eval()


def test_probing_ends_in_the_vectors_that_are_judged(model):
    sentences = generate(13, seed=3, kind="conflict")
    for hide in (True, False):
        it = probe_layers(model, sentences, hide=hide)
        assert [tuple(v.shape) for v in it.layers] == [(13, 21)] * 3
        assert torch.equal(it.output, bears_vectors(model, sentences, hide=hide))
        end = model.encoder.final_norm(it.layers[-1])
        if hide:
            end = model.head.norm(model.head.activation(model.head.dense(end)))
        torch.testing.assert_close(it.output, end)
    one = probe_layers(model, sentences[4:5])  # alone, nothing is padded
    torch.testing.assert_close(one.output[0], probe_layers(model, sentences).output[4])


def test_attention_to_the_own_clause_is_counted_by_hand(model):
    sentences = generate(13, seed=3, kind="conflict")
    it = probe_layers(model, sentences)
    assert it.attention.shape == (2, 3)
    shares = [(s.clause[1] - s.clause[0]) / len(s.words) for s in sentences]
    assert it.even == pytest.approx(sum(shares) / 13)
    indifferent = copy.deepcopy(model)
    with torch.no_grad():
        for block in indifferent.encoder.layers:  # queries that ask for nothing
            block.attention.qkv_proj.weight[:21] = 0
            block.attention.qkv_proj.bias[:21] = 0
    torch.testing.assert_close(probe_layers(indifferent, sentences).attention, torch.full((2, 3), it.even))
    assert not it.attention.isclose(torch.tensor(it.even)).any()
    assert probe_layers(model, generate(7, seed=1)).attention.allclose(torch.ones(2, 3)), (
        "one clause has it all"
    )


def test_every_figure_is_there_and_chance_is_chance(model):
    figures = bears_figures(model, seed=11, canonical=ASKED, n=60)
    kinds = list(KINDS)
    expected = [
        *(f"{p}{k}" for p in ("", "seen: ", "silhouette: ") for k in kinds),
        *(f"{p}canonical" for p in ("", "seen: ")),
        *(f"{p}layer {n}: {k}" for p in ("", "seen: ") for n in range(3) for k in kinds),
        *(f"own clause, {w}: {k}" for w in ("block 1", "block 2", "even") for k in kinds[1:]),
        *(f"without head {n}.{h}: {k}" for n in (1, 2) for h in (1, 2, 3) for k in kinds),
    ]
    assert sorted(figures) == sorted(expected)
    assert all(-1 <= figure <= 1 for figure in figures.values())
    # Before the first block, a word knows itself and its place, and nothing of its company.
    assert figures["layer 0: plain"] < 0.9
    with without_head(model.encoder.layers[1], 2):
        off = bears_figures(model, seed=11, canonical=ASKED, n=60)
    assert {k: off[k] for k in kinds} == {k: figures[f"without head 2.3: {k}"] for k in kinds}


def test_a_model_that_knows_gets_full_marks(model, monkeypatch):
    def knows(_, sentences, *, hide=True):
        return torch.eye(3)[[SENSES.index(sentence.sense) for sentence in sentences]]

    monkeypatch.setattr("unrolled.training.bears_probing.bears_vectors", knows)
    figures = bears_figures(model, seed=11, canonical=ASKED, n=60)
    for name in (*KINDS, "canonical", *(f"silhouette: {kind}" for kind in KINDS)):
        assert figures[name] == 1.0, name


def test_hidden_bears_is_not_read(model):
    batch = encode_bears(ASKED)
    assert len(set(batch.tokens[torch.arange(3), batch.places].tolist())) == 1
