"""Where a page sets its readers tasks, and where it solves them."""

from docutils import nodes
from sphinx_design.shared import is_component
from sphinx_exercise.nodes import is_exercise_node  # type: ignore[import-untyped]

from tools.answers import is_solution

from ..quiz import quiz

__all__ = ["is_fold", "is_solution_fold", "is_task", "name_of"]


def is_fold(node: nodes.Node) -> bool:
    """Tell whether a node is a fold, before it becomes HTML."""
    return bool(is_component(node, "dropdown"))


def is_solution_fold(node: nodes.Node) -> bool:
    """Tell whether a node is a fold with a solution."""
    return is_fold(node) and node["has_title"] and is_solution(node[0].astext())


def name_of(exercise: nodes.Element, numbers: dict[str, tuple[int, ...]]) -> str:
    """Return an exercise's number and title, without the brackets a page sets around it."""
    title = exercise[0].astext().strip()
    title = title[1:-1] if title.startswith("(") and title.endswith(")") else title
    number = ".".join(str(part) for part in numbers.get(exercise["ids"][0], ()))
    return f"{number} {title}".strip()


def is_task(node: nodes.Node) -> bool:
    """Tell whether a node is an exercise or a quiz."""
    return bool(is_exercise_node(node)) or isinstance(node, quiz)
