"""Who may see what, asked at every door: no word of a document or bot that one may not see comes out of any of them.

Every document and every word a bot says of itself holds a canary that stands nowhere else. A privileged reader asks
everything first, so that the others try with ids that are real.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import yaml
from starlette.routing import Mount
from tests.end_to_end.installation import Files, Installation
from tests.end_to_end.serving import served
from tests.fakes import RecordingProgress

from ragbots.api.app import create_app
from ragbots.channels.messenger import Messenger
from ragbots.channels.messenger import Place as MessengerPlace
from ragbots.channels.words import text_of
from ragbots.embedders import SentenceEmbedder
from ragbots.lexical import Morphemes
from ragbots.runtime import Runtime
from ragbots.state.accounts import User
from ragbots.types import Principal

PATIENT = 120.0
CANARY = re.compile(r"[가-힣]{2}카나[0-9]{2}|canary-[a-z]+-[0-9]")


def regulation(title: str, subject: str, word: str, more: str = "") -> str:
    return f"""---
제목: {title}
시행일: 2026-01-01
---
# {title}

### 제1조(목적)

이 규정은 {subject}에 필요한 사항을 정하는 것을 목적으로 한다.

### 제2조({subject} 신청)

① {subject}의 신청은 {word} 양식으로 5일 전까지 한다.

② {subject}의 한도는 1년에 7회로 하고, 담당은 {word} 부서로 한다.

### 제3조({subject} 취소)

