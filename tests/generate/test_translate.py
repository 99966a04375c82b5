"""Greedy and beam search over both kinds of encoder–decoder, against brute force over every target."""

import math
import re
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.drawn import seeds
from unrolled.generate import StepDecoder, beam_search, step_decoder, translate
from unrolled.nn import Seq2Seq, Seq2SeqConfig, Transformer, TransformerConfig, padding_mask
from unrolled.shapes import ShapeError

B, S, SOURCE, TARGET, MAX_LEN = 3, 7, 17, 13, 11
BOS, EOS = 1, 2
LENGTHS = torch.tensor([4, 7, 2])
KINDS = ["lstm", "attention", "transformer", "rotary", "alibi"]
every_kind = pytest.mark.parametrize("kind", KINDS)


def model_of(kind, target=TARGET, seed=5):
    torch.manual_seed(seed)
    if kind in ("lstm", "attention"):
        score = "general" if kind == "attention" else None
        config = Seq2SeqConfig(SOURCE, target, d_model=5, d_hidden=14, n_layers=2, score=score, dropout=0.3)
        model = Seq2Seq(config)
    else:
        positions = "sinusoidal" if kind == "transformer" else kind
        sizes = {"max_len": MAX_LEN, "d_model": 12, "n_heads": 3, "n_layers": 2, "d_ff": 19}
        model = Transformer(TransformerConfig(SOURCE, target, positions=positions, **sizes))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.6)
    return model.double()


def sources(n=B, length=S, seed=0):
    return torch.randint(SOURCE, (n, length), generator=torch.Generator().manual_seed(seed))


def logits_of(model, source, target, lengths=None):
    """Return logits ``[B, T, V]`` under teacher forcing, whatever the model."""
    if isinstance(model, Seq2Seq):
        return model(source, target, lengths)
    return model(source, target, None if lengths is None else padding_mask(lengths, source.shape[1]))


@torch.no_grad()
def greedy_by_hand(model, source, max_len):
    """Return the greedy target of one source ``[1, S]``: everything is read anew for every word."""
    model.eval()
    words = [BOS]
    while len(words) <= max_len and (len(words) == 1 or words[-1] != EOS):
        words.append(int(logits_of(model, source, torch.tensor([words]))[0, -1].argmax()))
    return words[1:]


@torch.no_grad()
def log_prob(model, source, target):
    """Return the log-probability of one target for one source ``[1, S]``."""
    model.eval()
    read = torch.tensor([[BOS, *target[:-1]]])
    steps = logits_of(model, source, read).log_softmax(-1)[0]
    return float(sum(steps[t, word] for t, word in enumerate(target)))


def until_eos(row):
    row = list(row)
    return row[: row.index(EOS) + 1] if EOS in row else row


@every_kind
@pytest.mark.parametrize("cache", [False, True])
def test_greedy_is_the_loop_by_hand(kind, cache):
    model, source = model_of(kind), sources()
    written = translate(model, source, bos=BOS, eos=EOS, max_len=MAX_LEN, lengths=LENGTHS, cache=cache)
    expected = [
        greedy_by_hand(model, source[row : row + 1, :length], MAX_LEN)
        for row, length in enumerate(LENGTHS.tolist())
    ]
    assert [until_eos(row) for row in written.tolist()] == expected
    assert written.shape[1] == max(len(row) for row in expected)
    for row, target in zip(written.tolist(), expected, strict=True):
        assert set(row[len(target) :]) <= {EOS}


@given(kind=st.sampled_from(KINDS), seed=seeds, cache=st.booleans())
@settings(max_examples=40)
def test_one_beam_is_greedy(kind, seed, cache):
    model, source = model_of(kind, seed=seed), sources(seed=seed)
    options = {"bos": BOS, "eos": EOS, "max_len": MAX_LEN, "lengths": LENGTHS}
    greedy = translate(model, source, cache=cache, **options)
    beams, scores = beam_search(model, source, beam_size=1, length_penalty=0.7, **options)
    assert_close(beams[:, 0], greedy)
    for row, length in enumerate(LENGTHS.tolist()):
        target = until_eos(greedy[row].tolist())
        total = log_prob(model, source[row : row + 1, :length], target)
        assert float(scores[row, 0]) == pytest.approx(total / ((5 + len(target)) / 6) ** 0.7)


def every_target(vocabulary, max_len):
    """Yield every target there is: ended by `EOS`, or as long as may be without one."""
    others = [word for word in range(vocabulary) if word != EOS]
    for length in range(max_len):
        yield from ((*front, EOS) for front in product(others, repeat=length))
    yield from product(others, repeat=max_len)


