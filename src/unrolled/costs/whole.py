"""Whole numbers, or an error that names the one that is none."""

__all__ = ["whole"]


def whole(*, low: int = 1, **numbers: int) -> None:
    """Raise unless every named number is an integer of at least `low`."""
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int):
            raise TypeError(f"{name}: expected a whole number from {low}, got {number!r}")
        if number < low:
            raise ValueError(f"{name}: expected a whole number from {low}, got {number}")
