"""Taps hear, or change, what passes, exactly while somebody listens or edits."""

import copy
import pickle
import re

import pytest
import torch
from torch import nn

from unrolled.tap import Tap, edit, listening, plain, record


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


COPIES = {
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_made_while_somebody_listens_does_not_listen(model, how):
    with record(model) as rec:
        twin = COPIES[how](model)
        twin(X)
        assert not any(part.listening for part in twin.modules() if isinstance(part, Tap))
        assert [len(passes) for passes in rec.values()] == [0, 0, 0, 0]
        model(X)
    assert [len(passes) for passes in rec.values()] == [1, 1, 1, 1]
    with record(twin) as heard:
        twin(X)
    assert [len(passes) for passes in heard.values()] == [1, 1, 1, 1]


def test_an_edit_goes_on_from_where_it_was_made(model):
    with edit(model, {"0.weights": lambda x: x + 3}):
        assert torch.equal(model(X), 4 * X + 6)
    assert torch.equal(model(X), 4 * X)


def test_every_tap_that_matches_is_edited(model):
    with edit(model, {"*.weights": lambda x: x + 3}):
        assert torch.equal(model(X), 4 * X + 9)


def test_an_edit_is_called_at_every_pass(model):
    shapes = []
    with edit(model, {"1.weights": lambda x: (shapes.append(x.shape), x)[1]}):
        for n in (2, 3, 5):
            model(X[:n])
    assert shapes == [(2,), (3,), (5,)]


def test_gradients_flow_through_an_edit_and_into_it(model):
    x, added = X.detach().requires_grad_(), torch.zeros(5, requires_grad=True)
    with edit(model, {"0.other": lambda passing: 3 * passing + added}):
        model(x).sum().backward()
    assert torch.equal(x.grad, torch.full((5,), 12.0))
    assert torch.equal(added.grad, torch.full((5,), 2.0))


@pytest.mark.parametrize("order", ["edit first", "record first"])
def test_a_recording_hears_what_was_edited(model, order):
    editing, recording = edit(model, {"0.weights": lambda x: x + 3}), record(model, "*.weights")
    if order == "edit first":
        with editing, recording as rec:
            model(X)
    else:
        with recording as rec, editing:
            model(X)
    assert torch.equal(rec["0.weights"][0], 2 * X.detach() + 3)
    assert torch.equal(rec["1.weights"][0], 4 * X.detach() + 6)


def test_edits_of_one_tap_come_in_the_order_in_which_they_were_made(model):
    plus, times = {"*0.w*": lambda x: x + 3}, {"0.weights": lambda x: x * 5}
    with edit(model, plus | times):
        assert torch.equal(model(X), 2 * (2 * X + 3) * 5)
    with edit(model, times | plus):
        assert torch.equal(model(X), 2 * (2 * X * 5 + 3))
    with edit(model, plus):
        with edit(model, times):
            assert torch.equal(model(X), 2 * (2 * X + 3) * 5)
        assert torch.equal(model(X), 4 * X + 6)


def test_one_function_in_two_edits_ends_with_each(model):
    change = {"0.weights": lambda x: x + 3}
    with edit(model, change):
        with edit(model, change):
            assert torch.equal(model(X), 4 * X + 12)
        assert torch.equal(model(X), 4 * X + 6)


def test_an_edit_may_change_what_it_gets_in_place(model):
    """What was recorded before, and what another edit has put in, stay as they were."""
    kept = torch.full((5,), 7.0)
    edits = {"0.weights": lambda x: kept, "0.other": lambda x: x.add_(3)}
    with torch.no_grad(), record(model) as rec, edit(model, edits):
        model(X)
    assert torch.equal(kept, torch.full((5,), 7.0))
    assert torch.equal(rec["0.weights"][0], kept)
    assert torch.equal(rec["0.other"][0], kept + 3)


def untouched(model):
    assert not any(module.listening for module in model.modules() if isinstance(module, Tap))
    assert torch.equal(model(X), 4 * X)


def test_an_edited_tap_counts_as_listening_until_the_block_ends(model):
    with edit(model, {"0.weights": lambda x: x}):
        assert [model[0].weights.listening, model[0].other.listening] == [True, False]
    untouched(model)


def test_no_edit_is_left_after_an_exception(model):
    with pytest.raises(ZeroDivisionError), edit(model, {"*": lambda x: x / (1 // 0)}):
        model(X)
    untouched(model)


@pytest.mark.parametrize(
    ("edits", "error", "said"),
    [
        (
            {"*.weights": torch.zeros_like, "*.scores": torch.zeros_like},
            LookupError,
            "edit: no tap matches '*.scores'; the taps of this model: 0.weights, 0.other, 1.weights, 1.other",
        ),
        ({"*": torch.zeros(5)}, TypeError, "edit: expected a function for '*', got Tensor"),
        (
            {"1.*": lambda x: None},
            TypeError,
            "edit of 1.weights: expected a tensor [5] of float32 on cpu, got NoneType",
        ),
        (
            {"1.*": lambda x: x[:3]},
            ValueError,
            "edit of 1.weights: expected a tensor [5] of float32 on cpu, got [3] of float32 on cpu",
        ),
        (
            {"0.other": lambda x: x.double()},
            TypeError,
            "edit of 0.other: expected a tensor [5] of float32 on cpu, got [5] of float64 on cpu",
        ),
        (
            {"0.other": lambda x: x.to("meta")},
            ValueError,
            "edit of 0.other: expected a tensor [5] of float32 on cpu, got [5] of float32 on meta",
        ),
    ],
)
def test_what_cannot_be_edited_is_refused_and_leaves_nothing(model, edits, error, said):
    with pytest.raises(error, match=f"^{re.escape(said)}"), edit(model, edits):
        model(X)
    untouched(model)


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_made_within_an_edit_is_free_of_it(model, how):
    with edit(model, {"*": lambda x: x + 3}):
        twin = COPIES[how](model)
        untouched(twin)
    with edit(twin, {"0.weights": lambda x: x + 3}):
        assert torch.equal(twin(X), 4 * X + 6)


@pytest.mark.parametrize("register", ["register_forward_hook", "register_forward_pre_hook"])
def test_a_hook_is_somebody_who_listens(model, register):
    handle = getattr(model[0].weights, register)(lambda *_: None)
    assert model[0].weights.listening
    assert not model[1].weights.listening
    handle.remove()
    assert not model[0].weights.listening


def test_what_stands_in_a_taps_place_has_to_be_called(model):
    assert not listening(model[0].weights)
    assert listening(nn.Identity())
    model[0].weights.forward = lambda x: 0 * x
    assert listening(model[0].weights)


def test_a_plain_module_is_one_that_nobody_touched():
    def touched(touch):
        layer = nn.Linear(2, 3)
        touch(layer)
        return layer

    assert plain(nn.Linear(2, 3))
    for register in (
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
    ):
        assert not plain(touched(lambda layer, name=register: getattr(layer, name)(lambda *_: None)))
    assert not plain(touched(lambda layer: setattr(layer, "forward", layer.forward)))
    assert not plain(touched(lambda layer: layer.compile(backend="eager")))
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        assert not plain(nn.Linear(2, 3))
    finally:
        handle.remove()
