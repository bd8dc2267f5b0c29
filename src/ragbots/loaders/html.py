"""Web pages: headings, paragraphs, numbered lists and tables of the content, without what surrounds it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lxml.html
from lxml import etree

from ragbots.errors import UnreadableDocument
from ragbots.loaders.assembly import (
    Reading,
    document,
    excerpt,
    heading,
    omission,
    picture,
    picture_omission,
    table,
    text,
)
from ragbots.loaders.docx_numbering import number_text
from ragbots.loaders.encoding import decode, looks_like_text
from ragbots.loaders.grids import lines_of_frame
from ragbots.loaders.html_tables import read_table
from ragbots.loaders.inline import raised
from ragbots.loaders.probing import is_html, plain_head, suffix
from ragbots.ports import Probe
from ragbots.text import clean, one_line
from ragbots.types import Document, Element, ElementKind, Omission, count_characters

_NAMES = frozenset({".html", ".htm", ".xhtml"})
# Groupware exports tables as HTML under these names; under .pdf or .docx HTML is an error page.
_EXPORTED_NAMES = frozenset({".xls", ".doc"})
_OTHER_DOCUMENTS = frozenset({".pdf", ".docx", ".xlsx", ".pptx", ".hwp", ".hwpx", ".ppt", ".rtf", ".zip"})
_CHARSET = re.compile(rb"<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_KOREAN = frozenset({"euc-kr", "ks_c_5601-1987", "ksc5601", "x-windows-949", "euckr", "ks_c_5601", "cp949"})
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_DIVISION = re.compile(r"제\s*\d+\s*[편장절관조](?![가-힣])")
_TAG = re.compile(rb"<[a-zA-Z!]")

_UNSEEN = frozenset({"script", "style", "template", "noscript", "datalist"})
_AROUND = frozenset({"nav", "aside"})
_EDGES = frozenset({"header", "footer"})
_CONTENT = frozenset({"main", "article", "section"})
_EMBEDDED = frozenset({"iframe", "object", "embed", "video", "audio", "canvas", "frame"})
_STRUCK = frozenset({"del", "s", "strike"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = frozenset(
    re.split(
        r"\s+",
        "a abbr acronym b bdi bdo big cite code data dfn em font i ins kbd label mark o:p q rb rp rt ruby samp small"
        " span strong sub sup time tt u var wbr",
    )
)
_HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_LIST_STYLE = re.compile(r"list-style(?:-type)?\s*:\s*([\w-]+)", re.IGNORECASE)
_LIST_STYLES = {
    "1": "decimal",
    "a": "lowerLetter",
    "A": "upperLetter",
    "i": "lowerRoman",
    "I": "upperRoman",
    "decimal": "decimal",
    "lower-alpha": "lowerLetter",
    "lower-latin": "lowerLetter",
    "upper-alpha": "upperLetter",
    "upper-latin": "upperLetter",
    "lower-roman": "lowerRoman",
    "upper-roman": "upperRoman",
    "hangul": "ganada",
    "korean-hangul-formal": "koreanCounting",
    "hangul-consonant": "chosung",
}
_NAMED_AS_NONE = frozenset({"none", "inherit", "initial"})
_SMALL_PICTURE = 32  # pixels: an icon


class HtmlLoader:
    """Reads HTML and XHTML. Nothing that a page refers to is fetched."""

    id = "html-2"

    def accepts(self, probe: Probe) -> bool:
        if not looks_like_text(probe.head) or suffix(probe) in _OTHER_DOCUMENTS:
            return False
        named = suffix(probe) in _NAMES and bool(_TAG.search(plain_head(probe)))
        exported = suffix(probe) in _EXPORTED_NAMES and plain_head(probe).lstrip()[:6].lower() == b"<table"
        return is_html(probe) or named or exported

    def load(self, path: Path, source: str) -> Document:
        data = path.read_bytes()
        return document(source, data, _read(_root(_decoded(data, source), source)))


def _decoded(data: bytes, source: str) -> str:
    """The text: by its byte order mark, else by the encoding it names where that fits, else as UTF-8 or CP949."""
    declared = _CHARSET.search(data[:4096])
    if declared and not data.startswith(_MARKS):
        name = declared[1].decode("ascii", "replace").lower()
        try:
            return clean(data.decode("cp949" if name in _KOREAN else name))
        except (LookupError, ValueError):
            pass  # pages often name another encoding than they have
    return decode(data, source)


def _root(content: str, source: str) -> Any:
    parser = lxml.html.HTMLParser(huge_tree=True, no_network=True, remove_pis=True)
    try:
        root = lxml.html.document_fromstring(_DECLARATION.sub("", content, count=1), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise _unreadable(source, str(error)) from error
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise _unreadable(source, "its elements are nested too deeply")
    return root


def _unreadable(source: str, problem: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"{source}: cannot be read as HTML: {problem}", hint="open it in a browser, save it again and replace it"
    )


def _read(root: Any) -> Reading:
    omissions = _take_out(root)
    _turn_drawings_into_pictures(root)
    _label_lists(root)
    flow = _Flow(omissions)
    body = root.find("body")
    for step in _steps(root if body is None else body):
        flow.take(*step)
    flow.end_line()
    return Reading(
        elements=flow.elements,
        title=_top_heading(flow.elements) or one_line(clean(root.findtext(".//title") or "")),
        link=_canonical(root),
        metadata=_facts(root),
        omissions=flow.omissions,
    )


def _top_heading(elements: Sequence[Element]) -> str:
    """The first heading of the first level; that of a 장 is not the page's own."""
    top = next((one.text for one in elements if one.kind is ElementKind.HEADING and one.level == 1), "")
    return "" if _DIVISION.match(top) else top


