from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragbots.errors import UnreadableDocument
from ragbots.loaders.archives import Unpacked, contents, may_be_archive, sweep, unpack_documents
from ragbots.loaders.limits import MIB, ReadLimits
from ragbots.text import digest

LIMITS = ReadLimits(file=MIB, unpacked=2 * MIB, entries=20)
Files = Sequence[tuple[str | zipfile.ZipInfo, bytes]]


def archive(*files: tuple[str | zipfile.ZipInfo, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            made.writestr(name, content)
    return buffer.getvalue()


def named_in(encoding: str, name: str, content: bytes = b"x") -> bytes:
    """An archive whose one entry has a name in another encoding, without the flag for UTF-8."""
    raw = name.encode(encoding)
    stand_in = "n" * len(raw)
    return archive((stand_in, content)).replace(stand_in.encode(), raw)


def unpack(tmp_path: Path, data: bytes, limits: ReadLimits = LIMITS) -> Unpacked | None:
    path = tmp_path / "규정집.zip"
    path.write_bytes(data)
    into = tmp_path / "into"
    into.mkdir()
    return unpack_documents(path, "규정집.zip", into, limits)


def reasons(found: Unpacked | None) -> dict[str, str]:
    assert found is not None
    return {one.name: one.why for one in found.left_out}


def names(found: Unpacked | None) -> list[str]:
    assert found is not None
    return sorted(entry.name for entry in found.entries)


def test_files_are_unpacked_with_paths_and_hashes(tmp_path: Path) -> None:
    found = unpack(tmp_path, archive(("인사/인사규정.hwp", "가"), ("인사/", ""), ("여비.md", "나")))
    assert names(found) == ["여비.md", "인사/인사규정.hwp"]
    assert found is not None
    for entry in found.entries:
        assert digest((tmp_path / "into" / entry.file).read_bytes()) == entry.digest
        assert Path(entry.file).suffix == Path(entry.name).suffix


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_korean_names_without_the_utf8_flag(tmp_path: Path, encoding: str) -> None:
    assert names(unpack(tmp_path, named_in(encoding, "똠방/인사규정.hwp"))) == ["똠방/인사규정.hwp"]


def test_decomposed_names_and_backslashes(tmp_path: Path) -> None:
    assert names(unpack(tmp_path, archive(("규정.md", "x"), ("a\\b.md", "y")))) == ["a/b.md", "규정.md"]


def test_hidden_and_temporary_entries_are_nobodys_documents(tmp_path: Path) -> None:
    found = unpack(tmp_path, archive(("__MACOSX/._a.md", "x"), (".git/a", "x"), ("~$a.docx", "x"), ("a.md", "x")))
    assert names(found) == ["a.md"]
    assert reasons(found) == {}


@pytest.mark.parametrize(
    "name", ["../밖.md", "안/../../밖.md", "/etc/규정.md", "C:\\규정.md", "..\\밖.md", "//host/share.md", ".."]
)
def test_paths_that_lead_out_are_refused_by_name(tmp_path: Path, name: str) -> None:
    found = unpack(tmp_path, archive((name, "x"), ("안.md", "y")))
    assert names(found) == ["안.md"]
    assert reasons(found) == {name.replace("\\", "/"): "its path leads out of the archive"}


@pytest.mark.parametrize("name", ["CON", "nul.md", "aux.hwp", "a" * 300 + ".md", "a:b|c?.md", "a.md "])
def test_names_that_systems_cannot_bear_are_only_names(tmp_path: Path, name: str) -> None:
    found = unpack(tmp_path, archive((name, "x")))
    assert found is not None
    assert [entry.name for entry in found.entries] == [name]
    assert [path.stem for path in (tmp_path / "into").iterdir()] == ["00001"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [(stat.S_IFLNK, "a link"), (stat.S_IFIFO, "not a regular file"), (stat.S_IFCHR, "not a regular file")],
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: int, why: str) -> None:
    info = zipfile.ZipInfo("링크.md")
    info.external_attr = (kind | 0o777) << 16
    found = unpack(tmp_path, archive((info, "/etc/passwd"), ("a.md", "x")))
    assert names(found) == ["a.md"]
    assert why in reasons(found)["링크.md"]


def test_entries_with_a_password_are_named(tmp_path: Path) -> None:
    data = bytearray(archive(("a.md", "x")))
    for start, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(start) + at] |= 1
    assert "password" in reasons(unpack(tmp_path, bytes(data)))["a.md"]


def test_other_methods_are_named(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a.md")
    info.compress_type = zipfile.ZIP_LZMA
    assert "method" in reasons(unpack(tmp_path, archive((info, "x"))))["a.md"]


def test_of_two_entries_with_one_name_the_last_stands(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = archive(("a.md", "old"), ("a.md", "new"))
    found = unpack(tmp_path, data)
    assert found is not None
    assert [entry.digest for entry in found.entries] == [digest("new")]
    assert "same name" in reasons(found)["a.md"]


def test_an_entry_that_is_too_large_is_named_and_the_others_read(tmp_path: Path) -> None:
    found = unpack(tmp_path, archive(("폭탄.txt", bytes(2 * MIB)), ("a.md", "x")))
    assert names(found) == ["a.md"]
    assert "more than 1 MiB" in reasons(found)["폭탄.txt"]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([(f"{number}.txt", bytes(MIB)) for number in range(3)], "more than 2 MiB"),
        ([(f"{number}.txt", b"x") for number in range(21)], "more than 20 entries"),
    ],
)
def test_archives_that_are_too_large_are_refused_whole(tmp_path: Path, files: Files, why: str) -> None:
    with pytest.raises(UnreadableDocument, match=why) as caught:
        unpack(tmp_path, archive(*files))
    assert caught.value.message.startswith("규정집.zip: ")
    assert caught.value.hint
    assert list((tmp_path / "into").iterdir()) == []


def test_an_entry_larger_than_it_says_is_cut_off_and_named(tmp_path: Path) -> None:
    data = archive(("a.txt", bytes(2 * MIB)), ("b.txt", "x"))
    data = data.replace(struct.pack("<I", 2 * MIB), struct.pack("<I", 10))
    found = unpack(tmp_path, data)
    assert names(found) == ["b.txt"]
    assert "damaged" in reasons(found)["a.txt"]


def test_an_archive_in_an_archive_is_named_and_a_document_in_it_read(tmp_path: Path) -> None:
    inner, word = archive(("a.md", "x")), archive(("[Content_Types].xml", "x"), ("word/document.xml", "x"))
    found = unpack(tmp_path, archive(("안.zip", inner), ("이름없음", inner), ("글.docx", word), ("글", word)))
    assert names(found) == ["글", "글.docx"]
    assert set(reasons(found)) == {"안.zip", "이름없음"}
    assert "archive in an archive" in reasons(found)["안.zip"]


@pytest.mark.parametrize("mark", ["[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"])
def test_a_document_is_no_archive(tmp_path: Path, mark: str) -> None:
    assert unpack(tmp_path, archive((mark, "x"), ("a.md", "x"))) is None


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_archives_are_named_or_unpacked(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole = bytearray(archive(("가.md", "내용 " * 20), ("나/다.txt", "x")))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(4, len(whole)))])
    try:
        unpack(tmp_path_factory.mktemp("damaged"), cut)
    except UnreadableDocument as error:
        assert error.message.startswith("규정집.zip: ")


