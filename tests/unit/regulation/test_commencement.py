"""From which day a regulation holds, and its articles with a day of their own."""

from datetime import date

import pytest

from ragbots.regulation import parse
from ragbots.regulation.commencement import effective_day, exceptions, months_later, promulgation_day
from ragbots.types import Address, Document, Element, ElementKind


def document(*lines: str, source: str = "휴가규정.md", **keys: object) -> Document:
    elements = tuple(Element(ElementKind.TEXT, line) for line in lines)
    return Document("d", source, "휴가규정", "0" * 64, elements, **keys)  # type: ignore[arg-type]


def read(one: Document) -> tuple[date | None, dict[str, str]]:
    blocks = parse(one).blocks
    return effective_day(one, blocks), {str(a): str(day) for a, day in exceptions(one, blocks).items()}


BODY = ("제1조(목적) 목적을 정한다.", "제2조(휴가) 휴가는 5일로 한다.", "제10조(포상) 포상은 1일로 한다.")


@pytest.mark.parametrize(
    ("one", "day"),
    [
        (document(*BODY, effective=date(2025, 3, 1)), "2025-03-01"),
        (document("[시행 2026. 7. 1.] [규정 제12호, 2026. 6. 1., 일부개정]", *BODY), "2026-07-01"),
        (document("시행일: 2026년 7월 1일", *BODY), "2026-07-01"),
        (document(*BODY, source="휴가규정(2024.05.01).hwp"), "2024-05-01"),
        (document(*BODY, source="휴가규정/2024-05-01.md"), "2024-05-01"),
        (document(*BODY, source="휴가규정_20240501.hwp"), "2024-05-01"),
        (document(*BODY, "부칙", "이 규정은 2023년 4월 1일부터 시행한다."), "2023-04-01"),
        (document(*BODY, "부칙 <2022. 12. 15.>", "이 규정은 공포한 날부터 시행한다."), "2022-12-15"),
        (
            document(
                *BODY, "부칙 <2020. 1. 2.>", "이 규정은 2020년 2월 1일부터 시행한다.",
                "부칙 <2022. 5. 30.>", "제1조(시행일) 이 규정은 공포 후 3개월이 경과한 날부터 시행한다.",
            ),
            "2022-08-31",
        ),
        (document(*BODY), "None"),
        (document(*BODY, source="휴가규정-2024-99-99.md"), "None"),
        (document("제1조(시행일) 이 규정은 2026년 7월 1일 시행된 법률에 따른다.", *BODY[1:]), "None"),
    ],
)  # fmt: skip
def test_the_day_is_read_where_the_document_says_it(one: Document, day: str) -> None:
    assert str(read(one)[0]) == day


def test_the_articles_that_begin_on_another_day_are_read_from_the_last_addendum() -> None:
    one = document(
        *BODY,
        "부칙 <제3호, 2020. 1. 2.>", "제1조(시행일) 이 규정은 2020년 2월 1일부터 시행한다. 다만, 제1조의 개정규정은 "
        "2021년 1월 1일부터 시행한다.",
        "부칙 <제4호, 2026. 3. 17.>", "제1조(시행일) 이 규정은 2028년 1월 1일부터 시행한다. 다만, 제11조제2항ㆍ제3항 "
        "및 제110조제1항의 개정규정은 공포한 날부터 시행하고, 제75조부터 제77조까지의 개정규정은 공포 후 6개월이 "
        "경과한 날부터 시행하며, 제10조 및 제18조제1항 단서의 개정규정은 2027년 1월 1일부터 시행한다.",
        "제2조(적용례) 제2조의 개정규정은 2029년 1월 1일부터 적용한다.",
    )  # fmt: skip
    day, found = read(one)
    assert str(day) == "2028-01-01"
    assert found == {
        "제11조 제2항": "2026-03-17", "제11조 제3항": "2026-03-17", "제110조 제1항": "2026-03-17",
        "제75조": "2026-09-18", "제76조": "2026-09-18", "제77조": "2026-09-18",
        "제10조": "2027-01-01", "제18조 제1항": "2027-01-01",
    }  # fmt: skip


def test_a_list_of_days_is_read_and_days_that_depend_on_the_reader_are_not() -> None:
    one = document(
        *BODY,
        "부칙 <2024. 10. 22.>",
        "제1조(시행일) 이 규정은 공포 후 1년이 경과한 날부터 시행한다. 다만, 다음 각 호의 사항은 그 구분에 따른 날부터 "
        "시행한다.",
        "1. 제60조제6항의 개정규정: 공포한 날",
        "2. 제74조제1항 및 제7항의 개정규정: 공포 후 4개월이 경과한 날",
        "② 제2조제1항의 개정규정은 다음 각 호의 구분에 따른 날부터 시행한다.",
        "1. 상시 300명 이상의 사업장: 2026년 7월 1일",
    )
    assert read(one) == (
        date(2025, 10, 23),
        {"제60조 제6항": "2024-10-22", "제74조 제1항": "2025-02-23", "제74조 제7항": "2025-02-23"},
    )


def test_the_addendum_is_that_of_the_number_in_the_front_matter() -> None:
    said = {"공포번호": "15", "공포일자": "2024-01-31"}
    one = document(
        *BODY,
        "부칙 <제15호, 2024. 1. 31.>", "이 규정은 공포 후 1개월이 경과한 날부터 시행한다.",
        "부칙(다른 규정) <제9호, 2019. 1. 1.>", "이 규정은 2019년 2월 1일부터 시행한다.",
        metadata=said,
    )  # fmt: skip
    blocks = parse(one).blocks
    assert promulgation_day(one, blocks) == date(2024, 1, 31)
    assert effective_day(one, blocks) == date(2024, 3, 1)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [("2024-01-31", 1, "2024-02-29"), ("2024-11-30", 3, "2025-02-28"), ("2024-03-31", -1, "2024-02-29")],
)
def test_months_later_stays_within_the_month(day: str, months: int, expected: str) -> None:
    assert months_later(date.fromisoformat(day), months) == date.fromisoformat(expected)


def test_an_address_is_what_is_excepted() -> None:
    one = document(
        *BODY, "부칙", "이 규정은 2026년 1월 1일부터 시행한다. 다만, 제10조의 개정규정은 2027년 1월 1일부터 시행한다."
    )
    assert all(isinstance(place, Address) for place in exceptions(one, parse(one).blocks))
    assert read(one)[1] == {"제10조": "2027-01-01"}


def test_a_range_takes_in_the_articles_between() -> None:
    articles = [
        f"제{number}(휴가) 휴가는 5일로 한다." for number in ("74조", "75조", "75조의2", "76조", "77조", "77조의2")
    ]
    clause = (
        "이 규정은 2026년 1월 1일부터 시행한다. 다만, 제75조부터 제77조까지의 개정규정은 2027년 1월 1일부터 시행한다."
    )
    assert set(read(document(*articles, "부칙", clause))[1]) == {"제75조", "제75조의2", "제76조", "제77조"}
