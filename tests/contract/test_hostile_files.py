"""Hostile and broken files: named or harmless, no connection made, and the next file is read."""

from __future__ import annotations

import importlib.util
import io
import re
import socket
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import openpyxl
import pytest
from tests.fakes import RecordingProgress

from ragbots.chunking import ChunkLimits, cut
from ragbots.errors import UnreadableDocument
from ragbots.loaders import built_in_loaders
from ragbots.loaders.folder import Folder
from ragbots.loaders.limits import MIB, ReadLimits
from ragbots.loaders.worker import WorkerReader
from ragbots.ports import SourceFile
from ragbots.regulation import parse
from ragbots.types import Document, element_text

REPOSITORY = Path(__file__).resolve().parents[2]
LIMITS = ReadLimits(memory=256 * MIB, seconds=20)
SECRET = "hostile-secret-words"
GIGABYTE = 1024 * MIB

Read = Callable[[str, bytes], Document | str]


@pytest.fixture(scope="module")
def reader() -> Iterator[WorkerReader]:
    made = WorkerReader(built_in_loaders, LIMITS)
    yield made
    made.close()


@pytest.fixture
def read(reader: WorkerReader, tmp_path: Path) -> Iterator[Read]:
    """Reads bytes under a name: the document, or what its failure says. Then a sound file must be read."""

    def one(name: str, data: bytes) -> Document:
        path = tmp_path / name
        path.write_bytes(data)
        return reader.read(SourceFile(path, f"인사/{name}", ""))

    def of(name: str, data: bytes) -> Document | str:
        try:
            return one(name, data)
        except UnreadableDocument as error:
            assert error.message.startswith(f"인사/{name}: ")
            assert error.hint
            return error.message
        finally:
            assert one("다음.md", "# 다음 파일".encode()).title == "다음 파일"

    return of


@pytest.fixture
def port() -> Iterator[int]:
    """A port on which nobody may call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.fixture(scope="module")
def writers() -> ModuleType:
    """The writers of the corpora, which make documents of each kind."""
    spec = importlib.util.spec_from_file_location("render_corpora", REPOSITORY / "tools" / "render_corpora.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def packages(writers: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small document in each format that is a ZIP archive of XML."""
    master = tmp_path_factory.mktemp("master") / "규정.md"
    master.write_text("# 규정\n\n## 별표 1 기준\n\n| 직급 | 금액 |\n|---|---|\n| 부장 | 10원 |\n", "utf-8")
    document = writers.read_master(master)
    return {form: writers.RENDERERS[form](document) for form in ("docx", "xlsx", "pptx", "hwpx")}


MAIN_PART = {
    "docx": "word/document.xml",
    "xlsx": "xl/worksheets/sheet2.xml",
    "pptx": "ppt/slides/slide2.xml",
    "hwpx": "Contents/section0.xml",
}


