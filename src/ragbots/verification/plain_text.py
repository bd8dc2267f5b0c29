"""What a model wrote as plain text, of which no renderer makes a link, a picture or an element.

Markers (`[3]`) become tokens that cleaning leaves alone, and markers again where a sentence is shown."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from markdown_it import MarkdownIt

from ragbots.text import clean, squeeze

OPEN, CLOSE = "\ue000", "\ue001"  # around the numbers of a marker while the text is being cleaned
_PRIVATE = re.compile(
    r"[\ue000-\uf8ff\U000e0000-\U0010ffff\u00ad\u034f\u061c\u115f\u1160\u180e\u2065-\u206f\u3164\ufe00-\ufe0f\uffa0]"
)
_WIDE = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x2028: 0x0A, 0x2029: 0x0A}
_NUMBERS = r"\s{0,2}\^?\d{1,3}(?:\s{0,2}[,;·~∼–-]\s{0,2}\^?\d{1,3}){0,20}\s{0,2}"
_MARKER = re.compile(
    rf"\[(?:출처|발췌|근거|문서)?\s?:?({_NUMBERS})\]|【({_NUMBERS})(?:†[^【】]{{0,40}})?】|〔({_NUMBERS})〕"
)
TOKEN = re.compile(rf"{OPEN}([\d,]*){CLOSE}")
TOKENS = re.compile(rf"(?:\s?{OPEN}[\d,]*{CLOSE})+")
_JOINED_NUMBERS = re.compile(r"(\d{1,3})\s*([~∼–-])?\s*\^?(?=(\d{1,3})?)")
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_SCRIPT = re.compile(
    r"<(script|style|template|iframe|object|svg|math|textarea|title)\b[^>]{0,500}>.*?(?:</\1\s*>|\Z)", re.I | re.S
)
_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>?")
_IMAGE = re.compile(r"!\[[^\[\]]{0,500}\](?:\([^()]{0,2000}\)|\[[^\[\]]{0,200}\])?")
_LABELLED = re.compile(r"\[([^\[\]]{0,500})\](?:\([^()]{0,2000}\)|\[[^\[\]]{0,200}\])")
_URL_END = r"[^\s()<>\[\]{}\"'“”‘’가-힣\ue000\ue001]*"
_URLS = (
    re.compile(rf"(?<![A-Za-z])[A-Za-z][A-Za-z0-9+.\-]{{0,30}}:\s*[/\\]{{2}}{_URL_END}"),
    re.compile(
        r"(?:javascript|vbscript|livescript|data|mailto|file|tel|sms|blob|about|ftp|https?|wss?|callto"
        r"|intent|xmpp|magnet|view-source)"
        rf"\s*:{_URL_END}",
        re.I,
    ),
    re.compile(rf"[/\\]{{2}}{_URL_END}"),
    re.compile(rf"www\d?\.{_URL_END}", re.I),
    re.compile(rf"[\w.+\-]{{0,64}}@{_URL_END}"),
    re.compile(rf"(?<![\d.])\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?![\d.]){_URL_END}"),
    re.compile(
        rf"(?<![A-Za-z0-9.\-])[A-Za-z0-9][A-Za-z0-9\-]{{0,62}}(?:\.[A-Za-z0-9\-]{{1,63}}){{0,8}}"
        rf"\.[A-Za-z][A-Za-z0-9\-]{{1,30}}(?![A-Za-z0-9]){_URL_END}"
    ),
)
_ASCII_GLUED = re.compile(r"(?<=[^\W\d])\.(?=[^\W\d_])")  # `입니다.com`: no domain
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
_PLAIN_LINK = re.compile(r"[*`_~\\#|<\[\]!&>@/:.]")


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 -- the library's name
        """Whatever looks like a link is one, and goes."""
        return True


_MARKDOWN = _Markdown("commonmark", {"html": True}).disable(["emphasis", "entity"])


def tidy(text: str) -> str:
    """Ground for everything else: no invisible characters, full-width ASCII narrowed, entities undone."""
    plain = _PRIVATE.sub("", clean(text))
    for _ in range(3):
        undone = html.unescape(plain)
        if undone == plain:
            break
        plain = undone
    return _PRIVATE.sub("", clean(plain.translate(_WIDE)))


def mark(text: str) -> str:
    """Markers in any spelling as tokens that cleaning leaves alone."""
    return _MARKER.sub(lambda match: OPEN + ",".join(_listed(match[1] or match[2] or match[3])) + CLOSE, text)


def _listed(numbers: str) -> list[str]:
    """`1, 3-5` as 1, 3, 4, 5; a range of more than twenty is its two ends."""
    listed: list[str] = []
    for one, to, other in _JOINED_NUMBERS.findall(numbers):
        listed.append(str(int(one)))
        if to and other and 0 < int(other) - int(one) <= 20:
            listed += [str(number) for number in range(int(one) + 1, int(other))]
    return listed


def plain(marked: str) -> str:
    """One sentence as plain text on one line; tokens of markers stay."""
    text = _TAG.sub("", _SCRIPT.sub("", COMMENT.sub("", marked)))
    if _PLAIN_LINK.search(text):
        text = _IMAGE.sub("", text)
        text = _LABELLED.sub(r"\1", text)
        tokens = _MARKDOWN.parseInline(text)[0].children or []
        text = "".join(
            " " if token.type in ("softbreak", "hardbreak") else token.content
            for token in tokens
            if token.type in ("text", "text_special", "code_inline", "softbreak", "hardbreak")
        )
        text = _without_urls(_TAG.sub("", text))
    return squeeze(_without_syntax(text).replace("\n", " "))


def _without_urls(text: str) -> str:
    for pattern in _URLS:
        text = pattern.sub(" ", text)
    return text


def _without_syntax(text: str) -> str:
    """No character left that a renderer reads as more than itself."""
    text = re.sub(r"(?<=\d)\s?\*\s?(?=\d)", " × ", text)
    text = re.sub(r"[*`]|~~+|(?<!\w)_+|_+(?!\w)|__+", "", text)
    text = text.replace("[", "(").replace("]", ")").replace("\\", "")
    text = re.sub(r"<(?=[A-Za-z/!?])", "〈", text)
    text = _ASCII_GLUED.sub(". ", text)
    text = re.sub(r"/(?=/)|(?<=:)\s*/+", " ", _ENTITY.sub("＆", text))
    text = re.sub(rf"({CLOSE})\s*(?=\()", r"\1 ", text)
    return re.sub(r"\(\s*\)", "", text)


def open_comment(text: str) -> bool:
    return text.rfind("<!--") > text.rfind("-->")


def with_markers(text: str, numbers: Sequence[int]) -> str:
    """The sentence with its tokens as `[1][2]`, only those of `numbers`."""

    def spelled(match: re.Match[str]) -> str:
        named = dict.fromkeys(int(number) for number in match[1].split(",") if number)
        return "".join(f"[{number}]" for number in named if number in numbers)

    text = re.sub(rf"{CLOSE}\s+{OPEN}", CLOSE + OPEN, text)
    return squeeze(re.sub(r"!(?=\[)|\](?=\()|^(?:\[\d+\])+(?=:)", r"\g<0> ", TOKEN.sub(spelled, text)))
