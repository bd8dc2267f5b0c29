"""Questions that are none, or that come in another form."""

from __future__ import annotations

import unicodedata

import pytest
from tests.end_to_end.installation import OUTSIDE, PARKING, WATER, Installation, ask, here

from ragbots.errors import BotNotFound, InvalidQuestion, NotFound
from ragbots.types import Principal, Question, Status


@pytest.mark.parametrize(
    "text",
    ["", "  \t\n\u3000", "\x00\x01\x1b\x7f", "?!…", "\u200b\u202e\ufeff", "가" * 2001, "연차" * 10**6, "\x00" * 10**6],
    ids=["empty", "spaces", "controls", "signs", "invisible", "too long", "1 MB", "1 MB of controls"],
)  # fmt: skip
def test_what_is_no_question_is_refused_in_korean_at_once(built: Installation, text: str) -> None:
    with built.open() as runtime:
        for asked in (lambda: ask(runtime, text), lambda: runtime.search("office", text, 5, here(runtime))):
            with pytest.raises(InvalidQuestion) as caught:
                asked()
            assert any("가" <= character <= "힣" for character in caught.value.for_people)
            assert len(str(caught.value)) < 300
    for command in (("ask",), ("search", "--bot", "office")):
        done = built.cli(*command, "--", text)
        assert done.code == 2
        assert "question" in done.err
        assert len(done.err) < 500


def test_half_of_a_surrogate_pair_is_no_text(built: Installation) -> None:
    """What a terminal in another encoding sends."""
    with built.open() as runtime, pytest.raises(InvalidQuestion):
        ask(runtime, "화분에 물은 \udcff\udcfe 몇 번?")


def test_the_longest_question_allowed_is_answered(built: Installation) -> None:
    text = (WATER + " ") * 100
    with built.open() as runtime:
        assert ask(runtime, text[:2000]).status is Status.ANSWERED
        assert ask(runtime, unicodedata.normalize("NFD", text[:1999])).status is Status.ANSWERED


@pytest.mark.parametrize("question", [WATER, PARKING])
def test_every_way_of_typing_a_question_finds_the_same(built: Installation, question: str) -> None:
    forms = [
        unicodedata.normalize("NFD", question),
        f"\x07{question[:4]}\u200b{question[4:]}\x00",
        f"  {question.replace(' ', '   ')}\r\n",
    ]
    with built.open() as runtime:
        expected = runtime.search("office", question, 10, here(runtime)).hits
        answer = ask(runtime, question).answer
        for form in forms:
            assert runtime.search("office", form, 10, here(runtime)).hits == expected
            assert ask(runtime, form).answer == answer


def test_a_bot_that_does_not_exist(built: Installation) -> None:
    with built.open() as runtime:
        for bot in ("offices", "../office", "[/red]", "a" * 10_000):
            with pytest.raises(BotNotFound):
                ask(runtime, WATER, bot)
    for command in (
        ("ask", "--bot", "[/offices]", WATER),
        ("search", "--bot", "[/offices]", WATER),
        ("index", "build", "[/offices]"),
        ("index", "release", "[/offices]", "v1"),
        ("index", "rollback", "[/offices]"),
        ("index", "status", "[/offices]"),
        ("index", "verify", "[/offices]"),
        ("index", "prune", "[/offices]"),
    ):
        done = built.cli(*command)
        assert (done.code, "[/offices]" in done.err, "bots list" in done.err) == (2, True, True), (command, done.err)


def test_a_bot_that_was_never_released(built: Installation) -> None:
    built.add("new", {})
    done = built.cli("ask", "--bot", "new", WATER)
    assert done.code == 1
    assert "index build new --release" in done.err
    assert built.cli("ask", WATER).code == 0  # the others answer


def test_nothing_fitting_is_refused_with_whom_to_ask(built: Installation) -> None:
    with built.open() as runtime:
        for bot in ("office", None):
            answer = ask(runtime, OUTSIDE, bot)
            assert answer.status is Status.REFUSED
            assert "총무부 (내선 1000)" in answer.answer
            assert answer.citations == answer.related == ()


def test_a_bot_may_say_for_itself_how_sure_is_sure_enough(built: Installation) -> None:
    written = built.bots / "office.yaml"
    said = written.read_text("utf-8")
    for least, status in ((1.0, Status.REFUSED), (0.0, Status.ANSWERED)):
        written.write_text(f"{said}refuse_below: {least}\n", "utf-8")
        with built.open() as runtime:
            assert ask(runtime, WATER).status is status


def test_an_answer_quotes_what_stands_in_the_passage(built: Installation) -> None:
    with built.open() as runtime:
        for question, words, address in ((WATER, "주 2회", "제2조 제1항"), (PARKING, "1,000원", "제2조 제2항")):
            answer = ask(runtime, question)
            assert answer.status is Status.ANSWERED
            assert words in answer.answer
            citation = next(one for one in answer.citations if words in one.quote)
            assert citation.address == address
            passage = runtime.passage(citation.id, here(runtime))
            assert passage.quote == citation.quote
            assert [block.quoted for block in passage.blocks].count(True) == 1
            cited, related = (
                {(one.source, one.article) for one in some} for some in (answer.citations, answer.related)
            )
            assert related
            assert not cited & related


@pytest.mark.parametrize("end", ["999999999~0-1", "0~0-999999999", "0~5-99", "0~x-1", "0~0-1\n", f"0~0-{'9' * 40}"])
def test_a_citation_that_was_made_up_is_not_found_at_once(built: Installation, end: str) -> None:
    (version,) = built.versions()
    with built.open() as runtime:
        for start in (f"office~{version}", "office~20200101-000000-aaaaaa", f"none~{version}", "office~.."):
            with pytest.raises(NotFound):
                runtime.passage(f"{start}~{end}", here(runtime))


class TestConversation:
    LEANS = "그럼 여름철에는요?"

    def test_a_follow_up_is_understood_from_its_conversation(self, built: Installation) -> None:
        with built.open() as runtime:
            first = ask(runtime, WATER)
            question = Question(self.LEANS, bot="office", conversation_id=first.conversation_id)
            second = runtime.ask(question, here(runtime))
        assert second.conversation_id == first.conversation_id
        assert "주 3회" in second.answer

    def test_somebody_elses_conversation_is_neither_read_nor_written(self, built: Installation) -> None:
        with built.open() as runtime:
            mine = ask(runtime, WATER).conversation_id
            other = runtime.context(Principal("somebody else"))
            with pytest.raises(NotFound):
                runtime.ask(Question(self.LEANS, bot="office", conversation_id=mine), other)
            assert len(runtime.database.conversation(mine, "tester", 10)) == 1

    def test_evaluation_leaves_no_trace(self, built: Installation) -> None:
        with built.open() as runtime:
            answer = runtime.answer_unremembered(Question(WATER, bot="office"), here(runtime))
            assert runtime.database.conversation(answer.conversation_id, "tester", 10) == []
