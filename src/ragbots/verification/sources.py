"""The passages that the model was given, and the question: each read once for all sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ragbots import figures
from ragbots.figures import Known
from ragbots.text import comparable
from ragbots.verification.cases import Case, cases
from ragbots.verification.plain_text import tidy
from ragbots.verification.references import CIRCLED, Reference, find_references
from ragbots.verification.values import Source, Terms

HANGUL = re.compile(r"[가-힣]")
_NEGATION = re.compile(
    r"않|아니(?:한|하|할|함|된)|수 ?없|못 ?하|못 ?한|불가(?!피|분)|금지|안 ?(?:됩|된|되)|아니 ?[된되]|제외"
)
# Words of answers and of rules in general: they tell nothing about what a sentence is about.
_NEUTRAL_WORDS = """
    경우 따르 따라 다음 규정 조항 조 항 호 목 제 해당 관련 기준 내용 안내 의하 대하 위하 가능
    필요 확인 네 예 아니 아니요 즉 따라서 또한 그리고 다만 바탕 질문 답변 말씀 드리 알 정하 명시
    근거 참고 받 주 내 쓰 보 가 오 말하 이루 같 합하 합계 더하 합산 총 모두 곱하 최대 최소 각각
    각 여기 이때 그 이 저 본인 귀하 바라 규칙 문서 발췌 사항 포함 의미 적용 원 일 년 월 개월 명
    회 시간 시 분 만 천 백 억 % 이상 이하 이내 초과 미만 먼저 우선 단 또는 및 혹은 특히 요약
    정리 결론 우리 회사 직원 구체 상세 자세히 구분 대상 번 번째 첫 결과 자세하 자세 참조 항목 금액
    살피 계산 하루 달 한 두 세 나오 나와 살펴보 설명 되어 정해지 그러나 하지만 그래서 그러므로 만약
    만일 물론 별도 반드시 꼭 최소한 이후 이전 전 후 까지 부터 거치 수 것 때 등 그대로 그렇 이렇
    어떻 지니 당 씩 절반 반 전체 곳 가지 달하 한하 가리키 나타내 적히 쓰이 있 없 관하 관련하 주일
    정도
"""
NEUTRAL = frozenset(_NEUTRAL_WORDS.split())
_PASSAGE_SENTENCE = re.compile(r"(?<=다)\.\s*|\n|(?=[①-⑳])")


@dataclass(frozen=True, slots=True)
class ReadSource:
    """A source as the checks need it."""

    source: Source
    words: str  # everything, comparable
    known: Known
    references: tuple[Reference, ...]
    terms: frozenset[str]
    sentences: tuple[tuple[frozenset[str], bool], ...]  # terms and whether negated, of each sentence
    cases: tuple[Case, ...]
    items: int  # how many 항 or 호 it lists


def read_source(source: Source, terms: Terms) -> ReadSource:
    text = tidy(source.text)
    about = f"{tidy(source.heading)}\n{tidy(source.document)}"
    references = find_references(text) + find_references(tidy(source.heading))
    sentences = [one for one in _PASSAGE_SENTENCE.split(text) if len(one) > 5]
    return ReadSource(
        source=source,
        words=comparable(f"{text}\n{about}"),
        known=figures.known(mask_references(text, find_references(text)))
        | figures.known(mask_references(about, find_references(about))),
        references=tuple(references),
        terms=frozenset(meaningful(f"{text}\n{about} {source.address}", terms)),
        sentences=tuple((frozenset(meaningful(one, terms)), is_negated(one)) for one in sentences),
        cases=cases(mask_references(text, find_references(text)), lambda part: telling(part, terms)),
        items=max(len(re.findall(rf"[{CIRCLED}]", text)), len(re.findall(r"(?:^|\s)\d{1,2}\.\s(?!\d)", text))),
    )


def mask_references(text: str, references: Iterable[Reference]) -> str:
    """The text with references blanked out, of the same length."""
    for reference in references:
        first, last = reference.span
        text = text[:first] + "¤" * (last - first) + text[last:]
    return text


def meaningful(text: str, terms: Terms) -> list[str]:
    return [term for term in terms(text) if not any(character.isdigit() for character in term)]


def telling(text: str, terms: Terms) -> list[str]:
    """The words of a text that tell what it is about."""
    return [term for term in meaningful(text, terms) if term not in NEUTRAL]


def is_negated(text: str) -> bool:
    return len(_NEGATION.findall(text)) % 2 == 1


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """The question as the checks need it."""

    words: str
    known: Known
    terms: frozenset[str]
    korean: bool


def read_question(question: str, terms: Terms) -> AskedQuestion:
    asked = tidy(question)
    return AskedQuestion(
        words=comparable(asked),
        known=figures.known(mask_references(asked, find_references(asked))),
        terms=frozenset(meaningful(asked, terms)),
        korean=bool(HANGUL.search(asked)),
    )
