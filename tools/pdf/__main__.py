"""Print the course as one PDF: ``make pdf``, or ``python -m tools.pdf`` once the book is built."""

import argparse
import sys
import time
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

from tools.browser import BrowserNotFoundError, arguments, find_or_fetch

from .document import Document
from .make import LIMIT, make
from .patience import PATIENCE, Patience
from .site import PdfError, contents

ROOT = Path(__file__).parents[2]


def main(given: list[str] | None = None) -> int:
    """Print, and say where the PDF lies."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.pdf", description="Print the built book as one PDF."
    )
    parser.add_argument(
        "--site", type=Path, default=ROOT / "book/_build/html", help="the built book's folder"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "book/_build/course.pdf", help="the PDF")
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        metavar="SECONDS",
        help="how long one step may take (%(default).0f)",
    )
    parser.add_argument(
        "--limit", type=float, default=LIMIT, metavar="MB", help="how large the file may be (%(default).0f)"
    )
    options = parser.parse_args(given)
    started = time.monotonic()
    try:
        contents(options.site)  # before a browser is looked for, or fetched
        program = find_or_fetch()
        with (
            sync_playwright() as playwright,
            playwright.chromium.launch(executable_path=program, args=arguments()) as chromium,
        ):
            patience = Patience(lambda line: print(line, flush=True), options.patience)
            made = make(options.site, options.output, chromium, patience, options.limit)
    except (PdfError, BrowserNotFoundError, Error) as error:
        print(f"The PDF was not made.\n\n{error}", file=sys.stderr)
        return 1
    data = made.read_bytes()
    size = f"{len(Document(data).pages)} pages, {len(data) / 1e6:.1f} MB"
    print(f"The PDF is made, in {time.monotonic() - started:.0f} s: {size}, {made}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
