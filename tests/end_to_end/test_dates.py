"""Answers by the rules of a day, through the command line."""

import json

import pytest
from tests.end_to_end.installation import Installation, here

from ragbots.types import Question, Turn

RULES = """---
제목: 화분관리규정
시행일: {day}
---
# 화분관리규정

### 제1조(목적)

이 규정은 사무실 화분의 관리에 필요한 사항을 정하는 것을 목적으로 한다.

### 제2조(물 주기)

직원은 사무실의 화분에 물을 주 {times}회 주어야 한다.

### 제3조(분갈이)

화분의 분갈이는 {years}년마다 4월에 하며, 비용은 총무부가 부담한다.

## 부칙

이 규정은 {written}부터 시행한다.{proviso}
"""
WATER = "사무실 화분에 물은 일주일에 몇 번 주어야 하나요?"


def rules(day: str, written: str, times: int, years: int, proviso: str = "") -> str:
    return RULES.format(day=day, written=written, times=times, years=years, proviso=proviso)


VERSIONS = {
    "화분/2018.md": rules("2018-03-01", "2018년 3월 1일", 1, 5),
    "화분/2022.md": rules("2022-07-01", "2022년 7월 1일", 2, 5),
    "화분/2024.md": rules(
        "2024-07-01", "2024년 7월 1일", 2, 3, " 다만, 제3조의 개정규정은 2025년 1월 1일부터 시행한다."
    ),
    "화분/2027.md": rules("2027-03-01", "2027년 3월 1일", 4, 3),
}


@pytest.fixture
def office(empty: Installation) -> Installation:
    empty.add("office", VERSIONS)
    empty.build()
    return empty


def asked(office: Installation, question: str, *options: str) -> dict:  # type: ignore[type-arg]
    done = office.cli("ask", question, "--bot", "office", "--json", *options)
    assert done.code == 0, done.err
    return done.json  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("day", "source", "times"),
    [
        ("2018-03-01", "화분/2018.md", "주 1회"),
        ("2022-06-30", "화분/2018.md", "주 1회"),
        ("2022-07-01", "화분/2022.md", "주 2회"),
        ("2027-03-01", "화분/2027.md", "주 4회"),
    ],
)
def test_a_day_that_is_set_is_answered_from_the_rules_of_that_day(
    office: Installation, day: str, source: str, times: str
) -> None:
    answer = asked(office, WATER, "--as-of", day)
    assert answer["status"] == "answered"
    assert times in answer["answer"]
    assert answer["as_of"] == day
    assert {citation["source"] for citation in answer["citations"]} == {source}
    year, month, date = (int(part) for part in day.split("-"))
    assert f"({year}. {month}. {date}. 기준)" in answer["answer"]


def test_without_a_day_the_rules_of_today_answer_and_the_change_to_come_is_told(office: Installation) -> None:
    answer = asked(office, WATER)
    assert "주 2회" in answer["answer"]
    assert "기준)" not in answer["answer"]
    assert [citation["source"] for citation in answer["citations"]] == ["화분/2024.md"]
    (warning,) = answer["warnings"]
    assert (warning["kind"], warning["effective_date"]) == ("pending-amendment", "2027-03-01")
    assert "2027. 3. 1.부터" in warning["text"]
    assert "주 4회" in warning["text"]
    with office.open() as runtime:
        passage = runtime.passage(answer["citations"][0]["id"], here(runtime))
    assert [(str(one.day), one.pending) for one in passage.amendments] == [("2022-07-01", False), ("2027-03-01", True)]
    ((old, new),) = passage.amendments[0].paragraphs
    assert [[text for text, differs in side if differs] for side in (old, new)] == [["1회"], ["2회"]]


@pytest.mark.parametrize(
    ("question", "as_of", "times"),
    [
        (f"2020년 기준으로 {WATER}", "2020-07-01", "주 1회"),
        ("작년 6월에는 사무실 화분에 물을 일주일에 몇 번 주었나요?", "2025-06-15", "주 2회"),
        ("개정 전에는 사무실 화분에 물을 일주일에 몇 번 주어야 했나요?", "2022-06-30", "주 1회"),
        ("2027년 4월부터 바뀌는 사무실 화분 물 주기는 일주일에 몇 번인가요?", "2027-04-01", "주 4회"),
        ("개정되면 사무실 화분에 물을 일주일에 몇 번 주어야 하나요?", "2027-03-01", "주 4회"),
    ],
)
def test_a_day_in_the_question(office: Installation, question: str, as_of: str, times: str) -> None:
    answer = asked(office, question)
    assert answer["as_of"] == as_of
    assert times in answer["answer"]


def test_a_day_that_is_set_wins_over_one_in_the_question(office: Installation) -> None:
    assert asked(office, f"2020년 기준으로 {WATER}", "--as-of", "2023-01-01")["as_of"] == "2023-01-01"


@pytest.mark.parametrize(("day", "years"), [("2024-12-31", "5년마다"), ("2025-01-01", "3년마다")])
def test_an_article_with_a_day_of_its_own(office: Installation, day: str, years: str) -> None:
    assert years in asked(office, "화분 분갈이는 몇 년마다 하나요?", "--as-of", day)["answer"]


