# ruff: noqa: E501 -- rules and answers stand on a line each
# ruff: noqa: T201
"""Answers as models write them, truthful and lying, with the passages that they cite; the same ones every time.

`python -m tests.answers` prints what the check makes of them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ragbots import figures
from ragbots.regulation import parse_address
from ragbots.types import Address
from ragbots.verification import Outcome, Source, Verified, verify

Terms = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Told:
    """An answer, the passages it was written from, and the question."""

    text: str
    sources: tuple[Source, ...]
    question: str


def source(number: int, document: str, address: str, heading: str, text: str) -> Source:
    return Source(number, document, parse_address(address) if address else Address(), heading, text)


@dataclass(frozen=True)
class Fact:
    """One rule: its passage, a question, the same said truthfully, and the figure with other spellings of it."""

    document: str
    address: str
    heading: str
    text: str
    question: str
    said: str  # `{}` stands for the figure
    written: str  # the figure as the passage has it
    others: tuple[str, ...]


FACTS = [
    Fact("출장비 지급 규정", "제12조제2항", "숙박비", "② 국내 출장의 숙박비는 1박에 70,000원으로 하고 영수증을 제출하여야 한다.", "국내 출장 숙박비 얼마예요?", "국내 출장의 숙박비는 1박에 {}이며 영수증을 제출하셔야 합니다", "70,000원", ("7만원", "7만 원")),
    Fact("출장비 지급 규정", "제13조제1항", "일비", "① 출장자에게는 1일당 25,000원의 일비를 지급한다.", "출장 일비가 얼마죠?", "출장자에게 지급되는 일비는 1일당 {}입니다", "25,000원", ("2만 5천원", "2만5천 원")),
    Fact("출장비 지급 규정", "제20조", "감액", "공용 차량을 이용한 때에는 교통비의 100분의 50을 감액하여 지급한다.", "회사 차로 가면 교통비 깎이나요?", "공용 차량을 이용한 경우 교통비의 {}를 감액하여 지급합니다", "100분의 50", ("50%", "50퍼센트", "절반")),
    Fact("휴가 운영 규정", "제7조제1항", "포상휴가", "① 우수 사원에게는 연 5일의 포상휴가를 준다.", "포상휴가 며칠이에요?", "우수 사원에게는 연 {}의 포상휴가를 줍니다", "5일", ("오일 이내", "닷새")),
    Fact("휴가 운영 규정", "제8조", "신청", "휴가를 쓰려는 직원은 사용일 십오일 전까지 신청서를 팀장에게 제출하여야 한다.", "휴가는 언제까지 신청해요?", "휴가를 쓰려면 사용일 {} 전까지 신청서를 팀장에게 제출하셔야 합니다", "십오일", ("15일", "보름")),
    Fact("휴가 운영 규정", "제11조제3항", "장기근속", "③ 근속 기간이 10년 이상인 직원에게는 재충전 휴가 14일을 부여한다.", "장기근속 휴가 있나요?", "근속 기간이 10년 이상인 직원에게는 재충전 휴가 {}을 부여합니다", "14일", ("2주", "십사일")),
    Fact("당직 근무 규정", "제4조", "당직비", "야간 당직자에게는 1회에 60,000원의 당직비를 지급하고 다음 날 오전을 쉬게 한다.", "당직비 얼마?", "야간 당직자에게는 1회에 {}의 당직비를 지급합니다", "60,000원", ("6만원", "6만 원")),
    Fact("당직 근무 규정", "제6조제2항", "면제", "② 임신 중인 직원과 입사 후 6개월이 지나지 아니한 직원은 당직을 면제한다.", "신입도 당직 서나요?", "임신 중인 직원과 입사 후 {}이 지나지 않은 직원은 당직이 면제됩니다", "6개월", ("육개월", "여섯 달")),
    Fact("사내 대출 규정", "제5조제1항", "한도", "① 생활안정 대출의 한도는 1인당 1천만원으로 한다.", "생활안정 대출 한도는?", "생활안정 대출의 한도는 1인당 {}입니다", "1천만원", ("10,000,000원", "천만 원", "1,000만원")),
    Fact("사내 대출 규정", "제6조", "이자", "대출의 이자율은 연 100분의 3으로 하며 매월 급여에서 공제한다.", "대출 이자율이 몇이에요?", "대출의 이자율은 연 {}이며 매월 급여에서 공제됩니다", "100분의 3", ("3%", "3퍼센트")),
    Fact("사내 대출 규정", "제7조제2항", "상환", "② 대출금은 3년 이내에 균등하게 나누어 상환하여야 한다.", "대출 갚는 기간은?", "대출금은 {} 이내에 균등하게 나누어 상환해야 합니다", "3년", ("36개월", "삼년")),
    Fact("문서 보존 규정", "제9조", "보존 기간", "계약에 관한 문서의 보존 기간은 종료한 날부터 10년으로 한다.", "계약 문서 보존 기간?", "계약에 관한 문서의 보존 기간은 종료한 날부터 {}입니다", "10년", ("십년", "120개월")),
    Fact("문서 보존 규정", "제14조제2항", "열람", "② 열람을 신청한 직원에게는 접수한 날부터 7일 이내에 결과를 통지한다.", "문서 열람 결과는 언제 나와요?", "열람을 신청하면 접수한 날부터 {} 이내에 결과가 통지됩니다", "7일", ("1주일", "일주일")),
    Fact("법인카드 관리 지침", "제3조제1항", "한도", "① 팀장의 법인카드 사용 한도는 월 2,000,000원으로 한다.", "팀장 법인카드 한도", "팀장의 법인카드 사용 한도는 월 {}입니다", "2,000,000원", ("200만원", "2백만원", "이백만 원")),
    Fact("법인카드 관리 지침", "제8조", "정산", "카드 사용자는 사용일부터 5영업일, 늦어도 10일 이내에 정산하여야 한다.", "카드 정산 기한", "카드 사용자는 늦어도 {} 이내에 정산하셔야 합니다", "10일", ("열흘", "십일")),
    Fact("교육 훈련 규정", "제10조제1항", "이수 시간", "① 직원은 매년 40시간 이상의 직무 교육을 이수하여야 한다.", "교육 몇 시간 들어야 하나요?", "직원은 매년 {} 이상의 직무 교육을 이수해야 합니다", "40시간", ("사십 시간", "2,400분")),
    Fact("교육 훈련 규정", "제12조", "위탁 교육", "위탁 교육을 마친 직원은 교육 기간의 2배에 해당하는 기간을 근무하여야 한다.", "위탁 교육 후 의무 근무?", "위탁 교육을 마친 직원은 교육 기간의 {}에 해당하는 기간을 근무하셔야 합니다", "2배", ("두 배", "200%")),
    Fact("복지 포인트 지침", "제2조", "배정", "복지 포인트는 매년 1월 2일에 1,200점을 배정한다.", "복지 포인트 몇 점 줘요?", "복지 포인트는 매년 1월 2일에 {}이 배정됩니다", "1,200점", ("1200점", "천이백 점")),
    Fact("복지 포인트 지침", "제5조제2항", "이월", "② 쓰지 아니한 포인트는 다음 해로 100분의 30까지 이월한다.", "포인트 이월 되나요?", "쓰지 않은 포인트는 다음 해로 {}까지 이월됩니다", "100분의 30", ("30%", "30퍼센트", "3할")),
    Fact("경조사 지원 규정", "제4조제1항", "결혼", "① 직원이 결혼하는 경우 축의금 500,000원을 지급한다.", "결혼 축의금 얼마?", "직원이 결혼하는 경우 축의금 {}을 지급합니다", "500,000원", ("50만원", "50만 원", "오십만원")),
    Fact("경조사 지원 규정", "제4조제3항", "조위", "③ 직계 존속이 사망한 경우 조위금 1,000,000원을 지급하고 조화를 보낸다.", "부모님 상 조위금?", "직계 존속이 사망한 경우 조위금 {}을 지급하고 조화를 보냅니다", "1,000,000원", ("100만원", "백만원", "백만 원")),
    Fact("정보 보안 지침", "제16조", "비밀번호", "업무용 비밀번호는 90일마다 바꾸어야 하며 5회 틀리면 계정을 잠근다.", "비밀번호 몇 번 틀리면 잠겨요?", "업무용 비밀번호는 {} 틀리면 계정이 잠깁니다", "5회", ("다섯 번", "5번")),
    Fact("정보 보안 지침", "제18조제1항", "로그", "① 접속 기록은 2년간 보관하고 매월 점검한다.", "접속 기록은 얼마나 보관?", "접속 기록은 {} 보관하고 매월 점검합니다", "2년간", ("24개월", "이년")),
    Fact("채용 규정", "제9조제2항", "수습", "② 신규 채용자의 수습 기간은 3개월로 하며 급여의 100분의 90을 지급한다.", "수습 기간 몇 달?", "신규 채용자의 수습 기간은 {}입니다", "3개월", ("석 달", "세 달", "삼개월")),
    Fact("채용 규정", "제11조", "면접위원", "면접위원은 5명으로 구성하고 외부 위원을 포함하여야 한다.", "면접위원은 몇 명?", "면접위원은 {}으로 구성하고 외부 위원을 포함해야 합니다", "5명", ("5인", "다섯 명")),
    Fact("유연근무 지침", "제6조제1항", "신청", "① 유연근무는 주 2회까지 신청할 수 있다.", "유연근무 일주일에 몇 번?", "유연근무는 주 {}까지 신청할 수 있습니다", "2회", ("두 번", "2번", "두 차례")),
    Fact("유연근무 지침", "부칙 제1조", "시행일", "이 지침은 2026. 7. 1.부터 시행한다.", "유연근무 지침 시행일?", "이 지침은 {}부터 시행합니다", "2026. 7. 1.", ("2026년 7월 1일", "2026-07-01", "2026.7.1.")),
    Fact("시설 이용 규정", "제3조의2", "주차", "방문 차량은 2시간까지 무료로 주차하고 초과하면 10분마다 500원을 낸다.", "방문 주차 무료 시간은?", "방문 차량은 {}까지 무료로 주차할 수 있습니다", "2시간", ("두 시간", "120분")),
    Fact("시설 이용 규정", "제10조", "회의실", "회의실은 오전 9시부터 오후 6시까지 예약할 수 있다.", "회의실 예약 시간", "회의실은 오전 9시부터 {}까지 예약할 수 있습니다", "오후 6시", ("18시", "18:00")),
    Fact("성과급 지급 기준", "별표 1", "지급률", "등급: S | 지급률: 150% | 등급: A | 지급률: 120% | 등급: B | 지급률: 80%", "성과급 A등급 지급률", "A 등급의 지급률은 {}입니다", "120%", ("1.2배", "100분의 120")),
]  # fmt: skip


def passage(fact: Fact, number: int) -> Source:
    return source(number, fact.document, fact.address, fact.heading, fact.text)


def spoken(address: str) -> str:
    return str(parse_address(address))


Template = Callable[[random.Random, Fact, Fact], str]


def _said(fact: Fact, figure: str) -> str:
    """The sentence with the figure, its particle after it fitted to the spelling."""
    return fact.said.format(figure).replace("절반를", "절반을").replace("이내 이내", "이내")


def _any(chance: random.Random, fact: Fact) -> str:
    return chance.choice([fact.written, *fact.others])


TRUTHS: list[Template] = [
    lambda r, a, b: f"{_said(a, _any(r, a))} [1].",
    lambda r, a, b: f"{_said(a, _any(r, a))}. [1]",
    lambda r, a, b: f"네, {_said(a, _any(r, a))} [1]. {_said(b, _any(r, b))} [2].",
    lambda r, a, b: f"{a.document} {spoken(a.address)}에 따르면, {_said(a, _any(r, a))} [1].",
    lambda r, a, b: f"{_said(a, _any(r, a))} ({spoken(a.address)}) [1].\n\n또한 {_said(b, b.written)}({spoken(b.address)}) [2].",
    lambda r, a, b: f"**{a.heading}**: {_said(a, '**' + a.others[0] + '**')} [1].\n\n추가로 궁금한 점이 있으시면 언제든지 문의해 주세요.",
    lambda r, a, b: f"안녕하세요. 문의하신 내용에 대해 안내드립니다.\n\n{_said(a, _any(r, a))} [1].\n\n도움이 되셨기를 바랍니다.",
    lambda r, a, b: f"문의하신 내용은 다음과 같습니다.\n\n- **{a.heading}**: {_said(a, _any(r, a))} [1]\n- **{b.heading}**: {_said(b, _any(r, b))} [2]",
    lambda r, a, b: f"관련 규정은 다음 두 가지입니다 [1][2].\n\n1. **{a.heading}**\n   - {_said(a, a.written)} [1]\n2. **{b.heading}**\n   - {_said(b, b.written)} [2]\n",
    lambda r, a, b: f"### {a.heading}\n{_said(a, _any(r, a))}. 이 내용은 「{a.document}」 {spoken(a.address)}에 정해져 있습니다 [1].",
    lambda r, a, b: f"{_said(a, a.written)} [1]. 즉, {a.heading}에 관하여는 {a.others[0]}입니다 [1].",
    lambda r, a, b: f"{_said(a, _any(r, a))} [1]. 따라서 {_said(a, _any(r, a))} [1].",
    lambda r, a, b: f"| 구분 | 내용 |\n|---|---|\n| {a.heading} | {_any(r, a)} [1] |\n| {b.heading} | {_any(r, b)} [2] |\n\n{_said(a, a.written)} [1].",
    lambda r, a, b: f"{_said(a, _any(r, a))}. {_said(b, _any(r, b))} [1, 2].",
    lambda r, a, b: f"규정에는 “{a.written}”{'로' if r.random() < 0.5 else '라고'} 정하고 있습니다 [1]. {_said(a, _any(r, a))} [1].",
    lambda r, a, b: f"7년 근무하셨다면 {_said(a, _any(r, a))} [1].",
    lambda r, a, b: f"7년 근무하신 경우에도 {_said(a, _any(r, a))} [1]. 다만, {_said(b, b.written)} [2].",
]  # fmt: skip

WON = [fact for fact in FACTS if fact.written.endswith(",000원")]


def won(amount: int) -> str:
    return f"{amount:,}원"


def _sum(chance: random.Random, one: Fact, other: Fact) -> str:
    first, second = (int(fact.written.replace(",", "").removesuffix("원")) for fact in (one, other))
    return chance.choice(
        [
            f"{one.heading} {won(first)}과 {other.heading} {won(second)}을 합하면 총 {won(first + second)}입니다 [1][2].",
            f"{_said(one, one.written)} [1]. {_said(other, other.written)} [2]. "
            f"따라서 합계는 {won(first)} + {won(second)} = {won(first + second)}입니다 [1][2].",
            f"{one.heading}: {one.others[0]} [1]\n\n{other.heading}: {other.others[0]} [2]\n\n"
            f"합계: {one.others[0]} + {other.others[0]} = {won(first + second)} [1][2]",
        ]
    )


def truths() -> Iterator[Told]:
    chance = random.Random(5)
    for number in range(300):
        if number % 10 == 9:
            one, other = chance.sample(WON, 2)
            text = _sum(chance, one, other)
        else:
            one, other = chance.sample(FACTS, 2)
            text = TRUTHS[number % len(TRUTHS)](chance, one, other)
        yield Told(text, (passage(one, 1), passage(other, 2)), f"7년 근무했는데, {one.question} {other.question}")


def other_digits(chance: random.Random, figure: str) -> str:
    """The figure with one digit changed; one without digits becomes another of its unit."""
    digits = [index for index, character in enumerate(figure) if character.isdigit()]
    if not digits:
        return "37일"
    index = chance.choice(digits)
    return figure[:index] + chance.choice([d for d in "123456789" if d != figure[index]]) + figure[index + 1 :]


LIES: list[Template] = [
    lambda r, a, b: f"{_said(a, other_digits(r, a.written))} [1].",
    lambda r, a, b: f"{_said(a, other_digits(r, r.choice(a.others)))} [1]. {_said(b, b.written)} [2].",
    lambda r, a, b: f"{_said(a, a.written)}({spoken('제97조제8항')}) [1]. {_said(b, b.written)} [2].",
    lambda r, a, b: f"{_said(a, a.written)} [9]. {_said(b, b.written)} [2].",
    lambda r, a, b: f"규정은 “{_said(a, other_digits(r, a.written))}”라고 정합니다 [1]. {_said(b, b.written)} [2].",
    lambda r, a, b: f"{_said(a, r.choice(['77,700원', '63일', '8년 7개월', '93%', '17회', '2031년 3월 9일', '43명']))} [1].",
    lambda r, a, b: f"- {a.heading}: {a.written} [1]\n- {b.heading}: {other_digits(r, b.written)} [2]\n- {_said(b, b.written)} [2]",
    lambda r, a, b: f"{_said(a, a.written)} [1]. 합계는 {won(r.randrange(11, 99) * 1300)}입니다 [1][2]. {_said(b, b.written)} [2].",
    lambda r, a, b: f"{_said(a, a.written)} [1]. 다만, {_said(b, other_digits(r, b.written))} [2].",
    lambda r, a, b: f"근로기준법 제60조에 따라 {_said(a, a.written)} [1].\n\n{_said(b, b.written)} [2].",
]  # fmt: skip


def lies() -> Iterator[Told]:
    chance = random.Random(7)
    for number in range(300):
        one, other = chance.sample(FACTS, 2)
        text = LIES[number % len(LIES)](chance, one, other)
        yield Told(text, (passage(one, 1), passage(other, 2)), f"{one.question} {other.question}")


def supporting(sources: Sequence[Source], cited: Sequence[int]) -> list[str]:
    return [f"{one.document} {one.address} {one.heading}\n{one.text}" for one in sources if one.number in cited]


# --- passages that hold two cases -----------------------------------------------------------------


@dataclass(frozen=True)
class TwoCases:
    """One passage with two figures of one kind, and for each what is said with it; `{}` stands for the figure."""

    text: str
    question: str
    said: tuple[str, str]
    written: tuple[str, str]


TWO_CASES = [
    TwoCases("② 국내 출장의 일비는 1일 20,000원, 숙박비는 1박 70,000원으로 한다.", "국내 출장비 얼마예요?", ("국내 출장의 일비는 하루 {}입니다", "국내 출장을 가면 숙박비는 1박에 {}까지 나옵니다"), ("20,000원", "70,000원")),
    TwoCases("직급: 부장 | 숙박비: 80,000원 | 식비: 30,000원", "부장 출장비", ("부장의 숙박비는 {}입니다", "부장에게는 식비 {}이 지급됩니다"), ("80,000원", "30,000원")),
    TwoCases("경조휴가는 다음 각 호와 같다. 1. 본인 결혼: 5일 2. 자녀 결혼: 1일", "경조휴가 며칠?", ("본인이 결혼하면 경조휴가는 {}입니다", "자녀의 결혼에는 {}을 쉽니다"), ("5일", "1일")),
    TwoCases("① 직원은 사무실의 화분에 물을 주 2회 주어야 한다. 다만, 7월과 8월의 여름철에는 주 3회 준다.", "화분 물 몇 번?", ("사무실 화분에는 물을 주 {} 주셔야 합니다", "여름철에는 물을 주 {} 줍니다"), ("2회", "3회")),
    TwoCases("③ 근속 5년 이상인 직원에게는 휴가 3일을, 근속 10년 이상인 직원에게는 휴가 7일을 준다.", "장기근속 휴가", ("근속 5년 이상이면 휴가 {}을 받습니다", "근속 10년 이상인 직원은 휴가가 {}입니다"), ("3일", "7일")),
    TwoCases("수습 기간은 정규직은 3개월, 계약직은 1개월로 한다.", "수습 기간 얼마나?", ("정규직의 수습 기간은 {}입니다", "계약직은 수습 기간이 {}입니다"), ("3개월", "1개월")),
    TwoCases("① 일반 문서는 3년, 계약 문서는 10년간 보존한다.", "문서 보존 기간", ("일반 문서는 {} 동안 보존합니다", "계약 문서의 보존 기간은 {}입니다"), ("3년", "10년")),
    TwoCases("징계위원회는 위원장 1명과 위원 5명으로 구성한다.", "징계위원 몇 명?", ("위원장은 {}입니다", "위원장 외에 위원은 {}입니다"), ("1명", "5명")),
    TwoCases("법인카드의 한도는 다음과 같다.\n가. 팀장: 월 2,000,000원\n나. 본부장: 월 5,000,000원", "법인카드 한도", ("팀장의 법인카드 한도는 월 {}입니다", "본부장은 매월 {}까지 쓸 수 있습니다"), ("2,000,000원", "5,000,000원")),
    TwoCases("등급: A | 지급률: 120%\n등급: B | 지급률: 80%\n등급: C | 지급률: 50%", "성과급 지급률", ("A 등급은 {}입니다", "C 등급의 지급률은 {}입니다"), ("120%", "50%")),
    TwoCases("② 회의실은 오전 9시부터 예약할 수 있으며, 체육관은 오전 7시부터 이용할 수 있다.", "회의실 언제부터", ("회의실은 {}부터 예약할 수 있습니다", "체육관은 {}부터 열려 있습니다"), ("오전 9시", "오전 7시")),
    TwoCases("육아휴직은 1년 이내로 하되, 배우자도 육아휴직을 사용한 경우에는 1년 6개월 이내로 한다.", "육아휴직 기간", ("육아휴직은 {} 이내입니다", "배우자도 육아휴직을 사용하면 {} 이내로 쓸 수 있습니다"), ("1년", "1년 6개월")),
    TwoCases("대출 한도는 생활안정 자금 1천만원, 주택 자금 5천만원으로 하고 이자율은 따로 정한다.", "대출 한도", ("생활안정 자금의 대출 한도는 {}입니다", "주택 자금은 {}까지 대출받을 수 있습니다"), ("1천만원", "5천만원")),
    TwoCases("① 신청은 출발 7일 전까지 하여야 하고, 정산은 귀임 후 14일 이내에 하여야 한다.", "출장 신청 기한", ("출발 {} 전까지 신청하셔야 합니다", "귀임한 뒤 {} 이내에 정산하셔야 합니다"), ("7일", "14일")),
    TwoCases("국외 출장의 항공 좌석은 임원은 비행 시간 4시간 이상, 직원은 비행 시간 10시간 이상인 때에 상위 등급으로 할 수 있다.", "비즈니스석", ("임원은 비행 시간이 {} 이상이면 상위 등급을 이용할 수 있습니다", "직원은 비행 {} 이상일 때 가능합니다"), ("4시간", "10시간")),
    TwoCases("조위금은 배우자 상에는 2,000,000원, 부모 상에는 1,000,000원, 조부모 상에는 300,000원을 지급한다.", "조위금 얼마?", ("배우자 상을 당한 경우 조위금은 {}입니다", "조부모 상의 조위금은 {}입니다"), ("2,000,000원", "300,000원")),
    TwoCases("② 비밀번호는 일반 계정은 90일마다, 관리자 계정은 30일마다 변경하여야 한다.", "비밀번호 변경 주기", ("일반 계정의 비밀번호는 {}마다 바꿔야 합니다", "관리자 계정은 {}마다 변경해야 합니다"), ("90일", "30일")),
    TwoCases("야간 당직비는 60,000원으로 한다. 휴일 당직비는 90,000원으로 한다.", "당직비 얼마?", ("야간 당직비는 {}입니다", "휴일에 당직을 서면 {}을 받습니다"), ("60,000원", "90,000원")),
    TwoCases("감봉은 1개월 이상 3개월 이하, 정직은 1개월 이상 6개월 이하로 한다.", "정직 기간", ("감봉은 최대 {}까지입니다", "정직은 최대 {}까지 할 수 있습니다"), ("3개월", "6개월")),
    TwoCases("① 매년 4월 1일에는 승진 심사를 하고 10월 1일에는 전보 인사를 한다.", "승진 심사 언제", ("승진 심사는 {}에 합니다", "전보 인사는 매년 {}에 있습니다"), ("4월 1일", "10월 1일")),
    TwoCases("수의계약은 물품 2천만원 이하, 공사 4천만원 이하인 경우에 할 수 있다.", "수의계약 한도", ("물품은 {} 이하이면 수의계약을 할 수 있습니다", "공사의 경우 {} 이하이면 됩니다"), ("2천만원", "4천만원")),
    TwoCases("③ 교육비는 직무 교육은 100분의 100, 어학 교육은 100분의 50을 지원한다.", "교육비 지원", ("직무 교육은 {} 지원됩니다", "어학 교육의 교육비는 {}만 지원됩니다"), ("100%", "50%")),
    TwoCases("분기별 회의는 2회, 연간 워크숍은 1회 연다.", "회의 횟수", ("분기별 회의는 {} 엽니다", "워크숍은 연간 {} 열립니다"), ("2회", "1회")),
    TwoCases("재택근무는 주 2일까지 할 수 있다. 임신 중이거나 육아기에 있는 직원은 주 4일까지 할 수 있다.", "재택근무 며칠", ("재택근무는 일주일에 {}까지 할 수 있습니다", "임신 중인 직원은 주 {}까지 재택근무가 가능합니다"), ("2일", "4일")),
    TwoCases("경고를 3회 받은 직원은 감봉하고, 5회 받은 직원은 정직한다.", "경고 누적", ("경고를 {} 받으면 감봉됩니다", "경고가 {}가 되면 정직됩니다"), ("3회", "5회")),
    TwoCases("주택 임차 보증금은 수도권은 1억원, 그 밖의 지역은 7천만원까지 지원한다.", "보증금 지원", ("수도권은 {}까지 지원합니다", "수도권 밖의 지역은 {}까지 지원받습니다"), ("1억원", "7천만원")),
    TwoCases("① 연차휴가는 15일로 하고, 3년 이상 근속한 직원에게는 2년마다 1일을 더하여 25일까지 준다.", "연차 며칠", ("연차휴가는 {}입니다", "오래 근속한 직원에게는 {}까지 줍니다"), ("15일", "25일")),
    TwoCases("구분: 서울 | 1급: 120,000원 | 2급: 100,000원 | 3급: 80,000원", "서울 숙박비", ("서울은 1급 직원에게 {}을 줍니다", "서울의 3급 숙박비는 {}입니다"), ("120,000원", "80,000원")),
    TwoCases("퇴직금 중간정산은 5년 이상 근속한 때에 신청할 수 있고, 정산 후 2년이 지나야 다시 신청할 수 있다.", "중간정산", ("{} 이상 근속하면 중간정산을 신청할 수 있습니다", "정산하고 {}이 지나야 다시 신청할 수 있습니다"), ("5년", "2년")),
    TwoCases("병가는 연 60일까지 유급으로 하고, 이를 넘는 기간은 연 180일까지 무급으로 한다.", "병가 며칠", ("유급 병가는 연 {}까지입니다", "무급으로는 연 {}까지 쉴 수 있습니다"), ("60일", "180일")),
]  # fmt: skip

Pairing = Callable[[TwoCases, str, str], str]
PAIRINGS: list[Pairing] = [
    lambda one, a, _: f"{one.said[0].format(a)} [1].",
    lambda one, _, b: f"{one.said[1].format(b)} [1].",
    lambda one, a, b: f"{one.said[0].format(a)} [1]. 다만, {one.said[1].format(b)} [1].",
    lambda one, a, b: f"- {one.said[0].format(a)} [1]\n- {one.said[1].format(b)} [1]",
    lambda one, a, b: f"문의하신 내용을 안내드립니다.\n\n{one.said[1].format(b)}. 그리고 {one.said[0].format(a)}. [1]",
]


def of_two_cases(*, swapped: bool) -> Iterator[Told]:
    """150 answers from passages with two cases: truthful, or each figure given for the other case."""
    for one in TWO_CASES:
        a, b = reversed(one.written) if swapped else one.written
        for pairing in PAIRINGS:
            yield Told(pairing(one, a, b), (source(1, "사내 운영 규정", "제4조", "기준", one.text),), one.question)


# --- what the check makes of them -----------------------------------------------------------------


def unsupported(told: Told, verified: Verified) -> tuple[str, ...]:
    """Figures of what is shown that stand in no passage that it cites."""
    cited = [one for one in told.sources if one.number in verified.cited]
    return figures.unsupported(
        verified.text, [f"{one.document} {one.address} {one.heading}\n{one.text}" for one in cited]
    )


def main() -> None:
    from ragbots.lexical import Morphemes

    terms = Morphemes().terms
    kinds = {
        "truthful": truths(),
        "truthful, of two cases": of_two_cases(swapped=False),
        "lying": lies(),
        "the other case's figure": of_two_cases(swapped=True),
    }
    print("| answers | n | verified | repaired | rejected | unsupported figures shown |")
    print("|---|---|---|---|---|---|")
    for name, answers in kinds.items():
        outcomes: Counter[Outcome] = Counter()
        loose = 0
        for told in answers:
            verified = verify(told.text, told.sources, told.question, terms)
            outcomes[verified.outcome] += 1
            loose += len(unsupported(told, verified)) if name == "lying" else 0
        counts = " | ".join(str(outcomes[outcome]) for outcome in Outcome)
        print(f"| {name} | {outcomes.total()} | {counts} | {loose if name == 'lying' else ''} |")


if __name__ == "__main__":
    main()
