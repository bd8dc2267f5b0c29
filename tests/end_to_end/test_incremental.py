"""Files renamed, replaced, removed and doubled between two builds; what a build says it lost."""

from __future__ import annotations

import io
from pathlib import Path

import docx
import pytest
from PIL import Image
from tests.end_to_end.installation import PARKING, PLANTS, VISITORS, WATER, Installation, ask, here

from ragbots.errors import NotFound
from ragbots.stores.versions import open_version
from ragbots.types import Chunk, Status


def chunks(installation: Installation, version: str) -> dict[str, Chunk]:
    """The chunks of a version by id."""
    opened = open_version(installation.data / "indexes" / "office" / version)
    return {chunk.id: chunk for chunk in opened.contents.chunks}


def test_the_same_content_built_elsewhere_has_the_same_ids(built: Installation) -> None:
    (first,) = built.versions()
    before = chunks(built, first)
    (built.data / "indexes").rename(built.root / "gone")
    again = built.build()
    assert chunks(built, again) == before


def test_a_changed_article_changes_its_own_chunk_alone(built: Installation, embedded: list[str]) -> None:
    (first,) = built.versions()
    before = chunks(built, first)
    built.put({"화분관리규정.md": PLANTS.replace("분갈이는 2년마다", "분갈이는 3년마다")})
    after = chunks(built, built.build())
    (gone,) = before.keys() - after.keys()
    (new,) = after.keys() - before.keys()
    assert (before[gone].address, "2년마다" in before[gone].text) == (after[new].address, True)
    assert [after[new].passage] == embedded


def test_a_renamed_file_is_the_same_document(built: Installation, embedded: list[str]) -> None:
    (first,) = built.versions()
    before = chunks(built, first)
    (built.documents() / "화분관리규정.md").rename(built.documents() / "화분 규정 2026.md")
    assert chunks(built, built.build()).keys() == before.keys()
    assert embedded == []
    with built.open() as runtime:
        answer = ask(runtime, WATER)
        assert {citation.source for citation in answer.citations} == {"화분 규정 2026.md"}


def test_a_file_uploaded_anew_replaces_its_predecessor(built: Installation, embedded: list[str]) -> None:
    (first,) = built.versions()
    before = chunks(built, first)
    (built.documents() / "화분관리규정.md").unlink()
    built.put({"화분관리규정(최종).md": PLANTS.replace("주 2회", "주 5회")})
    after = chunks(built, built.build())
    assert len(after) == len(before)
    assert len(after.keys() - before.keys()) == len(embedded) == 1
    with built.open() as runtime:
        assert "주 5회" in ask(runtime, WATER).answer


def test_a_removed_file_is_gone_from_the_index_and_from_its_citations(built: Installation) -> None:
    with built.open() as runtime:
        parking, water = (ask(runtime, question).citations[0].id for question in (PARKING, WATER))
    (built.documents() / "지침" / "방문객주차지침.md").unlink()
    built.build()
    with built.open() as runtime:
        hits = runtime.search("office", PARKING, 10, here(runtime)).hits
        assert {hit.document.source for hit in hits} == {"화분관리규정.md"}
        assert runtime.passage(water, here(runtime)).source == "화분관리규정.md"
        with pytest.raises(NotFound) as refused:
            runtime.passage(parking, here(runtime))
        assert "삭제" in refused.value.for_people


def test_a_copy_is_read_once_and_named(built: Installation) -> None:
    built.put({"사본/방문객주차지침.md": VISITORS})
    done = built.cli("index", "build", "office", "--json")
    (result,) = done.json["bots"]
    assert [document["source"] for document in result["documents"]] == ["사본/방문객주차지침.md", "화분관리규정.md"]
    (copy,) = result["omissions"]
    assert copy["where"] == "지침/방문객주차지침.md"


def test_built_again_with_nothing_changed_says_so(built: Installation) -> None:
    done = built.cli("index", "build", "office", "--json")
    (result,) = done.json["bots"]
    assert (result["status"], result["embedded"]) == ("unchanged", 0)


class TestLosses:
    """A 별표 that is only a picture."""

    @pytest.fixture
    def lossy(self, built: Installation, tmp_path: Path) -> Installation:
        picture = io.BytesIO()
        Image.new("RGB", (40, 30), "white").save(picture, "PNG")
        word = docx.Document()
        word.add_heading("수당규정", 1)
        for line in (
            "제1조(목적) 이 규정은 수당을 정한다.",
            "제2조(직책수당) 직책수당은 별표 1과 같다.",
            "[별표 1] 직책수당 지급표",
        ):
            word.add_paragraph(line)
        word.add_picture(io.BytesIO(picture.getvalue()))
        word.save(str(tmp_path / "수당.docx"))
        built.put({"수당.docx": (tmp_path / "수당.docx").read_bytes()})
        return built

    def test_a_strict_build_fails_and_names_it(self, lossy: Installation) -> None:
        done = lossy.cli("index", "build", "office", "--release", "--strict")
        assert done.code == 3
        assert "별표 1" in done.err
        with lossy.open() as runtime:
            assert ask(runtime, WATER).status is Status.ANSWERED  # the version released before

    def test_a_strict_build_of_whole_documents_passes(self, built: Installation) -> None:
        assert built.cli("index", "build", "office", "--strict").code == 0

    def test_a_build_says_what_was_lost_and_status_says_it_again(self, lossy: Installation) -> None:
        done = lossy.cli("index", "build", "office", "--release")
        assert done.code == 0
        assert "별표 1" in done.err
        shown = lossy.cli("index", "status", "office")
        assert "별표 1" in shown.out
        version = lossy.cli("index", "status", "office", "--json").json["bots"][0]["versions"][0]
        (document,) = (one for one in version["documents"] if one["source"] == "수당.docx")
        assert document["pictures"] == 1
        assert {omission["kind"] for omission in document["omissions"]} >= {"picture", "annex without text"}
        kept = document["characters_indexed"] + sum(one["characters"] for one in document["omissions"])
        assert kept >= document["characters"]

    def test_a_question_on_it_is_refused_by_naming_it(self, lossy: Installation) -> None:
        lossy.build()
        with lossy.open() as runtime:
            answer = ask(runtime, "별표 1 직책수당 지급표에서 팀장의 직책수당은 얼마인가요?")
        assert answer.status is Status.REFUSED
        assert "별표 1" in answer.answer
        assert "수당규정" in answer.answer