def _canonical(root: Any) -> str | None:
    links = (link.get("href", "") for link in root.iter("link") if link.get("rel", "").lower() == "canonical")
    return next((link for link in links if link.startswith(("http://", "https://"))), None)


def _facts(root: Any) -> dict[str, str]:
    named = ((node.get("name", "").lower(), node.get("content", "")) for node in root.iter("meta"))
    return {name: clean(value).strip() for name, value in named if name in ("author", "keywords") and value.strip()}


def _take_out(root: Any) -> list[Omission]:
    """Removes what readers do not see and what stands around the content; each piece with text is an omission."""
    omissions: list[Omission] = []
    has_content_heading = any(_edge_of(node) is None for node in root.iter("h1"))
    for node in list(root.iter()):
        reason = _reason(node, keeps_header=not has_content_heading)
        if not reason or not any(above is root for above in node.iterancestors()):
            continue  # nothing to leave out, or gone with what held it
        words = (node.text or "") if not isinstance(node.tag, str) else "".join(node.itertext())
        if words.strip() or node.tag in _EMBEDDED:
            name = node.tag if isinstance(node.tag, str) else "comment"
            what = f"{name}: {excerpt(words or node.get('src', ''))}"
            expected = name not in _EMBEDDED
            omissions.append(omission(what, f"line {node.sourceline or 1}", words, reason, expected=expected))
        node.drop_tree()
    return omissions


def _reason(node: Any, *, keeps_header: bool) -> str:
    """Why a node is left out; empty for one that is read."""
    tag = node.tag
    if not isinstance(tag, str) or tag in _UNSEEN:
        return "not shown to readers"
    if tag in _AROUND or (tag == "div" and node.get("title") in _EDGES):  # the latter as LibreOffice writes them
        return "stands around the content"
    if tag in _EDGES and _edge_of(node) is not None:
        return "" if keeps_header and any(True for _ in node.iter("h1")) else "stands around the content"
    if tag in _EMBEDDED:
        return "embedded pages and files are not read"
    if tag in _STRUCK:
        return "struck out in the source"
    is_hidden = node.get("hidden") is not None or _HIDDEN.search(node.get("style", ""))
    return "hidden in the page" if is_hidden else ""


def _edge_of(node: Any) -> Any | None:
    """The page's own header or footer that a node is or stands in; those of an article are content."""
    for above in (node, *node.iterancestors()):
        if above.tag in _EDGES and not any(one.tag in _CONTENT for one in above.iterancestors()):
            return above
    return None


def _turn_drawings_into_pictures(root: Any) -> None:
    """A drawing written into the page is a picture; its words are its description."""
    for node in list(root.iter("svg")):
        words = one_line(clean(" ".join(node.itertext())))
        for inner in list(node):
            node.remove(inner)
        node.tag, node.text = "img", None
        node.set("alt", words)


def _label_lists(root: Any) -> None:
    """Writes the numbers that a browser draws into the items of lists."""
    for ordered in root.iter("ol"):
        items = ordered.findall("li")
        is_reversed = ordered.get("reversed") is not None
        number = _integer(ordered.get("start"), len(items) if is_reversed else 1)
        style = _list_style(ordered)
        for item in items:
            number = _integer(item.get("value"), number)
            if style:
                item.text = f"{number_text(style, number)}. {(item.text or '').lstrip()}"
            number += -1 if is_reversed else 1
    for unordered in root.iter("ul"):
        if not _no_marks(unordered):
            for item in unordered.findall("li"):
                item.text = f"• {(item.text or '').lstrip()}"


def _list_style(ordered: Any) -> str:
    if _no_marks(ordered):
        return ""
    named = _LIST_STYLE.search(ordered.get("style", ""))
    return _LIST_STYLES.get(named[1].lower() if named else ordered.get("type", "1"), "decimal")


