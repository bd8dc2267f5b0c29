from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.api.fake_runtime import ANSWER, BOTS, TODAY

from ragbots import access
from ragbots.config import BotConfig
from ragbots.errors import BotNotFound, NotFound
from ragbots.memory import WITHHELD, Memory, Said
from ragbots.schedule import KOREA
from ragbots.state import Database
from ragbots.types import Answer, Candidate, Context, Principal, Question, Status

KIM = Context(Principal("kim", channel="web"), TODAY)
BOSS = Principal("boss", frozenset({access.ADMINISTRATORS}))
LEE = Context(Principal("lee", frozenset({"board"}), "dooray"), TODAY)
SECRET = replace(ANSWER, id="a2", conversation_id="c2", bot="secret", candidates=())


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    database = Database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    yield Memory(database, BOTS, 30, lambda text: text.replace("010-1234-5678", "○○○"))
    database.close()


def test_an_answer_comes_back_as_it_was_given(memory: Memory) -> None:
    memory.remember(Question("연차는?"), ANSWER, KIM)
    [turn] = memory.turns("c1", KIM.principal)
    assert (turn.question, turn.answer, turn.feedback) == ("연차는?", ANSWER, None)
    assert [one.content for one in memory.history("c1", KIM.principal, 3)] == ["연차는?", ANSWER.answer]


def test_somebody_elses_conversation_is_not_found_in_any_way(memory: Memory) -> None:
    memory.remember(Question("내 급여"), ANSWER, KIM)
    for use in (memory.turns, memory.forget, memory.own):
        with pytest.raises(NotFound) as caught:
            use("c1", LEE.principal)
        assert "급여" not in str(caught.value)
    assert memory.conversations(LEE.principal) == []
    assert memory.forget_all(LEE.principal) == 0
    assert memory.own("c1", KIM.principal) == "c1"


def test_an_id_that_nobody_was_given_is_nobodys(memory: Memory) -> None:
    assert memory.own("c9", KIM.principal) is None
    with pytest.raises(NotFound):
        memory.turns("c9", KIM.principal)


def test_who_is_not_signed_in_has_no_list(memory: Memory) -> None:
    nobody = Principal("anonymous", authenticated=False)
    memory.remember(Question("연차는?"), ANSWER, replace(KIM, principal=nobody))
    assert memory.conversations(nobody) == []
    assert memory.forget_all(nobody) == 0
    assert len(memory.turns("c1", nobody)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        SECRET,
        replace(
            SECRET,
            bot=None,
            status=Status.CLARIFY,
            candidates=(Candidate("secret", "비밀", 0.5),),
            citations=(),
            related=(),
        ),
    ],
)
def test_answers_of_a_bot_that_may_no_longer_be_asked_are_withheld(memory: Memory, answer: Answer) -> None:
    memory.remember(Question("비밀은?"), answer, LEE)
    [seen] = memory.turns("c2", LEE.principal)
    assert seen.answer == answer
    without = replace(LEE.principal, groups=frozenset())
    [turn] = memory.turns("c2", without)
    assert (turn.answer.answer, turn.answer.citations, turn.answer.bot) == (WITHHELD, (), None)
    assert turn.answer.candidates == ()
    assert memory.history("c2", without, 3) == ()


def test_candidates_that_may_not_be_seen_are_left_out(memory: Memory) -> None:
    both = (Candidate("leave", "근태·휴가", 0.9), Candidate("secret", "비밀", 0.1))
    memory.remember(Question("연차는?"), replace(ANSWER, candidates=both), KIM)
    [turn] = memory.turns("c1", KIM.principal)
    assert [one.id for one in turn.answer.candidates] == ["leave"]


def test_feedback_has_what_was_asked_and_answered(memory: Memory) -> None:
    memory.remember(Question("연차는?"), ANSWER, KIM)
    kept = memory.say("a1", Said("down", "틀림", "010-1234-5678로 연락 주세요"), KIM)
    assert (kept.question, kept.answer, kept.bot, kept.index_version) == ("연차는?", ANSWER.answer, "leave", "v1")
    assert (kept.rating, kept.reason, kept.comment, kept.channel) == ("down", "틀림", "○○○로 연락 주세요", "web")
    memory.say("a1", Said("up"), KIM)
    [turn] = memory.turns("c1", KIM.principal)
    assert turn.feedback is not None
    assert (turn.feedback.rating, turn.feedback.comment) == ("up", None)
    memory.unsay("a1", KIM.principal)
    assert memory.feedback("leave", BOSS) == []
    with pytest.raises(NotFound):
        memory.unsay("a1", KIM.principal)


def test_feedback_is_for_answers_that_were_given_to_oneself(memory: Memory) -> None:
    memory.remember(Question("연차는?"), ANSWER, KIM)
    for answer_id, who in (("a1", LEE), ("a9", KIM)):
        with pytest.raises(NotFound):
            memory.say(answer_id, Said("up"), who)


