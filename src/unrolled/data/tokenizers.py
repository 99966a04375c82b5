"""From text to numbers and back: characters, words, or pieces of words (byte-pair encoding).

All three number the special tokens as `SPECIAL` does and speak one protocol, `Tokenizer`. They are saved as
JSON, and `load` gives back the one that was saved. Nothing a reader types becomes a special token: ``<eos>``
in a text is five characters. Taught in chapters 9 and 10.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from unrolled.data.special import SPECIAL

__all__ = ["BytePairs", "Characters", "Tokenizer", "Words", "load"]

_FORMAT = "unrolled tokenizer 1"
_ENDS = (SPECIAL.pad, SPECIAL.bos, SPECIAL.eos)  # what `decode` leaves out


@runtime_checkable
class Tokenizer(Protocol):
    """What models and batches ask of any tokenizer. Ids 0 to 4 are the special tokens, as in `SPECIAL`."""

    @property
    def vocab_size(self) -> int:
        """V, the special tokens included."""

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text`, with nothing added before or behind."""

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids` without padding, beginning and end; ValueError for an id out of range."""

    def token(self, index: int) -> str:
        """Return one token as it is shown in a picture."""

    def save(self, path: str | Path) -> None:
        """Write the tokenizer to a JSON file, whole or not at all."""


class _Table:
    """A vocabulary that is a list: the special tokens, then the tokens in their order."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self.tokens = (*SPECIAL.names, *tokens)
        self.index = {token: i for i, token in enumerate(self.tokens)}
        if len(self.index) < len(self.tokens):
            twice = [token for token, n in Counter(self.tokens).items() if n > 1]
            raise ValueError(f"tokens: expected each of them once, got {twice[0]!r} twice")

    @property
    def vocab_size(self) -> int:
        return len(self.tokens)

    def token(self, index: int) -> str:
        _check_ids([index], self.vocab_size)
        return self.tokens[index]

    def _tokens(self, ids: Iterable[int]) -> list[str]:
        ids = _check_ids(ids, self.vocab_size)
        return [self.tokens[i] for i in ids if i not in _ENDS]


class Characters(_Table):
    """One token per character of an alphabet, which holds each character once; anything else is an error."""

    def __init__(self, characters: Iterable[str]) -> None:
        characters = tuple(characters)
        for character in characters:
            if len(character) != 1:
                raise ValueError(f"characters: expected single characters, got {character!r}")
        super().__init__(characters)

    @classmethod
    def train(cls, text: str) -> "Characters":
        """Return a tokenizer for the characters of `text`, in the order of their code points."""
        return cls(sorted(set(text)))

    def encode(self, text: str) -> list[int]:
        """Return one id per character.

        Raises:
            ValueError: a character is not in the alphabet.
        """
        for position, character in enumerate(_check_text(text)):
            if character not in self.index:
                known = "".join(self.tokens[len(SPECIAL) :])
                raise ValueError(
                    f"expected characters of {known!r}, got {character!r} at position {position}"
                )
        return [self.index[character] for character in text]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the characters of `ids` in a row."""
        return "".join(self._tokens(ids))

    def save(self, path: str | Path) -> None:
        """Write the alphabet to a JSON file."""
        _save(path, {"kind": "characters", "tokens": self.tokens[len(SPECIAL) :]})


class Words(_Table):
    """One token per word; a word it does not have becomes ``<unk>``, or an error.

    Args:
        words: the vocabulary, each word once.
        punctuation: whether a mark such as ``,`` is a word of its own. Otherwise words are what white space
            separates.
        lowercase: whether upper and lower case are the same.
        strict: whether an unknown word is an error.

    Raises:
        ValueError: a word comes twice.
    """

    def __init__(
        self,
        words: Iterable[str],
        *,
        punctuation: bool = False,
        lowercase: bool = False,
        strict: bool = False,
    ) -> None:
        super().__init__(words)
        self.punctuation, self.lowercase, self.strict = punctuation, lowercase, strict

    @classmethod
    def train(cls, texts: Iterable[str], *, min_count: int = 1, **settings: bool) -> "Words":
        """Return a tokenizer for the words that come `min_count` times or more, the most frequent first."""
        empty = cls((), **settings)
        counts = Counter(word for text in texts for word in empty.split(text))
        words = sorted((word for word, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w))
        return cls(words, **settings)

    def split(self, text: str) -> list[str]:
        """Return the words of `text`, known or not."""
        text = _check_text(text).lower() if self.lowercase else _check_text(text)
        return re.findall(r"\w+|[^\w\s]", text) if self.punctuation else text.split()

    def encode(self, text: str) -> list[int]:
        """Return one id per word.

        Raises:
            ValueError: a word is not in the vocabulary, and the tokenizer is strict.
        """
        ids = []
        for word in self.split(text):
            # A special token's name that somebody typed is an unknown word.
            known = self.index.get(word, SPECIAL.unk)
            if known < len(SPECIAL) and self.strict:
                raise ValueError(
                    f"expected one of {self.vocab_size - len(SPECIAL)} known words, got {word!r}"
                )
            ids.append(known if known >= len(SPECIAL) else SPECIAL.unk)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return the words of `ids` with a space between two."""
        return " ".join(self._tokens(ids))

    def save(self, path: str | Path) -> None:
        """Write vocabulary and settings to a JSON file."""
        settings = {"punctuation": self.punctuation, "lowercase": self.lowercase, "strict": self.strict}
        _save(path, {"kind": "words", "tokens": self.tokens[len(SPECIAL) :], **settings})


class BytePairs:
    """Byte-pair encoding: frequent pieces of words are tokens, down to single bytes, so nothing is unknown.

    Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, 2016; on bytes:
    Radford et al., 2019. The work is done by the `tokenizers` library.

    Args:
        model: the library's own description of a tokenizer, as `save` keeps it.

    Raises:
        ValueError: it is something else, or has not our special tokens.
    """

    def __init__(self, model: dict[str, Any]) -> None:
        # Only who uses byte pairs needs the library.
        import tokenizers

        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(json.dumps(model))
        except Exception as error:  # the library raises bare Exceptions
            raise ValueError(f"model: expected what the tokenizers library saves: {error}") from error
        names = tuple(self._tokenizer.id_to_token(i) for i in range(len(SPECIAL)))
        if names != SPECIAL.names:
            raise ValueError(f"model: expected {SPECIAL.names} as tokens 0 to 4, got {names}")
        self._tokenizer.encode_special_tokens = True  # what is typed stays text

    @classmethod
    def train(cls, texts: Iterable[str], *, vocab_size: int, min_count: int = 2) -> "BytePairs":
        """Return a tokenizer of at most `vocab_size` tokens whose pieces come `min_count` times or more.

        Raises:
            ValueError: `vocab_size` has no room for the special tokens and the 256 bytes.
        """
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        least = len(SPECIAL) + 256
        if vocab_size < least:
            raise ValueError(
                f"vocab_size: expected {least} or more, special tokens and bytes, got {vocab_size}"
            )
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=min_count,
            special_tokens=list(SPECIAL.names),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(json.loads(tokenizer.to_str()))

    @property
    def vocab_size(self) -> int:
        """V, the special tokens included."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        """Return the ids of the pieces of `text`."""
        return list(self._tokenizer.encode(_check_text(text)).ids)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text that the pieces make up."""
        ids = [i for i in _check_ids(ids, self.vocab_size) if i not in _ENDS]
        return str(self._tokenizer.decode(ids, skip_special_tokens=False))

    def token(self, index: int) -> str:
        """Return one piece as it is shown in a picture; bytes that are no whole character show as �."""
        _check_ids([index], self.vocab_size)
        if index < len(SPECIAL):
            return SPECIAL.names[index]
        return str(self._tokenizer.decode([index]))

    def save(self, path: str | Path) -> None:
        """Write the library's description to a JSON file."""
        _save(path, {"kind": "byte pairs", "model": json.loads(self._tokenizer.to_str())})


def load(path: str | Path) -> Tokenizer:
    """Return the tokenizer that was saved at `path`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated, altered or something else.
    """
    path = Path(path)
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved.pop("format") != _FORMAT:
            raise ValueError("another format")
        kind = saved.pop("kind")
        if kind == "byte pairs":
            return BytePairs(**saved)
        if kind not in ("characters", "words"):
            raise ValueError(f"unknown kind {kind!r}")
        return (Words if kind == "words" else Characters)(saved.pop("tokens"), **saved)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: expected a saved tokenizer ({_FORMAT!r}), got something else: {error}"
        ) from error


def _save(path: str | Path, content: dict[str, Any]) -> None:
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(
            json.dumps({"format": _FORMAT, **content}, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _check_text(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"text: expected a string, got {type(text).__name__}")
    return text


def _check_ids(ids: Iterable[int], vocab_size: int) -> Sequence[int]:
    ids = [int(i) for i in ids]
    for i in ids:
        if not 0 <= i < vocab_size:
            raise ValueError(f"ids: expected 0 to {vocab_size - 1}, got {i}")
    return ids