{subject}을 취소하려면 2일 전까지 {word} 부서에 알린다.{more}
"""


@dataclass(frozen=True)
class Planted:
    """A bot of the matrix: its documents by path, each with its canary and the groups a reader must be in one of for
    every rule."""

    id: str
    files: Files
    canaries: Mapping[str, tuple[frozenset[str], ...]]
    keys: Mapping[str, object]
    ask: frozenset[str] = frozenset()
    public: bool = False


def _said(word: str) -> dict[str, object]:
    """What a bot says of itself, canaries in all of it."""
    return {
        "name": f"{word}카나01 규정", "description": f"{word}카나02에 관한 것", "contact": f"{word}카나03 담당",
        "refusal": f"{word}카나04에는 없습니다.", "sample_questions": [f"{word}카나05은 언제 신청하나요?"],
        "glossary": {f"{word}카나06": [f"{word}카나07"]},
    }  # fmt: skip


def _own(word: str) -> dict[str, tuple[frozenset[str], ...]]:
    return {f"{word}카나0{number}": () for number in range(1, 8)}


AUDIT, BOARD, HR = frozenset({"audit"}), frozenset({"board"}), frozenset({"hr"})

BOTS = (
    Planted(
        "page", {"공개카나11 안내.md": regulation("공개카나12 이용규정", "회의실 대여", "공개카나13")},
        {"공개카나11": (), "공개카나12": (), "공개카나13": (), **_own("공개")},
        {**_said("공개"), "public": True}, public=True,
    ),
    Planted(
        "staff",
        {
            "복무카나11.md": regulation(
                "복무카나12 규정", "휴가", "복무카나13", "\n\n### 제4조(준용)\n\n「감사카나12 규정」 제2조를 준용한다."
            ).replace("감사카나12 규정", "특별 감사 규정"),
            "감사/감사카나11.md": regulation("특별 감사 규정", "휴가 감사", "감사카나13").replace(
                "# 특별 감사 규정", "# 특별 감사 규정\n\n## 제1장 감사카나12"
            ),
            "감사/임원/임원카나11.md": regulation("임원카나12 규정", "임원 휴가 감사", "임원카나13"),
        },
        {
            "복무카나11": (), "복무카나12": (), "복무카나13": (), **_own("복무"),
            "감사카나11": (AUDIT,), "감사카나12": (AUDIT,), "감사카나13": (AUDIT,),
            "임원카나11": (AUDIT, BOARD), "임원카나12": (AUDIT, BOARD), "임원카나13": (AUDIT, BOARD),
        },
        {
            **_said("복무"),
            "access": {
                "own": ["hr"],
                "documents": [{"path": "감사", "ask": ["audit"]}, {"path": "감사/임원/**", "ask": ["board"]}],
            },
        },
    ),
    Planted(
        "canary-pay-1", {"급여카나11.md": regulation("급여카나12 규정", "급여 가불", "급여카나13")},
        {"급여카나11": (), "급여카나12": (), "급여카나13": (), "canary-pay-1": (), **_own("급여")},
        {**_said("급여"), "access": {"ask": ["hr"], "own": ["hr"]}}, ask=HR,
    ),
)  # fmt: skip

READERS = {
    "stranger": Principal("stranger", authenticated=False),
    "member": Principal("member"),
    "auditor": Principal("auditor", AUDIT),
    "board": Principal("board", BOARD),
    "hr": Principal("hr", HR),
    "both": Principal("both", AUDIT | BOARD),
    "boss": Principal("boss", frozenset({"administrators"})),
    "scoped": Principal("scoped", HR | AUDIT | BOARD, bots=frozenset({"page"})),
    "all": Principal("all", HR | AUDIT | BOARD | {"administrators"}),
}

QUESTIONS = (
    "휴가 감사의 한도는 1년에 몇 회인가요?",
    "급여 가불의 신청은 며칠 전까지 하나요?",
    "회의실 대여를 취소하려면 며칠 전까지 알리나요?",
    "임원 휴가 감사의 신청은 언제까지 하나요?",
    "휴가는 며칠 전까지 신청하나요?",
    "특별 감사 규정의 양식은 무엇인가요?",
    "휴가 규정에서 최근에 바뀐 것은?",
    "달에서 지구까지 빛이 오는 데 걸리는 시간은?",
    "안녕하세요",
)


NAMED = (QUESTIONS[0], QUESTIONS[3], QUESTIONS[7])  # put to each bot by name


def seen_by(principal: Principal) -> set[str]:
    """The canaries that this reader may see, by the rules as they are written above and not by `access`."""
    found = set()
    for bot in BOTS:
        if principal.bots is not None and bot.id not in principal.bots:
            continue
        if not bot.public and (not principal.authenticated or (bot.ask and not bot.ask & principal.groups)):
            continue
        found |= {
            canary
            for canary, rules in bot.canaries.items()
            if all(principal.authenticated and rule & principal.groups for rule in rules)
        }
    return found


class ByName:
    """The key is a reader's name; `lost` are groups taken away since."""

    id = "names"
    requires_sign_in = True

    def __init__(self) -> None:
        self.lost: dict[str, frozenset[str]] = {}

    def principal(self, credentials: Any, channel: str) -> Principal | None:
        authorization = getattr(credentials, "authorization", credentials)
        name = (authorization or "").removeprefix("Bearer ")
        known = READERS.get(name)
        lost = self.lost.get(name, frozenset())
        return None if known is None else replace(known, channel=channel, groups=known.groups - lost)


