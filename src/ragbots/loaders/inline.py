"""Markdown and HTML inside a line: to plain text, without losing a word.

Emphasis is undone by own rules rather than CommonMark's: those read `5*3*2` as markup and leave
`**"출장"**이란` as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ragbots.loaders.assembly import omission, picture_omission
from ragbots.types import Omission, count_characters

_MARKED = re.compile(r"[\\*_`\[\]<>&~!]")
_EMPHASIS = (
    re.compile(r"(?<![\\*])\*\*\*(?=[^\s*])(.+?)(?<=[^\s\\*])\*\*\*(?!\*)"),
    re.compile(r"(?<![\\*])\*\*(?=[^\s*])(.+?)(?<=[^\s\\*])\*\*(?!\*)"),
    re.compile(r"(?<![\\*\w])\*(?=[\w\"'“‘「『<(\[])([^*]+?)(?<=[\w\"'”’」』>)\].,!?])\*(?![*\w])"),
    re.compile(r"(?<![\\\w])__(?=[^\s_])(.+?)(?<=[^\s\\_])__(?!\w)"),
    re.compile(r"(?<![\\\w])_(?=[^\s_])([^_]+?)(?<=[^\s\\])_(?!\w)"),
)
_STRUCK = re.compile(r"(?<![\w\\~])~~(?=[^\s~])(.+?)(?<=\S)~~(?!~)|<(del|s|strike)>(.*?)</\2>", re.IGNORECASE)
_LINK = re.compile(
    r"[a-z][a-z0-9+.-]*:|[/#]|\.{1,2}/|www\.|\S+\.(md|html?|pdf|docx?|hwpx?|xlsx?|png|jpe?g|gif|svg)\b", re.I
)
_LABEL = re.compile(r"<[A-Z]>")
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
_ATTRIBUTE = re.compile(r"\b(alt|src)\s*=\s*[\"']?([^\"'>]*)", re.IGNORECASE)
_RAISED = str.maketrans("0123456789+-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ")
_HTML_TAGS = re.compile(
    r"a|abbr|b|big|blockquote|body|br|button|caption|center|cite|code|col|colgroup|dd|del|details|div|dl|dt|em"
    r"|figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|li|link|main"
    r"|mark|meta|nav|ol|p|pre|q|rp|rt|ruby|s|section|small|span|strike|strong|su[bp]|summary|table|tbody|td|tfoot|th"
    r"|thead|title|tr|tt|u|ul|var|wbr",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Plain:
    """A line's text (a `<br>` makes a line break in it), what was left out of it, and the names of its pictures."""

    text: str
    omissions: tuple[Omission, ...] = ()
    pictures: tuple[str, ...] = ()


class InlineParser:
    """Reads one line at a time; holds no state between lines."""

    def __init__(self) -> None:
        self._markdown = _Markdown("commonmark", {"html": True}).disable("emphasis")

    def plain(self, line: str, where: str) -> Plain:
        """The text of a line, leading white space kept."""
        if not _MARKED.search(line):
            return Plain(line)
        body = line.lstrip()
        omissions: list[Omission] = []
        body = _STRUCK.sub(lambda match: _strike(match, where, omissions), body)
        for pattern in _EMPHASIS:
            body = pattern.sub(_undo_emphasis, body)
        tokens = self._markdown.parseInline(body)[0].children or []
        words = line[: len(line) - len(line.lstrip())] + _text(tokens, where, omissions)
        return Plain(words, tuple(omissions), tuple(_pictures(tokens)))


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 -- the library's name
        """`[전문개정](2020.1.1)` is text, not a link."""
        return bool(_LINK.match(url))


def image_name(tag_or_name: str) -> str:
    """The description of a picture, else its file's name; pictures inside the text itself have none."""
    if not tag_or_name.startswith("<"):
        return tag_or_name
    attributes = {name.lower(): value for name, value in _ATTRIBUTE.findall(tag_or_name)}
    source = attributes.get("src", "")
    return attributes.get("alt", "") or ("" if source.startswith("data:") else source)


def image_omission(tag_or_name: str, where: str) -> Omission:
    """A picture that is not read: its alternative text counts as left out."""
    attributes = {name.lower(): value for name, value in _ATTRIBUTE.findall(tag_or_name)}
    alternative = attributes.get("alt", "") if tag_or_name.startswith("<") else tag_or_name
    return picture_omission(image_name(tag_or_name), where, characters=count_characters(alternative))


def raised(words: str) -> str:
    """`2` set above the line is `²`."""
    return words.translate(_RAISED) if words.isascii() else words


def _strike(match: re.Match[str], where: str, omissions: list[Omission]) -> str:
    words = match[1] or match[3] or ""
    omissions.append(omission(f"struck out: {words}", where, words, "struck out in the source", expected=True))
    return ""


def _undo_emphasis(match: re.Match[str]) -> str:
    before = match.string[match.start() - 1 : match.start()]
    is_calculation = before.isdigit() and match[1][0].isdigit()
    return match[0] if is_calculation else match[1]


def _text(tokens: list[Token], where: str, omissions: list[Omission]) -> str:
    parts: list[str] = []
    is_raised = False
    tags = {token.content for token in tokens if token.type == "html_inline"}
    for token in tokens:
        if token.type == "html_inline" and not _is_label(token.content, tags):
            is_raised = {"<sup>": True, "</sup>": False}.get(token.content.lower(), is_raised)
            parts.append(_html(token.content, where, omissions))
        elif token.type == "image":
            omissions.append(image_omission(token.content, where))
        else:
            content = token.content
            parts.append(raised(content) if is_raised else content)
    return "".join(parts)


def _pictures(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        is_tag = token.type == "html_inline" and token.content.lower().startswith("<img")
        if is_tag or token.type == "image":
            yield image_name(token.content)


def _is_label(tag: str, tags: set[str]) -> bool:
    """`유형 <A>`: one capital letter that nothing closes is no HTML."""
    return bool(_LABEL.fullmatch(tag)) and f"</{tag[1:]}" not in tags


def _html(tag: str, where: str, omissions: list[Omission]) -> str:
    """Nothing for a tag of HTML, a line break for `<br>`, the thing itself for other names."""
    name = _TAG.match(tag)
    if not name or not _HTML_TAGS.fullmatch(name[1]):
        return tag
    if name[1].lower() == "img" and not tag.startswith("</"):
        omissions.append(image_omission(tag, where))
    return "\n" if name[1].lower() == "br" else ""
