"""The training loop: one for every recipe, on a CPU, a GPU, or several. Taught in chapter 14.

::

    batch ─ rows to processes and parts ─ loss summed, targets counted ─ backward ─┐
      ┌── log, validate, save ── AdamW ── clip ── gradient / targets of all ◄──────┘

The mean is taken over the targets of the whole batch, wherever they were computed: so neither the number of
processes nor `accumulate` changes the curve. Everything random in a step follows from seed, step and rank,
and the order of the data from seed and epoch: a run that is resumed needs to remember no random state.
"""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from unrolled.data.seeds import derived_seed
from unrolled.training.checkpoint import (
    CheckpointError,
    load_checkpoint,
    load_model,
    load_optimizer,
    model_tensors,
    newest_step,
    optimizer_tensors,
    save_checkpoint,
)
from unrolled.training.curve import Curve
from unrolled.training.distributed import Workers, split_rows
from unrolled.training.progress import Progress
from unrolled.training.recipe import Recipe
from unrolled.training.schedule import learning_rate_factor
from unrolled.training.state import State, join, split
from unrolled.training.task import Batch, Probed, Task

__all__ = ["Trainer"]


class _Loss(nn.Module):
    """Model and loss as one module, so that compiling and DDP see both, whichever methods are called."""

    def __init__(self, task: Task[Any]) -> None:
        super().__init__()
        self.model = task.model
        self.of = task.loss

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return self.of(self.model, batch)