def test_feedback_is_read_by_whoever_owns_the_bot(memory: Memory) -> None:
    owned = BOTS["leave"].model_copy(update={"access": BOTS["leave"].access.model_copy(update={"own": ("hr",)})})
    memory = replace(memory, bots={**BOTS, "leave": owned})
    memory.remember(Question("연차는?"), ANSWER, KIM)
    memory.say("a1", Said("up"), KIM)
    for bot, who in (("leave", KIM.principal), ("secret", KIM.principal), ("none", KIM.principal)):
        with pytest.raises(BotNotFound):
            memory.feedback(bot, who)
    assert len(memory.feedback("leave", Principal("park", frozenset({"hr"})))) == 1


def with_rule(memory: Memory) -> Memory:
    rule = {"documents": ({"path": "근태", "ask": ("audit",)},)}
    return replace(memory, bots={**BOTS, "leave": BotConfig.model_validate({**dict(BOTS["leave"]), "access": rule})})


def test_an_answer_out_of_a_document_that_may_no_longer_be_read_is_withheld_everywhere(memory: Memory) -> None:
    memory.remember(Question("연차는?"), ANSWER, KIM)
    memory.say("a1", Said("up", "좋음", "제21조가 맞네요"), KIM)
    memory = with_rule(memory)
    [turn] = memory.turns("c1", KIM.principal)
    assert (turn.answer.answer, turn.answer.citations, turn.answer.warnings) == (WITHHELD, (), ())
    assert memory.history("c1", KIM.principal, 3) == ()
    auditor = replace(KIM.principal, groups=frozenset({"audit"}))
    assert memory.turns("c1", auditor)[0].answer == ANSWER
    [said] = memory.feedback("leave", BOSS)  # who owns a bot does not read all of it
    assert (said.rating, said.question, said.answer, said.comment) == ("up", WITHHELD, WITHHELD, None)
    [whole] = memory.feedback("leave", replace(BOSS, groups=BOSS.groups | {"audit"}))
    assert (whole.answer, whole.comment) == (ANSWER.answer, "제21조가 맞네요")


def test_a_refusal_that_names_a_bot_and_its_contact_is_withheld_with_the_bot(memory: Memory) -> None:
    near = (Candidate("leave", "근태·휴가", 0.5), Candidate("secret", "비밀", 0.4))
    refusal = replace(ANSWER, status=Status.REFUSED, answer="- 비밀: 감사실", citations=(), related=(), candidates=near)
    memory.remember(Question("달은?"), refusal, KIM)
    assert memory.turns("c1", KIM.principal)[0].answer.answer == WITHHELD
    assert memory.turns("c1", replace(KIM.principal, groups=frozenset({"board"})))[0].answer == refusal


def test_a_greeting_names_the_bots_of_now_not_those_of_then(memory: Memory) -> None:
    greeting = replace(
        ANSWER, status=Status.REFUSED, answer="다음 분야: 비밀", bot=None, candidates=(), citations=(), related=(),
        index_version=None,
    )  # fmt: skip
    memory.remember(Question("안녕하세요"), greeting, KIM)
    shown = memory.turns("c1", KIM.principal)[0].answer.answer
    assert "비밀" not in shown
    assert BOTS["leave"].name in shown


def test_statistics_count_by_day_in_korea_and_of_one_bot(memory: Memory) -> None:
    memory.remember(Question("연차는?"), ANSWER, KIM)
    memory.remember(Question("달은?"), replace(ANSWER, id="a3", status=Status.REFUSED), KIM)
    memory.remember(Question("비밀은?"), SECRET, LEE)
    memory.say("a1", Said("up"), KIM)
    today = datetime.now(KOREA).date()
    found = memory.statistics("leave", BOSS, today - timedelta(days=1), today + timedelta(days=1))
    assert [(day.questions, day.refused, day.up, day.down) for day in found.days] == [(2, 1, 1, 0)]
    assert memory.statistics("leave", BOSS, today - timedelta(days=9), today - timedelta(days=2)).days == ()
    for who in (KIM.principal, LEE.principal):
        with pytest.raises(BotNotFound):
            memory.statistics("leave", who, today, today)


def test_what_was_kept_long_enough_is_deleted(memory: Memory) -> None:
    memory.remember(Question("연차는?"), ANSWER, KIM)
    now = datetime.now(UTC)
    assert memory.forget_expired(now + timedelta(days=29)) == 0
    assert replace(memory, days=0).forget_expired(now + timedelta(days=9_999)) == 0
    assert memory.forget_expired(now + timedelta(days=31)) == 1
    assert memory.conversations(KIM.principal) == []


def test_a_day_stays_a_day(memory: Memory) -> None:
    memory.remember(Question("연차는?"), replace(ANSWER, as_of=date(2020, 2, 29)), KIM)
    assert memory.turns("c1", KIM.principal)[0].answer.as_of == date(2020, 2, 29)