# what is kept


def kept(tmp_path: Path, data: bytes, calls: list[str], source: str = "규정집.zip") -> tuple[Path, Unpacked] | None:
    path = tmp_path / "규정집.zip"
    path.write_bytes(data)

    def unpacking(archive: Path, source: str, into: Path) -> Unpacked | None:
        calls.append(source)
        return unpack_documents(archive, source, into, LIMITS)

    return contents(path, source, digest(data), tmp_path / "unpacked", unpacking)


def test_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    calls: list[str] = []
    data = archive(("a.md", "x"), ("../b.md", "y"))
    first, second = kept(tmp_path, data, calls), kept(tmp_path, data, calls, source="새이름.zip")
    assert first == second
    assert first is not None
    assert calls == ["규정집.zip"]
    assert (first[0] / first[1].entries[0].file).read_text() == "x"


def test_what_is_not_whole_is_unpacked_anew(tmp_path: Path) -> None:
    calls: list[str] = []
    data = archive(("a.md", "x"))
    for damage in ("contents.json", "00001.md"):
        found = kept(tmp_path, data, calls)
        assert found is not None
        (found[0] / damage).unlink()
    assert kept(tmp_path, data, calls) is not None
    assert len(calls) == 3


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument):
        kept(tmp_path, archive(("a.md", "x"))[:-30], [])
    assert kept(tmp_path, archive(("mimetype", "x")), []) is None
    assert list((tmp_path / "unpacked").iterdir()) == []


def test_what_was_not_used_is_swept(tmp_path: Path) -> None:
    found = kept(tmp_path, archive(("a.md", "x")), [])
    assert found is not None
    used = found[0].stat().st_mtime
    sweep(tmp_path / "unpacked", used - 1)
    assert found[0].exists()
    sweep(tmp_path / "unpacked", used + 1)
    assert not found[0].exists()
    sweep(tmp_path / "nowhere", used)


def test_which_files_are_looked_into(tmp_path: Path) -> None:
    for name, data, expected in (
        ("a.zip", archive(("a.md", "x")), True),
        ("a.zip", archive(), True),
        ("a", archive(("a.md", "x")), True),
        ("a.docx", archive(("a.md", "x")), False),
        ("a.zip", b"text", False),
    ):
        (tmp_path / name).write_bytes(data)
        assert may_be_archive(tmp_path / name) is expected
    assert not may_be_archive(tmp_path / "nowhere.zip")
