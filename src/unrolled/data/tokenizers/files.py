"""Tokenizers of ours, read back from their files."""

from pathlib import Path

from unrolled.data.tokenizers.byte_pairs import BytePairs
from unrolled.data.tokenizers.characters import Characters
from unrolled.data.tokenizers.protocol import Tokenizer
from unrolled.data.tokenizers.published import Published
from unrolled.data.tokenizers.saved import FORMAT
from unrolled.data.tokenizers.words import Words
from unrolled.inputs import read_json, user_path

__all__ = ["load"]


def load(path: str | Path) -> Tokenizer:
    """Return the tokenizer that was saved at `path`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated, altered or something else.
    """
    path = user_path("path", path)
    try:
        saved = read_json(path, path.read_bytes())
        if saved.pop("format") != FORMAT:
            raise ValueError("another format")
        kind = saved.pop("kind")
        if kind == "byte pairs":
            return BytePairs(**saved)
        if kind == "published":
            return Published(**saved)
        if kind not in ("characters", "words"):
            raise ValueError(f"unknown kind {kind!r}")
        tokens = saved.pop("tokens")
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise ValueError(f"expected a list of tokens, got {tokens!r:.60}")
        return (Words if kind == "words" else Characters)(tokens, **saved)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: expected a saved tokenizer ({FORMAT!r}), got something else: {error}"
        ) from error
