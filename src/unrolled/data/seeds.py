"""Chance that follows from names and numbers alone, whatever was drawn before."""

import hashlib

from torch import Generator

__all__ = ["derived_seed", "seeded"]


def derived_seed(*parts: str | int) -> int:
    """Return 63 bits that differ whenever one of the parts does."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def seeded(*parts: str | int) -> Generator:
    """Return a generator seeded with all of the parts, such as ``seeded("masks", split, seed, epoch)``."""
    return Generator().manual_seed(derived_seed(*parts))