def edited(data: bytes, edit: Callable[[str, bytes], bytes], extra: dict[str, bytes] | None = None) -> bytes:
    """The package with each part edited, and more parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, edit(name, old.read(name)))
        for name, content in (extra or {}).items():
            new.writestr(name, content)
    return buffer.getvalue()


def in_part(data: bytes, form: str, edit: Callable[[bytes], bytes]) -> bytes:
    assert MAIN_PART[form] in zipfile.ZipFile(io.BytesIO(data)).namelist()
    return edited(data, lambda name, part: edit(part) if name == MAIN_PART[form] else part)


def text_of(found: Document | str) -> str:
    return found if isinstance(found, str) else " ".join(element_text(element) for element in found.elements)


def bomb(entry: str, size: int) -> bytes:
    """An archive of one entry of zeros, written without ever holding them."""
    buffer = io.BytesIO()
    info = zipfile.ZipInfo(entry)
    info.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w") as made, made.open(info, "w") as part:
        for _ in range(size // (16 * MIB)):
            part.write(bytes(16 * MIB))
    return buffer.getvalue()


# archives


@pytest.fixture
def folder(reader: WorkerReader, tmp_path: Path) -> Folder:
    (tmp_path / "규정").mkdir()
    (tmp_path / "규정" / "가.md").write_text("# 가", "utf-8")
    return Folder(tmp_path / "규정", unpacked=tmp_path / "unpacked", unpack=reader.unpack, limits=LIMITS)


def listed(folder: Folder, tmp_path: Path, data: bytes) -> tuple[list[str], dict[str, str]]:
    """The sources of a folder with such a `나.zip` in it, and its omissions."""
    (tmp_path / "규정" / "나.zip").write_bytes(data)
    listing = folder.list(RecordingProgress())
    return [file.source for file in listing.files], {omission.where: omission.why for omission in listing.omissions}


def declared(data: bytes, size: int) -> bytes:
    """The archive with another unpacked size in its records, without unpacking anything."""
    made = bytearray(data)
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", made, made.index(mark) + at, size)
    return bytes(made)


def zipped(*files: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            made.writestr(name, content)
    return buffer.getvalue()


def test_a_zip_bomb_is_named(folder: Folder, tmp_path: Path) -> None:
    many = zipped(*[(f"{number:05}.txt", b"") for number in range(10_001)])
    for data, where in (
        (declared(zipped(("폭탄.txt", bytes(MIB))), 4 * GIGABYTE - 2), "나.zip/폭탄.txt"),
        (many, "나.zip"),
    ):
        files, omissions = listed(folder, tmp_path, data)
        assert files == ["가.md"]
        assert set(omissions) == {where}
        assert "more than" in omissions[where]


@pytest.mark.slow
def test_ten_gigabytes_in_a_small_file_are_not_unpacked(folder: Folder, tmp_path: Path) -> None:
    inner = bomb("0.txt", 200 * MIB)
    # Fifty entries that share the bytes of the first: 10 GB unpacked.
    data = _overlapped(inner, 50)
    assert len(data) < 2 * MIB
    began = time.monotonic()
    files, omissions = listed(folder, tmp_path, data)
    assert files == ["가.md"]
    assert "unpacks to more than" in omissions["나.zip"]
    assert time.monotonic() - began < 10
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 4 * MIB


def _overlapped(data: bytes, times: int) -> bytes:
    """The archive with its one entry listed many times, under other names."""
    start, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    records = data[start:end]
    listed = b"".join(records.replace(b"0.txt", b"%c.txt" % (48 + number)) for number in range(times))
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, times, times, len(listed), start, 0)
    return data[:start] + listed + tail


def test_an_archive_in_an_archive_is_named_and_not_opened(folder: Folder, tmp_path: Path) -> None:
    inner = zipped(("0.txt", bytes(64 * MIB)))
    nested = zipped(("1.zip", zipped(("2.zip", zipped(("3.zip", inner))))), ("나.md", "# 나".encode()))
    files, omissions = listed(folder, tmp_path, nested)
    assert files == ["가.md", "나.zip/나.md"]
    assert "archive in an archive" in omissions["나.zip/1.zip"]


def test_an_archive_that_contains_itself_by_name_is_named(folder: Folder, tmp_path: Path) -> None:
    files, omissions = listed(folder, tmp_path, zipped(("나.zip", zipped(("나.zip", b"PK\x03\x04")))))
    assert files == ["가.md"]
    assert set(omissions) == {"나.zip/나.zip"}


def test_nothing_is_written_outside_or_linked(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "비밀.md").write_text(SECRET, "utf-8")
    link = zipfile.ZipInfo("링크.md")
    link.external_attr = 0o120777 << 16
    outside = ("../../../밖.md", b"x"), (f"{tmp_path}/절대.md", b"x"), ("C:\\밖.md", b"x")
    files, omissions = listed(folder, tmp_path, zipped(*outside, (link, str(tmp_path / "비밀.md").encode())))
    assert files == ["가.md"]
    assert len(omissions) == 4
    assert not [path for path in tmp_path.rglob("*") if path.name in ("밖.md", "절대.md", "링크.md")]
    assert not [path for path in tmp_path.rglob("*") if path.is_symlink()]


def test_links_out_of_the_folder_are_not_followed(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "비밀.md").write_text(SECRET, "utf-8")
    (tmp_path / "규정" / "비밀.md").symlink_to("../비밀.md")
    (tmp_path / "규정" / "위").symlink_to("..")
    listing = folder.list(RecordingProgress())
    assert [file.source for file in listing.files] == ["가.md"]
    assert {omission.where for omission in listing.omissions} == {"비밀.md", "위"}


# XML


ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
BILLION_LAUGHS = f'<!DOCTYPE bomb [<!ENTITY e0 "ha"> {ENTITIES}]>'.encode()


def with_doctype(part: bytes, doctype: bytes, reference: bytes) -> bytes:
    """A part with a document type, and a reference to its entity where text stands."""
    declaration, body = re.match(rb"(\s*<\?xml[^>]*\?>)?(.*)", part, re.DOTALL).groups(b"")  # type: ignore[union-attr]
    referring, count = re.subn(rb">([^<>\s][^<>]*)<", b">" + reference + b"<", body, count=1)
    assert count == 1
    return bytes(declaration + doctype + referring)


@pytest.mark.parametrize("form", MAIN_PART)
def test_a_billion_laughs(read: Read, packages: dict[str, bytes], form: str) -> None:
    began = time.monotonic()
    data = in_part(packages[form], form, lambda part: with_doctype(part, BILLION_LAUGHS, b"&e9;"))
    found = read(f"폭탄.{form}", data)
    assert len(text_of(found)) < 10_000
    assert time.monotonic() - began < LIMITS.seconds


@pytest.mark.parametrize("form", MAIN_PART)
def test_external_entities(read: Read, packages: dict[str, bytes], form: str, port: int, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, "utf-8")
    for target in (f"http://127.0.0.1:{port}/a", secret.as_uri()):
        doctype = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{target}">]>'.encode()
        data = in_part(packages[form], form, lambda part, d=doctype: with_doctype(part, d, b"&e;"))  # type: ignore[misc]
        assert SECRET not in text_of(read(f"밖.{form}", data))


def test_external_document_types_in_html(read: Read, port: int, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, "utf-8")
    for target in (f"http://127.0.0.1:{port}/a", secret.as_uri()):
        page = f'<?xml version="1.0"?><!DOCTYPE html SYSTEM "{target}" [<!ENTITY e SYSTEM "{target}">]>'
        page += f'<html><head><base href="{target}"><link rel="stylesheet" href="{target}"></head><body><p>본문 &e;</p>'
        page += f'<img src="{target}"><iframe src="{target}"></iframe></body></html>'
        for name in ("규정.html", "규정.xhtml"):
            found = text_of(read(name, page.encode()))
            assert SECRET not in found
            assert "본문" in found or "규정" in found


def test_templates_pictures_and_links_elsewhere_are_not_fetched(
    read: Read, packages: dict[str, bytes], port: int
) -> None:
    url = f"http://127.0.0.1:{port}/template.dotm"
    kinds = ("attachedTemplate", "image", "oleObject", "hyperlink", "subDocument", "externalLinkPath")
    schema = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    extra = "".join(
        f'<Relationship Id="rIdX{kind}" Type="{schema}/{kind}" Target="{url}" TargetMode="External"/>' for kind in kinds
    )

    def edit(name: str, part: bytes) -> bytes:
        return (
            part.replace(b"</Relationships>", f"{extra}</Relationships>".encode()) if name.endswith(".rels") else part
        )

    for form in ("docx", "xlsx", "pptx"):
        data = edited(packages[form], edit)
        assert data != packages[form]
        read(f"서식.{form}", data)


def test_a_workbook_that_fetches(read: Read, port: int) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = f'=WEBSERVICE("http://127.0.0.1:{port}/")'
    book.active["A2"] = "본문"
    buffer = io.BytesIO()
    book.save(buffer)
    read("표.xlsx", buffer.getvalue())


@pytest.mark.parametrize("form", MAIN_PART)
def test_a_part_that_unpacks_to_gigabytes(read: Read, packages: dict[str, bytes], form: str) -> None:
    honest = in_part(packages[form], form, lambda part: part.replace(b"><", b">" + b" " * (300 * MIB) + b"<", 1))
    assert len(honest) < 2 * MIB
    assert isinstance(read(f"큰것.{form}", honest), str)


def test_references_to_files_of_the_system_in_markdown(read: Read, port: int) -> None:
    words = f"# 규정\n\n![그림](http://127.0.0.1:{port}/a.png) [링크](file:///etc/passwd)\n\n본문\n"
    assert "root:" not in text_of(read("규정.md", words.encode()))


# OLE


def ole(fat: list[int], first_directory: int = 0) -> bytes:
    """A compound file of two sectors: a FAT as given, and a directory of one root entry."""
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        0, 1, first_directory, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 1,
    )  # fmt: skip
    header += b"\xff" * (512 - len(header))
    name = "Root Entry".encode("utf-16-le")
    root = name.ljust(64, b"\0") + struct.pack("<HBBIII", len(name) + 2, 5, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(512, b"\xff")
    return header + root.ljust(128, b"\0") * 4 + table


@pytest.mark.parametrize("fat", [[0, 0xFFFFFFFD], [1, 0], [1, 1], [5, 0xFFFFFFFD], []], ids=str)
def test_loops_in_a_compound_file(read: Read, fat: list[int]) -> None:
    for name in ("고리.hwp", "고리.doc", "고리"):
        assert isinstance(read(name, ole(fat)), str)


def test_a_hwp_file_whose_sectors_run_in_circles(read: Read, writers: ModuleType, tmp_path: Path) -> None:
    master = tmp_path / "규정.md"
    master.write_text("# 규정\n\n본문\n", "utf-8")
    data = bytearray(writers.render_hwp(writers.read_master(master)))
    fat = (struct.unpack_from("<I", data, 76)[0] + 1) * 512
    for sector in range(64):  # every chain goes back to its beginning
        struct.pack_into("<I", data, fat + 4 * sector, sector // 2)
    assert isinstance(read("고리.hwp", bytes(data)), str)


# PDF


def pdf(objects: dict[int, str], streams: dict[int, bytes] | None = None) -> bytes:
    made = b"%PDF-1.7\n"
    places = {}
    for number, words in objects.items():
        places[number] = len(made)
        made += f"{number} 0 obj\n{words}\n".encode()
        if streams and number in streams:
            made += b"stream\n" + streams[number] + b"\nendstream\n"
        made += b"endobj\n"
    table = len(made)
    made += f"xref\n0 {max(objects) + 1}\n0000000000 65535 f \n".encode()
    for number in range(1, max(objects) + 1):
        made += f"{places.get(number, 0):010} 00000 {'n' if number in places else 'f'} \n".encode()
    return made + f"trailer << /Size {max(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()


CATALOG = "<< /Type /Catalog /Pages 2 0 R >>"
PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << >> >> >>"


@pytest.mark.parametrize(
    "objects",
    [
        {1: CATALOG, 2: "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"},
        {1: CATALOG, 2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", 3: "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"},
        {1: CATALOG, 2: "2 0 R"},
        {1: CATALOG, 2: "<< /Type /Pages /Kids [" + "3 0 R " * 200_000 + "] /Count 200000 >>", 3: PAGE, 4: "null"},
        {1: CATALOG, 2: "<< /Type /Pages /Kids " + "[" * 100_000 + "]" * 100_000 + " /Count 1 >>"},
        {1: CATALOG, 2: "<< /Type /Pages /Kids [3 0 R] /Count 99999999 >>", 3: PAGE, 4: "<< /Length 9999999999 >>"},
    ],
    ids=["itself", "in turns", "reference to itself", "many pages", "deep arrays", "huge numbers"],
)
def test_pdf_structures_without_end(read: Read, objects: dict[int, str]) -> None:
    assert isinstance(read("고리.pdf", pdf(objects)), str)


def test_a_pdf_stream_that_unpacks_to_gigabytes(read: Read) -> None:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * MIB) for _ in range(2048)) + packer.flush()
    packed = zlib.compress(packed)
    content = f"<< /Length {len(packed)} /Filter [/FlateDecode /FlateDecode] >>"
    objects = {1: CATALOG, 2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", 3: PAGE, 4: content}
    assert isinstance(read("폭탄.pdf", pdf(objects, {4: packed})), str)


def test_a_pdf_that_acts_on_opening(read: Read, port: int) -> None:
    action = f"<< /S /URI /URI (http://127.0.0.1:{port}/) >>"
    catalog = f"<< /Type /Catalog /Pages 2 0 R /OpenAction {action} /AA << /WC {action} >> >>"
    read("여는것.pdf", pdf({1: catalog, 2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", 3: PAGE, 4: "null"}))


# text that is hard on parsers


DEEP = 100_000
HARD = {
    "태그.html": "<html><body>" + "<div>" * DEEP + "본문",
    "목록.html": "<html><body>" + "<ul><li>" * DEEP + "본문",
    "표.html": "<html><body>" + "<table><tr><td>" * 3_000 + "본문",
    "칸.html": '<html><body><table><tr><td colspan="999999999" rowspan="999999999">본문</td></tr></table>',
    "속성.html": "<html><body>" + "<p " + "a=" * 500_000 + ">본문",
    "제목.html": "<html><body><h1>" + "<b>" * DEEP + "본문",
    "목록.md": "\n".join("  " * level + "- 가" for level in range(3_000)),
    "인용.md": "> " * DEEP + "본문",
    "괄호.md": "[" * DEEP + "본문",
    "별표.md": "*가 " * DEEP,
    "역따옴표.md": " ".join("`" * length for length in range(1_000)),
    "머리.md": "---\n" + "a: &a [" + "*a," * 1_000 + "]\n---\n본문",
    "표.md": "|" * DEEP + "\n" + "|-" * DEEP + "\n",
    "주석.html": "<html><!--" * 50_000 + "본문",
    "선언.html": "<?xml " * 50_000 + "<html>본문",
    "조.txt": "제1조" * DEEP,
    "빈칸.txt": "제1조" + " " * 500_000 + "가",
    "괄호.txt": "제1조(" + "(" * DEEP,
    "호.txt": "\n".join(f"{number}. 가" for number in range(20_000)),
    "참조.txt": "제1조제1항제1호, " * 50_000,
    "날짜.txt": "<개정 2020. 1. 1., " * 50_000,
    "숫자.txt": "1" * 500_000,
    "별표.txt": "[별표 1] " * 50_000,
    "개정.txt": "[법률 제1호" + "개정" * DEEP + "]가",
    "목차.txt": "목차\n" + "\n".join(f"제{number // 100 + 1}조의{number % 100 + 2}(가)" for number in range(20_000)),
    "부칙.txt": "\n".join(f"부칙 <제{number}호>" for number in range(40_000)),
    "부칙이름.txt": "부칙("
    + "가" * 500_000
    + ")\n"
    + "\n".join(f"제{number}조(가) 나다." for number in range(1, 9_999)),
    "각호.txt": "제1조(가)\n[시행일: 다음 각 호\n" + "가나다라마바사\n" * DEEP,
    "이은표.html": "<html><body>" + "<table><tr><th>가<th>나<tr><td>1<td>2</table>" * 40_000,
    "머리칸.html": f"<html><body><table><tr><th>{'가' * 50_000}<th>나" + "<tr><td>1<td>2" * 10_000,
    "긴제목.md": "# " + "가" * 500_000 + "".join(f"\n\n제{number}조(가) 나다." for number in range(1, 9_999)),
    "낱자.txt": "\u1112\u1161\u11ab" * DEEP + "\u0301" * DEEP,
}


def used(document: Document) -> None:
    """What a build does with what was read."""
    cut(document, parse(document), ChunkLimits(), lambda passages: [len(passage) // 2 for passage in passages])


@pytest.mark.parametrize("name", HARD)
def test_hard_text_is_read_or_named_and_cut_in_time(read: Read, name: str) -> None:
    found = read(name, HARD[name].encode())
    if isinstance(found, str):
        return
    began = time.monotonic()
    used(found)
    assert time.monotonic() - began < LIMITS.seconds
