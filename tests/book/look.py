"""A page of the book with all that it folds laid open."""

from playwright.sync_api import Page

__all__ = ["SETTLED", "unfold"]

# Evaluated in a page, it waits until the fonts are there and what has changed is painted.
SETTLED = """async () => {
  await document.fonts.ready;
  // On a busy machine there may be no frame for long.
  const next = () => new Promise((go) => { requestAnimationFrame(go); setTimeout(go, 500); });
  for (let frame = 0; frame < 3; frame += 1) await next();
}"""


def unfold(page: Page) -> None:
    """Open all that is folded, and wait until the page's scripts have seen it and it is painted."""
    page.locator("details").evaluate_all(
        # Folds of one name close each other.
        "folds => folds.forEach(fold => { fold.removeAttribute('name'); fold.open = true; })"
    )
    page.evaluate(SETTLED)
