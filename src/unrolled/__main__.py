"""``python -m unrolled``: the same as the command ``unrolled``, and what torchrun starts."""

import sys

from unrolled.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
