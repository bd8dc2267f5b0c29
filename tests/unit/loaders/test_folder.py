from __future__ import annotations

import io
import os
import socket
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import RecordingProgress

from ragbots.errors import ConfigurationError
from ragbots.loaders import list_files, list_folder, source_of
from ragbots.loaders.archives import Unpacked, unpack_documents
from ragbots.loaders.folder import Folder, WithArchives
from ragbots.loaders.limits import MIB, ReadLimits
from ragbots.ports import Listing, Progress, Source, SourceFile
from ragbots.text import digest


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("글", encoding="utf-8")


def test_files_come_sorted_without_hidden_and_temporary_ones(tmp_path: Path) -> None:
    make(
        tmp_path, "나.md", "가.md", "하위/다.txt", ".숨김.md", "~$가.docx", ".git/a.md", "나.md~", "a.tmp", "Thumbs.db"
    )
    assert [source_of(path, tmp_path) for path in list_files(tmp_path)] == ["가.md", "나.md", "하위/다.txt"]


def test_links_are_followed_inside_and_reported_outside(tmp_path: Path) -> None:
    inside, outside = tmp_path / "안", tmp_path / "밖"
    make(inside, "가.md", "하위/나.md")
    make(outside, "비밀.md")
    (inside / "같은것.md").symlink_to(inside / "가.md")
    (inside / "비밀.md").symlink_to(outside / "비밀.md")
    (inside / "폴더").symlink_to(outside)
    (inside / "고리").symlink_to(inside)
    (inside / "끊김.md").symlink_to(inside / "없음.md")
    listing = list_folder(inside)
    assert [source_of(path, inside) for path in listing.files] == ["가.md", "같은것.md", "하위/나.md"]
    reasons = {omission.where: omission.why for omission in listing.omissions}
    assert set(reasons) == {"비밀.md", "폴더", "고리", "끊김.md"}
    assert "out of the source folder" in reasons["비밀.md"]


def test_names_are_composed(tmp_path: Path) -> None:
    make(tmp_path, unicodedata.normalize("NFD", "규정.md"))
    assert source_of(list_files(tmp_path)[0], tmp_path) == "규정.md"


def test_no_folder_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such folder"):
        list_files(tmp_path / "없음")


# the folder as a source


def source(tmp_path: Path, limits: ReadLimits = ReadLimits()) -> Folder:
    def unpacking(archive: Path, source: str, into: Path) -> Unpacked | None:
        return unpack_documents(archive, source, into, limits)

    return Folder(tmp_path / "규정", unpacked=tmp_path / "unpacked", unpack=unpacking, limits=limits)