@dataclass
class Matrix:
    """A served installation, and the ids that the one who may see everything was given."""

    url: str
    runtime: Runtime
    identity: ByName
    installation: Installation
    http: httpx.Client
    citations: list[str] = field(default_factory=list)
    conversations: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    unreleased: dict[str, str] = field(default_factory=dict)

    def request(self, reader: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {reader}", **more.pop("headers", {})}
        return self.http.request(method, f"{self.url}{path}", headers=headers, timeout=PATIENT, **more)

    def tool(self, reader: str, name: str, **arguments: Any) -> str:
        """All that an MCP call gives back, as text."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        headers = {"Accept": "application/json, text/event-stream"}
        return self.request(reader, "POST", "/mcp", json=body, headers=headers).text


@pytest.fixture(scope="module")
def matrix(
    tmp_path_factory: pytest.TempPathFactory, models: Path, embedder: SentenceEmbedder, morphemes: Morphemes
) -> Iterator[Matrix]:
    def run(arguments: list[str], environment: Mapping[str, str]) -> Any:
        raise NotImplementedError

    one = Installation(tmp_path_factory.mktemp("matrix"), models, run)
    for bot in BOTS:
        one.add(bot.id, bot.files, **bot.keys)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Runtime, "_embedder", embedder)
        patched.setattr(Runtime, "_morphemes", morphemes)
        with one.open(RAGBOTS_LIMITS_PER_USER="none") as runtime:  # one reader asks hundreds of times a minute
            identity = ByName()
            runtime.identity = identity
            versions = {bot.id: runtime.build(bot.id, RecordingProgress()).version for bot in BOTS}
            for bot_id, version in versions.items():
                runtime.release(bot_id, version, by="tester")
            unreleased = _another_version(runtime, one)
            runtime.warm_up()
            with served(runtime) as url, httpx.Client() as http:
                found = Matrix(url, runtime, identity, one, http, versions=versions, unreleased=unreleased)
                _ask_everything(found)
                yield found


def _another_version(runtime: Runtime, one: Installation) -> dict[str, str]:
    """A version of each bot that is built and not released."""
    for bot in BOTS:
        one.put({name: f"{text}\n\n이 개정은 아직 알리지 않았다.\n" for name, text in bot.files.items()}, bot.id)
    return {bot.id: runtime.build(bot.id, RecordingProgress()).version for bot in BOTS}


def _ask_everything(matrix: Matrix) -> None:
    bots = [None, *(bot.id for bot in BOTS)]
    for question in (*QUESTIONS, "감사카나13 양식과 급여카나13 양식은 언제 쓰나요?"):
        for bot in bots:
            answer = matrix.request("all", "POST", "/api/chat", json={"question": question, "bot": bot}).json()
            if question in QUESTIONS:  # what a person types themselves, the owner of the bot that answered reads
                matrix.answers.append(answer["id"])
            matrix.conversations.append(answer["conversation_id"])
            matrix.citations += [one["id"] for one in (*answer["citations"], *answer["related"])]
    for bot in BOTS:
        hits = matrix.request("all", "GET", "/api/search", params={"bot": bot.id, "q": QUESTIONS[0], "k": 20}).json()
        assert len(hits["hits"]) >= 3
        version = matrix.unreleased[bot.id]
        body = {"question": QUESTIONS[0], "bot": bot.id, "version": version}
        preview = matrix.request("all", "POST", "/api/chat", json=body).json()
        assert preview["index_version"] == version
        matrix.citations += [f"{bot.id}~{version}~{chunk}~0-1" for chunk in range(12)]
        matrix.citations += [f"{bot.id}~{matrix.versions[bot.id]}~{chunk}~0-1" for chunk in range(12)]
    for answer_id in matrix.answers:
        said = {"answer_id": answer_id, "rating": "down", "comment": "다른 양식이 있어요"}
        assert matrix.request("all", "POST", "/api/feedback", json=said).status_code == 200


# ---------------------------------------------------------------- what every door says

Output = Callable[[Matrix, str], Iterator[str]]


def chat(matrix: Matrix, reader: str) -> Iterator[str]:
    events = {"Accept": "text/event-stream"}
    for question in QUESTIONS:
        yield matrix.request(reader, "POST", "/api/chat", json={"question": question}).text
        yield matrix.request(reader, "POST", "/api/chat", json={"question": question}, headers=events).text
    for bot in BOTS:
        for question in NAMED:
            yield matrix.request(reader, "POST", "/api/chat", json={"question": question, "bot": bot.id}).text
        body = {"question": NAMED[0], "bot": bot.id}
        yield matrix.request(reader, "POST", "/api/chat", json=body, headers=events).text
    for bot in BOTS:
        for version in (matrix.unreleased[bot.id], matrix.versions[bot.id]):
            body = {"question": QUESTIONS[0], "bot": bot.id, "version": version}
            yield matrix.request(reader, "POST", "/api/chat", json=body).text
    for conversation in matrix.conversations[:3]:
        body = {"question": "그럼 취소는요?", "conversation_id": conversation}
        yield matrix.request(reader, "POST", "/api/chat", json=body).text


def bots(matrix: Matrix, reader: str) -> Iterator[str]:
    yield matrix.request(reader, "GET", "/api/bots").text


def versions(matrix: Matrix, reader: str) -> Iterator[str]:
    for bot in BOTS:
        yield matrix.request(reader, "GET", f"/api/bots/{bot.id}/versions").text


def counts(matrix: Matrix, reader: str) -> Iterator[str]:
    for bot in BOTS:
        yield matrix.request(reader, "GET", f"/api/bots/{bot.id}/statistics").text


def search(matrix: Matrix, reader: str) -> Iterator[str]:
    for bot in BOTS:
        for question in NAMED:
            params = {"bot": bot.id, "q": question, "k": 20}
            yield matrix.request(reader, "GET", "/api/search", params=params).text


def passages(matrix: Matrix, reader: str) -> Iterator[str]:
    for citation in dict.fromkeys(matrix.citations):
        for path in ("/api/citations", "/c"):
            yield matrix.request(reader, "GET", f"{path}/{quote(citation, safe='~')}").text


def conversations(matrix: Matrix, reader: str) -> Iterator[str]:
    yield matrix.request(reader, "GET", "/api/conversations").text
    yield matrix.request(reader, "GET", "/api/conversations/export").text
    for conversation in matrix.conversations[:8]:
        yield matrix.request(reader, "GET", f"/api/conversations/{conversation}").text
        if reader != "all":
            yield matrix.request(reader, "DELETE", f"/api/conversations/{conversation}").text


def feedback(matrix: Matrix, reader: str) -> Iterator[str]:
    for bot in BOTS:
        yield matrix.request(reader, "GET", "/api/feedback", params={"bot": bot.id}).text
    if reader != "all":
        for answer in matrix.answers[:5]:
            yield matrix.request(reader, "POST", "/api/feedback", json={"answer_id": answer, "rating": "up"}).text
            yield matrix.request(reader, "DELETE", f"/api/feedback/{answer}").text


def openai(matrix: Matrix, reader: str) -> Iterator[str]:
    yield matrix.request(reader, "GET", "/v1/models").text
    for model in ("auto", *(bot.id for bot in BOTS)):
        yield matrix.request(reader, "GET", f"/v1/models/{model}").text
        for question in QUESTIONS[:2]:
            for stream in (False, True):
                body = {"model": model, "messages": [{"role": "user", "content": question}], "stream": stream}
                yield matrix.request(reader, "POST", "/v1/chat/completions", json=body).text


def mcp(matrix: Matrix, reader: str) -> Iterator[str]:
    yield matrix.tool(reader, "list_bots")
    for bot in BOTS:
        yield matrix.tool(reader, "search_regulations", bot=bot.id, query=QUESTIONS[0], k=20)
        yield matrix.tool(reader, "ask", bot=bot.id, question=QUESTIONS[3])
        for address in ("제1조", "제2조", "제4조", "제99조"):
            yield matrix.tool(reader, "get_article", bot=bot.id, address=address)
        for name in bot.files:
            yield matrix.tool(reader, "get_article", bot=bot.id, address="제2조", document=name)
    yield matrix.tool(reader, "ask", question=QUESTIONS[0])


def outside(matrix: Matrix, reader: str) -> Iterator[str]:
    for path in (
        "/", "/docs", "/docs.css", "/openapi.json", "/widget.js", "/passage.css", "/healthz", "/readyz", "/v1/none",
        "/static/index.html", "/api/me", "/login", "/login/callback", "/logout", "/sign-in.css",
    ):  # fmt: skip
        yield matrix.request(reader, "GET", path).text
        yield matrix.http.get(f"{matrix.url}{path}", timeout=PATIENT).text
    for path in ("/login", "/logout", "/logout/backchannel"):
        yield matrix.request(reader, "POST", path, data={"user": "x", "password": "x"}).text
    for bot in BOTS:
        yield matrix.request(
            reader, "POST", "/api/widget-tokens", json={"bot": bot.id, "origin": "https://x.example"}
        ).text
    if reader not in ("boss", "all"):  # who administers an installation knows its bots by id
        yield matrix.request(reader, "GET", "/metrics").text
        yield matrix.http.get(f"{matrix.url}/metrics", timeout=PATIENT).text


# Every operation of the application stands here with what asks it above; one that does not fails the test below.
OPERATIONS: Mapping[Output, tuple[str, ...]] = {
    chat: ("POST /api/chat",),
    bots: ("GET /api/bots",),
    versions: ("GET /api/bots/{bot_id}/versions",),
    counts: ("GET /api/bots/{bot_id}/statistics",),
    search: ("GET /api/search",),
    passages: ("GET /api/citations/{citation_id}", "GET /c/{citation_id}"),
    conversations: (
        "GET /api/conversations", "GET /api/conversations/export", "GET /api/conversations/{conversation_id}",
        "DELETE /api/conversations/{conversation_id}", "DELETE /api/conversations",
    ),
    feedback: ("GET /api/feedback", "POST /api/feedback", "DELETE /api/feedback/{answer_id}"),
    openai: (
        "GET /v1/models", "GET /v1/models/{model}", "POST /v1/chat/completions",
        *(f"{method} /v1/{{path:path}}" for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
    ),
    mcp: ("* /mcp",),
    outside: (
        "GET /", "GET /docs", "GET /docs.css", "GET /openapi.json", "GET /widget.js", "GET /passage.css",
        "GET /healthz", "GET /readyz", "GET /metrics", "* /static",
        "GET /api/me", "POST /api/widget-tokens", "GET /login", "POST /login", "GET /login/callback", "GET /logout",
        "POST /logout", "POST /logout/backchannel", "GET /sign-in.css",
    ),
}  # fmt: skip
TOOLS = {"list_bots", "search_regulations", "ask", "get_article"}


def _operations(routes: Any) -> Iterator[str]:
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if not hasattr(route, "path") and inner is not None:
            yield from _operations(inner.routes)
        elif isinstance(route, Mount) or not route.methods:
            yield f"* {route.path}"
        else:
            yield from (f"{method} {route.path}" for method in route.methods if method != "HEAD")


def test_every_operation_of_the_application_is_in_the_matrix(matrix: Matrix) -> None:
    known = {operation for operations in OPERATIONS.values() for operation in operations}
    there = set(_operations(create_app(matrix.runtime).routes))
    assert there - known == set(), "an operation that the matrix does not ask: add it there"
    assert known - there == set(), "an operation of the matrix that is gone"


def test_every_tool_is_in_the_matrix(matrix: Matrix) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"Accept": "application/json, text/event-stream"}
    answered = matrix.request("all", "POST", "/mcp", json=body, headers=headers)
    assert {tool["name"] for tool in answered.json()["result"]["tools"]} == TOOLS


@pytest.mark.parametrize("output", list(OPERATIONS), ids=lambda output: output.__name__)
@pytest.mark.parametrize("reader", list(READERS))
def test_no_canary_reaches_who_may_not_see_it(matrix: Matrix, reader: str, output: Output) -> None:
    allowed = seen_by(READERS[reader])
    told = [text for text in output(matrix, reader) if text]
    assert told
    leaked = {canary: text[:400] for text in told for canary in CANARY.findall(text) if canary not in allowed}
    assert leaked == {}


def test_a_messenger_tells_no_more_than_who_reads_it_may_see(matrix: Matrix) -> None:
    """A direct message its sender with a linked account; a room any member; among outsiders whoever comes."""
    accounts = matrix.runtime.accounts
    for name in ("hr", "both"):
        accounts.add_user(User(name, name, READERS[name].groups, True, datetime.now(UTC)))
        accounts.link(f"dooray:{name}", name)
    messenger = Messenger(matrix.runtime, "dooray", "secret")
    direct, room = MessengerPlace("both", "d", direct=True), MessengerPlace("both", "r")
    said: dict[str, str] = {}
    for name, place, reader in (
        ("hr", replace(direct, user="hr"), "hr"), ("both", direct, "both"),
        ("not linked", replace(direct, user="nobody"), "member"), ("room", room, "member"),
        ("outsiders", replace(direct, outsiders=True), "stranger"),
    ):  # fmt: skip
        given = [asyncio.run(messenger.ask(question, place)) for question in QUESTIONS]
        said[name] = " ".join(one if isinstance(one, str) else f"{text_of(one)} {one.citations}" for one in given)
        assert set(CANARY.findall(said[name])) <= seen_by(READERS[reader]), name
    assert "임원카나13" in said["both"]
    assert "급여카나13" in said["hr"]


def alike(hidden: httpx.Response, missing: httpx.Response) -> bool:
    return (hidden.status_code, hidden.content) == (missing.status_code, missing.content)


@pytest.mark.parametrize("reader", ["stranger", "member", "auditor", "boss", "scoped"])
def test_a_bot_that_may_not_be_seen_answers_like_none(matrix: Matrix, reader: str) -> None:
    """To the byte, and through the same code: nothing but the name that was asked for differs."""

    def asked(bot: str) -> list[httpx.Response]:
        chatted: dict[str, Any] = {"question": QUESTIONS[1], "bot": bot}
        completed = {"model": bot, "messages": [{"role": "user", "content": QUESTIONS[1]}]}
        return [
            matrix.request(reader, "POST", "/api/chat", json=chatted),
            matrix.request(reader, "POST", "/api/chat", json={**chatted, "version": "20261123-101500-ab12cd"}),
            matrix.request(reader, "GET", "/api/search", params={"bot": bot, "q": QUESTIONS[1]}),
            matrix.request(reader, "GET", f"/api/bots/{bot}/versions"),
            matrix.request(reader, "GET", f"/api/bots/{bot}/statistics"),
            matrix.request(reader, "GET", "/api/feedback", params={"bot": bot}),
            matrix.request(reader, "GET", f"/v1/models/{bot}"),
            matrix.request(reader, "POST", "/v1/chat/completions", json=completed),
            matrix.request(reader, "GET", f"/api/citations/{bot}~{matrix.versions['canary-pay-1']}~0~0-1"),
            matrix.request(reader, "GET", f"/c/{bot}~{matrix.versions['canary-pay-1']}~0~0-1"),
        ]

    for hidden, missing in zip(asked("canary-pay-1"), asked("nothing-like-it"), strict=True):
        assert hidden.status_code == 404
        assert alike(hidden, missing), hidden.url
    for name, more in (
        ("search_regulations", {"query": QUESTIONS[1]}), ("ask", {"question": QUESTIONS[1]}),
        ("get_article", {"address": "제1조"}),
    ):  # fmt: skip
        found = [matrix.tool(reader, name, bot=bot, **more) for bot in ("canary-pay-1", "nothing-like-it")]
        assert found[0] == found[1]


def test_how_long_it_takes_does_not_tell_a_hidden_bot_from_none(matrix: Matrix) -> None:
    """Loosely: what is refused before anything is computed takes no part of the time of an answer."""

    def median(bot: str) -> float:
        taken = []
        for _ in range(40):
            began = time.perf_counter()
            assert matrix.request("member", "GET", "/api/search", params={"bot": bot, "q": "휴가"}).status_code == 404
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    hidden, missing = median("canary-pay-1"), median("nothing-like-it")
    assert 1 / 3 < hidden / missing < 3


def test_a_document_that_may_not_be_read_answers_like_none(matrix: Matrix) -> None:
    released = matrix.versions["staff"]
    chunks = matrix.runtime.current().bots["staff"].version.contents
    sources = [next(one.source for one in chunks.documents if one.id == chunk.document_id) for chunk in chunks.chunks]
    assert {source.split("/")[0] for source in sources} == {"복무카나11.md", "감사"}
    for number, source in enumerate(sources):
        citation = f"staff~{released}~{number}~0-1"
        hidden = matrix.request("member", "GET", f"/api/citations/{citation}")
        missing = matrix.request("member", "GET", f"/api/citations/staff~{released}~999~0-1")
        assert alike(hidden, missing) is source.startswith("감사"), source
    documents = [matrix.tool("member", "get_article", bot="staff", address="제2조", document=name)
                 for name in ("특별 감사 규정", "없는 규정")]  # fmt: skip
    assert documents[0] == documents[1]


def test_answers_are_those_of_a_bot_that_never_had_the_hidden_documents(matrix: Matrix) -> None:
    """Nothing of an answer depends on what is hidden: no score, no confidence, no choice of bot, no text."""
    only = {name: text for name, text in BOTS[1].files.items() if not name.startswith("감사/")}
    other = replace(matrix.installation, root=matrix.installation.root.parent / "without")
    other.add("staff", only, **{**BOTS[1].keys, "access": {}})
    other.add("page", BOTS[0].files, **BOTS[0].keys)
    with other.open() as runtime:
        for bot in ("staff", "page"):
            runtime.release(bot, runtime.build(bot, RecordingProgress()).version, by="tester")
        runtime.identity = ByName()
        with served(runtime) as url:
            without = replace(matrix, url=url, runtime=runtime)
            for question in QUESTIONS:
                for bot in (None, "staff"):
                    body = {"question": question, "bot": bot}
                    answers = [
                        one.request("member", "POST", "/api/chat", json=body).json() for one in (matrix, without)
                    ]
                    assert _compared(answers[0]) == _compared(answers[1]), question


def _compared(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what names it, and the scores to what the lengths of fields may change."""
    bare = {key: answer[key] for key in ("status", "answer", "bot", "as_of", "warnings")}
    cited = [(one["source"], one["address"], one["quote"], one["marks"]) for one in answer["citations"]]
    related = [(one["source"], one["address"]) for one in answer["related"]]
    return {**bare, "citations": cited, "related": related, "candidates": [one["id"] for one in answer["candidates"]]}


def test_what_is_taken_away_is_gone_from_history_and_open_conversations(matrix: Matrix) -> None:
    given = matrix.request("both", "POST", "/api/chat", json={"question": QUESTIONS[0], "bot": "staff"}).json()
    conversation = given["conversation_id"]
    assert CANARY.findall(given["answer"])
    try:
        matrix.identity.lost["both"] = AUDIT
        shown = matrix.request("both", "GET", f"/api/conversations/{conversation}").text
        exported = matrix.request("both", "GET", "/api/conversations/export").text
        body = {"question": "그럼 취소는요?", "bot": "staff", "conversation_id": conversation}
        after = matrix.request("both", "POST", "/api/chat", json=body).text
        for text in (shown, exported, after):
            assert not {one for one in CANARY.findall(text) if one.startswith(("감사", "임원"))}
    finally:
        matrix.identity.lost.clear()
    assert "감사카나13" in matrix.request("both", "GET", f"/api/conversations/{conversation}").text


def test_a_rule_that_is_written_into_the_file_holds_without_a_build_or_a_start(matrix: Matrix) -> None:
    path = matrix.installation.bots / "staff.yaml"
    before = path.read_text("utf-8")
    ask = {"question": "휴가는 며칠 전까지 신청하나요?", "bot": "staff"}
    assert "복무카나13" in matrix.request("member", "POST", "/api/chat", json=ask).text
    values = yaml.safe_load(before)
    values["access"]["documents"].append({"path": "복무*", "ask": ["hr"]})
    try:
        path.write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
        time.sleep(1)
        assert "복무카나1" not in matrix.request("member", "POST", "/api/chat", json=ask).text
        assert "복무카나1" not in matrix.request("member", "GET", "/api/bots").text
        assert "복무카나13" in matrix.request("hr", "POST", "/api/chat", json=ask).text
        path.write_text("id: staff\nname: [", "utf-8")  # what cannot be read opens nothing
        time.sleep(1)
        assert "복무카나1" not in matrix.request("member", "POST", "/api/chat", json=ask).text
        path.unlink()
        time.sleep(1)
        assert matrix.request("hr", "POST", "/api/chat", json=ask).status_code == 404
    finally:
        path.write_text(before, "utf-8")
        time.sleep(1)
    assert "복무카나13" in matrix.request("member", "POST", "/api/chat", json=ask).text


def test_the_canaries_do_come_out_to_who_may_see_them(matrix: Matrix) -> None:
    """Else the test above would be content with silence."""
    told = "".join(text for output in OPERATIONS for text in output(matrix, "all"))
    everything = {canary for bot in BOTS for canary in bot.canaries}
    silent = {
        f"{word}카나0{number}" for word in ("공개", "복무", "급여") for number in (6, 7)
    }  # glossaries are not told
    assert everything - set(CANARY.findall(told)) - silent == set()
