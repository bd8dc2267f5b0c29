"""People spell addresses in many ways; all of them mean the same place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragbots.regulation import find_references, parse_address
from ragbots.regulation.address import addendum_label
from ragbots.types import SUBITEM_LETTERS, Address, Level, Step


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("제17조의2 제1항 제4호 가목", "제17조의2 제1항 제4호 가목"),
        ("제17조의2제1항제4호가목", "제17조의2 제1항 제4호 가목"),
        ("17조 3항", "제17조 제3항"),
        ("제 17 조 제 3 항", "제17조 제3항"),
        ("제17조③", "제17조 제3항"),
        ("제4조제2호의3", "제4조 제2호의3"),
        ("별표 3의2 2행", "별표 3의2 2행"),
        ("별표1", "별표 1"),
        ("별표 12 3행", "별표 12 3행"),
        ("별표 3행", "별표 3행"),
        ("별표 2 제1호가목", "별표 2 제1호 가목"),
        ("별지 제3호서식", "별지 3"),
        ("별지 제3호의2 서식", "별지 3의2"),
        ("부칙 제2조", "부칙 제2조"),
        ("부칙 <제5305호,1997.3.13> 제3조", "부칙 <제5305호, 1997. 3. 13.> 제3조"),
        ("부칙(정부조직법) <제8852호,2008.2.29>", "부칙 <제8852호, 2008. 2. 29.>"),
        ("부칙 <2011. 3. 2.> 제1조", "부칙 <2011. 3. 2.> 제1조"),
        ("제2장 제1절", "제2장 제1절"),
        ("제3장의2", "제3장의2"),
    ],
)
def test_every_spelling_is_read(written: str, meant: str) -> None:
    assert str(parse_address(written)) == meant


@pytest.mark.parametrize("nonsense", ["", "   ", "휴가", "제17조 알파", "제1항 제17조", "제17조 제17조", "조", "제조"])
def test_what_is_no_address_is_refused_with_an_example(nonsense: str) -> None:
    with pytest.raises(ValueError, match=r"not an address.*(write it like|cannot follow)"):
        parse_address(nonsense)


_numbers = st.integers(1, 9999)
_branches = st.sampled_from([0, 0, 2, 13])
_labels = st.one_of(
    st.just(""),
    st.text("가나다 규정12()", max_size=12).map(addendum_label),
    st.dates().map(lambda day: addendum_label(f"제77호, {day.year:04}. {day.month}. {day.day}.")),
)


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    """Any address that a document can have: at most one step of each rank, in their order."""
    steps: list[Step] = []
    outer = draw(st.sampled_from(["", "addendum", "annex", "form", "chapters"]))
    if outer == "addendum":
        steps.append(Step(Level.ADDENDUM, draw(st.sampled_from([0, 2, 14])), label=draw(_labels)))
    elif outer in ("annex", "form"):
        level = Level.ANNEX if outer == "annex" else Level.FORM
        steps.append(Step(level, number := draw(_numbers), draw(_branches) if number else 0))
    ranks = [Level.PART, Level.CHAPTER, Level.SECTION] if outer == "chapters" else []
    ranks += [Level.ARTICLE, Level.PARAGRAPH, Level.ITEM]
    for level in draw(st.lists(st.sampled_from(ranks), unique=True, min_size=0 if steps else 1)):
        steps.append(Step(level, draw(_numbers), draw(_branches)))
    steps[1:] = sorted(steps[1:]) if steps[0].level in (Level.ADDENDUM, Level.ANNEX, Level.FORM) else steps[1:]
    if steps[0].level not in (Level.ADDENDUM, Level.ANNEX, Level.FORM):
        steps.sort()
    if draw(st.booleans()):
        steps.append(Step(Level.SUBITEM, draw(st.integers(1, len(SUBITEM_LETTERS)))))
    if draw(st.booleans()):
        steps.append(Step(Level.ROW, draw(_numbers)))
    return Address(tuple(steps))


@settings(deadline=None)
@given(addresses())
def test_what_an_address_prints_is_read_back(address: Address) -> None:
    assert parse_address(str(address)) == address


@settings(deadline=None)
@given(st.text("제조항호목의별표지부칙행가나12①② <>().", max_size=30))
def test_any_text_is_either_read_stably_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert str(parse_address(str(address))) == str(address)


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("제60조제1항에 따라", [("제60조 제1항", None)]),
        ("제3조부터 제5조까지의 규정", [("제3조", None), ("제4조", None), ("제5조", None)]),
        ("법 제17조제2항에 따른", [("제17조 제2항", "법")]),
        ("영 제8조의2제1항", [("제8조의2 제1항", "영")]),
        ("「근로기준법」 제74조 및 제76조", [("제74조", "근로기준법"), ("제76조", "근로기준법")]),
        ("「복무규정」 제20조와 제3조의2", [("제20조", "복무규정"), ("제3조의2", "복무규정")]),
        ("제10조제2항에 따라 정하고 같은 조 제3항은", [("제10조 제2항", None), ("제10조 제3항", None)]),
        ("제74조제7항ㆍ제9항", [("제74조 제7항", None), ("제74조 제9항", None)]),
        ("제1항 및 제2항에 따라", [("제1항", None), ("제2항", None)]),
        (
            "제1항제1호가목부터 다목까지",
            [("제1항 제1호 가목", None), ("제1항 제1호 나목", None), ("제1항 제1호 다목", None)],
        ),
        ("별표 2 제1호의 금액", [("별표 2 제1호", None)]),
        ("별지 제1호서식에 따라", [("별지 1", None)]),
        ("부칙 제2조에 따라", [("부칙 제2조", None)]),
        ("이 규정 제5조", [("제5조", None)]),
        ("방법 제3조", [("제3조", None)]),
        ("다목적 공간과 가목재를 둔다", []),
    ],
)
def test_cross_references_are_found(text: str, references: list[tuple[str, str | None]]) -> None:
    assert [(str(found.address), found.statute) for found in find_references(text)] == references


def test_a_reference_says_where_it_stands() -> None:
    text = "「근로기준법」 제74조제1항에 따른 휴가"
    (reference,) = find_references(text)
    assert text[slice(*reference.span)] == "제74조제1항"


@settings(deadline=None)
@given(st.text("제조항호목의별표부터까지및 「」법영가나123①같은", max_size=60))
def test_references_lie_inside_any_text_in_order(text: str) -> None:
    starts = []
    for reference in find_references(text):
        start, end = reference.span
        assert 0 <= start < end <= len(text)
        starts.append(start)
    assert starts == sorted(starts)