def _no_marks(node: Any) -> bool:
    named = _LIST_STYLE.search(node.get("style", ""))
    return bool(named) and named[1].lower() in _NAMED_AS_NONE  # type: ignore[index]


def _integer(value: str | None, otherwise: int) -> int:
    stripped = (value or "").strip()
    return int(stripped) if re.fullmatch(r"-?\d{1,6}", stripped) else otherwise


def _steps(body: Any) -> Iterator[tuple[str, Any]]:
    """("start" | "end" | "text" | "table", node or words) in reading order, without recursion."""
    walk = etree.iterwalk(body, events=("start", "end"))
    for event, node in walk:
        if event == "end":
            yield ("end", node)
            if node is not body:
                yield ("text", (node.tail or "", node.getparent()))
        elif node.tag == "table" and _holds_data(node):
            yield ("table", node)
            walk.skip_subtree()
        else:
            yield ("start", node)
            yield ("text", (node.text or "", node))


def _holds_data(node: Any) -> bool:
    """A table with tables or headings in it only lays out the page."""
    return not any(True for _ in node.iterdescendants("table", *_HEADINGS))


@dataclass(slots=True)
class _Flow:
    """Gathers inline text to lines, and lines to elements."""

    omissions: list[Omission]
    elements: list[Element] = field(default_factory=list)
    _line: list[str] = field(default_factory=list)
    _level: int = 0  # of the heading that is open
    _verbatim: int = 0  # open <pre>

    def take(self, event: str, what: Any) -> None:
        if event == "text":
            self._say(*what)
        elif event == "table":
            self.end_line()
            self._table(what)
        elif event == "start":
            self._start(what)
        else:
            self._end(what)

    def _say(self, words: str, parent: Any) -> None:
        if self._verbatim:
            self._line.append(words)
        else:
            spaced = re.sub(r"\s+", " ", words)
            self._line.append(raised(spaced) if parent is not None and parent.tag == "sup" else spaced)

    def _start(self, node: Any) -> None:
        if node.tag == "br":
            self._line.append("\n")
        elif node.tag == "img":
            self._picture(node)
        elif node.tag not in _INLINE:
            if node.tag in ("td", "th") and node.getprevious() is not None:
                self._line.append(" ")
            elif not self._is_paragraph_of_item(node):
                self.end_line()
            self._level = _HEADINGS.get(node.tag, self._level)
            self._verbatim += node.tag == "pre"

    def _is_paragraph_of_item(self, node: Any) -> bool:
        """`<li><p>`: the number and the words are one line."""
        parent = node.getparent()
        return node.tag in ("p", "div") and parent is not None and parent.tag == "li" and node.getprevious() is None

    def _end(self, node: Any) -> None:
        if isinstance(node.tag, str) and node.tag not in _INLINE and node.tag not in ("br", "img", "td", "th"):
            self.end_line()
            self._level = 0 if node.tag in _HEADINGS else self._level
            self._verbatim -= node.tag == "pre"

    def end_line(self) -> None:
        words = "".join(self._line)
        self._line.clear()
        lines = [line for line in words.split("\n") if line.strip()]
        if self._level and lines:
            self.elements.append(heading(" ".join(lines), self._level))
        elif self._verbatim:
            self.elements += [text(line) for line in lines]
        else:
            self.elements += [text(line.strip()) for line in lines]

    def _picture(self, node: Any) -> None:
        alternative = clean(node.get("alt") or node.get("title") or "")
        source = node.get("src", "")
        name = alternative or ("" if source.startswith("data:") else source)
        made = picture_omission(name, f"line {node.sourceline or 1}", characters=count_characters(alternative))
        self.omissions.append(_as_icon(made) if _is_icon(node) else made)
        if not _is_icon(node):
            self._finish_before_picture()
            self.elements.append(picture(name))

    def _finish_before_picture(self) -> None:
        """A picture stands after the words before it, in a heading after the heading."""
        if not self._level:
            self.end_line()

    def _table(self, node: Any) -> None:
        where = f"line {node.sourceline or 1}"
        for raising in node.iter("sup"):
            raising.text = raised(raising.text or "")
        read = read_table(lxml.html.tostring(node, encoding="unicode", with_tail=False), where)
        self.omissions += read.omissions
        self.elements += [text(line) for line in read.around]
        if read.grid.columns <= 1:
            self.elements += [text(line) for line in lines_of_frame(read.grid.rows)]
        else:
            self.elements.append(table(read.grid.rows, read.grid.header_rows))
        self.elements += [picture(name) for name in read.pictures]


def _is_icon(node: Any) -> bool:
    sizes = [node.get(side, "").removesuffix("px") for side in ("width", "height")]
    return any(size.isdigit() and int(size) <= _SMALL_PICTURE for size in sizes)


def _as_icon(made: Omission) -> Omission:
    return Omission(made.what, made.where, made.characters, "an icon", made.kind, expected=True)
