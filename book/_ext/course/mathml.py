"""Mathematics set at build time: LaTeX in the source, MathML in the page, no script at the reader's.

`latex2mathml` does the conversion; `repair` mends what browsers would set badly, and `refuse` finds what the
library passed through in silence, since a formula that shows a backslash must not reach a reader.
"""

import re
import xml.etree.ElementTree as ET
from functools import cache

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

__all__ = ["MathError", "in_lines", "to_mathml"]

_MATRIX = ("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix")
_ALIGNED = ("aligned", "align", "align*", "split", "gathered", "eqnarray", "eqnarray*")
_KNOWN = {*_MATRIX, *_ALIGNED, "array", "cases"}
_LIMITS = {"max", "min", "lim", "sup", "inf", "argmax", "argmin", "∑", "∏", "⋃", "⋂"}
_CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "mover": 2, "munder": 2, "msubsup": 3, "munderover": 3}
_SCRIPTED = {"msub", "msup", "msubsup", "munder", "mover", "munderover"}
_FUNCTIONS = {"log", "ln", "exp", "sin", "cos", "tan", "tanh", "det", "dim", "Pr", *_LIMITS}
_CLOSE = {")", "]", "}", "⟩", "‖", "|", "!", "′", "∞", "⊤", "…", "⋯"}
_BIG = {"∑", "∏", "⋃", "⋂", "∫"}
_UNDER = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
# Where a formula in a line may break, best first: TeX breaks behind relations, then behind binary operators.
_RELATIONS = set("=≠≈≃≅≡∼∝<>≤≥≪≫∈∉⊂⊆→←↦⇒⇔↔")
_BINARY = set("+−±·×∗∘⋅/⊙⊕⊗")
_WHOLE = 16  # glyphs: about half a phone's line, with the spaces around them
# What stands at a formula without a space, and so in the same line: an opening parenthesis, a full stop.
_LEAD = re.compile(r"[^\s—–-]+$")
_TRAIL = re.compile(r"[^\s—–-]+[—–-]?|[—–-]")


class MathError(ValueError):
    """A formula the book cannot set; the message holds the formula and what is wrong with it."""


@cache
def to_mathml(latex: str, display: bool) -> str:
    """Return the ``<math>`` element of a formula.

    Raises:
        MathError: an unknown command or environment, unbalanced braces, or a stray ``&``.
    """
    return _written(_read(latex, display))


@cache
def in_lines(latex: str) -> list[str]:
    """Return the ``<math>`` elements of a formula in a line of text: browsers break between them only.

    Raises:
        MathError: as `to_mathml`.
    """
    root = _read(latex, display=False)
    row = root[0] if len(root) == 1 and root[0].tag == "mrow" else root
    pieces = _pieces(list(row))
    if len(pieces) == 1:
        return [_written(root)]
    maths = []
    for n, piece in enumerate(pieces):
        part = ET.Element("math", display="inline")
        if n == 0:
            part.set("data-tex", root.get("data-tex", ""))
        else:
            part.set("class", "continued")
        ET.SubElement(part, "mrow").extend(piece)
        maths.append(_written(part))
    return maths


