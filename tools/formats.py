"""One regulation in every format: what of it arrives, and how fast.

    python tools/formats.py [--samples FOLDER] [--rounds N] [--json]

The regulation below (장, 조·항·호·목, references, a 별표 with merged cells and units, 부칙) is written
in each format by the writers of `render_corpora.py`, and by LibreOffice where that is installed. Each
file is read in a worker as a build reads it, parsed and cut. Beside what was written stands what was
read: characters, tables and their rows, addresses, and the text of the chunks up to white space. What
a format cannot hold is not counted as written: a workbook holds the annex, plain text no tables.
Sheets and slides have names and an order of their own: of these the rows and their addresses are
compared, not the chunks.

With `--samples` every file below a folder is read too, and each is whole or its failure named. Rates
are of reading alone, after a first round; memory is the highest resident set of a fresh worker,
which holds its libraries and, for PDF, the language model too.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import render_corpora
from rich.console import Console
from rich.table import Table

from ragbots.chunking import ChunkLimits, cut
from ragbots.errors import UnreadableDocument
from ragbots.loaders import built_in_loaders
from ragbots.loaders.worker import ReadLimits, WorkerReader
from ragbots.ports import SourceFile
from ragbots.regulation import parse, readable
from ragbots.types import Chunk, Document, ElementKind, element_text

REGULATION = """\
---
제목: 출장여비규정
소관부서: 총무부
개정일: 2025-12-18
시행일: 2026-01-01
병합: 분류
---
# 출장여비규정

## 제1장 총칙

### 제1조(목적)

이 규정은 임직원이 업무로 출장할 때 지급하는 여비의 기준과 절차를 정하는 것을 목적으로 한다.

### 제2조(정의)

① 이 규정에서 사용하는 용어의 뜻은 다음과 같다.

1. "국내출장"이란 근무지 밖의 국내 지역에서 업무를 수행하는 것을 말한다.
2. "여비"란 다음 각 목의 비용을 말한다.
   가. 운임
   나. 숙박비와 식비

② 제1항에도 불구하고 제8조제2항에 따른 근무지 내 출장은 따로 정한다.

## 제2장 여비의 지급

### 제7조의2(숙박비의 한도)

① 숙박비는 별표 1의 상한액을 넘지 아니하는 범위에서 실제로 쓴 금액을 지급한다.

② 상한액을 넘은 금액은 사전에 총무부장의 승인을 받은 경우에만 지급한다.

### 제8조(근무지 내 출장)

① 4시간 이상 걸리는 근무지 내 출장에는 2만원을 지급한다.

② 제1항의 출장에 업무용 차량을 이용한 경우에는 1만원을 줄여 지급한다.

## 별표 1 국내 여비 지급 기준(제7조의2제1항 관련)

(단위: 원)

| 지역 | 직급 | 숙박비 상한 | 식비(1일) |
|---|---|---|---|
| 서울특별시 | 임원 | 120,000 | 40,000 |
| 서울특별시 | 직원 | 100,000 | 30,000 |
| 광역시 | 임원 | 90,000 | 40,000 |
| 광역시 | 직원 | 80,000 | 30,000 |
| 그 밖의 지역 | 직원 | 70,000 | 25,000 |

비고: 부산광역시의 7월과 8월 숙박비 상한은 20,000원을 더한다.

## 부칙 <2025. 12. 18.>

제1조(시행일) 이 규정은 2026년 1월 1일부터 시행한다.

제2조(경과조치) 이 규정의 시행 전에 시작한 출장에는 종전의 규정에 따른다.
"""

LIBREOFFICE = "LibreOffice"
# What LibreOffice makes of which of our files.
CONVERSIONS = (
    ("docx", "docx"),
    ("docx", "pdf"),
    ("docx", "html"),
    ("html", "html"),
    ("html", "docx"),
    ("xlsx", "xlsx"),
    ("pptx", "pptx"),
)
WITH_OWN_ORDER = ("xlsx", "pptx")
# The frame of a page, which LibreOffice would make text of the document.
FRAME = re.compile(rb"<(nav|footer)>.*?</\1>", re.DOTALL)
LIMITS = ChunkLimits()
CONVERSION_SECONDS = 180


@dataclass(frozen=True)
class Written:
    """A file and the document that was written into it."""

    form: str
    by: str
    content: bytes
    document: Document


@dataclass(frozen=True)
class Arrived:
    """What was read of a file, beside what was written."""

    form: str
    by: str
    problem: str
    omissions: tuple[str, ...]
    characters: tuple[int, int]
    tables: tuple[int, int]
    rows: tuple[int, int]
    addresses_equal: bool | None
    chunks_equal: bool | None
    documents_per_second: float
    pages_per_second: float | None
    peak_mib: int


def master() -> Document:
    """The regulation as its Markdown gives it: what every other format is compared with."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "출장여비규정.md")
        path.write_text(REGULATION, "utf-8")
        return render_corpora.read_master(path)


