"""An answer in a language model's words: what it is shown, what of its words is taken, what is said where it fails."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from ragbots.answering import Answering, Prepared, cite_all, material_of, quoted, refused
from ragbots.llms.passages import Passage, as_prompted, choose_passages
from ragbots.llms.writer import REJECTED, Task, Writer, Written
from ragbots.ports import Material, Quotation
from ragbots.types import Answer, Notice, Status, Verification
from ragbots.verification import Outcome

OVER_BUDGET = "budget"
_MARKER = re.compile(r"\[(\d+)\]")

_NOTICES: Mapping[str, str] = {
    REJECTED: "언어 모델이 쓴 답이 규정과 맞는지 확인되지 않아, 규정의 조문을 그대로 보여 드립니다.",
    OVER_BUDGET: "오늘 쓸 수 있는 언어 모델 사용량을 다 써서, 규정의 조문을 그대로 보여 드립니다.",
    "busy": "언어 모델에 요청이 몰려 있어, 규정의 조문을 그대로 보여 드립니다.",
}
_NO_REPLY = "언어 모델이 제때 답하지 않아, 규정의 조문을 그대로 보여 드립니다."
_REPAIRED = "규정에서 확인되지 않은 문장은 답에서 뺐습니다."


@dataclass(frozen=True)
class Sheet:
    """What a model is given to answer from, and the articles it was taken from."""

    prepared: Prepared
    material: Sequence[Material]
    passages: tuple[Passage, ...]

    def task(self, user: str, question: str) -> Task:
        frame = self.prepared.frame
        return Task(
            user=user,
            bot=frame.bot.config.name,
            today=frame.context.today,
            question=question,
            passages=as_prompted(self.passages),
            sources=tuple(one.source for one in self.passages),
        )


def lay_out(prepared: Prepared, budget: int, count: Callable[[Sequence[str]], Sequence[int]]) -> Sheet:
    """The passages for a question, within a budget of tokens as `count` counts them."""
    material = material_of(prepared.frame, prepared.found)
    return Sheet(prepared, material, choose_passages(material, prepared.found.term_weights, budget, count))


async def write(task: Task, writer: Writer) -> AsyncGenerator[str | Written, None]:
    """Checked pieces of the text as they come, their markers numbered as in the answer, and last what came of it."""
    numbers = _Numbers()
    async with aclosing(writer.write(task)) as stream:
        async for piece in stream:
            yield piece if isinstance(piece, Written) else numbers.renumber(piece)


def finish(sheet: Sheet, written: Written, parts: Answering) -> Answer:
    """The whole answer: in the model's words, or in the regulations' own where those cannot be used."""
    if written.declined:
        given = refused(sheet.prepared.frame)
        return replace(given, model=written.llm, prompt=written.prompt, verification=Verification.VERIFIED)
    verified = written.verified
    if verified is None:
        return fall_back(sheet.prepared, parts, written.failures[-1][1], written.prompt)
    numbers = _Numbers()
    text = numbers.renumber(verified.text)
    by_number = {one.source.number: one for one in sheet.passages}
    used = [by_number[number] for number in numbers.order]
    quotations = [Quotation(one.material, one.blocks, one.source.text) for one in used]
    frame, found = sheet.prepared.frame, sheet.prepared.found
    citations, related, notices = cite_all(frame, found, sheet.material, quotations)
    outcome = Verification.VERIFIED
    if verified.outcome is Outcome.REPAIRED:
        outcome = Verification.REPAIRED
        notices = [*notices, Notice("llm-repaired", None, _REPAIRED)]
    given = frame.answer(Status.ANSWERED, text, citations, related, notices, written.llm)
    return replace(given, prompt=written.prompt, verification=outcome)


def fall_back(prepared: Prepared, parts: Answering, why: str, prompt: str | None = None) -> Answer:
    """The built-in composer's answer in place of a model's; `why`: a kind of ModelFailed, or one of those above."""
    given = quoted(parts, prepared)
    notice = Notice("llm-fallback", None, _NOTICES.get(why, _NO_REPLY))
    return replace(given, warnings=(*given.warnings, notice), prompt=prompt, verification=Verification.FALLBACK)


class _Numbers:
    """Numbers of passages by the order in which they are first used: `[7] … [2]` reads `[1] … [2]`."""

    def __init__(self) -> None:
        self.order: list[int] = []

    def renumber(self, text: str) -> str:
        return _MARKER.sub(self._new, text)

    def _new(self, match: re.Match[str]) -> str:
        number = int(match[1])
        if number not in self.order:
            self.order.append(number)
        return f"[{self.order.index(number) + 1}]"
