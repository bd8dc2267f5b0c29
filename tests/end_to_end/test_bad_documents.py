"""Documents that cannot be read, and folders without any: named with what to do, and nothing else stopped."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas
from tests.end_to_end.installation import PARKING, PLANTS, VISITORS, WATER, Installation, ask, here
from tests.fakes import RecordingProgress

from ragbots.types import Status


def pdf(*lines: str, pages: int = 1) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for _ in range(pages):
        for number, line in enumerate(lines):
            canvas.drawString(72, 760 - 20 * number, line)
        canvas.rect(100, 100, 200, 200, fill=1)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


TEXT_PDF = pdf("Visitors leave their badge at the desk.", "Badges are renewed every year.", pages=3)


def encrypted(data: bytes) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt("geheim", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return buffer.getvalue()


BAD = {
    "암호.pdf": (encrypted(TEXT_PDF), "password"),
    "잘림.pdf": (TEXT_PDF[: len(TEXT_PDF) // 2], "end is missing"),
    "스캔.pdf": (pdf(pages=2), "OCR"),
    "이름만.docx": ("그냥 글입니다".encode(), ".docx"),
    "다른것.docx": (archive("xl/workbook.xml"), "docx"),
    "빈파일.md": (b"", "0 bytes"),
    "[draft] 깨진 것.md": ("가나다라마바사".encode() + b"\xff\xfe", "UTF-8"),
}


def test_each_bad_file_is_named_and_the_others_are_indexed(empty: Installation) -> None:
    empty.add("office", {"화분.md": PLANTS, **{name: content for name, (content, _) in BAD.items()}})
    done = empty.cli("index", "build", "--all", "--release", "--json")
    assert done.code == 0
    (result,) = done.json["bots"]
    assert [document["source"] for document in result["documents"]] == ["화분.md"]
    reasons = {failure["source"]: failure["reason"] for failure in result["failures"]}
    assert set(reasons) == set(BAD)
    for name, (_, told) in BAD.items():
        assert name in reasons[name]
        assert told in reasons[name]
    with empty.open() as runtime:
        assert ask(runtime, WATER).status is Status.ANSWERED


def test_people_see_the_same_as_json(empty: Installation) -> None:
    empty.add("office", {"화분.md": PLANTS, **{name: content for name, (content, _) in BAD.items()}})
    built = empty.cli("index", "build", "office", "--release")
    status = empty.cli("index", "status", "office")
    for shown in (built.err, status.out):
        for name, (_, told) in BAD.items():
            assert any(name in line and told in line for line in shown.splitlines()), (name, shown)


def test_strict_fails_for_what_the_usual_build_reports(empty: Installation) -> None:
    empty.add("office", {"화분.md": PLANTS, "빈파일.md": b""})
    done = empty.cli("index", "build", "office", "--release", "--strict")
    assert done.code == 3
    assert "빈파일.md" in done.err
    assert "--strict" in done.err
    assert empty.versions() == []
    (empty.documents() / "빈파일.md").unlink()
    assert empty.cli("index", "build", "office", "--release", "--strict").code == 0


def test_only_bad_files_give_no_index_and_the_released_one_stays(built: Installation) -> None:
    released = built.versions()
    for path in built.documents().rglob("*.md"):
        path.write_bytes(b"")
    done = built.cli("index", "build", "office", "--release")
    assert done.code == 3
    assert "화분관리규정.md" in done.err
    assert built.versions() == released
    with built.open() as runtime:
        assert ask(runtime, WATER).status is Status.ANSWERED


def test_a_file_that_may_not_be_read(empty: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    empty.add("office", {"화분.md": PLANTS, "비밀.md": "# 비밀"})

    def unless_secret(method: Callable[..., object]) -> Callable[..., object]:
        def guarded(self: Path, *arguments: object, **more: object) -> object:
            if self.name == "비밀.md":
                raise PermissionError(13, "Permission denied")
            return method(self, *arguments, **more)

        return guarded

    for name in ("read_bytes", "open"):
        monkeypatch.setattr(Path, name, unless_secret(getattr(Path, name)))
    done = empty.cli("index", "build", "office", "--json")
    assert done.code == 0, done.err
    (left_out,) = done.json["bots"][0]["omissions"]
    assert left_out["where"] == "비밀.md"
    assert "Permission denied" in left_out["why"]
    assert not left_out["expected"]


def test_a_missing_and_an_empty_folder_name_the_bot_and_stop_no_other(empty: Installation) -> None:
    empty.add("office", {"화분.md": PLANTS})
    empty.add("missing", {}, sources=[{"folder": "../documents/없음"}])
    empty.add("hollow", {})
    (empty.documents("hollow")).mkdir(parents=True)
    done = empty.cli("index", "build", "--all", "--release", "--json")
    results = {result["bot"]: result for result in done.json["bots"]}
    assert done.code == 2
    assert results["office"]["released"]
    assert "`missing`" in results["missing"]["error"]
    assert str(empty.root / "documents" / "없음") in results["missing"]["error"]
    assert "`hollow`" in results["hollow"]["error"]
    assert str(empty.documents("hollow")) in results["hollow"]["error"]
    check = empty.cli("bots", "check")
    assert check.code == 2
    assert "`missing`" in check.out
    assert "`hollow`" in check.out
    assert "`office`" not in check.out


def test_a_folder_that_was_emptied_leaves_the_released_version(built: Installation) -> None:
    for path in built.documents().rglob("*.md"):
        path.unlink()
    assert built.cli("index", "build", "office", "--release").code == 2
    with built.open() as runtime:
        assert ask(runtime, WATER).status is Status.ANSWERED


def test_two_sources_with_a_file_of_one_name(empty: Installation) -> None:
    empty.add("office", {"a/규정.md": PLANTS, "b/규정.md": VISITORS})
    sources = [{"folder": "../documents/office/a"}, {"folder": "../documents/office/b"}]
    empty.add("office", {}, sources=sources)
    assert empty.cli("index", "build", "office", "--release").code == 0
    with empty.open() as runtime:
        cited = [ask(runtime, question).citations[0].source for question in (WATER, PARKING)]
    assert cited == ["규정.md", "출처 2/규정.md"]


def test_cp949_utf16_and_names_and_texts_in_nfd_are_read_alike(empty: Installation) -> None:
    name = unicodedata.normalize("NFD", "방문객 주차.md")
    empty.add("office", {"화분.md": PLANTS.encode("cp949"), name: unicodedata.normalize("NFD", VISITORS)})
    empty.add("other", {"화분.md": PLANTS.encode("utf-16"), "방문객 주차.md": VISITORS})
    empty.build("office", "other")
    with empty.open() as runtime:
        for question, source in ((WATER, "화분.md"), (PARKING, "방문객 주차.md")):
            one, other = (ask(runtime, question, bot) for bot in ("office", "other"))
            assert one.status is Status.ANSWERED
            assert one.answer == other.answer
            assert one.citations[0].source == other.citations[0].source == source


def test_pages_without_any_article_build_answer_and_refuse(empty: Installation) -> None:
    pages = {
        "독도.md": "# 독도\n\n독도는 동도와 서도 및 그 주변에 흩어져 있는 89개의 바위섬으로 이루어져 있다.\n\n"
        "## 생물\n\n독도에는 바다제비와 슴새, 괭이갈매기가 살고 있다.\n",
        "한글.txt": "한글은 세종대왕이 1443년에 창제하여 1446년에 훈민정음이라는 이름으로 반포한 문자이다.\n",
    }
    empty.add("pages", pages, contact="도서관 (내선 7)")
    with empty.open() as runtime:
        runtime.release("pages", runtime.build("pages", RecordingProgress()).version, by="tester")
    with empty.open() as runtime:
        answer = ask(runtime, "독도는 몇 개의 바위섬으로 이루어져 있나?", "pages")
        assert answer.status is Status.ANSWERED
        assert "89개" in answer.answer
        assert (answer.citations[0].source, answer.citations[0].article) == ("독도.md", None)
        passage = runtime.passage(answer.citations[0].id, here(runtime))
        assert "89개의 바위섬" in passage.quote
        animals = runtime.search("pages", "독도에 사는 새는 무엇인가?", 3, here(runtime)).hits[0]
        assert "괭이갈매기" in animals.chunk.text
        refused = ask(runtime, "연차 휴가는 며칠이고 누구에게 신청하나요?", "pages")
        assert refused.status is Status.REFUSED
        assert "도서관 (내선 7)" in refused.answer
        assert refused.citations == ()