def zipped(*files: tuple[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in files:
            made.writestr(name, content)
    return buffer.getvalue()


def test_a_folder_is_a_source_of_files_with_their_hashes(tmp_path: Path) -> None:
    make(tmp_path / "규정", "나.md", "가.md", unicodedata.normalize("NFD", "하위/다.txt"))
    folder, progress = source(tmp_path), RecordingProgress()
    listing = folder.list(progress)
    assert isinstance(folder, Source)
    assert [file.source for file in listing.files] == ["가.md", "나.md", "하위/다.txt"]
    assert {file.digest for file in listing.files} == {digest("글")}
    assert {file.link for file in listing.files} == {None}
    assert listing.omissions == ()


def test_an_archive_is_a_folder(tmp_path: Path) -> None:
    make(tmp_path / "규정", "가.md")
    (tmp_path / "규정" / "규정집.zip").write_bytes(zipped(("인사/인사규정.md", "갑"), ("../밖.md", "을")))
    listing = source(tmp_path).list(RecordingProgress())
    assert [file.source for file in listing.files] == ["가.md", "규정집.zip/인사/인사규정.md"]
    inner = listing.files[1]
    assert inner.path.read_text("utf-8") == "갑"
    assert inner.digest == digest("갑")
    assert [(omission.where, omission.expected) for omission in listing.omissions] == [("규정집.zip/../밖.md", False)]


class Attached:
    """A source as a wiki is one: attachments known by names of their own, with the link of their page."""

    id = "wiki"

    def __init__(self, *files: Path) -> None:
        self.files = files

    def list(self, progress: Progress) -> Listing:
        page = "https://wiki.example/1"
        named = [SourceFile(path, f"인사/{path.name}", digest(path.read_bytes()), page) for path in self.files]
        return Listing(tuple(named), ())


def test_an_archive_of_another_source_is_a_folder_too_and_keeps_its_link(tmp_path: Path) -> None:
    make(tmp_path, "가.md")
    (tmp_path / "규정집.zip").write_bytes(zipped(("인사규정.md", "갑")))
    (tmp_path / "깨짐.zip").write_bytes(zipped(("a.md", "x"))[:-20])

    def unpacking(archive: Path, source: str, into: Path) -> Unpacked | None:
        return unpack_documents(archive, source, into, ReadLimits())

    attached = Attached(tmp_path / "가.md", tmp_path / "규정집.zip", tmp_path / "깨짐.zip")
    whole = WithArchives(attached, unpacked=tmp_path / "unpacked", unpack=unpacking)
    assert isinstance(whole, Source)
    listing = whole.list(RecordingProgress())
    assert [file.source for file in listing.files] == ["인사/가.md", "인사/규정집.zip/인사규정.md"]
    assert {file.link for file in listing.files} == {"https://wiki.example/1"}
    assert listing.files[1].path.read_text("utf-8") == "갑"
    assert [omission.where for omission in listing.omissions] == ["인사/깨짐.zip"]


def test_a_damaged_archive_is_an_omission_and_a_document_in_zip_form_a_file(tmp_path: Path) -> None:
    make(tmp_path / "규정", "가.md")
    (tmp_path / "규정" / "깨짐.zip").write_bytes(zipped(("a.md", "x"))[:-20])
    (tmp_path / "규정" / "문서.zip").write_bytes(zipped(("mimetype", "application/hwp+zip")))
    (tmp_path / "규정" / "글.docx").write_bytes(zipped(("a.md", "x")))
    listing = source(tmp_path).list(RecordingProgress())
    assert [file.source for file in listing.files] == ["가.md", "글.docx", "문서.zip"]
    (omission,) = listing.omissions
    assert omission.where == "깨짐.zip"
    assert "cannot be unpacked" in omission.why


def test_what_is_no_file_or_too_large_is_named(tmp_path: Path) -> None:
    make(tmp_path / "규정", "가.md")
    (tmp_path / "규정" / "큰것.txt").write_bytes(bytes(2 * MIB))
    os.mkfifo(tmp_path / "규정" / "관.md")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "규정" / "소켓.md"))
        listing = source(tmp_path, ReadLimits(file=MIB)).list(RecordingProgress())
    assert [file.source for file in listing.files] == ["가.md"]
    assert {omission.where: omission.why for omission in listing.omissions} == {
        "관.md": "not a regular file",
        "소켓.md": "not a regular file",
        "큰것.txt": "larger than 1 MiB: split it",
    }


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "규정", "가.md", "비밀.md", "비밀2.md")
    opened = Path.open

    def guarded(self: Path, *arguments: Any, **more: Any) -> Any:
        if self.name.startswith("비밀"):
            raise PermissionError(13, "Permission denied")
        return opened(self, *arguments, **more)

    monkeypatch.setattr(Path, "open", guarded)
    listing = source(tmp_path).list(RecordingProgress())
    assert [file.source for file in listing.files] == ["가.md"]
    assert [(one.where, one.expected) for one in listing.omissions] == [("비밀.md", False), ("비밀2.md", False)]
    assert all("Permission denied" in one.why for one in listing.omissions)


def test_names_in_cp949_bytes_are_read_as_such(tmp_path: Path) -> None:
    folder = tmp_path / "규정"
    folder.mkdir()
    path = Path(os.fsdecode(os.fsencode(folder) + b"/" + "인사규정.md".encode("cp949")))
    try:
        path.write_text("글", "utf-8")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert [file.source for file in source(tmp_path).list(RecordingProgress()).files] == ["인사규정.md"]
