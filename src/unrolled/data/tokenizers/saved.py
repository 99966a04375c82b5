"""How a tokenizer is written to a file."""

import json
import os
from pathlib import Path
from typing import Any

from unrolled.inputs import user_path

__all__ = ["FORMAT", "save"]

FORMAT = "unrolled tokenizer 1"


def save(path: str | Path, content: dict[str, Any]) -> None:
    """Write what a tokenizer is made of, whole or not at all."""
    path = user_path("path", path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(
            json.dumps({"format": FORMAT, **content}, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
