"""What kind of figure a question asks for, and which kinds a text holds: amounts, times, shares, counts."""

from __future__ import annotations

import re

_NUMERAL = "[일이삼사오육칠팔구십백천만억]"
_SHARE = r"분의\s?[\d일이삼사오육칠팔구]|%|퍼센트|프로|\d\s?할"
# Each kind: how it is asked for, and what an answer to that looks like.
_KINDS = (
    (
        re.compile(r"얼마(?!나\s?(?:오래|동안|걸))|몇\s?원|금액|요금|수수료|가격"),
        re.compile(rf"\d[\d,]*\s*[십백천만억]*\s*원|{_NUMERAL}+\s?원|\d\s?배|{_SHARE}"),
    ),
    (
        re.compile(r"며칠|몇\s?(?:일|달|개월|년|시|주|살)|언제|기한|얼마\s?동안|얼마나\s?(?:오래|걸)"),
        re.compile(rf"\d\s?(?:일|개월|월|년|주|시간|분|시|세)|{_NUMERAL}(?:일|개월|년|주일|시간)"),
    ),
    (re.compile(r"퍼센트|몇\s?프로|%|비율|[율률]이"), re.compile(_SHARE)),
    (
        re.compile(r"몇\s?(?:명|인|번|회|점|등급|건|부|군데|개)"),
        re.compile(r"\d\s?(?:명|인|회|번|차례|건|점|부|등급|개)"),
    ),
)
COUNT = len(_KINDS)


_BECAME = r"(?:바뀐|바뀌었|바꼈|달라진|달라졌|변경된|변경됐|변경되었|개정된|개정됐|개정되었|고쳐진|새로\s?생긴)"
_WHAT = r"(?:뭐|뭘|뭔|무엇|무슨|어떤|어떻게|내용|점[은이을]|것|거|게\s|조항|조문|사항|어디)"
_CHANGES_ASKED = re.compile(rf"{_WHAT}.{{0,16}}{_BECAME}|{_BECAME}.{{0,16}}{_WHAT}|신\s?[·ㆍ]?\s?구\s?대조")


def asks_for_changes(text: str) -> bool:
    """Whether it is asked what an amendment changed: `이번 개정으로 뭐가 바뀌었어?`"""
    return bool(_CHANGES_ASKED.search(text))


def kinds_asked(question: str) -> tuple[int, ...]:
    """The numbers of the kinds of figure that a question asks for; empty where it asks for none."""
    return tuple(kind for kind, (asks, _) in enumerate(_KINDS) if asks.search(question))


def kinds_held(text: str) -> tuple[bool, ...]:
    """For each kind whether the text holds a figure that could be it."""
    return tuple(bool(answers.search(text)) for _, answers in _KINDS)


def figure_missing(question: str, text: str) -> float:
    """1 where a figure is asked for and the text holds none that could be it, else 0."""
    asked, held = kinds_asked(question), kinds_held(text)
    return float(bool(asked) and not any(held[kind] for kind in asked))
