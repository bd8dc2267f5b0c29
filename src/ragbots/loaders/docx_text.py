"""The words of one Word paragraph, from its XML.

python-docx's `paragraph.text` leaves out inserted (tracked) text, content controls and text boxes;
a regulation that went round for comments consists of little else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from docx.oxml.ns import nsmap, qn

_CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_FORMULA_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_PICTURES = frozenset({f"{{{nsmap['a']}}}blip", "{urn:schemas-microsoft-com:vml}imagedata"})
_DELETED = frozenset({qn("w:del"), qn("w:moveFrom"), qn("w:delText")})
_PROPERTIES = frozenset({qn("w:pPr"), qn("w:rPr"), qn("w:instrText"), qn("w:sdtPr")})
_NOTES = {qn("w:footnoteReference"): "footnotes", qn("w:endnoteReference"): "endnotes"}
_PAGE_BREAKS = frozenset({"page", "column"})


@dataclass(slots=True)
class ParagraphText:
    """What stands in a paragraph. Soft line breaks are `\\n` in `text`."""

    text: str = ""
    boxes: list[Any] = field(default_factory=list)  # w:txbxContent elements anchored here
    notes: list[tuple[str, str]] = field(default_factory=list)  # ("footnotes", id)
    deleted: str = ""
    hidden: str = ""
    pictures: list[str] = field(default_factory=list)  # alternative texts
    symbols: int = 0  # characters of symbol fonts, which have no meaning as text


def read_paragraph(paragraph: Any) -> ParagraphText:
    """Reads a `w:p` element."""
    found = ParagraphText()
    for child in paragraph:
        _read(child, found)
    return found


def _read(node: Any, found: ParagraphText) -> None:
    tag = node.tag
    if not isinstance(tag, str) or tag in _PROPERTIES:
        return
    if tag in _DELETED:
        found.deleted += _all_text(node)
    elif tag == qn("w:r") and _is_hidden(node):
        found.hidden += _all_text(node)
    elif tag in (qn("w:t"), _FORMULA_TEXT):
        found.text += node.text or ""
    elif tag == qn("w:txbxContent"):
        found.boxes.append(node)
    elif tag in _NOTES:
        found.notes.append((_NOTES[tag], node.get(qn("w:id")) or ""))
    elif tag in _PICTURES:
        found.pictures.append(_alternative_text(node))
    elif tag == qn("w:sym"):
        found.symbols += 1
    elif not _add_mark(node, found):
        for child in _children(node):
            _read(child, found)


def _add_mark(node: Any, found: ParagraphText) -> bool:
    """Tabs, breaks and hyphens that are elements of their own."""
    tag = node.tag
    if tag == qn("w:br"):
        found.text += "" if node.get(qn("w:type")) in _PAGE_BREAKS else "\n"
    elif tag == qn("w:cr"):
        found.text += "\n"
    elif tag == qn("w:tab"):
        found.text += "\t"
    elif tag == qn("w:noBreakHyphen"):
        found.text += "-"
    else:
        return False
    return True


def _children(node: Any) -> Iterator[Any]:
    """Alternative content holds the same thing twice: the first way is taken."""
    children: Iterator[Any] = iter(node)
    if node.tag == _CHOICE:
        first = next(children, None)
        return iter(first) if first is not None else iter(())
    return children


def _is_hidden(run: Any) -> bool:
    vanish = run.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    return vanish is not None and vanish.get(qn("w:val")) not in ("0", "false", "off")


def _all_text(node: Any) -> str:
    return "".join(each.text or "" for each in node.iter(qn("w:t"), qn("w:delText")))


def _alternative_text(picture: Any) -> str:
    for above in picture.iterancestors():
        properties = above.find(qn("wp:docPr"))
        if properties is not None:
            return str(properties.get("descr") or properties.get("title") or "")
    return ""
