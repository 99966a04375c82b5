"""The links of a folder of pages, and where they lead."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["broken_links"]


def broken_links(site: Path) -> tuple[int, list[str]]:
    """Return how many links within the site there are, and those that lead to no file or no place in it."""
    texts = {path.resolve(): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    ids = {path: set(re.findall(r'\sid="([^"]+)"', text)) for path, text in texts.items()}
    broken = []
    checked = 0
    for path, text in texts.items():
        without = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
        for link in re.findall(r'(?:href|src|action)="([^"]*)"', without):
            parts = urlsplit(link.replace("&amp;", "&"))
            if parts.scheme or not (parts.path or parts.fragment):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            checked += 1
            place = unquote(parts.fragment)
            if not target.is_file() or (place and place not in ids.get(target, set())):
                broken.append(f"{path.name}: {link}")
    return checked, broken