def test_before_the_first_version_nothing_is_answered(office: Installation) -> None:
    answer = asked(office, WATER, "--as-of", "2015-01-01")
    assert answer["status"] == "refused"
    assert answer["citations"] == []
    assert "2015. 1. 1. 당시의 규정은 실려 있지 않" in answer["answer"]
    assert "2018. 3. 1." in answer["answer"]


def test_search_finds_only_what_is_in_force(office: Installation) -> None:
    done = office.cli("search", WATER, "--bot", "office", "--json")
    assert {hit["source"] for hit in done.json["hits"]} == {"화분/2024.md"}


def test_a_document_whose_only_version_is_to_come_is_answered_with_a_warning(empty: Installation) -> None:
    empty.add("office", {"화분.md": rules("2027-01-01", "2027년 1월 1일", 3, 2)})
    empty.build()
    answer = asked(empty, WATER)
    assert "주 3회" in answer["answer"]
    assert [(one["kind"], one["effective_date"]) for one in answer["warnings"]] == [("not-yet-in-force", "2027-01-01")]


def test_a_follow_up_keeps_the_day_until_now_is_said(office: Installation) -> None:
    history = [{"role": "user", "content": f"2020년 기준으로 {WATER}"}, {"role": "assistant", "content": "주 1회"}]
    turns = tuple(Turn(one["role"], one["content"]) for one in history)
    with office.open() as opened:
        kept = opened.ask(Question("그럼 분갈이는요?", bot="office", history=turns), here(opened))
        now = opened.ask(Question("그럼 지금은 화분에 물을 몇 번 주나요?", bot="office", history=turns), here(opened))
    assert (str(kept.as_of), str(now.as_of)) == ("2020-07-01", "2026-11-23")


def test_two_dated_versions_are_compared(office: Installation) -> None:
    done = office.cli(
        "diff", "office", "--document", "화분관리규정", "--from", "2022-07-01", "--to", "2027-03-01", "--json"
    )
    assert done.code == 0, done.err
    assert json.loads(done.out) == {"changed": ["제2조", "제3조"], "added": [], "removed": [], "retitled": []}
    office.put({"화분/2028.md": rules("2028-03-01", "2028년 3월 1일", 6, 3)})
    assert office.cli("index", "build", "office").code == 0
    (document,) = office.cli("diff", "office", "--json").json["documents"]  # of the index: the new file is all of it
    assert (document["source"], document["changed"], document["added"]) == ("화분/2028.md", ["제2조"], [])


def test_files_without_front_matter_are_versions_of_what_the_file_beside_them_says(empty: Installation) -> None:
    plain = {name: text.split("---\n", 2)[2] for name, text in VERSIONS.items()}
    empty.add(
        "office",
        {
            "화분 옛것.md": plain["화분/2018.md"],
            "화분 옛것.md.yaml": "제목: 화분관리규정\n시행일: 2018-03-01\n",
            "화분 새것.md": plain["화분/2022.md"],
            "화분 새것.md.yaml": "제목: 화분관리규정\n시행일: 2022-07-01\n",
        },
    )
    empty.build()
    assert "주 1회" in asked(empty, WATER, "--as-of", "2020-01-01")["answer"]
    assert "주 2회" in asked(empty, WATER)["answer"]


def test_a_wrong_file_beside_a_document_is_named_and_the_document_left_out(empty: Installation) -> None:
    empty.add("office", {**VERSIONS, "여비.md": VERSIONS["화분/2018.md"] + "\n", "여비.md.yaml": "시행일: 내일\n"})
    done = empty.cli("index", "build", "office", "--json")
    (failure,) = done.json["bots"][0]["failures"]
    assert failure["source"] == "여비.md"
    assert "여비.md.yaml: 시행일" in failure["reason"]


def test_what_the_last_amendment_changed_is_answered_from_both_texts(office: Installation) -> None:
    answer = asked(office, "이번 개정으로 뭐가 바뀌었어?")
    assert answer["status"] == "answered"
    assert "2024. 7. 1. 시행 개정" in answer["answer"]
    assert "제3조(분갈이)" in answer["answer"]
    assert "제2조" not in answer["answer"]  # said the same before
    quotes = {citation["source"]: citation["quote"] for citation in answer["citations"]}
    assert "5년마다" in quotes["화분/2022.md"]
    assert "3년마다" in quotes["화분/2024.md"]


def test_what_an_earlier_amendment_changed(office: Installation) -> None:
    answer = asked(office, "사무실 화분 물 주기는 어떻게 바뀌었나요?", "--as-of", "2023-01-01")
    assert "2022. 7. 1. 시행 개정" in answer["answer"]
    assert [citation["source"] for citation in answer["citations"]] == ["화분/2018.md", "화분/2022.md"]


def test_where_no_amendment_is_known_the_question_is_one_like_any_other(empty: Installation) -> None:
    empty.add("office", {"화분.md": VERSIONS["화분/2022.md"]})
    empty.build()
    answer = asked(empty, "사무실 화분 물 주기는 어떻게 바뀌었나요?")
    assert "시행 개정" not in answer["answer"]
    assert all("주 2회" in citation["quote"] for citation in answer["citations"][:1])


def test_a_refusal_says_for_which_day_it_was_looked(office: Installation) -> None:
    answer = asked(office, "달에서 지구까지 빛이 오는 데 걸리는 시간과 은하의 나이는?", "--as-of", "2023-01-01")
    assert answer["status"] == "refused"
    assert "(2023. 1. 1. 기준)" in answer["answer"]
