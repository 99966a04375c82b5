"""A page of the book with all that it folds laid open."""

from playwright.sync_api import Page

__all__ = ["SETTLED", "unfold"]

# Evaluated in a page, it waits until the fonts are there and what has changed is painted.
SETTLED = """async () => {
  await document.fonts.ready;
  for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
}"""


def unfold(page: Page) -> None:
    """Open all that is folded, and wait until the page's scripts have seen it and it is painted."""
    page.locator("details").evaluate_all(
        # Folds of one name close each other.
        "folds => folds.forEach(fold => { fold.removeAttribute('name'); fold.open = true; })"
    )
    page.evaluate(SETTLED)