@pytest.mark.parametrize("kind", ["lstm", "attention", "transformer"])
@pytest.mark.parametrize("penalty", [0.0, 0.6, 2.0])
def test_with_enough_beams_it_finds_the_best_of_all_targets(kind, penalty):
    model, source, vocabulary, longest = model_of(kind, target=4), sources(), 4, 3
    targets = list(every_target(vocabulary, longest))
    assert len(targets) == 1 + 3 + 9 + 27
    beams, scores = beam_search(
        model,
        source,
        bos=BOS,
        eos=EOS,
        max_len=longest,
        beam_size=43,
        length_penalty=penalty,
        lengths=LENGTHS,
    )
    assert beams.shape == (B, 43, longest)
    for row, length in enumerate(LENGTHS.tolist()):
        scored = {
            target: log_prob(model, source[row : row + 1, :length], target)
            / ((5 + len(target)) / 6) ** penalty
            for target in targets
        }
        expected = sorted(scored, key=scored.__getitem__, reverse=True)
        assert [tuple(until_eos(beam)) for beam in beams[row, : len(targets)].tolist()] == expected
        assert scores[row, : len(targets)].tolist() == pytest.approx([scored[t] for t in expected])
        # There are no more targets than that.
        assert scores[row, len(targets) :].eq(-math.inf).all()


@given(kind=st.sampled_from(KINDS), beam_size=st.integers(1, 5), seed=seeds)
@settings(max_examples=30)
def test_a_sentence_of_a_batch_is_what_it_is_alone(kind, beam_size, seed):
    model, source = model_of(kind, seed=seed), sources(seed=seed)
    options = {"bos": BOS, "eos": EOS, "max_len": MAX_LEN, "beam_size": beam_size}
    together, scores = beam_search(model, source, lengths=LENGTHS, **options)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, alone_scores = beam_search(model, source[row : row + 1, :length], **options)
        assert_close(scores[row], alone_scores[0])
        filled = torch.full_like(together[row], EOS)
        filled[:, : alone.shape[2]] = alone[0]
        assert_close(together[row], filled)


@every_kind
def test_scores_are_those_of_the_words_and_fall(kind):
    model, source = model_of(kind), sources()
    beams, scores = beam_search(model, source, bos=BOS, eos=EOS, max_len=MAX_LEN, beam_size=5)
    assert (scores.diff(dim=1) <= 0).all()
    for row in range(B):
        words = [tuple(until_eos(beam)) for beam in beams[row].tolist()]
        assert len(set(words)) == 5
        for beam, target in enumerate(words):
            total = log_prob(model, source[row : row + 1], target)
            assert float(scores[row, beam]) == pytest.approx(total / ((5 + len(target)) / 6) ** 0.6)


@every_kind
def test_a_beam_search_is_the_same_without_cache(kind):
    """A step decoder that reads everything anew gives the same hypotheses: reordering loses nothing."""
    model, source = model_of(kind).eval(), sources()
    options = {"bos": BOS, "eos": EOS, "max_len": MAX_LEN, "beam_size": 3, "lengths": LENGTHS}
    with torch.no_grad():
        expected = beam_search(step_decoder(model, cache=False), source, **options)
    beams, scores = beam_search(model, source, **options)
    assert_close(beams, expected[0])
    assert_close(scores, expected[1])


class Bigrams:
    """The smallest model there is: what follows depends on the last word, and on the first of the source."""

    def __init__(self, *shares):
        self.logits = torch.tensor(shares).log()  # [sources, V, V]
        self.vocab_size = self.logits.shape[-1]

    def start(self, source, lengths, max_len):
        return source[:, 0]

    def step(self, words, state):
        return self.logits[state, words], state

    def reorder(self, state, rows):
        return state[rows]


def test_a_sentence_that_has_ended_takes_nothing_more():
    """The first source ends at once (.6); what it would find while the second goes on scores higher."""
    ends, lasts = [[0.4, 0.0, 0.6], [0.4, 0.0, 0.6], [1.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]] * 3
    ends[0] = [0.0, 0.0, 1.0]
    options = {"bos": 1, "eos": 2, "max_len": 4, "beam_size": 1, "length_penalty": 4.0}
    assert math.log(0.4) / (7 / 6) ** 4 > math.log(0.6)
    beams, scores = beam_search(Bigrams(ends, lasts), torch.tensor([[0], [1]]), **options)
    assert beams[:, 0].tolist() == [[2] * 4, [0] * 4]
    assert scores[:, 0].tolist() == pytest.approx([math.log(0.6), 0.0])


def test_a_beam_looks_past_the_best_first_word():
    #                to: 0     1     eos    3
    shares = [
        [0.25, 0.25, 0.25, 0.25],  # after 0 nothing is sure
        [0.6, 0.0, 0.0, 0.4],  # at the start 0 looks better than 3
        [0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0, 0.0],  # after 3 it certainly ends
    ]
    model, source = Bigrams(shares), torch.zeros(2, 3, dtype=torch.int64)
    options = {"bos": 1, "eos": 2, "max_len": 4}
    assert isinstance(model, StepDecoder)
    assert translate(model, source, **options).tolist()[0][0] == 0
    beams, scores = beam_search(model, source, beam_size=2, length_penalty=0.0, **options)
    assert [until_eos(row) for row in beams[:, 0].tolist()] == [[3, 2]] * 2
    assert scores[:, 0].exp().tolist() == pytest.approx([0.4] * 2)


