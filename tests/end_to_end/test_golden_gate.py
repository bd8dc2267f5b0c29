"""A version is released only if the bot's golden questions hold."""

import json
from pathlib import Path

import pytest
from tests.end_to_end.installation import PARKING, PLANTS, VISITORS, WATER, Installation, ask

GOLDEN = [
    {"id": "물", "bot": "office", "question": WATER, "gold": [{"source": "화분.md", "article": "제2조"}],
     "must_include": ["주 2회"]},
    {"id": "주차", "bot": "office", "question": PARKING, "gold": [{"source": "주차.md", "article": "제2조"}],
     "must_include": ["1,000원"]},
]  # fmt: skip
WORSE = PLANTS.replace("① 직원은 사무실의 화분에 물을 주 2회 주어야 한다.", "① 직원은 화분을 창가에 둔다.")


@pytest.fixture
def office(empty: Installation) -> Installation:
    empty.add("office", {"화분.md": PLANTS, "주차.md": VISITORS}, questions=["../questions.jsonl"])
    lines = [json.dumps(one, ensure_ascii=False) for one in GOLDEN]
    (empty.root / "questions.jsonl").write_text("\n".join(lines), "utf-8")
    empty.build()
    return empty


def build_worse(office: Installation) -> str:
    """Builds a version that has lost a fact, and returns it; it is not released."""
    office.put({"화분.md": WORSE})
    done = office.cli("index", "build", "office", "--json")
    assert done.code == 0, done.err
    version: str = done.json["bots"][0]["version"]
    return version


def test_a_version_that_loses_a_fact_stays_ready_and_says_which_question_got_worse(office: Installation) -> None:
    (live,) = office.versions()
    version = build_worse(office)
    done = office.cli("index", "release", "office", version)
    assert done.code == 3
    assert WATER in done.err
    assert "no longer states ‘주 2회’" in done.err
    with office.open() as opened:
        assert opened.released() == {"office": live}
        assert ask(opened, WATER).index_version == live
    status = office.cli("index", "status", "office", "--json").json
    entry = next(one for one in status["bots"][0]["versions"] if one["version"] == version)
    assert not entry["verdict"]["passed"]


def test_it_is_released_with_a_reason_which_is_kept(office: Installation) -> None:
    version = build_worse(office)
    done = office.cli("index", "release", "office", version, "--force", "총무부가 규정을 고쳤음")
    assert done.code == 0, done.err
    history = office.cli("index", "status", "office", "--json").json["bots"][0]["history"]
    assert history[0]["version"] == version
    assert history[0]["forced_because"] == "총무부가 규정을 고쳤음"
    assert history[0]["by"]


def test_a_version_that_answers_as_well_is_released(office: Installation) -> None:
    office.put({"화분.md": PLANTS.replace("분갈이는 2년마다", "분갈이는 3년마다")})
    version = office.build()
    with office.open() as opened:
        assert opened.released() == {"office": version}


def test_a_version_can_be_asked_before_it_is_released(office: Installation) -> None:
    office.put({"화분.md": PLANTS.replace("주 2회", "주 6회")})
    version = office.cli("index", "build", "office", "--json").json["bots"][0]["version"]
    preview = office.cli("ask", WATER, "--bot", "office", "--version", version, "--json").json
    assert preview["index_version"] == version
    assert "주 6회" in preview["answer"]
    assert "주 2회" in office.cli("ask", WATER, "--json").json["answer"]
    assert office.cli("ask", WATER, "--version", version).code == 2  # whose version?


def test_two_versions_are_compared_with_the_answers_that_change(office: Installation, tmp_path: Path) -> None:
    office.put({"화분.md": PLANTS.replace("주 2회", "주 6회")})
    office.cli("index", "build", "office")
    page = tmp_path / "diff.html"
    done = office.cli("diff", "office", "--json", "--html", str(page))
    assert done.code == 0, done.err
    (document,) = done.json["documents"]
    assert (document["source"], document["changed"]) == ("화분.md", ["제2조"])
    (answer,) = done.json["answers"]
    assert (answer["question"], "주 2회" in answer["before"], "주 6회" in answer["after"]) == (WATER, True, True)
    assert "<ins>6회</ins>" in page.read_text("utf-8")
