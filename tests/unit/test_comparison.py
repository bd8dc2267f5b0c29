"""신구대조: what changed, and what only looks different."""

from datetime import date

from ragbots.comparison import Amendment, Kind, amendments, compare, marked
from ragbots.editions import timeline
from ragbots.regulation import parse, parse_address
from ragbots.types import Document, Element, ElementKind

BODY = ("제1조(목적) 목적을 정한다.", "제2조(휴가) 휴가는 5일로 한다.", "제3조(포상) 포상으로 1일을 준다.")


def changes(old: tuple[str, ...], new: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(one.kind.value, one.article) for one in compare(blocks(old), blocks(new))]


def blocks(lines: tuple[str, ...]):  # type: ignore[no-untyped-def]
    elements = tuple(Element(ElementKind.TEXT, line) for line in lines)
    return parse(Document("d", "d.md", "휴가규정", "0", elements)).blocks


def test_nothing_changed() -> None:
    assert changes(BODY, BODY) == []


def test_notes_spaces_and_dots_make_no_difference() -> None:
    old = ("제1조(목적) 휴가·포상을  정한다.", "제2조(휴가) 휴가는 5일로 한다.")
    new = (
        "제1조(목적) 휴가ㆍ포상을 정한다. <개정 2024. 1. 1.>",
        "제2조(휴가) 휴가는 5일로 한다.",
        "[전문개정 2024. 1. 1.]",
    )
    assert changes(old, new) == []


def test_one_comma_makes_a_difference() -> None:
    assert changes(BODY, (BODY[0], "제2조(휴가) 휴가는, 5일로 한다.", BODY[2])) == [("changed", "제2조")]


def test_added_removed_retitled_and_the_order_of_the_regulation() -> None:
    new = ("제1조(목적과 범위) 목적을 정한다.", "제1조의2(정의) 정의를 둔다.", BODY[1], "제3조 삭제 <2024. 1. 1.>")
    assert changes(BODY, new) == [("retitled", "제1조"), ("added", "제1조의2"), ("removed", "제3조")]


def test_a_number_filled_again_is_added() -> None:
    old = (BODY[0], "제2조 삭제 <2020. 1. 1.>", BODY[2])
    assert changes(old, BODY) == [("added", "제2조")]


def test_an_article_under_another_number_has_moved() -> None:
    long = "휴가는 근무 기간이 1년 이상인 직원에게 5일을 주며, 부서의 장은 업무에 지장이 없는 한 이를 승인하여야 한다."
    found = compare(blocks((BODY[0], f"제2조(휴가) {long}")), blocks((BODY[0], f"제7조(휴가) {long}")))
    assert [(one.kind, one.was, one.article) for one in found] == [(Kind.MOVED, "제2조", "제7조")]


def numbered(rules: list[str]) -> tuple[str, ...]:
    return tuple(f"제{number}조{rule}" for number, rule in enumerate(rules, 1))


def test_articles_that_one_put_between_them_pushed_on_have_moved_and_that_one_alone_is_new() -> None:
    rules = [
        "(제복) 제복은 3년마다 지급한다.",
        "(숙직) 숙직은 두 사람이 한다.",
        "(열쇠) 분실한 열쇠는 총무부에 신고한다.",
        "(차량) 차량은 일지를 적는다.",
    ]
    old = numbered(rules)
    new = numbered([*rules[:2], "(식대) 식대는 월 20만원으로 한다.", *rules[2:]])
    found = compare(blocks(old), blocks(new))
    assert [(one.kind, one.was, one.article) for one in found] == [
        (Kind.ADDED, None, "제3조"), (Kind.MOVED, "제3조", "제4조"), (Kind.MOVED, "제4조", "제5조"),
    ]  # fmt: skip
    back = compare(blocks(new), blocks(old))
    assert [(one.kind, one.was, one.article) for one in back] == [
        (Kind.REMOVED, None, "제3조"), (Kind.MOVED, "제4조", "제3조"), (Kind.MOVED, "제5조", "제4조"),
    ]  # fmt: skip


def test_an_article_wholly_rewritten_has_changed() -> None:
    new = (BODY[0], "제2조(당직) 당직은 두 사람이 하며 다음 날 오전에 쉰다.", BODY[2])
    assert changes(BODY, new) == [("changed", "제2조")]


