"""Vocabularies that others have published, read from their files: GPT-2's, BERT's, any ``tokenizer.json``."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unrolled.data.tokenizers.library import LibraryTokenizer, from_description
from unrolled.data.tokenizers.saved import save
from unrolled.inputs import not_text, read_json, user_path

__all__ = ["Published", "read_tokenizer"]

_GPT2 = ("<|endoftext|>",)
_BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_SPECIAL = re.compile(r"<.+>|\[.+\]")
_FILES = ("tokenizer.json", "vocab.json", "vocab.txt")


class Published(LibraryTokenizer):
    """A tokenizer that somebody else has trained: its ids are theirs, and so are its special tokens.

    Args:
        model: the library's description of it, as in a ``tokenizer.json``.
        special: the names of its special tokens; `decode` leaves them out. Those the description calls
            special unless given.
        typed_special: whether the name of a special token in a text becomes that token, as it does in
            Hugging Face's `transformers` unless told otherwise. Here what is typed stays text.

    Attributes:
        special: the special tokens and their ids.

    Raises:
        TypeError: the special tokens are a single text.
        ValueError: it is something else, or does not know a special token.
    """

    def __init__(
        self, model: dict[str, Any], *, special: Sequence[str] | None = None, typed_special: bool = False
    ) -> None:
        tokenizer = from_description(model)
        described = json.loads(tokenizer.to_str())["added_tokens"]
        if special is None:
            special = [token["content"] for token in described if token["special"]]
        ids = {name: tokenizer.token_to_id(name) for name in not_text("special", special, "special tokens")}
        if unknown := [name for name, i in ids.items() if i is None]:
            raise ValueError(f"special: expected tokens of the vocabulary, got {unknown[0]!r}")
        known = {token["content"] for token in described if token["special"]}
        tokenizer.add_special_tokens([name for name in ids if name not in known])
        # A text is cut by its own length alone.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        super().__init__(tokenizer, ids, ids.values(), typed_special=typed_special)

    def save(self, path: str | Path) -> None:
        """Write the library's description to a JSON file."""
        content = {"special": list(self.special), "typed_special": self.typed_special}
        save(path, {"kind": "published", "model": self.description(), **content})


def read_tokenizer(
    path: str | Path,
    *,
    special: Sequence[str] | None = None,
    typed_special: bool = False,
    lowercase: bool | None = None,
) -> Published:
    """Return a published tokenizer, from its files on this machine; nothing is downloaded.

    ==================  ==================================================================================
    ``tokenizer.json``  whatever the `tokenizers` library has saved
    ``vocab.json``      and ``merges.txt`` beside it: GPT-2's byte pairs, or anybody's in that format
    ``vocab.txt``       BERT's WordPiece: one piece a line, and its id is the line's number, from 0
    ==================  ==================================================================================

    Args:
        path: one of these files, or a folder that holds one; in a folder, the first of the table counts.
        special: the names of the special tokens, if they are others than the file's own, GPT-2's
            ``<|endoftext|>`` or BERT's ``[PAD]``, ``[UNK]``, ``[CLS]``, ``[SEP]`` and ``[MASK]``.
        typed_special: see `Published`.
        lowercase: for ``vocab.txt``, whether capitals and accents are dropped. What the
            ``tokenizer_config.json`` beside it says unless given, and without one, yes.

    Raises:
        FileNotFoundError: a file is not there; the message says which.
        ValueError: a file is truncated, altered or something else; the message names it, what was expected
            and what came.
    """
    path = _file(user_path("path", path))
    if path.suffix == ".txt":
        special = _BERT if special is None else not_text("special", special, "special tokens")
        model = _bert(path, special, _lowercase(path) if lowercase is None else lowercase)
    elif lowercase is not None:
        raise ValueError(f"lowercase: expected with vocab.txt alone, got it with {path.name}")
    else:
        content = _json(path)
        if "model" in content:
            return _published(path, content, special, typed_special)
        if special is None:
            special = [name for name in _GPT2 if name in content]
        model = _gpt2(path, content, not_text("special", special, "special tokens"))
    return _published(path, model, special, typed_special)


