"""The reader of weights in the page, ``safetensors.mjs``, given damaged files."""

import base64
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from tools.experiments.reliability.files_of_others import file_numbers
from tools.experiments.reliability.mutations import damaged
from tools.experiments.reliability.readers import Verdict

__all__ = ["check_page_reader"]

_NAME = "weights in the page"
# Whole numbers and their steps as they stand in the file, so that nothing is rounded on the way back.
_READ = """(files) => files.map((file) => {
    try {
        const buffer = Uint8Array.from(atob(file), (c) => c.charCodeAt(0)).buffer;
        return { numbers: Object.values($safetensors.readTensors(buffer))
            .flatMap(({ data, whole, steps }) => (whole ? [...whole, ...steps] : [...data])) };
    } catch (error) {
        return { error: `${error.name}: ${error.message}` };
    }
})"""


def check_page_reader(opened: Any, n: int, seed: int = 0) -> Verdict:
    """Give the reader `n` damaged files, a hundred at a time."""
    from tests.widgets.playgrounds import store
    from unrolled.widgets import bundle

    verdict = Verdict(Counter(), [])
    page = opened.new_page()
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "small.safetensors")
        sound = store(path).read_bytes()
        for first in range(0, n, 100):
            chances = [random.Random(f"{_NAME}-{seed}-{i}") for i in range(first, min(first + 100, n))]
            files = [damaged(sound, chance, path.suffix) for chance in chances]
            script = f"(files) => {{ {bundle._inline(['safetensors'])} return ({_READ})(files); }}"
            answers = page.evaluate(script, [base64.b64encode(file).decode() for file in files])
            for i, (file, answer) in enumerate(zip(files, answers, strict=True), start=first):
                path.write_bytes(file)
                how = _judged(path, file == sound, answer)
                verdict.answers[how] += 1
                if how not in ("as it was", "as the file says", "refused"):
                    verdict.failures.append(f"{_NAME}, seed {seed}, {i}: {how}: {answer.get('error')}")
                    print(verdict.failures[-1], flush=True)
    page.close()
    return verdict


def _judged(path: Path, unchanged: bool, answer: dict[str, Any]) -> str:
    if "error" in answer:
        clear = answer["error"].startswith("Error: ") and (
            "expected" in answer["error"] or "cut or altered" in answer["error"]
        )
        return "refused" if clear else "another error"
    try:
        theirs = np.sort(np.concatenate([x.astype("f8") for x in file_numbers(path)]))
    except Exception:
        return "other numbers"
    ours = np.sort(np.array(answer["numbers"], dtype="f8"))
    same = bool(np.isfinite(ours).all()) and np.array_equal(theirs, ours)
    return ("as it was" if unchanged else "as the file says") if same else "other numbers"
