import json
import os
import subprocess
import sys

import pytest
import torch

from tests.training.conftest import ALONE, without_speed
from tests.training.toy import Toy
from unrolled.nn import Seq2Seq, Seq2SeqConfig
from unrolled.training import checkpoint
from unrolled.training.checkpoint import CheckpointError, load_checkpoint, load_model, save_checkpoint
from unrolled.training.curve import Curve, read_curve
from unrolled.training.loop import Trainer

# One thread each: the order of additions, and with it the last bit, depends on the number of threads.
ALONE_ENV = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
OPTIONS = ["--steps=40", "--log-every=1", "--checkpoint-every=6", "--validate-every=10", "--batch=8"]
OPTIONS += ["--d-hidden=8", "--longest=4", "--epoch=7", "--device=cpu"]

# Runs `unrolled` once for every moment on the command line, each time in a process of its own that sends
# itself SIGKILL when a function is called for the n-th time; prints how each ended. It forks before torch
# starts threads.
DRIVER = """
import importlib, json, os, signal, sys
import torch._dynamo  # the optimiser imports it at its first step: here it is done once for all
from unrolled import cli
from unrolled.training import run

def arm(where, nth, half):
    module, _, name = where.rpartition(":")
    owner = importlib.import_module(module)
    *outer, name = name.split(".")
    for part in outer:
        owner = getattr(owner, part)
    real, calls = getattr(owner, name), 0

    def deadly(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == nth:
            if half:
                path, content = args
                path.write_bytes(content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(owner, name, deadly)

for words, moment in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        if moment:
            arm(*moment)
        os._exit(cli.main(words))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

MOMENTS = {
    "before the first checkpoint": ("unrolled.training.loop:Trainer._step", 4, ""),
    "between two checkpoints": ("unrolled.training.loop:Trainer._step", 10, ""),
    "half of the tensors are written": ("unrolled.training.checkpoint:write_atomically", 3, "half"),
    "half of the state is written": ("unrolled.training.checkpoint:write_atomically", 2, "half"),
    "before the checkpoint gets its name": ("unrolled.training.checkpoint:sync", 1, ""),
    "while old ones are removed": ("unrolled.training.checkpoint:_found", 3, ""),
    "between training and metrics": ("unrolled.training.run:provenance", 1, ""),
}


def outcome(folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    kept = {k: metrics[k] for k in ("metrics", "steps", "best_validation_loss", "best_step")}
    return (
        kept,
        without_speed(read_curve(folder / "curve.jsonl")),
        (folder / "model.safetensors").read_bytes(),
    )


def train(folder):
    return ["train", "reversal", *OPTIONS, "--quiet", "--resume", "--folder", str(folder)]


def test_a_run_killed_again_and_again_ends_as_one_that_was_not(tmp_path):
    """SIGKILL at seven moments, one after another; curve, figures and weights are equal to the last bit."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    turns = [
        (train(whole), None),
        *((train(killed), moment) for moment in MOMENTS.values()),
        (train(killed), None),
    ]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(turns)],
        capture_output=True,
        text=True,
        check=False,
        env=ALONE_ENV,
    )
    codes = done.stdout.splitlines()
    ends = dict(
        zip(["whole", *MOMENTS, "last"], [line for line in codes if line in ("0", "-9")], strict=True)
    )
    assert ends == {"whole": "0", **dict.fromkeys(MOMENTS, "-9"), "last": "0"}, done.stderr
    assert outcome(killed) == outcome(whole)
    assert "is damaged" not in done.stderr, "a kill leaves no checkpoint that is not whole"


