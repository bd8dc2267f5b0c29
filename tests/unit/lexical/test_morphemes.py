from __future__ import annotations

import unicodedata

import pytest

from ragbots.lexical import Morphemes


@pytest.fixture(scope="module")
def morphemes() -> Morphemes:
    return Morphemes()


def test_particles_and_endings_are_dropped(morphemes: Morphemes) -> None:
    assert morphemes.terms("연차휴가는 며칠인가요?") == ["연차", "휴가", "며칠"]
    assert morphemes.terms("") == []
    assert morphemes.terms("?!") == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("육아휴직 급여는 얼마인가요?", unicodedata.normalize("NFD", "육아휴직 급여는 얼마인가요?")),
        ("출장비ㆍ숙박비의 한도", "출장비·숙박비의 한도"),
        ("출장비ㆍ숙박비의 한도", "출장비 숙박비의 한도"),
        ("한도는 1,200,000원", "한도는 1200000원"),
        ("한도는 １２００원", "한도는 1,200원"),
        ("ERP 시스템", "erp 시스템"),
    ],
)
def test_ways_of_writing_one_text_give_the_same_terms(morphemes: Morphemes, one: str, other: str) -> None:
    assert morphemes.terms(one)
    assert morphemes.terms(one) == morphemes.terms(other)


def test_a_comma_that_is_not_of_thousands_still_separates(morphemes: Morphemes) -> None:
    assert "1215" not in morphemes.terms("제12,15조")
    assert {"12", "15"} <= set(morphemes.terms("제12,15조"))


def test_many_texts_are_read_as_each_alone(morphemes: Morphemes) -> None:
    texts = ["숙박비 한도", "", "육아휴직을 신청하려면"]
    assert morphemes.terms_of_many(texts) == [morphemes.terms(text) for text in texts]


def test_words_of_the_installation_stay_whole(morphemes: Morphemes) -> None:
    assert "노란우산공제" not in morphemes.terms("노란우산공제에 가입하려면")
    assert "노란우산공제" in Morphemes(["노란우산공제"]).terms("노란우산공제에 가입하려면")


def test_words_that_are_used_alike(morphemes: Morphemes) -> None:
    similar = morphemes.similar("월급은 언제 주나요?")
    assert similar["급여"] > 0.6
    assert "숙박" not in similar
    assert morphemes.similar("") == {}
