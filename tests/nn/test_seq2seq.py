"""The LSTM encoder–decoder: one call and step by step, what attention sees, padding, and what is refused."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.drawn import random_tokens, seeds
from unrolled.nn import Memory, Seq2Seq, Seq2SeqConfig
from unrolled.nn.score import SCORES
from unrolled.shapes import ShapeError
from unrolled.tap import record

B, S, T, SOURCE, TARGET, D = 3, 7, 5, 17, 13, 11
LENGTHS = torch.tensor([4, 7, 2])
repeatable = settings(max_examples=20)
every_score = pytest.mark.parametrize("score", [None, *SCORES])
attending = pytest.mark.parametrize("score", SCORES)


def model_with(score, **changes):
    torch.manual_seed(7)
    options = {"d_model": D, "d_hidden": 38, "n_layers": 2} | changes
    return Seq2Seq(Seq2SeqConfig(SOURCE, TARGET, score=score, **options)).double()


source, target = random_tokens(SOURCE, B, S), random_tokens(TARGET, B, T, seed=1)


@every_score
@pytest.mark.parametrize("bidirectional", [False, True])
def test_teacher_forcing_is_word_by_word(score, bidirectional):
    model = model_with(score, bidirectional=bidirectional)
    whole = model(source, target, LENGTHS)
    memory, state, steps = model.encode(source, LENGTHS), None, []
    for t in range(T):
        logits, state = model.decode(target[:, t : t + 1], memory, state)
        steps.append(logits)
    assert whole.shape == (B, T, TARGET)
    assert_close(torch.cat(steps, dim=1), whole)


@attending
def test_the_context_is_the_weighted_sum_of_what_the_encoder_said(score):
    """The equations of the module's docstring, one position at a time."""
    model = model_with(score)
    memory = model.encode(source, LENGTHS)
    hidden, _ = model.decoder(model.target_embedding(target), memory.state)
    with record(model, "weights") as rec:
        logits = model(source, target, LENGTHS)
    for b in range(B):
        real = memory.outputs[b, : LENGTHS[b]]
        for t in range(T):
            shares = model.score(hidden[b, t][None, None], real[None])[0, 0].exp()
            shares = shares / shares.sum()
            assert_close(rec["weights"][0][b, t, : LENGTHS[b]], shares)
            context = sum(share * vector for share, vector in zip(shares, real, strict=True))
            said = torch.tanh(model.combine(torch.cat([context, hidden[b, t]])))
            assert_close(logits[b, t], model.lm_head(said))


@attending
@given(lengths=st.lists(st.integers(1, S), min_size=B, max_size=B), seed=seeds)
@repeatable
def test_weights_sum_to_one_and_padding_gets_none(score, lengths, seed):
    model, lengths = model_with(score), torch.tensor(lengths)
    with record(model, "*.weights") as rec:
        logits = model(random_tokens(SOURCE, B, S, seed=seed), target, lengths)
    (weights,) = rec["weights"]
    padding = (torch.arange(S) >= lengths[:, None])[:, None].expand(B, T, S)
    assert weights.shape == (B, T, S)
    assert_close(weights.sum(-1), torch.ones(B, T, dtype=torch.float64))
    assert weights[padding].eq(0).all()
    assert (weights[~padding] > 0).all()
    assert_close(model(random_tokens(SOURCE, B, S, seed=seed), target, lengths), logits)


@attending
def test_while_generating_every_step_is_heard(score):
    model = model_with(score)
    with record(model, "weights") as at_once:
        model(source, target)
    with record(model, "weights") as rec:
        memory, state = model.encode(source), None
        for t in range(T):
            _, state = model.decode(target[:, t : t + 1], memory, state)
    assert [tuple(step.shape) for step in rec["weights"]] == [(B, 1, S)] * T
    assert_close(torch.cat(rec["weights"], dim=1), at_once["weights"][0])


@every_score
@given(seed=seeds, bidirectional=st.booleans())
@repeatable
def test_padding_changes_nothing(score, seed, bidirectional):
    """Logits, loss and gradients are the same whatever the padded words are."""
    model = model_with(score, bidirectional=bidirectional)
    padding = torch.arange(S) >= LENGTHS[:, None]
    other = torch.where(padding, random_tokens(SOURCE, B, S, seed=seed), source)
    results = []
    for read in (source, other):
        logits = model(read, target, LENGTHS)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.roll(-1, 1).flatten())
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        # A word that is nothing but padding must not learn.
        results.append((logits, loss, gradients))
    assert_close(*results, rtol=0, atol=1e-12)


