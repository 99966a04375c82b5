import math

import pytest
import torch

from tests.training.toy import Toy, ToyTask
from unrolled.training.checkpoint import load_checkpoint
from unrolled.training.loop import Trainer
from unrolled.training.run import evaluate_task


def losses(curve):
    return [point["loss"] for point in curve if "loss" in point]


def test_the_loss_falls_and_the_curve_says_what_happened(trained):
    trainer, curve = trained(steps=60)
    points = [point for point in curve if "loss" in point]
    assert [point["step"] for point in points] == list(range(1, 61))
    assert points[0]["loss"] == pytest.approx(math.log(7), abs=0.6)
    assert sum(losses(curve)[-10:]) / 10 < 0.7 * points[0]["loss"]
    assert max(point["lr"] for point in points) == pytest.approx(0.05)
    assert points[-1]["tokens"] == trainer.state.tokens > 60
    assert [p["step"] for p in curve if "validation_loss" in p] == list(range(6, 61, 6))


def test_one_seed_one_curve(trained):
    _, first = trained(dropout=0.3)
    torch.rand(3)  # what else was drawn in between changes nothing
    _, again = trained(dropout=0.3)
    _, other = trained(dropout=0.3, seed=1)
    assert first == again
    assert losses(first) != losses(other)


def test_the_first_step_by_hand(trained):
    """Mean over all targets of the batch, AdamW with its decay, the learning rate of step 0."""
    recipe = Toy(steps=1, schedule="constant", warmup=0.0, clip=None, lr=0.01)
    task = recipe.task()
    (batch, *_) = task.batches("train", 0, 0)
    logits = task.model(batch["words"])
    asked = batch["answers"] != -100
    chosen = logits.log_softmax(-1)[asked].gather(-1, batch["answers"][asked][:, None])
    loss = -chosen.mean()
    loss.backward()
    expected = {}
    for name, p in task.model.named_parameters():
        decay = 0.01 if p.dim() > 1 else 0.0
        # In the first step both of Adam's averages are the gradient: the step is lr times its sign.
        expected[name] = p.detach() * (1 - 0.01 * decay) - 0.01 * p.grad / (p.grad.abs() + 1e-8)
    trainer, curve = trained(steps=1, schedule="constant", warmup=0.0, clip=None, lr=0.01)
    assert curve[0]["loss"] == pytest.approx(loss.item(), rel=1e-12)
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in task.model.parameters()))
    assert curve[0]["grad_norm"] == pytest.approx(norm, rel=1e-12)
    for name, p in trainer.model.named_parameters():
        torch.testing.assert_close(p.detach(), expected[name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("accumulate", [2, 3, 8])
def test_parts_of_a_batch_add_up_to_the_batch(trained, accumulate):
    """Also with more parts than rows, and with parts of unequal numbers of targets."""
    whole, one = trained()
    parts, several = trained(accumulate=accumulate)
    assert losses(several) == pytest.approx(losses(one), rel=1e-12)
    for name, p in whole.model.named_parameters():
        torch.testing.assert_close(dict(parts.model.named_parameters())[name], p, rtol=1e-9, atol=1e-12)


def test_the_gradient_is_clipped(trained):
    """A limit so small that AdamW's epsilon swallows what is left: nothing moves but for the decay."""
    start = {name: p.detach().clone() for name, p in Toy().task().model.named_parameters()}
    held, curve = trained(clip=1e-12, weight_decay=0.0)
    free, _ = trained(weight_decay=0.0)
    assert curve[0]["grad_norm"] > 0.1, "the norm before clipping is what the curve shows"
    moved = max(float((p - start[n]).abs().max().detach()) for n, p in held.model.named_parameters())
    assert moved < 1e-3
    assert max(float((p - start[n]).abs().max().detach()) for n, p in free.model.named_parameters()) > 0.1


def test_label_smoothing_is_for_training_only(trained):
    plain, curve = trained(steps=6)
    _, smoothed = trained(steps=6, label_smoothing=0.5)
    assert losses(smoothed)[0] != losses(curve)[0]
    plain.task.recipe = Toy(label_smoothing=0.5)
    assert plain.validation_loss() == pytest.approx(curve[-1]["validation_loss"], rel=1e-12)


def test_validation_is_a_mean_over_targets_without_dropout(trained):
    trainer, curve = trained(steps=6, dropout=0.5)
    total = n = 0
    trainer.model.eval()
    for batch in trainer.task.batches("validation", 0, 0):
        loss, count = trainer.task.loss(trainer.model, batch)
        total, n = total + loss.item(), n + count.item()
    assert curve[-1]["validation_loss"] == pytest.approx(total / n, rel=1e-12)


def test_what_a_task_sees_in_its_model_stands_beside_the_validation_loss(trained, monkeypatch):
    seen = []

    def probe(task, model):
        seen.append((model.training, torch.is_grad_enabled()))
        return {"spread": model.embed.weight.std()}

    _, plain = trained(dropout=0.3)
    monkeypatch.setattr(ToyTask, "probe", probe, raising=False)
    trainer, curve = trained(dropout=0.3)
    points = [point for point in curve if "validation_loss" in point]
    assert seen == [(False, False)] * 4
    assert points[-1]["spread"] == pytest.approx(trainer.model.embed.weight.std().item())
    assert points[0]["spread"] != points[-1]["spread"]
    assert trainer.model.training
    assert [{k: v for k, v in point.items() if k != "spread"} for point in curve] == plain


def test_it_stops_when_validation_gets_no_better_and_keeps_the_best(trained):
    options = {"lr": 2.0, "schedule": "constant", "steps": 200, "validate_every": 2, "patience": 3}
    trainer, curve = trained(keep_best=True, **options)
    validation = {p["step"]: p["validation_loss"] for p in curve if "validation_loss" in p}
    assert trainer.state.step < 200
    assert list(validation)[-4] == trainer.state.best_step
    assert min(validation.values()) == validation[trainer.state.best_step]
    assert trainer.validation_loss() == pytest.approx(min(validation.values()), rel=1e-12)
    last, _ = trained(keep_best=False, **options)
    assert last.validation_loss() == pytest.approx(list(validation.values())[-1], rel=1e-12)


def test_a_run_taken_up_again_still_has_its_best_weights(trained, tmp_path):
    options = {"lr": 2.0, "schedule": "constant", "steps": 200, "validate_every": 2, "patience": 3}
    first, curve = trained(folder=tmp_path, keep_best=True, **options)
    again, _ = trained(folder=tmp_path, keep_best=True, **options)
    assert again.state.step == first.state.step
    best = min(p["validation_loss"] for p in curve if "validation_loss" in p)
    assert again.validation_loss() == pytest.approx(best, rel=1e-12)


def test_bf16_multiplies_in_16_bits_and_learns_the_same(trained):
    _, exact = trained(double=False, steps=40)
    trainer, rough = trained(double=False, steps=40, precision="bf16")
    assert losses(rough) != losses(exact)
    assert losses(rough) == pytest.approx(losses(exact), abs=0.1)
    assert all(p.dtype == torch.float32 for p in trainer.model.parameters())


def test_compiling_changes_nothing_but_the_code_that_runs(trained, monkeypatch):
    compiled = []
    real = torch.nn.Module.compile
    monkeypatch.setattr(
        torch.nn.Module, "compile", lambda self: (compiled.append(self), real(self, backend="eager"))[1]
    )
    _, plain = trained(steps=3)
    assert not compiled
    trainer, curve = trained(steps=3, compile=True)
    assert compiled == [trainer.loss]
    assert losses(curve) == pytest.approx(losses(plain), rel=1e-12)


def test_a_loss_that_is_no_number_stops_the_run(trained, monkeypatch):
    real = ToyTask.loss
    monkeypatch.setattr(
        ToyTask, "loss", lambda self, model, batch: (real(self, model, batch)[0] * math.inf, torch.tensor(1))
    )
    said = r"the loss is inf at step 1: try a lower --lr, .*; no checkpoint had been saved"
    with pytest.raises(FloatingPointError, match=said):
        trained()


def lost_from(step, monkeypatch, number):
    """Make the loss of a step and of all after it, counted from 1, no finite number."""
    real, calls = ToyTask.loss, iter(range(1, 1000))

    def loss(self, model, batch):
        total, n = real(self, model, batch)
        return (total * number if next(calls) >= step else total), n

    monkeypatch.setattr(ToyTask, "loss", loss)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_run_lost_between_two_points_of_its_curve_keeps_its_last_good_checkpoint(
    trained, tmp_path, monkeypatch, number
):
    """The step that is lost is also one that is saved: the checkpoint before must stay the newest."""
    lost_from(10, monkeypatch, number)
    options = {"log_every": 100, "validate_every": 0, "checkpoint_every": 5}
    with pytest.raises(
        FloatingPointError,
        match=r"the loss is (nan|inf) at step 10: try .*; the checkpoint of step 5 is kept$",
    ):
        trained(tmp_path, **options)
    tensors, state = load_checkpoint(tmp_path / "checkpoints")
    assert state["step"] == 5
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_weights_that_a_step_has_thrown_out_of_the_numbers_are_not_saved(trained, tmp_path):
    options = {"lr": 1e308, "steps": 1, "schedule": "constant", "warmup": 0.0, "weight_decay": 1e3}
    with pytest.raises(
        FloatingPointError, match=r"largest number of \S+ is (inf|nan) at step 1: .* no checkp"
    ):
        trained(tmp_path, validate_every=0, **options)
    assert load_checkpoint(tmp_path / "checkpoints") is None


def test_a_validation_that_is_no_number_stops_the_run(trained, monkeypatch):
    monkeypatch.setattr(Trainer, "validation_loss", lambda self: math.nan)
    with pytest.raises(FloatingPointError, match=r"the validation loss is nan at step 6: .* step 5 is kept"):
        trained()


def test_what_a_task_sees_must_be_numbers_too(trained, monkeypatch):
    monkeypatch.setattr(ToyTask, "probe", lambda task, model: {"spread": math.nan}, raising=False)
    with pytest.raises(ValueError, match="step 6 of the curve: expected finite numbers, got nan for spread"):
        trained()
    monkeypatch.setattr(ToyTask, "evaluate", lambda task, model: {"accuracy": 0.5, "spread": math.inf})
    with pytest.raises(ValueError, match="figures of toy: expected finite numbers, got inf for spread"):
        evaluate_task(Toy().task(), Toy())


def test_data_that_gives_nothing_is_an_error(trained, monkeypatch):
    monkeypatch.setattr(ToyTask, "batches", lambda self, split, seed, epoch: [])
    with pytest.raises(ValueError, match="train: expected at least one batch per epoch, got none"):
        trained()
    monkeypatch.setattr(
        ToyTask,
        "batches",
        lambda self, split, seed, epoch: [{"words": torch.zeros(2, 1), "answers": torch.zeros(3, 1)}],
    )
    with pytest.raises(
        ValueError, match=r"same number of rows, one or more, got \{'words': 2, 'answers': 3\}"
    ):
        trained()
