"""HWP 5 files as OLE streams of records: what kind of file it is, its lists, and its paragraphs' layout."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import olefile
from dochan.hwp.distdoc import decode_distribution_section
from dochan.hwp.records.para_text import parse_para_text
from dochan.utils.safe_decompress import safe_zlib_decompress

from ragbots.loaders.hwp_layout import Drawn, Layout, OpenParagraph, SectionLayout, heading_rows
from ragbots.loaders.hwp_numbering import STYLES, Head, HeadKind, Level, Lists

_NUMBERING, _BULLET, _PARAGRAPH_SHAPE = 23, 24, 25  # tags of DocInfo
_PARAGRAPH, _PARAGRAPH_TEXT, _CONTROL, _LIST, _TABLE = 66, 67, 71, 72, 77  # tags of the body
_OLE, _LETTERING, _VIDEO = 84, 90, 98
_SECTION_CONTROL = b"dces"  # "secd", little-endian
_HEADS = {1: HeadKind.OUTLINE, 2: HeadKind.NUMBER, 3: HeadKind.BULLET}
_HEADING_CELL = 1 << 18
_MAIN_LEVELS, _MORE_LEVELS = 7, 3
_HEAD_BYTES = 12  # what stands before each pattern of a numbering, and before a bullet
_LARGEST_STREAM = 128 * 1024 * 1024  # bytes when unpacked
_MOST_SECTIONS = 1000

Record = tuple[int, int, bytes]  # tag, level, data


@dataclass(frozen=True, slots=True)
class HwpFlags:
    """What the file says of itself in its header."""

    bits: int

    @property
    def compressed(self) -> bool:
        return bool(self.bits & 1)

    @property
    def password(self) -> bool:
        return bool(self.bits & 0b10)

    @property
    def distribution(self) -> bool:
        return bool(self.bits & 0b100)

    @property
    def rights_managed(self) -> bool:
        """Locked for somebody's certificate or by a rights-management server."""
        return bool(self.bits & (1 << 4 | 1 << 8 | 1 << 10))

    @property
    def tracked(self) -> bool:
        return bool(self.bits & (1 << 14))


def read_flags(data: bytes) -> HwpFlags:
    """Raises OSError or ValueError for what is no HWP 5 file."""
    with olefile.OleFileIO(io.BytesIO(data)) as ole:
        header = ole.openstream("FileHeader").read()
    if not header.startswith(b"HWP Document File") or len(header) < 40:
        raise ValueError("its header is not that of an HWP file")
    return HwpFlags(struct.unpack_from("<I", header, 36)[0])


def read_layout(data: bytes) -> Layout:
    """Raises OSError, ValueError or struct.error for a damaged file."""
    flags = read_flags(data)
    with olefile.OleFileIO(io.BytesIO(data)) as ole:
        lists = _lists(_unpacked(ole.openstream("DocInfo").read(), flags))
        folder = "ViewText" if flags.distribution else "BodyText"
        names = (f"{folder}/Section{number}" for number in range(_MOST_SECTIONS))
        streams = [ole.openstream(name).read() for name in names if ole.exists(name)]
    bodies = (_distributed(one, flags) if flags.distribution else _unpacked(one, flags) for one in streams)
    return Layout(lists, tuple(_section(body) for body in bodies), flags.tracked)


def records(data: bytes) -> Iterator[Record]:
    """The records of a stream; one that is cut off ends them."""
    at = 0
    while at + 4 <= len(data):
        head = struct.unpack_from("<I", data, at)[0]
        tag, level, size = head & 0x3FF, head >> 10 & 0x3FF, head >> 20
        at += 4
        if size == 0xFFF and at + 4 <= len(data):
            size = struct.unpack_from("<I", data, at)[0]
            at += 4
        yield tag, level, data[at : at + size]
        at += size


def _unpacked(data: bytes, flags: HwpFlags) -> bytes:
    return bytes(safe_zlib_decompress(data, max_size=_LARGEST_STREAM)) if flags.compressed else data


def _distributed(data: bytes, flags: HwpFlags) -> bytes:
    return bytes(
        decode_distribution_section(
            data, is_compressed=flags.compressed, max_size=_LARGEST_STREAM, decompress=flags.compressed
        )
    )


def _lists(doc_info: bytes) -> Lists:
    found: dict[int, list[bytes]] = {_NUMBERING: [], _BULLET: [], _PARAGRAPH_SHAPE: []}
    for tag, _, data in records(doc_info):
        if tag in found:
            found[tag].append(data)
    heads = ((shape, _head(data)) for shape, data in enumerate(found[_PARAGRAPH_SHAPE]))
    return Lists(
        heads={shape: head for shape, head in heads if head},
        numberings={number: _levels(data) for number, data in enumerate(found[_NUMBERING], start=1)},
        bullets={
            number: data[_HEAD_BYTES : _HEAD_BYTES + 2].decode("utf-16-le", errors="replace")
            for number, data in enumerate(found[_BULLET], start=1)
        },
    )