def test_a_larger_penalty_prefers_longer_targets():
    """To end at once has probability .3, to say 0 five times .5 each; (10 / 6) ** 4 turns that round."""
    model, source = Bigrams([[0.5, 0.0, 0.3, 0.2]] * 4), torch.zeros(1, 3, dtype=torch.int64)
    found = {}
    for penalty in (0.0, 1.0, 4.0):
        options = {"beam_size": 500, "length_penalty": penalty}
        beams, scores = beam_search(model, source, bos=1, eos=2, max_len=5, **options)
        found[penalty] = until_eos(beams[0, 0].tolist())
    assert found == {0.0: [2], 1.0: [2], 4.0: [0] * 5}
    assert float(scores[0, 0]) == pytest.approx(5 * math.log(0.5) / (10 / 6) ** 4)


@every_kind
def test_the_model_is_left_as_it_was(kind):
    model, source = model_of(kind), sources()
    model.decoder.eval()
    modes = [module.training for module in model.modules()]
    first = translate(model, source, bos=BOS, eos=EOS, max_len=MAX_LEN)
    assert_close(translate(model, source, bos=BOS, eos=EOS, max_len=MAX_LEN), first)  # no dropout
    beams, scores = beam_search(model, source, bos=BOS, eos=EOS, max_len=MAX_LEN)
    assert [module.training for module in model.modules()] == modes
    assert torch.is_grad_enabled()
    # What was written can be learned from.
    for target in (first, beams[:, 0]):
        (logits_of(model, source, target).sum(-1) * scores[:, :1]).sum().backward()


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"source": sources()[0]}, ShapeError, "source: expected shape [B, S], got [7]"),
        ({"source": sources().double()}, TypeError, "expected integer"),
        ({"bos": TARGET}, ValueError, "bos: expected a token from 0 to 12, got 13"),
        ({"eos": -1}, ValueError, "eos: expected a token from 0 to 12, got -1"),
        ({"max_len": 0}, ValueError, "max_len: expected a positive integer, got 0"),
        ({"lengths": torch.tensor([1, 2])}, ShapeError, "lengths: expected shape [B] with B=3, got [2]"),
        ({"lengths": torch.tensor([1, 2, 8])}, ValueError, "got [1, 2, 8]"),
    ],
)
@pytest.mark.parametrize("search", [translate, beam_search])
@pytest.mark.parametrize("kind", ["attention", "transformer"])
def test_what_does_not_fit_is_refused(search, kind, arguments, error, said):
    arguments = {"source": sources(), "bos": BOS, "eos": EOS, "max_len": MAX_LEN} | arguments
    with pytest.raises(error, match=re.escape(said)):
        search(model_of(kind), **arguments)


@pytest.mark.parametrize("search", [translate, beam_search])
def test_a_transformer_has_no_positions_past_its_context(search):
    said = f"max_len: the model writes at most {MAX_LEN}, got {MAX_LEN + 1}"
    with pytest.raises(ValueError, match=f"^{said}$"):
        search(model_of("transformer"), sources(), bos=BOS, eos=EOS, max_len=MAX_LEN + 1)
    longer = search(model_of("lstm"), sources(), bos=BOS, eos=0, max_len=MAX_LEN + 1)
    assert longer is not None


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"beam_size": 0}, "beam_size: expected a positive integer, got 0"),
        ({"length_penalty": -0.1}, "length_penalty: expected 0 or a positive number, got -0.1"),
        ({"length_penalty": math.nan}, "length_penalty: expected 0 or a positive number, got nan"),
    ],
)
def test_options_of_the_beam_out_of_range_are_refused(option, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        beam_search(model_of("lstm"), sources(), bos=BOS, eos=EOS, max_len=MAX_LEN, **option)


@pytest.mark.parametrize("search", [translate, beam_search])
def test_what_is_no_encoder_decoder_is_named(search):
    with pytest.raises(TypeError, match=r"expected a Seq2Seq, a Transformer, or an object .* got Linear$"):
        search(torch.nn.Linear(2, 3), sources(), bos=BOS, eos=EOS, max_len=MAX_LEN)


@pytest.mark.parametrize("search", [translate, beam_search])
def test_a_model_that_has_lost_its_numbers_is_refused(search):
    model = model_of("lstm")
    torch.nn.init.constant_(model.lm_head.bias, torch.nan)
    with pytest.raises(ValueError, match="logits: expected"):
        search(model, sources(), bos=BOS, eos=EOS, max_len=MAX_LEN)
