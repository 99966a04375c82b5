"""What the `tokenizers` library does for us: pieces in, ids out, and back."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from unrolled.data.tokenizers.inputs import check_ids, check_text

__all__ = ["LibraryTokenizer", "from_description"]


def from_description(model: Mapping[str, Any]) -> Any:
    """Return the library's tokenizer of a description, as it writes them.

    Raises:
        ValueError: the library does not know what it is, or a rule stands in it twice: of two the library
            takes the last, and pieces come out otherwise.
    """
    # Only who uses pieces needs the library.
    import tokenizers

    try:
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(model))
    except BaseException as error:  # the library raises bare Exceptions, and panics are not even those
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise ValueError(f"model: expected what the tokenizers library saves: {error}") from error
    # What the library has read are texts, or pairs of them.
    rules = [" ".join(rule) if isinstance(rule, list) else rule for rule in model["model"].get("merges", ())]
    if len(set(rules)) < len(rules):
        twice = next(rule for rule, n in Counter(rules).items() if n > 1)
        raise ValueError(f"model: expected each rule once, got {twice!r} twice")
    return tokenizer


class LibraryTokenizer:
    """A tokenizer whose work the library does.

    Args:
        tokenizer: the library's.
        special: the special tokens and their ids.
        left_out: the ids that `decode` leaves out.
        typed_special: whether the name of a special token in a text becomes that token.

    Raises:
        ValueError: two pieces have the same id.
    """

    def __init__(
        self, tokenizer: Any, special: Mapping[str, int], left_out: Iterable[int], *, typed_special: bool
    ) -> None:
        ids = tokenizer.get_vocab().values()
        if len(set(ids)) < len(ids):
            twice = next(i for i, n in Counter(ids).items() if n > 1)
            raise ValueError(f"model: expected one piece for each id, got two for {twice}")
        self._size = max(ids, default=-1) + 1  # some vocabularies leave ids out
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = not typed_special
        self.special = dict(special)
        self._left_out = frozenset(left_out)
        self.typed_special = typed_special

    @property
    def vocab_size(self) -> int:
        """V, the special tokens included."""
        return self._size

    def encode(self, text: str) -> list[int]:
        """Return the ids of the pieces of `text`."""
        return list(self._tokenizer.encode(check_text(text), add_special_tokens=False).ids)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text that the pieces make up."""
        ids = [i for i in check_ids(ids, self.vocab_size) if i not in self._left_out]
        return str(self._tokenizer.decode(ids, skip_special_tokens=False))

    def token(self, index: int) -> str:
        """Return one piece as it is shown in a picture; bytes that are not a whole character show as �."""
        check_ids([index], self.vocab_size)
        if index in self.special.values():
            return str(self._tokenizer.id_to_token(index))
        return str(self._tokenizer.decode([index]))

    def description(self) -> dict[str, Any]:
        """Return the library's own description, which `from_description` reads."""
        described: dict[str, Any] = json.loads(self._tokenizer.to_str())
        return described

    def cuts_at_spaces(self) -> bool:
        """Tell whether a text may be cut before any white space without changing its pieces.

        That is known of GPT-2's rule for words and of BERT's, and of no other here.
        """
        described = self.description()
        rule, normalizer = described["pre_tokenizer"] or {}, described["normalizer"] or {}
        gpt2 = (
            rule.get("type") == "ByteLevel"
            and rule.get("use_regex", True)
            and not rule["add_prefix_space"]
            and not normalizer
        )
        bert = rule.get("type") == "BertPreTokenizer" and normalizer.get("type") in (None, "BertNormalizer")
        # A special token may swallow the white space beside it, or hold some.
        names = [t for t in described["added_tokens"] if self.typed_special or not t["special"]]
        swallows = any(t["lstrip"] or t["rstrip"] or len(t["content"].split()) != 1 for t in names)
        return (gpt2 or bert) and not swallows