def _head(shape: bytes) -> Head | None:
    bits = struct.unpack_from("<I", shape)[0]
    kind = _HEADS.get(bits >> 23 & 0b11)
    list_id = struct.unpack_from("<H", shape, 30)[0] if len(shape) >= 32 else 0
    return Head(kind, bits >> 25 & 0b111, list_id) if kind else None


def _levels(numbering: bytes) -> Sequence[Level]:
    """Seven levels, the list's first number, that of each level (since 5.0.2.5), three more levels (since 5.1)."""
    patterns, at = _patterns(numbering, 0, _MAIN_LEVELS)
    first = struct.unpack_from("<H", numbering, at)[0]
    starts, at = _starts(numbering, at + 2, _MAIN_LEVELS)
    starts[0] = starts[0] if len(numbering) >= at else first
    if len(numbering) > at:
        more, at = _patterns(numbering, at, _MORE_LEVELS)
        patterns += more
        starts += _starts(numbering, at, _MORE_LEVELS)[0]
    return tuple(Level(pattern, style, start) for (pattern, style), start in zip(patterns, starts, strict=True))


def _patterns(numbering: bytes, at: int, count: int) -> tuple[list[tuple[str, str]], int]:
    found = []
    for _ in range(count):
        code = struct.unpack_from("<I", numbering, at)[0] >> 5 & 0b1111
        length = struct.unpack_from("<H", numbering, at + _HEAD_BYTES)[0] * 2
        at += _HEAD_BYTES + 2
        pattern = numbering[at : at + length].decode("utf-16-le", errors="replace")
        found.append((pattern, STYLES[code] if code < len(STYLES) else STYLES[0]))
        at += length
    return found, at


def _starts(numbering: bytes, at: int, count: int) -> tuple[list[int], int]:
    end = at + 4 * count
    return (list(struct.unpack_from(f"<{count}I", numbering, at)) if end <= len(numbering) else [1] * count), end


def _section(body: bytes) -> SectionLayout:
    reader = _SectionReader()
    for tag, level, data in records(body):
        reader.take(tag, level, data)
    return SectionLayout(
        reader.outline_id,
        tuple(paragraph.closed() for paragraph in reader.paragraphs),
        tuple(heading_rows(cells) for cells in reader.tables),
        tuple(reader.background),
    )


class _SectionReader:
    """Takes the records of a section in order; a record's level says what it belongs to."""

    def __init__(self) -> None:
        self.outline_id = 1
        self.paragraphs: list[OpenParagraph] = []
        self.tables: list[list[tuple[int, bool]]] = []  # per table, its cells' rows and marks
        self.background: list[str] = []
        self._open: list[tuple[int, OpenParagraph]] = []  # level and paragraph
        self._open_tables: list[tuple[int, list[tuple[int, bool]]]] = []
        self._section_level: int | None = None  # level of the section's control while inside it

    def take(self, tag: int, level: int, data: bytes) -> None:
        if self._section_level is not None and level <= self._section_level:
            self._section_level = None
        if self._section_level is not None:
            self._master_page(tag, data)
        elif tag == _PARAGRAPH:
            self._paragraph(level, data)
        elif tag == _CONTROL and data[:4] == _SECTION_CONTROL:
            self._section_level = level
            self.outline_id = struct.unpack_from("<H", data, 18)[0]
        elif tag in (_TABLE, _LIST):
            self._table(tag, level, data)
        elif self._open:
            self._content(tag, data)

    def _master_page(self, tag: int, data: bytes) -> None:
        if tag == _LIST:
            self.background.append("")
        elif tag == _PARAGRAPH_TEXT and self.background:
            self.background[-1] += f"{_text(data)}\n"

    def _paragraph(self, level: int, data: bytes) -> None:
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        paragraph = OpenParagraph(struct.unpack_from("<H", data, 8)[0])
        self._open.append((level, paragraph))
        self.paragraphs.append(paragraph)

    def _table(self, tag: int, level: int, data: bytes) -> None:
        while self._open_tables and self._open_tables[-1][0] > level:
            self._open_tables.pop()
        if tag == _TABLE:
            while self._open_tables and self._open_tables[-1][0] >= level:
                self._open_tables.pop()
            self.tables.append([])
            self._open_tables.append((level, self.tables[-1]))
        elif self._open_tables and self._open_tables[-1][0] == level and len(data) >= 12:
            bits, _, row = struct.unpack_from("<IHH", data, 4)
            self._open_tables[-1][1].append((row, bool(bits & _HEADING_CELL)))

    def _content(self, tag: int, data: bytes) -> None:
        paragraph = self._open[-1][1]
        if tag == _PARAGRAPH_TEXT:
            paragraph.text += _text(data)
        elif tag == _OLE:
            paragraph.drawn.append(Drawn(name="OLE"))
        elif tag == _VIDEO:
            paragraph.drawn.append(Drawn(name="video"))
        elif tag == _LETTERING and len(data) >= 34:
            length = struct.unpack_from("<H", data, 32)[0] * 2
            paragraph.drawn.append(Drawn(lettering=data[34 : 34 + length].decode("utf-16-le", errors="replace")))


def _text(data: bytes) -> str:
    return str(parse_para_text(data)["text"])
