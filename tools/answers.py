"""What an answer is, said once for pages and notebooks."""

__all__ = ["is_solution"]


def is_solution(title: str) -> bool:
    """Tell whether a fold with this title holds a solution: one that begins with "Solution" or "Answer"."""
    return title.strip().lower().startswith(("solution", "answer"))
