"""Which words of a text each figure goes with: `국내 출장의 일비는 20,000원, 숙박비는 70,000원으로 한다` is two cases.

Figures of one kind with a clause between them are cases of their own. The later one has the words of its clause; the
first has as many before it as the second, and what stands further ahead goes with all, as does what follows the last
where the others say nothing of their own after themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ragbots import figures
from ragbots.figures import Figure, Kind

Words = Callable[[str], Sequence[str]]
Span = tuple[int, int]

_STATEMENT_END = re.compile(r"(?<=다)\.\s*|\n|(?=[①-⑳])|(?<=\s)(?=\d{1,2}\.\s(?!\d))|(?<=\s)(?=[가-하]\.\s)")
_CLAUSE_END = re.compile(r",\s|(?<=[하이되])[고며]\s|(?<=\d)[과와]\s|\s및\s|\s\|\s|;\s?")
_WORD = re.compile(r"\S*[가-힣A-Za-z]\S*")


@dataclass(frozen=True, slots=True)
class Case:
    """A figure, and the words and other figures that it goes with."""

    figure: Figure
    words: frozenset[str]


def cases(text: str, words: Words) -> tuple[Case, ...]:
    """The cases of a text in which references are blanked out; `words` are those of a text that tell something."""
    return tuple(case for statement in _STATEMENT_END.split(text) if statement for case in _cases(statement, words))


def is_another_case(said: Case, known: Sequence[Case]) -> bool:
    """Whether what is said with the figure is said with another one in the passages, and less of it with this one."""
    alike = [case for case in known if _kind(case.figure) == _kind(said.figure)]
    own = [case.words & said.words for case in alike if _name(case.figure) == _name(said.figure)]
    others = [case.words & said.words for case in alike if _name(case.figure) != _name(said.figure)]
    return bool(own) and any(all(other > one for one in own) for other in others)


def _cases(statement: str, words: Words) -> Iterator[Case]:
    found = figures.read(statement)
    rest = _without(found, statement)
    for kind in dict.fromkeys(map(_kind, found)):
        for group, spans in _shares(rest, [one for one in found if _kind(one) == kind]):
            said = {word for first, last in spans for word in words(rest[first:last])}
            others = (one for one in found if _kind(one) != kind)
            said |= {_name(one) for one in others if any(first <= one.span[0] < last for first, last in spans)}
            for figure in group:
                yield Case(figure, frozenset(said))


def _shares(text: str, same: Sequence[Figure]) -> Iterator[tuple[list[Figure], list[Span]]]:
    """The parts of the text that go with each figure, those of one clause together (`1개월 이상 3개월 이하`)."""
    groups, cuts = [[same[0]]], [0]
    for figure in same[1:]:
        end = _CLAUSE_END.search(text, groups[-1][-1].span[1], figure.span[0])
        if end is None:
            groups[-1].append(figure)
        else:
            groups.append([figure])
            cuts.append(end.end())
    shared: list[Span] = []
    if len(groups) > 1:
        before = [match.start() for match in _WORD.finditer(text, 0, same[0].span[0])]
        own = len(_WORD.findall(text, cuts[1], groups[1][0].span[0]))
        head = 0 if own >= len(before) else before[-own] if own else same[0].span[0]
        cuts[0] = head
        shared.append((0, head))
        if not _WORD.search(text, groups[0][-1].span[1] + 1, cuts[1]):
            shared.append((same[-1].span[1], len(text)))
    for group, first, last in zip(groups, cuts, [*cuts[1:], len(text)], strict=True):
        yield group, [*shared, (first, last)]


def _without(found: Sequence[Figure], text: str) -> str:
    """The text with digits in place of its figures: none of their words is taken for one of the text's."""
    for one in found:
        first, last = one.span
        text = text[:first] + "0" * (last - first) + text[last:]
    return text


def _kind(figure: Figure) -> tuple[Kind, str]:
    return figure.kind, figure.unit


def _name(figure: Figure) -> str:
    return f"{figure.kind}{figure.unit}{figure.value}{figure.day}"