class Trainer:
    """Train the model of a task as a recipe says, from its last checkpoint where there is one.

    Args:
        recipe: how.
        task: what; its model is moved to the workers' device and trained in place.
        folder: the run's: ``curve.jsonl`` and ``checkpoints/`` are in it.
        workers: the processes that train together; all see the same folder.
        progress: what shows how far it is; nothing unless given.

    Raises:
        CheckpointError: the checkpoints are damaged, or those of another recipe.
    """

    def __init__(
        self,
        recipe: Recipe,
        task: Task[Any],
        folder: Path,
        workers: Workers,
        progress: Progress | None = None,
    ) -> None:
        self.recipe, self.task, self.folder, self.workers = recipe, task, folder, workers
        self.progress = Progress.silent() if progress is None else progress
        self.model = task.model.to(workers.device)
        self.optimizer = self._make_optimizer()
        self.state = State()
        self.best: dict[str, Tensor] = {}
        position = self._resume()
        self.loss: nn.Module = _Loss(task)
        if recipe.compile:
            self.loss.compile()
        self.parallel: nn.Module = self.loss
        if workers.size > 1:
            self.parallel = DistributedDataParallel(self.loss)
        self.curve = Curve(folder / "curve.jsonl", position) if workers.first else None
        self._started = (time.perf_counter(), time.process_time())
        self._logged_at = (self.state.tokens, self._started[0])

    def train(self) -> None:
        """Take all steps that are left; at the end the model has its last or its best weights."""
        state, recipe = self.state, self.recipe
        self.model.train()
        try:
            batches = self._train_batches()
            while not state.done:
                self._step(next(batches))
                last = state.step == recipe.steps
                if state.step % recipe.log_every == 0 or last:
                    self._log()
                if recipe.validate_every and (state.step % recipe.validate_every == 0 or last):
                    self._validate()
                state.done = state.done or last
                if state.step % recipe.checkpoint_every == 0 or state.done:
                    self._save()
        finally:
            self.progress.close()
            if self.curve is not None:
                self.curve.close()
        if recipe.keep_best and self.best:
            load_model(self.model, self.best)

    def validation_loss(self) -> float:
        """Return the mean loss per target over the validation split.

        Raises:
            ValueError: the split is empty.
        """
        self.model.eval()
        total = torch.zeros(2, dtype=torch.float64, device=self.workers.device)
        with torch.no_grad():
            for batch in self.task.batches("validation", self.recipe.seed, 0):
                part, counts = split_rows(batch, self.workers.size)[self.workers.rank]
                loss, count = self._forward(self.loss, part)
                if counts:
                    total += torch.stack([loss.double(), count.double()])
        self.model.train()
        loss_sum, n = self.workers.sum(*total).tolist()
        if not n:
            raise ValueError("validation: expected at least one target, got none")
        return float(loss_sum / n)

    def _make_optimizer(self) -> torch.optim.AdamW:
        r = self.recipe
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        # Biases and norms set a scale, they do not add capacity: weight decay leaves them alone.
        groups = [
            {"params": [p for p in parameters if p.dim() > 1], "weight_decay": r.weight_decay},
            {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        return torch.optim.AdamW(groups, lr=r.lr, betas=(r.beta1, r.beta2), fused=True)

    def _train_batches(self) -> Iterator[Batch]:
        """Yield batches for ever, epoch after epoch, from where the state says."""
        state = self.state
        while True:
            used = state.batch
            for i, batch in enumerate(self.task.batches("train", self.recipe.seed, state.epoch)):
                if i >= used:
                    state.batch = i + 1
                    yield batch
            if not state.batch:
                raise ValueError("train: expected at least one batch per epoch, got none")
            state.epoch, state.batch = state.epoch + 1, 0

    def _forward(self, module: nn.Module, part: Batch) -> tuple[Tensor, Tensor]:
        device = self.workers.device
        part = {name: tensor.to(device, non_blocking=True) for name, tensor in part.items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            result: tuple[Tensor, Tensor] = module(part)
        return result

    def _step(self, batch: Batch) -> None:
        state, recipe, workers = self.state, self.recipe, self.workers
        torch.manual_seed(derived_seed("step", recipe.seed, state.step, workers.rank))
        # A part for each process and each turn; process r takes parts r, r + size, ...
        parts = split_rows(batch, workers.size * recipe.accumulate)[workers.rank :: workers.size]
        total = torch.zeros(2, dtype=torch.float64, device=workers.device)  # loss and targets
        self.optimizer.zero_grad()
        for turn, (part, counts) in enumerate(parts, 1):
            # DDP adds up the gradients of all processes in the backward pass of the last turn only.
            wait: AbstractContextManager[Any] = nullcontext()
            if turn < len(parts) and isinstance(self.parallel, DistributedDataParallel):
                wait = self.parallel.no_sync()
            with wait:
                loss, count = self._forward(self.parallel, part)
                (loss if counts else 0 * loss).backward()  # type: ignore[no-untyped-call]
            if counts:
                total += torch.stack([loss.detach().double(), count.double()])
        total = workers.sum(*total)
        # DDP has divided the sum over processes by their number; what is wanted is the mean over all targets.
        scale = workers.size / total[1].clamp_min(1)
        parameters = [p for p in self.model.parameters() if p.grad is not None]
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(scale)
        limit = math.inf if recipe.clip is None else recipe.clip
        norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
        warmup = round(recipe.warmup * recipe.steps)
        self.lr = recipe.lr * learning_rate_factor(
            recipe.schedule, state.step, recipe.steps, warmup, recipe.lr_floor
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr
        self.optimizer.step()
        # Asked for once, and when the step is on its way: a GPU is waited for here.
        loss_sum, n, self.grad_norm = torch.stack([*total, norm.to(total)]).tolist()
        # Every step, not only where the curve gets a point: no checkpoint may be of a model that is lost.
        self._check("loss", loss_sum / max(n, 1), state.step + 1)
        self._check("norm of the gradient", self.grad_norm, state.step + 1)
        state.step += 1
        state.window_loss += loss_sum
        state.window_count += n
        state.tokens += int(n)

    def _check(self, what: str, number: float, step: int) -> None:
        """Raise unless a number of a step is one."""
        if math.isfinite(number):
            return
        kept = newest_step(self.folder / "checkpoints")
        raise FloatingPointError(
            f"the {what} is {number} at step {step}: try a lower --lr, a longer --warmup or a --clip; "
            + ("no checkpoint had been saved" if kept is None else f"the checkpoint of step {kept} is kept")
        )

    def _log(self) -> None:
        state = self.state
        loss = state.window_loss / max(state.window_count, 1)
        state.window_loss = state.window_count = 0.0
        now = time.perf_counter()
        speed = (state.tokens - self._logged_at[0]) / max(now - self._logged_at[1], 1e-9)
        self._logged_at = (state.tokens, now)
        if self.curve is not None:
            self.curve.add(
                step=state.step,
                loss=loss,
                lr=self.lr,
                grad_norm=self.grad_norm,
                tokens=state.tokens,
                tokens_per_s=round(speed, 1),
                seconds=round(self._seconds()[0], 3),
            )
        self.progress.show(state.step, loss, speed, state.best_loss)

    def _validate(self) -> None:
        state, recipe = self.state, self.recipe
        loss = self.validation_loss()
        self._check("validation loss", loss, state.step)
        if state.best_loss is None or loss < state.best_loss:
            state.best_loss, state.best_step, state.validations_since_best = loss, state.step, 0
            if recipe.keep_best:
                self.best = model_tensors(self.model)
        else:
            state.validations_since_best += 1
        if self.curve is not None:
            self.curve.add(step=state.step, validation_loss=loss, **self._probe())
        state.done = bool(recipe.patience) and state.validations_since_best >= recipe.patience
        # Validation counts as time, not as time per token.
        self._logged_at = (state.tokens, time.perf_counter())

    def _probe(self) -> dict[str, float]:
        """Return what the task sees in its model, if it looks."""
        if not isinstance(self.task, Probed):
            return {}
        self.model.eval()
        with torch.no_grad():
            figures = {name: float(value) for name, value in self.task.probe(self.model).items()}
        self.model.train()
        return figures

    def _seconds(self) -> tuple[float, float]:
        wall, cpu = time.perf_counter() - self._started[0], time.process_time() - self._started[1]
        return self.state.seconds + wall, self.state.cpu_seconds + cpu

    def _save(self) -> None:
        # The loss before the last step was finite; where that step went is seen here.
        named = dict(self.model.named_parameters())
        largest = torch.stack([parameter.detach().abs().max() for parameter in named.values()]).tolist()
        for name, number in zip(named, largest, strict=True):
            self._check(f"largest number of {name}", number, self.state.step)
        self.state.seconds, self.state.cpu_seconds = self._seconds()
        self._started = (time.perf_counter(), time.process_time())
        if self.curve is None:
            return
        remembered = optimizer_tensors(self.optimizer, self.model)
        tensors = join({"model": model_tensors(self.model), "best": self.best, "optimizer": remembered})
        state = {
            "recipe": self.recipe.name,
            "config": self.recipe.config(),
            "curve": self.curve.position(),
            **vars(self.state),
        }
        save_checkpoint(self.folder / "checkpoints", self.state.step, tensors, state)

    def _resume(self) -> int:
        """Take up the last checkpoint, if there is one; return how much of the curve it knew."""
        found = load_checkpoint(self.folder / "checkpoints")
        if found is None:
            return 0
        tensors, state = found
        written = (state.pop("recipe"), state.pop("config"))
        if written != (self.recipe.name, self.recipe.config()):
            raise CheckpointError("the checkpoint was written with other options than these")
        model, self.best, optimizer = split(tensors, "model", "best", "optimizer")
        load_model(self.model, model)
        load_optimizer(self.optimizer, self.model, optimizer)
        position = int(state.pop("curve"))
        self.state = State(**state)
        return position
