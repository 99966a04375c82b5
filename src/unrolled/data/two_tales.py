"""Two short tales of real English that ship with the package: 12 kB, to try a tokenizer on.

*The Story of the Three Bears* and *The Story of the Three Little Pigs*, from Joseph Jacobs, English Fairy
Tales, 1890: in the public domain, as they stand in Project Gutenberg's book 7439, without its header, footer
or name. `unrolled.data.tales` has the whole book and seventeen others. Taught in the interlude.
"""

from pathlib import Path

__all__ = ["three_bears", "three_little_pigs"]


def three_bears() -> str:
    """Return *The Story of the Three Bears*, 6,969 characters with its title."""
    return _tale("three_bears")


def three_little_pigs() -> str:
    """Return *The Story of the Three Little Pigs*, 4,869 characters with its title."""
    return _tale("three_little_pigs")


def _tale(name: str) -> str:
    return Path(__file__).with_name(f"tale_{name}.txt").read_text(encoding="utf-8")
