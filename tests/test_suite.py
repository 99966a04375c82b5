"""What all tests stand on: the same examples in every run, one thread, and one build for all workers."""

import threading
from pathlib import Path

from hypothesis import settings

from tests.drawn import random_mask


def test_hypothesis_draws_the_same_in_every_run_and_watches_no_clock() -> None:
    assert settings.default is not None
    assert settings.default.derandomize
    assert settings.default.deadline is None
    inherited = settings(max_examples=7)
    assert (inherited.derandomize, inherited.deadline) == (True, None)


def test_a_mask_leaves_about_the_asked_share_open() -> None:
    assert abs(random_mask(97, 101, share=0.3).double().mean().item() - 0.3) < 0.02


def test_what_workers_share_is_made_once(once) -> None:
    """Threads stand for workers here: the lock is a file's, and one of them has to wait."""
    made, got = [], []

    def fill(folder: Path) -> None:
        made.append(folder)
        folder.mkdir()
        (folder / "page").write_text("whole")

    def ask() -> None:
        got.append((once("test-of-once", fill) / "page").read_text())

    workers = [threading.Thread(target=ask) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert got == ["whole"] * 3
    assert len(made) == 1
