"""The same regulation in every format: the same addresses, rows and chunks."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ragbots.loaders import built_in_loaders, load_file
from ragbots.types import Document

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def tool(name: str, patch: pytest.MonkeyPatch) -> ModuleType:
    """A module of `tools/`, which are programs and no package."""
    patch.syspath_prepend(str(TOOLS))
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    patch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as made:
        yield made


@pytest.fixture(scope="module")
def formats(patch: pytest.MonkeyPatch) -> ModuleType:
    if not Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf").is_file():
        pytest.skip("the fonts of the PDF writer are not installed (fonts-nanum)")
    return tool("formats", patch)


def read(content: bytes, form: str, folder: Path) -> Document:
    path = folder / f"출장여비규정.{form}"
    path.write_bytes(content)
    return load_file(path, path.name, built_in_loaders())


def assert_same(formats: ModuleType, document: Document, written: Document, form: str) -> None:
    assert formats.rows(document) == formats.rows(written)
    assert not [omission for omission in document.omissions if not omission.expected]
    if form not in formats.WITH_OWN_ORDER:
        assert formats.addresses(document) == formats.addresses(written)
        assert formats.chunk_texts(document) == formats.chunk_texts(written)


@pytest.mark.parametrize("form", ["md", "pdf", "docx", "hwpx", "hwp", "xlsx", "pptx", "html", "txt"])
def test_every_format_gives_the_same_regulation(formats: ModuleType, form: str, tmp_path: Path) -> None:
    (file,) = (one for one in formats.written() if one.form == form)
    assert_same(formats, read(file.content, form, tmp_path), file.document, form)


def test_the_regulation_has_what_it_is_to_show(formats: ModuleType) -> None:
    written = formats.master()
    found = formats.addresses(written)
    for address in ("제2조 제1항 제2호 나목", "제7조의2 제1항", "별표 1 5행", "부칙 <2025. 12. 18.> 제2조"):
        assert address in found
    assert ("별표 1 4행", "지역:광역시|직급:직원|숙박비상한:80,000원|식비(1일):30,000원") in formats.rows(written)


@pytest.mark.slow
def test_libreoffice_gives_the_same_regulation(formats: ModuleType, tmp_path: Path) -> None:
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    converted = list(formats.converted(formats.written()))
    assert len(converted) == len(formats.CONVERSIONS)
    for file in converted:
        assert_same(formats, read(file.content, file.form, tmp_path), file.document, file.form)


def test_reading_is_told_with_its_figures(formats: ModuleType) -> None:
    (file,) = (one for one in formats.written() if one.form == "docx")
    arrived = formats.arrive(file, rounds=1)
    assert arrived.problem == ""
    assert arrived.characters[0] == arrived.characters[1] > 0
    assert arrived.documents_per_second > 0
    assert arrived.peak_mib > 10


def test_a_short_run_over_damaged_files(formats: ModuleType, patch: pytest.MonkeyPatch) -> None:
    fuzz = tool("fuzz", patch)
    whole = fuzz.seeds(None)
    assert fuzz.mutated("hwp", 3, 7, whole) == fuzz.mutated("hwp", 3, 7, whole) != fuzz.mutated("hwp", 3, 8, whole)
    run = fuzz.Fuzz(whole, 7, None)
    counted: list[int] = []
    run.run(153, lambda: counted.append(1))
    assert len(counted) == sum(tally.tried for tally in run.tallies.values()) == 153
    assert [fault for tally in run.tallies.values() for fault in tally.faults] == []
    assert sum(tally.hung for tally in run.tallies.values()) == 0
    assert all(tally.named for tally in run.tallies.values())
    assert run.left == []
