"""Two relations: the task asks what it says, two heads learn it in seconds, and what one head cannot do."""

import itertools

import pytest
import torch

from tests.training.conftest import ALONE
from unrolled.shapes import ShapeError
from unrolled.training import GenerateOptions
from unrolled.training.loop import Trainer
from unrolled.training.recipes.two_relations import TableReader, TwoRelations, copy_without_head
from unrolled.training.results import read_result
from unrolled.training.run import evaluate_task
from unrolled.training.stored import stored


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def test_batches_are_fresh_and_follow_from_split_seed_and_epoch():
    task = TwoRelations(epoch=3, batch=5, people=7).task()
    first = [batch["tokens"] for batch in task.batches("train", 0, 0)]
    assert [x.shape for x in first] == [(5, 7, 4)] * 3
    again = TwoRelations(epoch=3, batch=5, people=7).task().batches("train", 0, 0)
    assert all(torch.equal(a, b["tokens"]) for a, b in zip(first, again, strict=True))
    for split, seed, epoch in [("train", 0, 1), ("train", 1, 0), ("validation", 0, 0)]:
        assert not torch.equal(first[0], next(iter(task.batches(split, seed, epoch)))["tokens"])


def test_the_number_of_heads_changes_nothing_about_the_number_of_parameters():
    assert len({parameters(TwoRelations(n_heads=h).model()) for h in (1, 2, 4)}) == 1
    assert parameters(TwoRelations(d_ff=5).model()) > parameters(TwoRelations().model())


def test_two_heads_learn_it_and_one_does_not(tmp_path):
    both = {}
    for heads in (1, 2):
        recipe = TwoRelations(n_heads=heads, steps=400, people=5, seed=11)
        torch.manual_seed(11)
        task = recipe.task()
        assert evaluate_task(task, recipe)["both"] < 0.1
        folder = tmp_path / str(heads)
        folder.mkdir()
        Trainer(recipe, task, folder, ALONE).train()
        both[heads] = evaluate_task(task, recipe)["both"]
    assert both[2] > 0.98
    assert both[1] < 0.2


def test_the_layer_sees_no_order_and_its_maps_sum_over_the_table():
    model = TwoRelations().model().eval()
    tokens = torch.randint(10, (3, 7, 4), generator=torch.Generator().manual_seed(0))
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    with torch.no_grad():
        assert torch.allclose(model(tokens)[:, order], model(tokens[:, order]), atol=1e-5)
    assert model(tokens).shape == (3, 7, 2, 10)
    with pytest.raises(ShapeError, match=r"tokens: expected \[B, T, 4\], got \[3, 7, 3\]"):
        model(tokens[..., :3])


def test_without_a_head_what_it_brought_is_missing_and_the_original_stays():
    model = TableReader(2, 6).eval()
    x = torch.randint(10, (2, 5, 4), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole = model.attention(model.embed(x))
        parts = [copy_without_head(model, h).attention(model.embed(x)) for h in (0, 1)]
        assert torch.allclose(parts[0] + parts[1], whole, atol=1e-6)
        assert not torch.allclose(parts[0], parts[1], atol=1e-3)
        assert torch.equal(model.attention(model.embed(x)), whole)
    with pytest.raises(ValueError, match="head: expected 0 to 1, got 2"):
        copy_without_head(model, 2)


def test_no_linear_readout_of_one_mixture_names_two_numbers():
    """For any shares, and any matrices: the argument of the chapter, tried out by brute force.

    By symmetry a readout needs one number for the diagonal and one for the rest; the friend's readout wants
    the first larger, and so does the boss's, and then both name whoever has the larger share.
    """
    for share in (0.5, 0.6, 0.9):
        for diagonal, rest in itertools.product((-1.0, 0.0, 1.0), repeat=2):
            readout = rest + (diagonal - rest) * torch.eye(5)
            wrong = 0
            for friend, boss in itertools.permutations(range(5), 2):
                mixture = torch.zeros(5)
                mixture[friend] += 1 - share
                mixture[boss] += share
                wrong += int((readout @ mixture).argmax() != friend)
            assert wrong > 0, (share, diagonal, rest)


def test_the_recorded_story_holds():
    metrics = {name: read_result(name)["metrics"] for name in ("two-relations", "two-relations-one-head")}
    assert min(metrics["two-relations"]["both"]) > 0.99
    assert max(metrics["two-relations-one-head"]["both"]) < 0.15
    assert min(metrics["two-relations-one-head"]["pair"]) > 0.95
    results = [read_result(name) for name in metrics]
    assert results[0]["parameters"] == results[1]["parameters"]
    assert max(metrics["two-relations"]["both, a head less"]) < 0.2
    assert min(read_result("two-relations-eight-heads")["metrics"]["both, a head less"]) > 0.4


def test_each_stored_head_carries_one_relation():
    it = stored("two-relations")
    task = it.recipe.task()
    shares = []
    for head in (0, 1):
        task.model = copy_without_head(it.model, head)
        figures = evaluate_task(task, it.recipe)
        shares.append((figures["friend"], figures["boss"]))
    (friend, boss) = sorted(shares)[0], sorted(shares)[1]
    assert friend[0] < 0.3 < 0.8 < friend[1]
    assert boss[1] < 0.3 < 0.8 < boss[0]


def test_it_speaks_about_a_table():
    task = TwoRelations(people=3).task()
    lines = task.write(task.model, "3", GenerateOptions()).splitlines()
    assert len(lines) == 3
    assert all(": friend " in line and ", boss " in line for line in lines)
    with pytest.raises(ValueError, match="expected the number of a table, such as 3, got 'three'"):
        task.write(task.model, "three", GenerateOptions())