def written() -> list[Written]:
    """The regulation by our own writers."""
    render_corpora.register_fonts()
    document = master()
    found = [Written("md", "hand", REGULATION.encode(), document)]
    for form, render in render_corpora.RENDERERS.items():
        found.append(Written(form, "render_corpora", render(document), _holdable(form, document)))
    return found


def _holdable(form: str, document: Document) -> Document:
    """What of the regulation a format holds as its writer writes it."""
    elements = document.elements
    if form == "xlsx":
        annex = next(number for number, element in enumerate(elements) if element.text.startswith("별표"))
        elements = elements[annex:]  # what follows stands in the annex's sheet
    if form == "txt":
        elements = tuple(element for element in elements if element.kind is not ElementKind.TABLE)
    return replace(document, elements=elements)


def converted(sources: Sequence[Written]) -> Iterator[Written]:
    """The same by LibreOffice; nothing where it is missing."""
    program = shutil.which("soffice")
    if program is None:
        return
    ours = {one.form: one for one in sources}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for start, end in CONVERSIONS:
            content = _convert(program, ours[start].content, start, end, folder / f"{start}-{end}")
            yield Written(end, f"{LIBREOFFICE} from {start}", content, ours[start].document)


def _convert(program: str, content: bytes, start: str, end: str, folder: Path) -> bytes:
    folder.mkdir()
    path = folder / f"출장여비규정.{start}"
    path.write_bytes(FRAME.sub(b"", content) if start == "html" else content)
    # Writer takes a page of HTML for a web page, which it writes in other forms only by the filter's full name.
    filters = {"docx": "docx:MS Word 2007 XML", "html": "html:HTML (StarWriter)"}
    form = filters[end] if start == "html" else end
    reader = ["--infilter=HTML (StarWriter)"] if start == "html" else []
    command = [program, "--headless", f"-env:UserInstallation=file://{folder.parent}/profile", *reader]
    subprocess.run(
        [*command, "--convert-to", form, "--outdir", str(folder / "out"), str(path)],
        check=True, capture_output=True, timeout=CONVERSION_SECONDS,
    )  # fmt: skip
    return (folder / "out" / f"출장여비규정.{end}").read_bytes()


def chunks_of(document: Document) -> tuple[Chunk, ...]:
    """The chunks, with half a character counted as a token: no model is needed to compare."""
    chunks, _ = cut(document, parse(document), LIMITS, lambda passages: [len(passage) // 2 for passage in passages])
    return chunks


def addresses(document: Document) -> list[str]:
    """The address of every block that has one, in reading order."""
    return [str(block.address) for block in parse(document).blocks if block.address]


def chunk_texts(document: Document) -> list[tuple[str, str]]:
    """Address and text of each chunk, without white space."""
    return [(str(chunk.address), re.sub(r"\s", "", chunk.text)) for chunk in chunks_of(document)]


def rows(document: Document) -> list[tuple[str, str]]:
    """Address and text of each row of a table, without white space."""
    blocks = parse(document).blocks
    return [(str(block.address), re.sub(r"\s", "", readable(block))) for block in blocks if block.cells]


def _letters(document: Document) -> Counter[str]:
    return Counter(re.sub(r"\s", "", "".join(element_text(element) for element in document.elements)))


def _tables(document: Document) -> int:
    return sum(element.kind is ElementKind.TABLE for element in document.elements)


def arrive(file: Written, rounds: int) -> Arrived:
    """Reads a file in a worker of its own, `rounds` times after a first."""
    reader = WorkerReader(built_in_loaders, ReadLimits())
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"출장여비규정.{file.form}")
            path.write_bytes(file.content)
            source = SourceFile(path, path.name, "")
            read = reader.read(source)
            began = time.perf_counter()
            for _ in range(rounds):
                reader.read(source)
            seconds = (time.perf_counter() - began) / rounds
        return _compared(file, read, seconds, peak_mib(reader.pid))
    except UnreadableDocument as error:
        return Arrived(file.form, file.by, str(error), (), (0, 0), (0, 0), (0, 0), False, False, 0.0, None, 0)
    finally:
        reader.close()


def _compared(file: Written, read: Document, seconds: float, peak: int) -> Arrived:
    letters, wanted_rows, found_rows = _letters(file.document), Counter(rows(file.document)), Counter(rows(read))
    comparable = file.form not in WITH_OWN_ORDER
    return Arrived(
        form=file.form,
        by=file.by,
        problem="",
        omissions=tuple(f"{one.what}: {one.why}" for one in read.omissions if not one.expected),
        characters=((letters & _letters(read)).total(), letters.total()),
        tables=(_tables(read), _tables(file.document)),
        rows=((wanted_rows & found_rows).total(), wanted_rows.total()),
        addresses_equal=addresses(read) == addresses(file.document) if comparable else None,
        chunks_equal=chunk_texts(read) == chunk_texts(file.document) if comparable else None,
        documents_per_second=1 / seconds,
        pages_per_second=read.pages / seconds if read.pages else None,
        peak_mib=peak,
    )


def peak_mib(pid: int | None) -> int:
    """The highest resident set of a process so far."""
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text() if status.exists() else "", re.MULTILINE)
    return int(found[1]) // 1024 if found else 0


