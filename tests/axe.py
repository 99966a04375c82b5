"""axe-core over a page that is open in the browser."""

from pathlib import Path
from typing import Any

import axe_playwright_python  # type: ignore[import-untyped]
from playwright.sync_api import Page

__all__ = ["WCAG", "run_axe"]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# axe reads each text's colours, and those of all that lies behind it, from strings: 60,000 times a page,
# though a page has fifty colours. Each string is read once.
READ_EACH_COLOUR_ONCE = """() => {
  const { prototype } = axe.commons.color.Color;
  const { parseString } = prototype;
  const known = new Map();
  prototype.parseString = function (text) {
    if (!known.has(text)) {
      parseString.call(this, text);
      known.set(text, [this.r, this.g, this.b, this.alpha]);
    }
    [this.r, this.g, this.b, this.alpha] = known.get(text);
    return this;
  };
}"""
RUN_AXE = """async (only) => {
  const { passes, violations } = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
  const complaints = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 200)}`));
  return { passed: passes.map(({ id }) => id), complaints };
}"""


def run_axe(page: Page, **only: Any) -> tuple[list[str], list[str]]:
    """Return the rules of axe that the page passes, and what the others have against it."""
    page.evaluate(AXE)
    page.evaluate(READ_EACH_COLOUR_ONCE)
    result = page.evaluate(RUN_AXE, only)
    return result["passed"], result["complaints"]