def test_a_run_killed_from_outside_loses_at_most_the_steps_since_its_last_checkpoint(tmp_path):
    folder = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "unrolled",
        "train",
        "reversal",
        *OPTIONS,
        "--steps=100000",
        "--folder",
        str(folder),
    ]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=ALONE_ENV
    ) as process:
        line = process.stderr.readline()  # the first progress line: after it, steps go on at full speed
        while not list(folder.glob("checkpoints/step-*")):
            assert process.poll() is None
        process.kill()
    assert line.startswith("step 1/100000: loss ")
    assert process.returncode == -9
    _, state = load_checkpoint(folder / "checkpoints")
    seen = [point["step"] for point in read_curve(folder / "curve.jsonl")][-1]
    assert state["step"] % 6 == 0
    # The kill may have come while the next one was written, and a line may be under way.
    assert state["step"] <= seen + 1 <= state["step"] + 2 * 6 + 1


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("tensors.safetensors", lambda b: b[: len(b) // 2]),
        ("tensors.safetensors", lambda b: b[:-4] + bytes([b[-4] ^ 1]) + b[-3:]),
        ("state.json", lambda b: b[: len(b) // 2]),
        ("state.json", lambda b: b.replace(b'"tokens": ', b'"tokens": 1')),
        ("state.json", lambda b: b"[]"),
        ("tensors.safetensors", None),
    ],
    ids=[
        "half the tensors",
        "one bit of them",
        "half the state",
        "one digit of it",
        "other JSON",
        "no tensors",
    ],
)
def test_a_damaged_checkpoint_is_reported_and_the_one_before_continues_to_the_same_losses(
    trained, tmp_path, capsys, file, damage
):
    _, whole = trained(dropout=0.2)
    folder = tmp_path / "run"
    folder.mkdir()
    trainer, _ = trained(folder, dropout=0.2)
    path = folder / "checkpoints/step-00000024" / file
    path.unlink() if damage is None else path.write_bytes(damage(path.read_bytes()))
    capsys.readouterr()
    recipe = Toy(dropout=0.2)
    again = Trainer(recipe, recipe.task(), folder, ALONE)
    assert again.state.step == 20
    assert "checkpoint step-00000024 is damaged (" in capsys.readouterr().err
    again.train()
    assert without_speed(read_curve(folder / "curve.jsonl")) == whole
    for name, p in trainer.model.named_parameters():
        assert torch.equal(p, dict(again.model.named_parameters())[name]), name


def test_when_all_are_damaged_nothing_is_begun_anew_in_silence(trained, tmp_path, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    trained(folder)
    for path in folder.glob("checkpoints/*/state.json"):
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"all 2 checkpoints in .* are damaged"):
        trained(folder)
    assert capsys.readouterr().err.count("is damaged") == 2


def test_a_checkpoint_of_other_options_is_refused(trained, tmp_path):
    trained(tmp_path)
    with pytest.raises(CheckpointError, match="written with other options"):
        trained(tmp_path, lr=0.1)


def test_the_last_two_are_kept_and_nothing_half_written(trained, tmp_path):
    (tmp_path / "checkpoints/.writing-step-00000005").mkdir(parents=True)
    (tmp_path / "checkpoints/.writing-step-00000005/left").write_text("over")
    trained(tmp_path)
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-00000020", "step-00000024"]
    files = sorted(path.name for path in (tmp_path / "checkpoints/step-00000024").iterdir())
    assert files == ["state.json", "tensors.safetensors"]


def test_shared_weights_are_stored_once_and_stay_shared(trained):
    trainer, _ = trained(steps=5)
    tensors = checkpoint.model_tensors(trainer.model)
    assert sorted(tensors) == ["embed.weight", "head.bias", "mix.bias", "mix.weight"]
    other = Toy(seed=9).task().model
    load_model(other, tensors)
    assert other.head.weight is other.embed.weight
    assert torch.equal(other.embed.weight, trainer.model.embed.weight)


def test_weights_of_another_model_are_refused_by_name_and_leave_it_untouched():
    model = Toy().task().model
    before = checkpoint.model_tensors(model)
    wrong = {**before, "mix.bias": torch.zeros(3), "extra": torch.zeros(1)}
    del wrong["head.bias"]
    with pytest.raises(CheckpointError) as error:
        load_model(model, wrong)
    text = str(error.value)
    assert (
        "extra is unknown; head.bias is missing; mix.bias: expected [6] torch.float64, got [3] torch.float32"
        in text
    )
    assert all(torch.equal(tensor, before[name]) for name, tensor in checkpoint.model_tensors(model).items())


def test_floats_and_tensors_of_every_kind_come_back_exactly(tmp_path):
    tensors = {
        "a": torch.tensor(1 / 3, dtype=torch.float64),
        "b": torch.tensor([1.5, -2], dtype=torch.bfloat16),
    }
    save_checkpoint(tmp_path, 3, tensors, {"x": 0.1 + 0.2, "y": None})
    found, state = load_checkpoint(tmp_path)
    assert state == {"x": 0.1 + 0.2, "y": None}
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())
    assert load_checkpoint(tmp_path / "none") is None


def test_a_curve_is_cut_back_to_where_it_was_known(tmp_path):
    path = tmp_path / "curve.jsonl"
    curve = Curve(path)
    curve.add(step=1, loss=0.5)
    position = curve.position()
    curve.add(step=2, loss=0.25)
    curve.close()
    with path.open("ab") as file:
        file.write(b'{"step": 3, "lo')
    assert [point["step"] for point in read_curve(path)] == [1, 2]
    Curve(path, position).close()
    assert path.stat().st_size == position
    with pytest.raises(ValueError, match=rf"curve.jsonl: expected 1000 bytes or more, got {position}"):
        Curve(path, 1000)


def test_a_checkpoint_with_former_names_of_parameters_is_read():
    torch.manual_seed(0)
    models = [Seq2Seq(Seq2SeqConfig(5, 7, d_model=3, d_hidden=4, score=None)) for _ in range(2)]
    optimizers = [torch.optim.AdamW(model.parameters()) for model in models]
    models[0](torch.ones(2, 3, dtype=torch.int64), torch.ones(2, 4, dtype=torch.int64)).sum().backward()
    optimizers[0].step()
    former = {"source_embedding": "source_embed", "target_embedding": "target_embed", "lm_head": "head"}

    def as_then(tensors):
        parts = ((name.partition("."), tensor) for name, tensor in tensors.items())
        return {f"{former.get(part, part)}.{rest}": tensor for (part, _, rest), tensor in parts}

    weights = as_then(checkpoint.model_tensors(models[0]))
    moments = as_then(checkpoint.optimizer_tensors(optimizers[0], models[0]))
    assert "head.weight" in weights
    assert "source_embed.weight/exp_avg" in moments
    load_model(models[1], weights)
    checkpoint.load_optimizer(optimizers[1], models[1], moments)
    for found, expected in (
        (checkpoint.model_tensors(models[1]), checkpoint.model_tensors(models[0])),
        (
            checkpoint.optimizer_tensors(optimizers[1], models[1]),
            checkpoint.optimizer_tensors(optimizers[0], models[0]),
        ),
    ):
        assert found.keys() == expected.keys()
        assert all(torch.equal(tensor, expected[name]) for name, tensor in found.items())
