"""HWP files made by Hangul itself: the same document in both formats reads the same, and every sample is whole.

What a file holds is counted here by a reader of its own, a few lines that know nothing but paragraph texts.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import olefile
import pytest

from ragbots.errors import UnreadableDocument
from ragbots.loaders.hwp import HwpLoader, HwpxLoader
from ragbots.loaders.probing import probe
from ragbots.text import comparable, one_line
from ragbots.types import ElementKind, element_text

HWP = Path(__file__).parents[2].parent / "shared" / "data" / "hwp"
PAIRS = sorted(path for path in HWP.glob("pairs/*.hwp") if path.with_suffix(".hwpx").exists())
SAMPLES = sorted(path for path in HWP.glob("*/*.hwp") if path.stat().st_size and path.stem != "distribution")
SINGLE_CHARACTERS = {0, 10, 13, *range(24, 32)}  # control characters that are one unit long; the others are eight
PARAGRAPH_TEXT = 67
# Texts that stand in the file as something else than a paragraph, so that nothing was counted.
EMPTY = "there is no text in this file"

pytestmark = pytest.mark.skipif(not HWP.exists(), reason="the HWP samples are not here")


def loaded(path: Path) -> tuple[object, ...]:
    """What a file says: its elements without white space differences, or why there are none."""
    loader = next(one for one in (HwpLoader(), HwpxLoader()) if one.accepts(probe(path)))
    try:
        document = loader.load(path, "file")
    except UnreadableDocument as error:
        return (error.message,)
    return (
        document.footnotes,
        tuple(
            (element.kind, element.level, one_line(element.text), element.rows, element.header_rows)
            for element in document.elements
        ),
        tuple((one_line(one.what), one.characters, one.kind, one.expected) for one in document.omissions),
    )


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_both_formats_of_a_document_give_the_same(path: Path) -> None:
    assert loaded(path) == loaded(path.with_suffix(".hwpx"))


def paragraph_texts(path: Path) -> Iterator[str]:
    with olefile.OleFileIO(str(path)) as ole:
        packed = ole.openstream("FileHeader").read()[36] & 1
        names = ["/".join(name) for name in ole.listdir() if name[0] == "BodyText"]
        streams = [ole.openstream(name).read() for name in names]
    for stream in streams:
        yield from texts_of_stream(zlib.decompress(stream, -15) if packed else stream)


def texts_of_stream(data: bytes) -> Iterator[str]:
    at = 0
    while at < len(data):
        (head,) = struct.unpack_from("<I", data, at)
        at += 4
        size = head >> 20
        if size == 0xFFF:
            (size,) = struct.unpack_from("<I", data, at)
            at += 4
        if head & 0x3FF == PARAGRAPH_TEXT:
            yield text_of_record(data[at : at + size])
        at += size


def text_of_record(data: bytes) -> str:
    units = struct.unpack(f"<{len(data) // 2}H", data)
    kept: list[int] = []
    at = 0
    while at < len(units):
        is_control = units[at] < 32
        kept += [] if is_control else [units[at]]
        at += 8 if is_control and units[at] not in SINGLE_CHARACTERS else 1
    return struct.pack(f"<{len(kept)}H", *kept).decode("utf-16-le", errors="replace")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_paragraph_is_read_or_its_omission_named(path: Path) -> None:
    inside = [comparable(text) for text in paragraph_texts(path)]
    try:
        document = HwpLoader().load(path, "file")
    except UnreadableDocument as error:
        assert EMPTY in error.message
        assert all(text in comparable(error.message) for text in inside)
        return
    said = comparable(" ".join(element_text(element) for element in document.elements))
    named = comparable(" ".join(one.what for one in document.omissions))
    assert [text for text in inside if text not in said and text not in named] == []
    left_out = sum(one.characters for one in document.omissions)
    assert document.characters + left_out >= sum(map(len, inside))


def test_a_distribution_file_is_read() -> None:
    path = HWP / "samples" / "distribution.hwp"
    document = HwpLoader().load(path, path.name)
    with olefile.OleFileIO(str(path)) as ole:
        preview = ole.openstream("PrvText").read().decode("utf-16-le")
    said = comparable(" ".join(element_text(element) for element in document.elements))
    lines = [comparable(line) for line in preview.replace("<", "\n").replace(">", "\n").split("\n")]
    assert [line for line in lines[:-1] if line not in said] == []  # the preview's last line is cut off
    assert sum(map(len, lines)) > 500
    assert any(element.kind is ElementKind.TABLE for element in document.elements)
    assert not document.omissions


@pytest.mark.parametrize(("bit", "words"), [(1, "needs a password"), (4, "rights management")])
def test_a_locked_file_is_named(tmp_path: Path, bit: int, words: str) -> None:
    path = tmp_path / "locked.hwp"
    path.write_bytes((HWP / "pairs" / "table.hwp").read_bytes())
    with olefile.OleFileIO(str(path), write_mode=True) as ole:
        header = bytearray(ole.openstream("FileHeader").read())
        header[36] |= 1 << bit
        ole.write_stream("FileHeader", bytes(header))
    with pytest.raises(UnreadableDocument, match=words):
        HwpLoader().load(path, path.name)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", ["pairs/table.hwp", "pairs/table.hwpx", "samples/distribution.hwp"])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, name: str, share: float) -> None:
    data = (HWP / name).read_bytes()
    path = tmp_path / Path(name).name
    path.write_bytes(data[: int(len(data) * share)])
    loader = HwpLoader() if path.suffix == ".hwp" else HwpxLoader()
    with pytest.raises(UnreadableDocument) as caught:
        loader.load(path, path.name)
    assert caught.value.hint


def test_an_empty_file_is_no_hwp_file() -> None:
    assert not HwpLoader().accepts(probe(HWP / "samples" / "big_file.hwp"))
