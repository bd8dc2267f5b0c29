"""Which article of which version is in force on a day."""

from datetime import date

from ragbots.editions import Timeline, timeline
from ragbots.regulation import parse, parse_address
from ragbots.types import Address, Document, Element, ElementKind


def version(day: str, *lines: str, title: str = "휴가규정", amended: str = "") -> Document:
    elements = tuple(Element(ElementKind.TEXT, line) for line in lines)
    said = {"제목": title, **({"공포일자": amended} if amended else {})}
    day_of = date.fromisoformat(day)
    return Document(f"{title}-{day}", f"{title}/{day}.md", title, day, elements, effective=day_of, metadata=said)


def line_of(*documents: Document) -> Timeline:
    return timeline(documents, {one.id: parse(one).blocks for one in documents})


def in_force(line: Timeline, documents: tuple[Document, ...], article: str, day: str) -> list[str]:
    """The versions, by the day in their name, whose article holds on a day."""
    return [
        one.source[-13:-3]
        for one in documents
        if parse_address(article) in {block.address for block in parse(one).blocks}
        and line.period(one.id, parse_address(article)).holds(date.fromisoformat(day))
    ]


OLD = version(
    "2020-01-01", "제1조(휴가) 휴가는 3일로 한다.", "제2조(포상) 포상은 1일로 한다.", "제3조(교육) 교육은 하루로 한다."
)
NEW = version(
    "2024-07-01", "제1조(휴가) 휴가는 5일로 한다.", "제2조(포상) 포상은 2일로 한다.", "제4조(연구) 연구는 10일로 한다.",
    "부칙", "이 규정은 2024년 7월 1일부터 시행한다. 다만, 제2조의 개정규정은 2025년 1월 1일부터 시행한다.",
)  # fmt: skip
NEXT = version("2027-01-01", "제1조(휴가) 휴가는 7일로 한다.", "제2조(포상) 포상은 2일로 한다.")
ALL = (NEXT, OLD, NEW)


def test_on_each_day_one_version_of_an_article_is_in_force() -> None:
    line = line_of(*ALL)
    days = ("2019-12-31", "2020-01-01", "2024-06-30", "2024-07-01", "2026-12-31", "2027-01-01")
    assert [in_force(line, ALL, "제1조", day) for day in days] == [
        [], ["2020-01-01"], ["2020-01-01"], ["2024-07-01"], ["2024-07-01"], ["2027-01-01"]
    ]  # fmt: skip


def test_an_article_with_a_day_of_its_own_keeps_it() -> None:
    line = line_of(*ALL)
    assert in_force(line, ALL, "제2조", "2024-12-31") == ["2020-01-01"]
    assert in_force(line, ALL, "제2조", "2025-01-01") == ["2024-07-01"]


def test_a_repealed_article_ends_and_a_new_one_begins() -> None:
    line = line_of(*ALL)
    assert [in_force(line, ALL, "제3조", day) for day in ("2024-06-30", "2024-07-01")] == [["2020-01-01"], []]
    assert [in_force(line, ALL, "제4조", day) for day in ("2024-06-30", "2024-07-01", "2027-01-01")] == [
        [], ["2024-07-01"], []
    ]  # fmt: skip


def test_a_paragraph_with_its_own_day_moves_the_article_only_if_nothing_else_in_it_changed() -> None:
    lines = ("① 휴가는 3일로 한다.", "② 신청은 전날까지 한다.")
    clause = (
        "부칙",
        "이 규정은 2024년 7월 1일부터 시행한다. 다만, 제1조제2항의 개정규정은 2024년 3월 1일부터 시행한다.",
    )
    before = version("2020-01-01", "제1조(휴가)", *lines)
    alone = version("2024-07-01", "제1조(휴가)", lines[0], "② 신청은 3일 전까지 한다.", *clause)
    both = version("2024-07-01", "제1조(휴가)", "① 휴가는 5일로 한다.", "② 신청은 3일 전까지 한다.", *clause)
    moved, kept = line_of(before, alone), line_of(before, both)
    assert in_force(moved, (before, alone), "제1조", "2024-03-01") == ["2024-07-01"]
    assert in_force(kept, (before, both), "제1조", "2024-03-01") == ["2020-01-01"]


def test_changes_are_those_of_the_text() -> None:
    line = line_of(*ALL)
    family = line.families[OLD.id]
    assert line.changes((family, parse_address("제1조"))) == [date(2024, 7, 1), date(2027, 1, 1)]
    assert line.changes((family, parse_address("제2조"))) == [date(2025, 1, 1)]


def test_what_comes_is_told_with_its_day_and_text() -> None:
    line = line_of(*ALL)
    today = date(2026, 11, 23)
    first, second, fourth = (parse_address(f"제{number}조") for number in (1, 2, 4))
    coming = line.coming(NEW.id, [first], today)
    assert coming and (str(coming.day), coming.text) == ("2027-01-01", "휴가는 7일로 한다.")
    assert line.coming(NEW.id, [second], today) is None  # the next version says the same
    gone = line.coming(NEW.id, [fourth], today)
    assert gone and (str(gone.day), gone.text) == ("2027-01-01", "")


def test_only_a_change_of_the_quoted_paragraph_is_told() -> None:
    now = version("2024-07-01", "제1조(휴가)", "① 휴가는 3일로 한다.", "② 신청은 전날까지 한다.")
    then = version("2027-01-01", "제1조(휴가)", "① 휴가는 3일로 한다.", "② 신청은 3일 전까지 한다.")
    line = line_of(now, then)
    first, second = (parse_address(f"제1조제{number}항") for number in (1, 2))
    assert line.coming(now.id, [first], date(2026, 11, 23)) is None
    assert line.coming(now.id, [second], date(2026, 11, 23))


def test_documents_of_other_names_or_without_a_date_are_no_versions() -> None:
    other = version("2022-01-01", "제1조(여비) 여비를 준다.", title="여비규정")
    undated = Document("u", "휴가규정.md", "휴가규정", "u", (), metadata={"제목": "휴가규정"})
    line = line_of(OLD, other, undated)
    assert not line.families
    assert line.period(OLD.id, parse_address("제1조")).holds(date(1990, 1, 1))


def test_addenda_and_pages_of_an_old_version_are_no_longer_in_force() -> None:
    line = line_of(*ALL)
    addendum = parse(NEW).blocks[-1].address
    for address in (Address(), addendum):
        days = ("2024-06-30", "2024-07-01", "2027-01-01")
        held = [line.period(NEW.id, address).holds(date.fromisoformat(day)) for day in days]
        assert held == [False, True, False]
