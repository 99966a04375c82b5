"""A vocabulary that is a list."""

from collections import Counter
from collections.abc import Iterable

from unrolled.data.special_tokens import SPECIAL
from unrolled.data.tokenizers.inputs import check_ids

__all__ = ["ENDS", "Table"]

ENDS = (SPECIAL.pad, SPECIAL.bos, SPECIAL.eos)
"""What `decode` leaves out."""


class Table:
    """A vocabulary that is a list: the special tokens, then the tokens in their order."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self.tokens = (*SPECIAL.names, *tokens)
        self.index = {token: i for i, token in enumerate(self.tokens)}
        if len(self.index) < len(self.tokens):
            twice = [token for token, n in Counter(self.tokens).items() if n > 1]
            raise ValueError(f"tokens: expected each of them once, got {twice[0]!r} twice")

    @property
    def vocab_size(self) -> int:
        """V, the special tokens included."""
        return len(self.tokens)

    def token(self, index: int) -> str:
        """Return one token as it is shown in a picture."""
        check_ids([index], self.vocab_size)
        return self.tokens[index]

    def kept(self, ids: Iterable[int]) -> list[str]:
        """Return the tokens of `ids` without padding, beginning and end."""
        ids = check_ids(ids, self.vocab_size)
        return [self.tokens[i] for i in ids if i not in ENDS]
