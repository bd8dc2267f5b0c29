"""Personal data in a question reaches nothing through any door, and every door's use is in the audit."""

from __future__ import annotations

import json
import logging
import sqlite3

import httpx
import openai
import pytest
from tests.end_to_end.installation import WATER, Installation, ask
from tests.end_to_end.serving import served

from ragbots.redaction import Redacting
from ragbots.state.audit import AuditRecord
from ragbots.types import Principal, Question

NUMBER = "９００１０１ – 1234567"
MARKS = ("1234567", "900101", "９００１０１")
ASKED = f"{WATER} 제 주민번호는 {NUMBER}입니다."


def kept(installation: Installation) -> str:
    """All that the installation has written, but its indexes and models."""
    files = [path for path in installation.data.rglob("*") if path.is_file() and path.suffix != ".npy"]
    kept = [
        path for path in files if not {"models", "indexes", "embeddings"} & {*path.relative_to(installation.data).parts}
    ]
    database = sqlite3.connect(installation.data / "state.sqlite3")
    words = "\n".join(database.iterdump())
    database.close()
    return words + "".join(path.read_bytes().decode("utf-8", "ignore") for path in kept)


def records(installation: Installation) -> list[AuditRecord]:
    with installation.open() as runtime:
        assert runtime.audit_log.verify().damage is None
        return list(runtime.audit_log.records())


def test_no_door_lets_it_through(built: Installation, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ragbots")
    caplog.set_level(logging.DEBUG, "uvicorn")
    with built.open() as runtime, served(runtime) as url, httpx.Client(base_url=url, timeout=120) as web:
        history = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": "네"}]
        answer = web.post("/api/chat", json={"question": ASKED, "bot": "office", "history": history}).json()
        assert answer["status"] == "answered"
        assert web.get("/api/search", params={"bot": "office", "q": ASKED}).json()["hits"]
        comment = {"answer_id": answer["id"], "rating": "up", "reason": NUMBER, "comment": ASKED}
        said = web.post("/api/feedback", json=comment).json()
        assert web.post("/api/chat", json={"question": ASKED, "bot": NUMBER}).status_code == 404
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", timeout=120, max_retries=0)
        client.chat.completions.create(model="office", messages=[{"role": "user", "content": ASKED}])
        client.close()
        shown = web.get(f"/api/citations/{answer['citations'][0]['id']}").json()
        read = web.get("/api/feedback", params={"bot": "office"}).json()
        listed = web.get("/api/conversations/export").text
    assert shown["id"] == answer["citations"][0]["id"]
    for told in (kept(built), caplog.text, json.dumps([said, read], ensure_ascii=False), listed):
        assert not [mark for mark in MARKS if mark in told]
    assert said["comment"] == f"{WATER} 제 주민번호는 [주민등록번호]입니다."
    used = [(one.kind, one.channel, one.address) for one in records(built) if one.channel != "cli"]
    assert used == [
        ("question", "web", "127.0.0.1"),
        ("search", "web", "127.0.0.1"),
        ("refused", "web", "127.0.0.1"),
        ("question", "openai", "127.0.0.1"),
        ("passage", "web", "127.0.0.1"),
        ("feedback read", "web", "127.0.0.1"),
        ("conversations exported", "web", "127.0.0.1"),
    ]


def test_the_command_line_neither(built: Installation) -> None:
    assert built.cli("ask", ASKED, "--bot", "office", "--json").code == 0
    version = built.versions()[-1]
    assert built.cli("ask", ASKED, "--bot", "office", "--version", version).code == 0
    assert built.cli("search", "--bot", "office", ASKED).code == 0
    assert not [mark for mark in MARKS if mark in kept(built)]
    assert [one.kind for one in records(built)][-3:] == ["question", "question", "search"]


def test_a_record_says_what_was_asked_and_shown(built: Installation) -> None:
    with built.open() as runtime:
        answer = ask(runtime, ASKED)
    last = records(built)[-1]
    what = json.loads(last.what)
    assert last.user_id == "tester"
    assert what["question"] == f"{WATER} 제 주민번호는 [주민등록번호]입니다."
    assert (what["status"], what["bot"], what["version"]) == ("answered", "office", answer.index_version)
    assert (what["answer"], what["conversation"]) == (answer.id, answer.conversation_id)
    assert f"{answer.citations[0].source} {answer.citations[0].address}" in what["shown"]


def test_evaluation_is_nobodys_question(built: Installation) -> None:
    before = len(records(built))
    with built.open() as runtime:
        runtime.answer_unremembered(Question(WATER, bot="office"), runtime.context(Principal("x")))
    assert len(records(built)) == before


def test_administrative_acts_are_recorded_and_tampering_is_told(built: Installation) -> None:
    first = built.versions()[-1]
    built.put({"새지침.md": "# 새지침\n\n### 제1조(목적)\n\n이 지침은 새것이다.\n"})
    second = built.build()
    assert built.cli("index", "rollback", "office").code == 0
    assert built.cli("index", "release", "office", second).code == 0
    assert built.cli("index", "prune", "--keep", "1", "--cited-days", "0").code == 0
    assert built.cli("feedback", "list").code == 0
    acts = [(one.kind, json.loads(one.what)) for one in records(built)][-5:]
    assert [kind for kind, _ in acts] == ["release", "rollback", "release", "prune", "feedback read"]
    assert acts[1][1] == {"bot": "office", "version": first}
    assert acts[3][1] == {"bot": "office", "versions": [first]}
    exported = built.cli("audit", "export")
    lines = [json.loads(line) for line in exported.out.splitlines()]
    assert [line["kind"] for line in lines][-6:] == [*(kind for kind, _ in acts), "audit exported"]
    table = built.cli("audit", "export", "--format", "csv", "--from", "2026-01-01", "--to", "2100-01-01")
    assert table.out.splitlines()[0] == "seq,at,kind,user_id,channel,address,what,previous,hash"
    assert len(table.out.splitlines()) == len(lines) + 2
    assert built.cli("audit", "export", "--to", "2001-01-01").out == ""
    whole = built.cli("audit", "verify", "--json")
    assert (whole.code, whole.json["whole"]) == (0, True)
    database = sqlite3.connect(built.data / "state.sqlite3")
    with database:
        database.execute("UPDATE audit SET user_id = 'lee' WHERE kind = 'rollback'")
    database.close()
    broken = built.cli("audit", "verify", "--json")
    assert (broken.code, broken.json["damage"]["kind"]) == (3, "edited")
    assert built.cli("audit", "verify").code == 3
    assert built.cli("audit", "prune", RAGBOTS_AUDIT_DAYS="30").code == 0


def test_a_log_line_holds_none_whatever_library_wrote_it() -> None:
    try:
        raise ValueError(f"bad row: {ASKED}")
    except ValueError as error:
        record = logging.LogRecord(
            "any", logging.ERROR, "", 1, "failed: %s", (NUMBER,), (ValueError, error, error.__traceback__)
        )
    line = Redacting("%(message)s").format(record)
    assert "failed: [주민등록번호]" in line
    assert not [mark for mark in MARKS if mark in line]
