"""Train the toy task alone, on the CPU, in a folder of the test's own."""

import pytest
import torch

from tests.training.toy import Toy
from unrolled.training.curve import read_curve
from unrolled.training.distributed import Workers
from unrolled.training.loop import Trainer

ALONE = Workers(0, 1, torch.device("cpu"))


def without_speed(points):
    return [{k: v for k, v in point.items() if k not in ("seconds", "tokens_per_s")} for point in points]


@pytest.fixture
def trained(tmp_path):
    """Return a function that trains the toy with the given options and returns trainer and curve."""
    runs = iter(range(100))

    def train(folder=None, **options):
        if folder is None:
            folder = tmp_path / f"run{next(runs)}"
            folder.mkdir()
        recipe = Toy(**options)
        trainer = Trainer(recipe, recipe.task(), folder, ALONE)
        trainer.train()
        return trainer, without_speed(read_curve(folder / "curve.jsonl"))

    return train


@pytest.fixture(autouse=True)
def one_thread():
    """Give torch one thread: the models are too small for two, and the machine may be busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
