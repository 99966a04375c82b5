"""From what a reader types to words a widget knows; js/sentence.mjs does the same."""

__all__ = ["MAX_WORDS", "shown_word", "spoken_words", "word_ids"]

MAX_WORDS = 12


def _strip(word: str) -> str:
    """Return `word` without the punctuation around it."""
    inside = [i for i, letter in enumerate(word) if letter.isalnum()]
    return word[inside[0] : inside[-1] + 1] if inside else ""


def shown_word(word: str) -> str:
    """Return a word of the vocabulary as English writes it."""
    return "I" if word == "i" else word


def spoken_words(sentence: str) -> list[str]:
    """Return the words of `sentence` as they were typed, without punctuation."""
    return [stripped for part in sentence.split() if (stripped := _strip(part))]


def word_ids(sentence: str, lower: list[str], most: int = MAX_WORDS) -> list[int]:
    """Return the index of each word of `sentence` among the lower-case words known.

    Raises:
        ValueError: no word, more than `most`, or one that is not known.
    """
    tokens = spoken_words(sentence)
    if not tokens:
        raise ValueError(f"sentence: expected at least one word, got {sentence!r}")
    if len(tokens) > most:
        raise ValueError(f"sentence: expected at most {most} words, got {len(tokens)}")
    # A phone's keyboard writes another apostrophe than the vocabulary has.
    plain = [token.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'") for token in tokens]
    unknown = [token for token, known in zip(tokens, plain, strict=True) if known not in lower]
    if unknown:
        got = ", ".join(map(repr, unknown))
        raise ValueError(f"sentence: expected words out of {', '.join(lower)}; got {got}")
    return [lower.index(word) for word in plain]