# files of others


@dataclass(frozen=True)
class Sampled:
    """The files of one kind below a folder."""

    form: str
    tried: int
    read: int
    with_losses: int
    failures: tuple[str, ...]
    documents_per_second: float
    peak_mib: int


def sampled(folder: Path) -> Iterator[Sampled]:
    by_form: dict[str, list[Path]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        by_form.setdefault(path.suffix.lower().lstrip("."), []).append(path)
    for form, paths in by_form.items():
        yield _sampled(form, paths, folder)


def _sampled(form: str, paths: Sequence[Path], folder: Path) -> Sampled:
    reader = WorkerReader(built_in_loaders, ReadLimits())
    documents: list[Document] = []
    failures: list[str] = []
    began = time.perf_counter()
    for path in paths:
        try:
            documents.append(reader.read(SourceFile(path, path.relative_to(folder).as_posix(), "")))
        except UnreadableDocument as error:
            failures.append(str(error))
    seconds, peak = time.perf_counter() - began, peak_mib(reader.pid)
    reader.close()
    losses = sum(any(not omission.expected for omission in document.omissions) for document in documents)
    return Sampled(form, len(paths), len(documents), losses, tuple(failures), len(paths) / seconds, peak)


# what is printed


def show(found: Sequence[Arrived], samples: Sequence[Sampled], console: Console) -> None:
    console.print(_table(
        "The same regulation in every format",
        ("format", "written by", "read whole", "characters", "tables", "rows", "addresses", "chunks",
         "documents/s", "pages/s", "peak MiB"),
        (_cells(one) for one in found),
    ))  # fmt: skip
    for one in found:
        for said in (*([one.problem] if one.problem else []), *one.omissions):
            console.print(f"  {one.form} by {one.by}: {said}", highlight=False, soft_wrap=True)
    if samples:
        names = ("format", "tried", "read", "of them with losses named", "failures named", "documents/s", "peak MiB")
        console.print(_table("Samples", names, (_sample_cells(one) for one in samples)))
        for failure in (failure for one in samples for failure in one.failures):
            console.print(f"  {failure}", highlight=False, soft_wrap=True)


def _table(title: str, names: Sequence[str], lines: Iterator[list[str]]) -> Table:
    table = Table(*names, title=title, title_justify="left", box=None, header_style="dim", pad_edge=False)
    for line in lines:
        table.add_row(*line)
    return table


def _cells(one: Arrived) -> list[str]:
    said = {True: "equal", False: "[red]differ[/red]", None: "–"}
    return [
        one.form, one.by, "no" if one.problem else "yes" if not one.omissions else "with losses named",
        *(f"{have:,}/{want:,}" for have, want in (one.characters, one.tables, one.rows)),
        said[one.addresses_equal], said[one.chunks_equal], f"{one.documents_per_second:.0f}",
        "–" if one.pages_per_second is None else f"{one.pages_per_second:.0f}", str(one.peak_mib),
    ]  # fmt: skip


def _sample_cells(one: Sampled) -> list[str]:
    numbers = (one.tried, one.read, one.with_losses, len(one.failures))
    return [one.form, *map(str, numbers), f"{one.documents_per_second:.0f}", str(one.peak_mib)]


def main() -> int:
    options = _options()
    ours = written()
    found = [arrive(file, options.rounds) for file in (*ours, *converted(ours))]
    samples = list(sampled(options.samples)) if options.samples else []
    if options.json:
        printed = {"formats": [asdict(one) for one in found], "samples": [asdict(one) for one in samples]}
        print(json.dumps(printed, ensure_ascii=False))
    else:
        show(found, samples, Console(width=150))
        if shutil.which("soffice") is None:
            print("LibreOffice (soffice) is not installed: its files were left out")
    unequal = any(False in (one.addresses_equal, one.chunks_equal) for one in found)
    return 1 if unequal or any(one.problem for one in found) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, help="a folder whose files are read too")
    parser.add_argument("--rounds", type=int, default=20, help="how often each file is read for its rate")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