def test_the_addenda_stand_apart_and_last() -> None:
    new = (*BODY, "부칙 <2024. 1. 1.>", "이 규정은 2024년 1월 1일부터 시행한다.")
    found = compare(blocks(BODY), blocks(new))
    assert [(one.kind, one.addendum) for one in found] == [(Kind.ADDED, True)]


def test_the_words_that_differ_are_marked() -> None:
    old, new = marked("휴가는 5일로 한다.", "휴가는 7일로 한다.")
    assert [words for words, differs in old if differs] == ["5일로"]
    assert [words for words, differs in new if differs] == ["7일로"]
    assert "".join(words for words, _ in new) == "휴가는 7일로 한다."


TODAY = date(2026, 11, 23)
ITEMS = ("② 다음 각 호의 직원은 뺀다.", *(f"{number}. {number}등급인 직원" for number in range(1, 7)))


def around(article: str, version: str, *versions: tuple[str, tuple[str, ...]]) -> tuple[Amendment, ...]:
    """The amendments around a version of an article, among versions by their days."""
    documents = [
        Document(
            day, f"{day}.md", "휴가규정", day, tuple(Element(ElementKind.TEXT, line) for line in lines),
            effective=date.fromisoformat(day), metadata={"제목": "휴가규정"},
        )
        for day, lines in versions
    ]  # fmt: skip
    line = timeline(documents, {one.id: parse(one).blocks for one in documents})
    return amendments(line, version, parse_address(article), TODAY)


def differing(amendment: Amendment) -> list[tuple[list[str], list[str]]]:
    return [tuple([text for text, differs in side if differs] for side in pair) for pair in amendment.paragraphs]  # type: ignore[misc]


def test_the_amendments_before_and_after_a_version_are_told() -> None:
    versions = [
        (day, (f"제1조(휴가) 휴가는 {days}일로 한다.", "제2조(포상) 포상은 1일로 한다."))
        for day, days in (("2018-01-01", 1), ("2020-01-01", 3), ("2022-01-01", 3), ("2027-01-01", 5))
    ]
    past, coming = around("제1조", "2022-01-01", *versions)
    assert (past.day, past.pending, differing(past)) == (date(2020, 1, 1), False, [(["1일로"], ["3일로"])])
    assert (coming.day, coming.pending, differing(coming)) == (date(2027, 1, 1), True, [(["3일로"], ["5일로"])])
    (since,) = around("제1조", "2018-01-01", *versions)
    assert (since.day, since.pending) == (date(2020, 1, 1), False)  # of an old version, what has become law since
    assert around("제2조", "2022-01-01", *versions) == ()


def test_of_a_long_paragraph_what_is_around_the_change_is_shown() -> None:
    lead = ("제1조(휴가)", "① 휴가는 3일로 한다.")
    later = (*ITEMS[:5], "5. 오등급인 직원", *ITEMS[6:], "③ 그 밖의 것은 따로 정한다.")
    (change,) = around("제1조", "2020-01-01", ("2020-01-01", lead + ITEMS), ("2022-01-01", lead + later))
    (old, new), (nothing, added) = change.paragraphs
    assert "".join(text for text, _ in old) == "…\n4. 4등급인 직원\n5. 5등급인 직원\n6. 6등급인 직원"
    assert "".join(text for text, _ in new) == "…\n4. 4등급인 직원\n5. 오등급인 직원\n6. 6등급인 직원"
    assert (nothing, added) == ((), (("③ 그 밖의 것은 따로 정한다.", True),))


def test_an_article_that_ends_is_told_without_its_words() -> None:
    kept = "제2조(포상) 포상은 1일로 한다."
    versions = [("2020-01-01", ("제1조(휴가) 휴가는 3일로 한다.", kept)), ("2027-01-01", (kept,))]
    assert around("제1조", "2020-01-01", *versions) == (Amendment(date(2027, 1, 1), True, ()),)


def test_what_is_a_version_of_nothing_has_no_amendments() -> None:
    assert around("제1조", "2020-01-01", ("2020-01-01", BODY)) == ()