def _read(latex: str, display: bool) -> ET.Element:
    try:
        root = ET.fromstring(convert(prepare(latex), display="block" if display else "inline"))
    except Exception as error:  # the library raises many kinds, the parser of XML its own
        raise MathError(f"cannot read the formula {latex!r}: {type(error).__name__}: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    repair(root)
    refuse(root, latex)
    # What a reader copies: a browser would copy one symbol a line.
    root.set("data-tex", " ".join(latex.split()))
    return root


def _written(root: ET.Element) -> str:
    return ET.tostring(root, encoding="unicode").replace(" />", "/>")


def _pieces(row: list[ET.Element]) -> list[list[ET.Element]]:
    """Return a row in pieces short enough for a phone, broken where TeX would break it."""
    pieces = [row]
    for signs, inside in ((_RELATIONS, False), (_BINARY, False), ({","}, False), (_BINARY | {","}, True)):
        pieces = [part for piece in pieces for part in _broken(piece, signs, inside)]
    return pieces


def _broken(row: list[ET.Element], signs: set[str], inside: bool) -> list[list[ET.Element]]:
    """Return `row` broken behind each of the `signs`; `inside` parentheses too."""
    if sum(map(_glyphs, row)) <= _WHOLE:
        return [row]
    pieces: list[list[ET.Element]] = [[]]
    depth = 0
    for n, child in enumerate(row):
        pieces[-1].append(child)
        name = _name(child)
        depth += (name in {"(", "[", "{", "⟨"}) - (name in {")", "]", "}", "⟩"})
        if (
            child.tag == "mo"
            and name in signs
            and child.get("form") != "prefix"
            and (inside or depth <= 0)
            and n + 1 < len(row)
        ):
            # At the end of its row a browser would take it for a sign behind something.
            child.set("form", "infix")
            pieces.append([])
    return pieces


def _glyphs(element: ET.Element) -> int:
    """Return about how many glyphs stand side by side in `element`."""
    if element.tag == "mfrac":
        return max(map(_glyphs, element))
    own = len(_name(element)) if element.tag != "mspace" else 0
    return own + sum(map(_glyphs, element))


def prepare(latex: str) -> str:
    """Return `latex` in the dialect the library reads well."""
    text = re.sub(r"\\(?:label\{[^}]*\}|(?:nonumber|notag)(?![a-zA-Z]))", "", latex.strip())
    for name in re.findall(r"\\begin\{([^}]*)\}", text):
        if name not in _KNOWN:
            raise MathError(f"cannot read the formula {latex!r}: unknown environment {name!r}")
    # Of all aligned environments it reads split alone without adding numbers of its own.
    text = re.sub(
        rf"\\(begin|end)\{{(?:{'|'.join(map(re.escape, _ALIGNED))})\}}",
        lambda match: rf"\{match[1]}{{split}}",
        text,
    )
    if r"\\" in text and r"\begin" not in text:
        text = rf"\begin{{split}}{text}\end{{split}}"
    # Of the two lengths of an arrow that says what follows from what, our font has the short one.
    for long, short in (("iff", "Leftrightarrow"), ("implies", "Rightarrow")):
        text = re.sub(rf"\\{long}(?![a-zA-Z])", rf"\\;\\{short}\\;", text)
    # In braces a matrix is one thing, so that ^\top belongs to all of it.
    for name in _MATRIX:
        text = text.replace(rf"\begin{{{name}}}", rf"{{\begin{{{name}}}").replace(
            rf"\end{{{name}}}", rf"\end{{{name}}}}}"
        )
    text = re.sub(r"\\operatorname\*?\{([^}]*)\}", lambda m: rf"\operatorname{{{_plain(m[1])}}}", text)
    return re.sub(r"\\arg\s*\\(max|min)(?![a-zA-Z])", r"\\operatorname{arg\1}", text)


def _plain(name: str) -> str:
    return re.sub(r"\\[,;: ]|\s", "", name)


def repair(element: ET.Element, script: bool = False) -> None:
    """Mend, in place, what browsers do not draw as TeX would; `script` says that the element is a script."""
    for n, child in enumerate(element):
        repair(child, script or (element.tag in _SCRIPTED and n > 0))
    _join_upright(element)
    if element.tag in _UNDER and _name(element[0]) in _LIMITS:
        # Limits stand below in a display and beside in a line: movablelimits decides in the browser.
        element.tag = _UNDER[element.tag]
        element[0].tag = "mo"
        element[0].set("movablelimits", "true")
    if element.tag in {"math", "mrow", "mtd", "mstyle", "msqrt"}:
        _space(element, script)
    if element.tag == "mover" and len(element) == 2:
        _accent(element)
    _variant(element)
    # Browsers ignore these attributes of MathML 3; CSS does their work.
    if align := element.attrib.pop("columnalign", None):
        element.set("style", f"text-align:{align}")
    for unused in ("columnspacing", "rowspacing"):
        element.attrib.pop(unused, None)
    if element.tag == "mtable" and element.get("displaystyle"):
        element.set("class", "aligned")


def _space(row: ET.Element, script: bool) -> None:
    """Set the space around the operators of a row as TeX does."""
    children = list(row)
    fences = 0
    for n, child in enumerate(children):
        core = _core(child)
        text = _name(core)
        if core.tag == "mi" and (text in _FUNCTIONS or (text in "⟨⟩‖|" and text)):
            core.tag = "mo"
        if core.tag != "mo" or not text:
            continue
        before = _core(children[n - 1]) if n else None
        after = _core(children[n + 1]) if n + 1 < len(children) else None
        while after is not None and after.tag == "mrow" and len(after):
            after = after[0]
        leads = (
            before is None or before.tag == "mspace" or (before.tag == "mo" and _name(before) not in _CLOSE)
        )
        if text in "⟨⟩‖|":
            # One sign opens and closes: it is told by turns, and never grows.
            opens = text == "⟨" or (text in "‖|" and fences % 2 == 0)
            fences += text in "‖|"
            core.attrib.update(
                stretchy="false", form="prefix" if opens else "postfix", lspace="0", rspace="0"
            )
        elif text.isalpha() and len(text) > 1:
            core.text = re.sub("^arg(max|min)$", "arg\u00a0\\1", text)
            closed = after is None or (after.tag == "mo" and not _is_function(after))
            core.attrib.update(lspace="0" if leads else "0.167em", rspace="0" if closed else "0.167em")
        elif text in "−+" and leads:
            # A sign, not a difference.
            core.attrib.update(form="prefix", lspace="0", rspace="0")
        elif text in {"∂", "∇"}:
            core.attrib.update(form="prefix", lspace="0", rspace="0")
        elif text in _BIG and leads:
            core.set("lspace", "0")
        elif script and text not in ",;":
            core.attrib.update(lspace="0", rspace="0")


def _core(element: ET.Element) -> ET.Element:
    """Return the operator that scripts hang on, or the element itself."""
    while element.tag in _SCRIPTED and len(element):
        element = element[0]
    return element


def _is_function(operator: ET.Element) -> bool:
    return _name(operator).isalpha() and len(_name(operator)) > 1


def _name(element: ET.Element) -> str:
    return (element.text or "").strip() if len(element) == 0 else ""


def _join_upright(row: ET.Element) -> None:
    r"""Make one name of the upright letters that \mathrm{softmax} is spelled with."""
    joined: list[ET.Element] = []
    for child in list(row):
        upright = child.tag == "mi" and child.get("mathvariant") == "normal"
        if upright and joined and joined[-1].get("mathvariant") == "normal":
            joined[-1].text = (joined[-1].text or "") + (child.text or "")
            row.remove(child)
            continue
        if upright:
            joined.append(child)
        else:
            joined.append(ET.Element("mrow"))
    for child in row:
        if child.tag == "mi" and len(child.text or "") > 1:
            child.attrib.pop("mathvariant", None)


def _accent(over: ET.Element) -> None:
    mark = _name(over[1])
    if mark == "^" and over.get("accent"):
        over[1].text = "ˆ"
    if mark == "―":
        over[1].text = "¯"
    if mark in {"^", "~", "→", "―", "¯", "˙"}:
        over.set("accent", "true")
        if mark != "―":
            over[1].set("stretchy", "false")


def _variant(element: ET.Element) -> None:
    """Spell bold and double-struck with their own characters: browsers know no other mathvariant."""
    variant = element.get("mathvariant")
    if variant in (None, "normal"):
        return
    del element.attrib["mathvariant"]
    if element.tag == "mtext":
        element.set("style", "font-weight:bold" if "bold" in (variant or "") else "font-style:italic")
    elif variant != "italic":
        element.text = "".join(_styled(letter, variant or "") for letter in element.text or "")


def _styled(letter: str, variant: str) -> str:
    digits, capitals, smalls = (
        (0x1D7D8, 0x1D538, 0x1D552) if variant == "double-struck" else (0x1D7CE, 0x1D400, 0x1D41A)
    )
    for first, last, start in (("0", "9", digits), ("A", "Z", capitals), ("a", "z", smalls)):
        if first <= letter <= last:
            return chr(start + ord(letter) - ord(first))
    if "bold" in variant and "α" <= letter <= "ω":
        return chr(0x1D6C2 + ord(letter) - ord("α"))
    return letter


def refuse(root: ET.Element, latex: str) -> None:
    """Raise if the formula holds what the library did not understand."""
    for element in root.iter():
        wanted = _CHILDREN.get(element.tag)
        if wanted and len(element) != wanted:
            raise MathError(
                f"cannot set the formula {latex!r}: {element.tag} of {len(element)} parts, not {wanted}"
            )
        text = element.text or ""
        if "\\" in text or (element.tag != "mtext" and text in {"{", "}"} and not element.get("fence")):
            raise MathError(f"cannot read the formula {latex!r}: unknown command {text!r}")
        if element.tag == "mtext" and "$" in text:
            raise MathError(f"cannot read the formula {latex!r}: $ inside \\text")
        if element.tag == "mspace" and element.get("linebreak"):
            raise MathError(f"cannot read the formula {latex!r}: \\\\ outside an aligned environment")


class KeepTogether(SphinxPostTransform):
    """Hand a formula the text that stands at it without a space: no line may part them."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Move what leads and what trails from the texts around a formula into the formula's node."""
        for node in list(self.document.findall(nodes.math)):
            siblings = node.parent
            at = siblings.index(node)
            before = siblings[at - 1] if at else None
            if isinstance(before, nodes.Text) and (found := _LEAD.search(before)):
                node["lead"] = found[0]
                siblings[at - 1] = nodes.Text(before[: found.start()])
            after = siblings[at + 1] if at + 1 < len(siblings) else None
            if isinstance(after, nodes.Text) and (found := _TRAIL.match(after)):
                node["trail"] = found[0]
                siblings[at + 1] = nodes.Text(after[found.end() :])


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line of text, with what must stand in its line."""
    try:
        pieces = in_lines(node.astext())
    except MathError as error:
        logging.getLogger(__name__).warning(str(error), location=node)
        raise nodes.SkipNode from error
    lead, trail = (self.encode(node.get(name, "")) for name in ("lead", "trail"))
    pieces = [lead + pieces[0], *pieces[1:]]
    pieces[-1] += trail
    held = [
        f'<span class="together">{piece}</span>' if piece[-1] != ">" or piece[0] != "<" else piece
        for piece in pieces
    ]
    self.body.append("<wbr>".join(held))
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on its own, with its number and a place to link to."""
    try:
        math = to_mathml(node.astext(), display=True)
    except MathError as error:
        logging.getLogger(__name__).warning(str(error), location=node)
        math = ""
    self.body.append(self.starttag(node, "div", CLASS="equation"))
    self.body.append(f'<div class="equation-body">{math}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Offer the renderer ``mathml``; ``html_math_renderer`` chooses it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.add_post_transform(KeepTogether)
