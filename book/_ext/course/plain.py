r"""Formulas as plain text, for those who look for one: ``\sqrt{d_k}`` is √d_k."""

import re
from html import unescape

from docutils import nodes
from latex2mathml.symbols_parser import convert_symbol

__all__ = ["plain", "plain_formula"]

# What says how a letter looks, or stands over it, and is not part of its name.
_LOOKS = re.compile(
    r"\\(?:text|math\w*|[dt]?frac|operatorname|boldsymbol|left|right|big|Big|hat|bar|tilde|vec|underbrace|overline|"
    r"begin\{[^}]*\}|end\{[^}]*\}|label\{[^}]*\})(?![a-zA-Z])\*?"
)


def plain_formula(latex: str) -> str:
    """Return a formula of LaTeX in letters and signs."""
    text = re.sub(r"\}\s*\{", "} / {", _LOOKS.sub("", latex))
    text = re.sub(r"\\sqrt\s*", "√", text)
    text = re.sub(r"\\([a-zA-Z]+)\s*", _sign, text)
    text = re.sub(r"\\[,;:!\\ ]|[&~]", " ", text)
    text = " ".join(re.sub(r"[{}]|\\(?=\W)", "", text).split())
    return re.sub(r" (?=[_^(])", "", text)


def _sign(command: re.Match[str]) -> str:
    code = convert_symbol(command[0].strip())
    # A function such as \exp has no sign, and is called what it is called.
    return unescape(f"&#x{code};") if code else f" {command[1]} "


def plain(node: nodes.Node) -> str:
    """Return what a node says, in one line, its formulas as plain text."""
    if isinstance(node, nodes.math | nodes.math_block):
        # A formula may have taken what stood at it.
        return f"{node.get('lead', '')}{plain_formula(node.astext())}{node.get('trail', '')}"
    if isinstance(node, nodes.Text):
        return str(node)
    if isinstance(node, nodes.raw | nodes.comment | nodes.system_message):
        return ""
    parts = [plain(child) for child in node.children]
    return ("" if isinstance(node, nodes.Inline | nodes.TextElement) else " ").join(parts)
