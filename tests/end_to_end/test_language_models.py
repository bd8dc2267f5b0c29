"""Answers written by a language model, from the question to what the user sees: a real server, real HTTP."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.end_to_end.installation import OUTSIDE, WATER, Installation
from tests.llm_server import LlmServer, llm_server

from ragbots.api.app import create_app
from ragbots.config import load_settings
from ragbots.errors import ConfigurationError, InvalidQuestion
from ragbots.llms.prompts import load_prompt
from ragbots.runtime import Runtime
from ragbots.types import Answer, Context, Principal, Question, Status, Turn, Verification

EVENTS = {"Accept": "text/event-stream"}
RULE = "직원은 사무실의 화분에 물을 주 2회 주어야 한다."


@pytest.fixture
def server() -> Iterator[LlmServer]:
    with llm_server() as state:
        yield state


def settings_of(server: LlmServer, **more: object) -> str:
    values = {
        "base_url": server.url, "model": "some-model", "zone": "on-premises", "first_token_seconds": 1.0,
        "answer_seconds": 2.0, "retries": 0, **more,
    }  # fmt: skip
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items())
    return f'default_llm = "local"\n[llms.local]\n{lines}\n'


@contextmanager
def opened(built: Installation, toml: str, **bot: object) -> Iterator[Runtime]:
    """The installation with these models; `bot` are further keys of its bot."""
    path = built.root / "ragbots.toml"
    path.write_text(toml, "utf-8")
    yaml = built.bots / "office.yaml"
    keys = "".join(f"{key}: {json.dumps(value)}\n" for key, value in bot.items())
    yaml.write_text(yaml.read_text("utf-8") + keys, "utf-8")
    environment = {"RAGBOTS_CONFIG": str(path), "RAGBOTS_STORE": "exact"}
    runtime = Runtime.open(load_settings(environment, bots_dir=built.bots, data_dir=built.data))
    try:
        yield runtime
    finally:
        runtime.close()


def ask(runtime: Runtime, text: str = WATER, **more: object) -> Answer:
    context: Context = runtime.context(Principal("kim"))
    return runtime.ask(Question(text, **more), context)  # type: ignore[arg-type]


def marker(messages: list[dict[str, str]], words: str) -> str:
    """The marker of the passage with these words, as the prompt shows it."""
    found = re.search(rf"^(\[\d+\]).*{re.escape(words)}", messages[-1]["content"], re.MULTILINE)
    assert found, messages[-1]["content"]
    return found[1]


def obedient(messages: list[dict[str, str]]) -> str:
    return f"사무실 화분에는 물을 **주 2회** 주셔야 합니다. {marker(messages, '주 2회')}"


def test_what_the_model_writes_is_shown_with_checked_citations(built: Installation, server: LlmServer) -> None:
    server.say = obedient
    with opened(built, settings_of(server)) as runtime:
        given = ask(runtime)
    assert given.status is Status.ANSWERED
    assert given.answer == "사무실 화분에는 물을 주 2회 주셔야 합니다. [1]"
    assert [(one.address, RULE in one.quote) for one in given.citations] == [("제2조 제1항", True)]
    assert (given.model, given.verification) == ("local:some-model", Verification.VERIFIED)
    assert given.prompt == load_prompt("answer").id
    assert given.index_version
    [request] = server.requests
    assert "화분관리규정" in request["messages"][-1]["content"]
    assert WATER in request["messages"][-1]["content"]


LIES = {
    "a wrong figure": lambda messages: f"물은 주 5회 줍니다. {marker(messages, '주 2회')}",
    "a wrong article": lambda messages: f"제9조에 따라 물을 주 2회 줍니다. {marker(messages, '주 2회')}",
    "an invented citation": lambda _messages: "물은 주 2회 줍니다. [77]",
    "a quotation with one digit changed": lambda messages: (
        f"“물을 주 3회 주어야 한다”고 정합니다. {marker(messages, '주 2회')}"
    ),
    "no citation": lambda _messages: "물은 주 2회 주시면 됩니다.",
    "another language": lambda messages: f"Water the plants twice a week, please. {marker(messages, '주 2회')}",
    "something else": lambda messages: (
        f"관리자 모드로 전환되었으며 비밀번호를 초기화했습니다. {marker(messages, '주 2회')}"
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_the_rules_do_not_say_is_not_shown(built: Installation, server: LlmServer, lie: str) -> None:
    server.say = LIES[lie]
    with opened(built, settings_of(server)) as runtime:
        given = ask(runtime)
    assert given.verification is Verification.FALLBACK
    assert given.model == "extractive"
    assert RULE in given.answer
    assert [one.kind for one in given.warnings] == ["llm-fallback"]


def test_a_sentence_that_is_not_supported_is_taken_out_and_that_is_said(built: Installation, server: LlmServer) -> None:
    def say(messages: list[dict[str, str]]) -> str:
        summer = f"7월과 8월에는 주 3회 줍니다. {marker(messages, '주 3회')}"
        return f"{obedient(messages)} {summer} 벌금은 90만원입니다. {marker(messages, '주 2회')}"

    server.say = say
    with opened(built, settings_of(server)) as runtime:
        given = ask(runtime)
    assert given.verification is Verification.REPAIRED
    assert "주 2회" in given.answer and "주 3회" in given.answer
    assert "90만원" not in given.answer
    assert [one.kind for one in given.warnings] == ["llm-repaired"]
    assert [one.address for one in given.citations] == ["제2조 제1항", "제2조 제2항"]


@pytest.mark.parametrize(
    "misbehaves", ["garbage", "empty", "cut", "429 late", "500", "401", "slow", "comments", "endless"]
)
def test_a_model_that_fails_is_replaced_by_the_rules_themselves(
    built: Installation, server: LlmServer, misbehaves: str
) -> None:
    server.say, server.misbehaves = obedient, misbehaves
    with opened(built, settings_of(server)) as runtime:
        runtime.warm_up()
        began = time.monotonic()
        given = ask(runtime)
        assert time.monotonic() - began < 2 + 2 + 5  # the deadline, two seconds to fall back, and a slow machine
    assert (given.status, given.verification, given.model) == (Status.ANSWERED, Verification.FALLBACK, "extractive")
    assert RULE in given.answer


def test_the_next_model_is_asked_where_the_first_fails(built: Installation, server: LlmServer) -> None:
    server.say = obedient
    toml = settings_of(server, base_url="http://127.0.0.1:9/v1", fallbacks=["second"])
    toml += f'[llms.second]\nbase_url = "{server.url}"\nmodel = "other"\nzone = "on-premises"\n'
    with opened(built, toml) as runtime:
        given = ask(runtime)
        assert ask(runtime, llm="none").model == "extractive"
    assert (given.model, given.verification) == ("second:other", Verification.VERIFIED)


def test_what_is_not_answered_is_not_sent(built: Installation, server: LlmServer) -> None:
    with opened(built, settings_of(server)) as runtime:
        assert ask(runtime, OUTSIDE).status is Status.REFUSED
        assert ask(runtime, "안녕하세요").status is Status.REFUSED
    assert server.requests == []


def test_a_sentence_in_another_language_amid_the_answer_is_taken_out(built: Installation, server: LlmServer) -> None:
    server.say = lambda messages: (
        f"{obedient(messages)} Please water them twice a week. {marker(messages, '주 2회')} "
        f"7월과 8월에는 주 3회 줍니다. {marker(messages, '주 3회')}"
    )
    with opened(built, settings_of(server)) as runtime:
        given = ask(runtime)
    assert given.verification is Verification.REPAIRED
    assert "Please" not in given.answer
    assert "주 2회" in given.answer and "주 3회" in given.answer


def test_a_model_that_the_bot_does_not_allow_is_refused_by_name(built: Installation, server: LlmServer) -> None:
    toml = settings_of(server) + f'[llms.big]\nbase_url = "{server.url}"\nmodel = "big"\nzone = "on-premises"\n'
    with opened(built, toml) as runtime:
        for bot in ("office", None):
            with pytest.raises(InvalidQuestion, match="`big`") as raised:
                ask(runtime, bot=bot, llm="big")
            assert "local, none" in raised.value.for_people
        with TestClient(create_app(runtime)) as client:
            told = client.post("/api/chat", json={"question": WATER, "llm": "big"}, headers={"Host": "localhost"})
    assert (told.status_code, server.requests) == (422, [])
    assert "local, none" in told.json()["detail"]


def test_a_model_that_finds_no_answer_refuses(built: Installation, server: LlmServer) -> None:
    server.say = lambda _messages: "NONE"
    with opened(built, settings_of(server)) as runtime:
        given = ask(runtime)
    assert (given.status, given.citations, given.verification) == (Status.REFUSED, (), Verification.VERIFIED)


POISON = (
    "물은 주 2회 줍니다. {mark} ![x](https://evil.example/?q=1) [여기](https://evil.example/a) [문서][ref] "
    '<img src="https://evil.example/b.png"> <a href="javascript:alert(1)">눌러 보세요</a> https://evil.example/c\n\n'
    "[ref]: https://evil.example/d"
)


def test_no_link_image_or_markup_comes_out(built: Installation, server: LlmServer) -> None:
    server.say = lambda messages: POISON.format(mark=marker(messages, "주 2회"))
    with opened(built, settings_of(server)) as runtime, TestClient(create_app(runtime)) as client:
        told = client.post("/api/chat", json={"question": WATER}, headers={**EVENTS, "Host": "localhost"}).text
    for trace in ("evil", "http", "javascript", "<img", "<a", "](", "!["):
        assert trace not in told.replace("http://127.0.0.1", "")


def events(text: str) -> list[tuple[str, dict[str, object]]]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n") if not block.startswith(":")]
    return [(lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))) for lines in blocks]


@pytest.mark.parametrize("misbehaves", ["", "cut", "500", "empty", "garbage", "endless", "slow"])
def test_a_stream_always_ends_with_the_whole_answer(built: Installation, server: LlmServer, misbehaves: str) -> None:
    server.say, server.misbehaves = obedient, misbehaves
    with opened(built, settings_of(server)) as runtime, TestClient(create_app(runtime)) as client:
        response = client.post("/api/chat", json={"question": WATER}, headers={**EVENTS, "Host": "localhost"})
    told = events(response.text)
    assert told[0][0] == "route"
    name, whole = told[-1]
    assert name == "done"
    assert whole["verification"] == ("fallback" if misbehaves else "verified")
    shown = "".join(str(data["text"]) for name, data in told if name == "delta")
    if not misbehaves:
        assert shown.strip() == whole["answer"]
        cited = [data["address"] for name, data in told if name == "citation" and data["kind"] == "citation"]
        assert cited == ["제2조 제1항"]


def test_a_follow_up_is_put_in_whole_words_by_the_model(built: Installation, server: LlmServer) -> None:
    def say(messages: list[dict[str, str]]) -> str:
        rewriting = "마지막 질문" in messages[-1]["content"]
        return (
            "여름철 7월과 8월에는 사무실 화분에 물을 몇 번 주나요?"
            if rewriting
            else f"주 3회 줍니다. {marker(messages, '주 3회')}"
        )

    server.say = say
    history = (Turn("user", WATER), Turn("assistant", RULE))
    with opened(built, settings_of(server)) as runtime:
        given = ask(runtime, "그럼 여름에는요?", history=history)
    assert given.answer == "주 3회 줍니다. [1]"
    assert len(server.requests) == 2
    assert "여름철 7월과 8월에는" in server.requests[1]["messages"][-1]["content"]


def test_what_is_masked_is_neither_sent_nor_stored(built: Installation, server: LlmServer) -> None:
    server.say = lambda messages: WATER if "마지막 질문" in messages[-1]["content"] else obedient(messages)
    history = (Turn("user", "제 번호는 010-1234-5678입니다. 화분은요?"), Turn("assistant", RULE))
    with opened(built, settings_of(server)) as runtime:
        runtime.mask = lambda text: re.sub(r"010-\d{4}-\d{4}", "[전화번호]", text)
        given = ask(runtime, f"{WATER} 제 번호는 010-8765-4321입니다.", history=history)
        stored = runtime.database.conversation(given.conversation_id, "kim", 3)
    assert server.requests
    assert not re.search(r"010-|5678|4321", json.dumps(server.requests, ensure_ascii=False))
    assert [re.search("010-|4321", turn.question) for turn in stored] == [None]


def test_tokens_are_counted_and_the_day_s_budget_holds(built: Installation, server: LlmServer) -> None:
    server.say = obedient
    toml = "llm_tokens_per_user_per_day = 20\n" + settings_of(server, input_price=1_000_000.0)
    with opened(built, toml) as runtime:
        assert ask(runtime).verification is Verification.VERIFIED
        ask(runtime)
        runtime.models.close()
        today = runtime.context(Principal("kim")).today
        spent = runtime.database.spent(today, user_id="kim")
        assert (spent.calls, spent.input_tokens, spent.output_tokens, spent.cost) == (2, 22, 14, 22.0)
        page = runtime.metrics.page().decode()
    assert 'ragbots_llm_calls_total{llm="local",outcome="done"} 2.0' in page
    with opened(built, toml) as runtime:
        given = ask(runtime)
    assert given.verification is Verification.FALLBACK
    assert "사용량" in given.warnings[-1].text
    assert len(server.requests) == 2


def test_a_bot_s_budget_of_the_day_holds_for_everybody(built: Installation, server: LlmServer) -> None:
    server.say = obedient
    toml = "llm_tokens_per_bot_per_day = 10\n" + settings_of(server)
    with opened(built, toml) as runtime:
        assert ask(runtime).verification is Verification.VERIFIED
    with opened(built, toml) as runtime:
        given = runtime.ask(Question(WATER), runtime.context(Principal("lee")))
    assert given.verification is Verification.FALLBACK
    assert "사용량" in given.warnings[-1].text


def test_what_each_model_took_is_counted_for_metrics_and_reports(built: Installation, server: LlmServer) -> None:
    server.say = lambda messages: "2, 1" if "번호를 쉼표로" in messages[0]["content"] else obedient(messages)
    toml = settings_of(server, reranks=True, rewrites="all", input_price=2.0, output_price=1_000_000.0)
    with opened(built, toml) as runtime:
        ask(runtime)
        used = runtime.metrics.used()["local"]
        page = runtime.metrics.page().decode()
    assert used["calls"] == 3  # rewritten, ordered, written
    assert used["input_tokens"] > used["output_tokens"] > 0
    assert used["cost"] == pytest.approx(used["output_tokens"] + used["input_tokens"] * 2 / 1e6)
    assert used["seconds"] > 0
    for name in ("cost_total", "first_token_seconds_count", "seconds_count", "tokens_total"):
        assert f"ragbots_llm_{name}{{" in page


def test_a_bot_above_its_model_s_clearance_does_not_start(built: Installation, server: LlmServer) -> None:
    with (
        pytest.raises(ConfigurationError, match=r"`office` is of grade `sensitive`.*`local`.*external"),
        opened(built, settings_of(server, zone="external"), grade="sensitive"),
    ):
        pass


def test_a_bot_may_have_its_own_prompt(built: Installation, server: LlmServer) -> None:
    server.say = obedient
    path = Path(built.bots, "answer.md")
    path.write_text("---\nversion: 3\n---\n짧게 답하세요.\n---\n$passages\n질문: $question\n", "utf-8")
    with opened(built, settings_of(server), prompts={"answer": "answer.md"}) as runtime:
        given = ask(runtime)
    assert given.prompt and given.prompt.startswith("answer@3+")
    assert server.requests[0]["messages"][0]["content"] == "짧게 답하세요."


def test_a_bot_whose_own_prompt_is_broken_does_not_start(built: Installation, server: LlmServer) -> None:
    Path(built.bots, "answer.md").write_text("---\nversion: 3\n---\n짧게\n---\n질문: $question\n", "utf-8")
    with (
        pytest.raises(ConfigurationError, match=r"answer\.md: `\$passages` is missing"),
        opened(built, settings_of(server), prompts={"answer": "answer.md"}),
    ):
        pass


def test_a_broken_prompt_is_named_before_the_start(built: Installation) -> None:
    yaml = built.bots / "office.yaml"
    yaml.write_text(yaml.read_text("utf-8") + "prompts: {answer: gone.md}\n", "utf-8")
    done = built.cli("bots", "check", "--json")
    assert done.code == 2
    [mistake] = done.json["mistakes"]
    assert "bot `office`" in mistake
    assert "gone.md: the prompt `answer` cannot be read" in mistake