@every_score
def test_a_padded_sentence_is_what_it_is_alone(score):
    model = model_with(score)
    together = model(source, target, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(source[row : row + 1, :length], target[row : row + 1])
        assert_close(together[row], alone[0])


@every_score
def test_only_attention_looks_at_the_encoder_s_outputs(score):
    model = model_with(score)
    state, outputs, mask = model.encode(source, LENGTHS)
    state = tuple(part.detach().requires_grad_() for part in state)
    outputs = outputs.detach().requires_grad_()
    logits, _ = model.decode(target, Memory(state, outputs, mask))
    gradients = torch.autograd.grad(logits.square().sum(), (*state, outputs), allow_unused=True)
    assert all(gradient.abs().sum() > 0 for gradient in gradients[:-1])
    if score is None:
        assert gradients[-1] is None
        other, _ = model.decode(target, Memory(state, torch.full_like(outputs, torch.nan), mask))
        assert_close(other, logits, rtol=0, atol=0)
    else:
        real = torch.arange(S) < LENGTHS[:, None]
        assert (gradients[-1][real].abs().sum(-1) > 0).all()
        assert gradients[-1][~real].eq(0).all()


def test_two_directions_meet_in_one_state():
    """The decoder's layer l starts from the encoder's layer l: forward first, then backward."""
    model = model_with("dot")
    embedded = model.source_embedding(source)
    _, (h, c) = model.encoder(embedded)  # [layers * 2, B, 19]
    memory = model.encode(source)
    for ours, theirs in zip(memory.state, (h, c), strict=True):
        assert ours.shape == (2, B, 38)
        for layer in range(2):
            assert_close(ours[layer], torch.cat([theirs[2 * layer], theirs[2 * layer + 1]], dim=-1))
    assert memory.mask is None


def test_dropout_only_while_training():
    model = model_with("dot", dropout=0.5)
    assert not torch.allclose(model(source, target), model(source, target))
    # Dropped on the way in, between the layers, and on the way out: with all of it, the head's bias is left.
    silent = model_with("dot", dropout=1.0)
    assert_close(silent(source, target), silent.lm_head.bias.expand(B, T, TARGET))
    model.eval()
    assert_close(model(source, target), model_with("dot")(source, target))


@every_score
def test_every_parameter_learns(score):
    model = model_with(score)
    model(source, target).square().sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in model.parameters())


def test_without_a_score_there_is_nothing_to_record():
    with pytest.raises(LookupError), record(model_with(None), "weights"):
        pass


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"d_hidden": 37}, "d_hidden: expected an even number for two directions, got 37"),
        ({"n_layers": 0}, "n_layers: expected a positive integer, got 0"),
        ({"score": "cosine"}, "score: expected one of dot, scaled_dot, general, additive, got 'cosine'"),
        ({"dropout": 1.5}, "dropout: expected a share from 0 to 1, got 1.5"),
        ({"d_model": 0}, "d_model: expected a positive integer, got 0"),
    ],
)
def test_a_config_that_makes_no_model_is_refused(changes, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        Seq2Seq(Seq2SeqConfig(**({"source_vocab_size": SOURCE, "target_vocab_size": TARGET} | changes)))


def test_an_odd_size_is_fine_in_one_direction():
    assert model_with("dot", d_hidden=37, bidirectional=False)(source, target).shape == (B, T, TARGET)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((source[0], target), ShapeError, "source: expected shape [B, S], got [7]"),
        ((source, target[0]), ShapeError, "target: expected shape [B, T] with B=3, got [5]"),
        ((source, target[:2]), ShapeError, "target: expected shape [B, T] with B=3, got [2, 5]"),
        (
            (source.double(), target),
            TypeError,
            "source: expected integer tokens (int64 or int32), got torch.float64",
        ),
        (
            (source, target.double()),
            TypeError,
            "target: expected integer tokens (int64 or int32), got torch.float64",
        ),
        ((source, target, torch.tensor([7, 0, 2])), ValueError, "lengths: expected 1 to 7, got [7, 0, 2]"),
        ((source, target, torch.tensor([8, 1, 2])), ValueError, "lengths: expected 1 to 7, got [8, 1, 2]"),
        ((source, target, torch.tensor([7, 2])), ShapeError, "lengths: expected shape [B] with B=3, got [2]"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, said):
    with pytest.raises(error, match=f"^{re.escape(said)}$"):
        model_with("dot")(*arguments)


@every_score
def test_weights_under_their_former_names_are_loaded(score):
    """Also where the model is a part of another, and under a name that begins like one of them."""
    model, other = (torch.nn.ModuleDict({"head": model_with(score)}) for _ in range(2))
    with torch.no_grad():
        for weight in model.parameters():
            weight += 1
    former = {"source_embedding": "source_embed", "target_embedding": "target_embed", "lm_head": "head"}
    kept = {}
    for path, weight in model.state_dict().items():
        _, part, rest = path.split(".", 2)
        kept[f"head.{former.get(part, part)}.{rest}"] = weight
    assert {"head.head.bias", "head.source_embed.weight"} < kept.keys()
    other.load_state_dict(kept)
    assert all(torch.equal(a, b) for a, b in zip(other.parameters(), model.parameters(), strict=True))


def test_a_state_of_another_model_is_refused():
    model = model_with("dot")
    state = tuple(torch.zeros(1, B, 38, dtype=torch.float64) for _ in range(2))
    said = "state: expected shape [L, B, D] with L=2, B=3, D=38, got [1, 3, 38]"
    with pytest.raises(ShapeError, match=f"^{re.escape(said)}$"):
        model.decode(target, model.encode(source), state)


@every_score
@pytest.mark.signatures
def test_the_signatures_hold(score):
    model = model_with(score)
    model(source, target, LENGTHS)
    if score is not None:
        with record(model, "weights"):
            model(source, target)