def _published(
    path: Path, model: dict[str, Any], special: Sequence[str] | None, typed_special: bool
) -> Published:
    try:
        return Published(model, special=special, typed_special=typed_special)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _file(path: Path) -> Path:
    """Return the file to read; of a folder, the first of those that can be read."""
    if not path.is_dir():
        return path
    found = [path / name for name in _FILES if (path / name).is_file()]
    if not found:
        raise FileNotFoundError(f"{path}: expected {', '.join(_FILES[:-1])} or {_FILES[-1]} in it, got none")
    return found[0]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected text in UTF-8, got byte {error.start}: {error.reason}") from error


def _json(path: Path) -> dict[str, Any]:
    content = read_json(path, _text(path), kind=None)
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected pieces and their ids, got a {type(content).__name__}")
    return content


def _check_numbering(path: Path, ids: Mapping[str, Any]) -> None:
    if not ids or sorted(map(repr, ids.values())) != sorted(map(repr, range(len(ids)))):
        wrong = next(
            (f"{piece!r}: {i!r}" for piece, i in ids.items() if not _counts(i, len(ids))), "one twice"
        )
        raise ValueError(
            f"{path}: expected pieces with the ids 0 to {len(ids) - 1}, each once, got "
            f"{wrong if ids else 'no pieces'}"
        )


def _counts(i: object, n: int) -> bool:
    return isinstance(i, int) and not isinstance(i, bool) and 0 <= i < n


def _gpt2(path: Path, ids: dict[str, Any], special: Sequence[str]) -> dict[str, Any]:
    """Return the description of byte pairs: ``vocab.json``, and the rules of the ``merges.txt`` beside it."""
    _check_numbering(path, ids)
    rules = path.with_name("merges.txt")
    if not rules.is_file():
        raise FileNotFoundError(f"{rules}: expected beside {path.name}, got no such file")
    merges, seen = [], set()
    for n, line in enumerate(_text(rules).split("\n"), start=1):
        line = line.removesuffix("\r")
        if not line or (n == 1 and line.startswith("#version")):
            continue
        pair = line.split(" ")
        if len(pair) != 2 or not all(pair):
            raise ValueError(f"{rules}, line {n}: expected two pieces and a space between, got {line!r}")
        if unknown := [piece for piece in (*pair, "".join(pair)) if piece not in ids]:
            raise ValueError(f"{rules}, line {n}: expected pieces of {path.name}, got {unknown[0]!r}")
        if line in seen:
            raise ValueError(f"{rules}, line {n}: expected each rule once, got {line!r} again")
        seen.add(line)
        merges.append(pair)
    # Bytes have no rule, and special tokens have none.
    made = {left + right for left, right in merges}
    without = [
        p for p in ids if len(p) > 1 and p not in made and p not in special and not _SPECIAL.fullmatch(p)
    ]
    if without:
        raise ValueError(
            f"{rules}: expected a rule for every longer piece of {path.name}, got {len(merges)} rules, "
            f"none for {without[0]!r}: is it cut short?"
        )
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return _description(
        {"type": "BPE", "vocab": ids, "merges": merges},
        pre_tokenizer=byte_level,
        decoder=byte_level,
    )


def _bert(path: Path, special: Sequence[str], lowercase: bool) -> dict[str, Any]:
    """Return the description of WordPiece: ``vocab.txt``."""
    pieces = _text(path).split("\n")
    if pieces[-1] == "":
        pieces.pop()
    pieces = [piece.removesuffix("\r") for piece in pieces]
    ids: dict[str, int] = {}
    for n, piece in enumerate(pieces):
        if not piece.strip() or piece in ids:
            what = f"{piece!r} again" if piece in ids else "an empty line"
            raise ValueError(f"{path}, line {n + 1}: expected one piece, each once, got {what}")
        ids[piece] = n
    if missing := [name for name in (*special, "[UNK]") if name not in ids]:
        raise ValueError(f"{path}: expected {missing[0]} among its pieces, got {len(ids)} without it")
    return _description(
        {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": ids,
        },
        normalizer={
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": lowercase,
        },
        pre_tokenizer={"type": "BertPreTokenizer"},
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
    )


def _lowercase(path: Path) -> bool:
    config = path.with_name("tokenizer_config.json")
    if not config.is_file():
        return True
    lowercase = _json(config).get("do_lower_case", True)
    if not isinstance(lowercase, bool):
        raise ValueError(f"{config}: expected true or false as do_lower_case, got {lowercase!r}")
    return lowercase


def _description(model: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "post_processor": None,
        **parts,
        "model": model,
    }
