"""Letters that no font of this machine draws: the PDF holds boxes in their place."""

from playwright.sync_api import Page

__all__ = ["boxes"]

# What no font has is drawn as a box, and so is the last of the characters for private use.
_BOXES = """() => {
  const paper = document.createElement("canvas");
  paper.width = paper.height = 48;
  const pen = paper.getContext("2d", { willReadFrequently: true });
  pen.font = `24px ${getComputedStyle(document.body).fontFamily}`;
  const drawn = (letter) => {
    pen.clearRect(0, 0, 48, 48);
    pen.fillText(letter, 8, 32);
    return pen.getImageData(0, 0, 48, 48).data.join();
  };
  const box = drawn("\\u{10fffd}");
  const letters = new Set(document.body.innerText.match(/[^\\p{ASCII}\\p{Mark}\\p{Cf}\\p{White_Space}]/gu));
  return [...letters].filter((letter) => drawn(letter) === box).sort();
}"""


def boxes(tab: Page) -> list[str]:
    """Return the letters of the page that come out as boxes, in order."""
    found: list[str] = tab.evaluate(_BOXES)
    return found
