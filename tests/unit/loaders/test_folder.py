from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from ragbots.errors import ConfigurationError
from ragbots.loaders import list_files, list_folder, source_of


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
