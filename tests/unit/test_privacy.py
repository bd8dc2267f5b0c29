from __future__ import annotations

import unicodedata
from random import Random

import pytest
from tests.personal_data import LABELS, LAWS, account, sentence, written
from tests.privacy_figures import precision, recall

from ragbots.privacy import Kind, find, mask

DECOYS = (
    "제17조의2 제1항 제4호 가목",
    "법률 제20520호, 2024. 10. 22., 일부개정",
    "고시 제2024-123호, 훈령 제1588호, 별표 3 2행",
    "2026. 11. 28.부터 2027. 11. 27.까지, 2026-11-28 09:00~18:00",
    "1,234,567원, 12,345,678,900원, 100만원, 3.14%",
    "사업자등록번호 123-45-67890",
    "1988-1990년의 통계, 2023/2024 회계연도",
    "02. 11. 2024 3쪽, 01.02.2024 15시",
    "내선 1000, 우편번호 04524, 문서번호 총무-2024-000123",
    "법인등록번호 110111-0006240",
    "ISBN 978-89-546-1234-5",
    "계좌 개설은 제3조에 따라 2024. 3. 1.부터 10,000,000원까지",
    "은행법 제2조제1항제5호 및 은행업감독규정 2024-12호",
    "직원 1 2 3 4 5 6명",
)


@pytest.mark.parametrize(("kind", "least"), [("registration", 0.999), ("card", 0.995), ("phone", 0.99)])
def test_of_seven_thousand_numbers_in_sentences_nearly_none_is_left(kind: str, least: float) -> None:
    found = recall(kind, 7_000)
    assert found.share >= least, found.missed[:20]


@pytest.mark.skipif(not LAWS.is_dir(), reason="the statutes are not beside the project")
def test_statutes_are_left_as_they_are() -> None:
    shown = precision(LAWS)
    assert shown.share >= 0.98, shown.false[:20]


@pytest.mark.parametrize("text", DECOYS)
def test_numbers_of_rules_and_offices_stay(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("주민번호 900101-1234567요", "주민번호 [주민등록번호]요"),
        ("등록번호 900101-5234567", "등록번호 [외국인등록번호]"),
        ("1. 900101-1234567 010-1234-5678", "1. [주민등록번호] [전화번호]"),
        ("앞 201231-4000000 뒤", "앞 [주민등록번호] 뒤"),
        ("카드 4111 1111 1111 1111 분실", "카드 [카드번호] 분실"),
        ("카드번호 1234-5678-9012-3456", "카드번호 [카드번호]"),
        ("국민은행 123456-04-123456으로 보내 주세요", "국민은행 [계좌번호]으로 보내 주세요"),
        ("1002-123-456789 (우리은행)", "[계좌번호] (우리은행)"),
        ("kim.cs+hr@corp.co.kr로 보내 주세요", "[이메일]로 보내 주세요"),
        ("ｋｉｍ＠corp．kr", "[이메일]"),
        ("여권 M12345678, m123a4567", "여권 [여권번호], [여권번호]"),
        ("여권번호는 AB1234567입니다", "여권번호는 [여권번호]입니다"),
        ("면허 11-22-333333-44", "면허 [운전면허번호]"),
        ("대표번호 15881234", "대표번호 [전화번호]"),
        ("전화는 312-4567", "전화는 [전화번호]"),
        ("+1 650-253-0000", "[전화번호]"),
        ("010-1234-5678 (", "[전화번호] ("),
        ("나(900101-1234567), (02) 312-4567", "나([주민등록번호]), [전화번호]"),
    ],
)
def test_each_kind_has_its_label(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize("text", ["991301-1234567", "900230-1234567", "900101-123456", "4111-1111-1111-1112"])
def test_what_is_no_date_and_no_card_stays(text: str) -> None:
    assert mask(text) == text


def test_a_companys_number_stays_only_where_it_is_said_to_be_one_and_is_one() -> None:
    assert mask("법인등록번호 110111-0006240") == "법인등록번호 110111-0006240"
    assert mask("법인등록번호 110111-1234567") == "법인등록번호 [주민등록번호]"


def test_accounts_are_known_by_the_words_around_them() -> None:
    random = Random(7)
    for _ in range(500):
        number = "-".join(account(random))
        assert mask(f"급여 계좌는 {number}입니다") in (f"급여 계좌는 [{kind}]입니다" for kind in Kind), number


def test_a_second_time_changes_nothing_and_nothing_else_is_touched() -> None:
    random = Random(11)
    for _ in range(2_000):
        make, labels = random.choice(list(LABELS.values()))
        text = sentence(random, random.choice(labels), written(random, make(random)))
        once = mask(text)
        assert mask(once) == once
        composed = unicodedata.normalize("NFC", text)
        left = "".join(composed[one.start : one.end] for one in find(composed))
        assert len(once) - sum(len(one.kind) + 2 for one in find(composed)) == len(composed) - len(left)


@pytest.mark.parametrize("text", ["1" * 40_000, "a" * 40_000, "a@" * 20_000, "여권 " * 20_000, ""])
def test_any_text_comes_back(text: str) -> None:
    assert mask(text) == text
