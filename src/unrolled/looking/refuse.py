"""What is said of texts that nothing can be shown of."""

from typing import Any, NoReturn

from unrolled.looking.gather import MAX_TOKENS

__all__ = ["check_length", "check_some", "no_second"]


def check_some(name: str, text: str, read: Any) -> None:
    """Raise a ValueError where a tokenizer found nothing but what it adds."""
    if all(read["special_tokens_mask"]):
        raise ValueError(f"{name}: expected at least one token, got {text!r}")


def check_length(name: str, got: int, longest: int | None) -> None:
    """Raise a ValueError where a text has more tokens than the model sees, or than one picture shows."""
    if longest is not None and got > longest:
        raise ValueError(
            f"{name}: expected at most {longest} tokens, all that the model sees, got {got}: "
            f"{got - longest} too many"
        )
    if got > MAX_TOKENS:
        raise ValueError(
            f"{name}: expected at most {MAX_TOKENS} tokens in one picture, got {got}: "
            f"{got - MAX_TOKENS} too many"
        )


def no_second(why: str) -> NoReturn:
    """Raise a ValueError for a second text that a model has no use for."""
    raise ValueError(f"second_text: expected none, since {why}")
