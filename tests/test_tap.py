"""Taps hear what passes, exactly while somebody listens."""

import pytest
import torch
from torch import nn

from unrolled.tap import Tap, record


class Doubler(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = Tap()
        self.other = Tap()

    def forward(self, x):
        return self.other(self.weights(2 * x))


@pytest.fixture
def model():
    return nn.Sequential(Doubler(), Doubler())


X = torch.arange(5.0, requires_grad=True)


def test_a_tap_is_an_identity_without_parameters():
    tap = Tap()
    assert tap(X) is X
    assert not list(tap.parameters())
    assert not tap.state_dict()


def test_what_passes_is_heard_under_its_path(model):
    with record(model, "*.weights") as rec:
        model(X)
    assert list(rec) == ["0.weights", "1.weights"]
    assert torch.equal(rec["0.weights"][0], 2 * X.detach())
    assert torch.equal(rec["1.weights"][0], 4 * X.detach())


def test_every_pass_adds_one(model):
    with record(model, "1.weights") as rec:
        for factor in (2, 3, 5):
            model(factor * X)
    assert [heard[1].item() for heard in rec["1.weights"]] == [8, 12, 20]


def test_what_is_heard_holds_no_graph(model):
    with record(model) as rec:
        y = model(X)
    assert y.requires_grad
    assert all(not heard.requires_grad for passes in rec.values() for heard in passes)


def test_without_a_pattern_every_tap_is_heard(model):
    with record(model) as rec:
        model(X)
    assert set(rec) == {"0.weights", "0.other", "1.weights", "1.other"}


@pytest.mark.parametrize("pattern", ["weights", "*.weights"])
def test_a_tap_of_the_root_is_found_by_its_name(pattern):
    with record(Doubler(), pattern) as rec:
        pass
    assert rec == {"weights": []}


def test_nothing_is_heard_after_the_block(model):
    with record(model) as rec:
        model(X)
        assert model[0].weights.listening
    model(X)
    assert [len(passes) for passes in rec.values()] == [1, 1, 1, 1]
    assert not any(module.listening for module in model.modules() if isinstance(module, Tap))


def test_nothing_is_heard_after_an_exception(model):
    model.append(nn.Linear(7, 2))  # Five numbers do not fit: the model fails when the taps have heard.
    recording = record(model)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), recording as rec:
        model(X)
    model[:2](X)
    assert [len(passes) for passes in rec.values()] == [1, 1, 1, 1]
    assert not model[0].weights.listening


def test_a_recording_inside_another_ends_alone(model):
    with record(model, "*.weights") as outer:
        # Equal lists, so that only identity tells them apart.
        with record(model, "*.weights") as inner:
            model(X)
        model(X)
    assert [len(passes) for passes in outer.values()] == [2, 2]
    assert [len(passes) for passes in inner.values()] == [1, 1]


def test_a_recording_that_outlives_the_one_around_it():
    model = Doubler()
    first, second = record(model), record(model)
    early = first.__enter__()
    late = second.__enter__()
    first.__exit__(None, None, None)
    model(X)
    second.__exit__(None, None, None)
    assert (len(early["weights"]), len(late["weights"])) == (0, 1)


def test_a_pattern_that_matches_nothing_names_what_there_is(model):
    said = r"no tap matches '\*.scores'; the taps of this model: 0.weights, 0.other, 1.weights, 1.other"
    with pytest.raises(LookupError, match=said), record(model, "*.scores"):
        pass


def test_a_model_without_taps_says_so():
    with pytest.raises(LookupError, match="the taps of this model: none"), record(nn.Linear(2, 3)):
        pass
