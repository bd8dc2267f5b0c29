"""The page's files with scripted answers behind them: what the page is tested against on its own.

Run as `python stub_api.py PORT`. What is answered depends on a word in the question; see `SCRIPTS`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware

from ragbots.widget.script import STATIC, bundle

PAYLOAD = '<img src=x onerror="window.attacked=true"><script>window.attacked=true</script>'

Json = dict[str, Any]


def bot(
    bot_id: str,
    name: str,
    description: str,
    contact: str,
    *questions: str,
    released: bool = True,
    llms: tuple[str, ...] = (),
) -> Json:
    return {
        "id": bot_id,
        "name": name,
        "description": description,
        "sample_questions": list(questions),
        "contact": contact,
        "released": released,
        "documents": [f"{name} 규정"],
        "llms": list(llms),
    }


BOTS = [
    bot(
        "leave",
        "근태·휴가",
        "근무시간, 연차와 경조사휴가, 유연근무, 휴직과 복직을 안내합니다.",
        "인사부 복무 담당 (내선 1201)",
        "연차는 며칠 전에 신청해야 하나요?",
        "아이가 아프면 쓸 수 있는 휴가가 있나요?",
    ),
    bot(
        "travel",
        "출장·여비",
        "국내외 출장의 일비·식비·숙박비, 교통편과 정산 기한을 안내합니다.",
        "재무부 여비 담당 (내선 1402)",
        "출장 숙박비 상한이 얼마인가요?",
        "출장비는 언제까지 정산해야 하나요?",
        llms=("사내모델", "큰모델"),
    ),
    bot(
        "security",
        "정보보안",
        "계정과 비밀번호, 노트북 반출, 원격근무 접속, 보안사고 신고를 안내합니다.",
        "정보화전략부 보안 담당 (02-2124-1262, security@hanul.example)",
        "비밀번호를 잊어버리면 어떻게 하나요?",
    ),
    bot(
        "procurement",
        "계약·구매",
        "물품과 용역의 구매 절차, 수의계약 기준, 검수와 대금 지급을 안내합니다.",
        "재무부 계약 담당 (내선 1401)",
        "견적서는 몇 군데서 받아야 하나요?",
    ),
    bot("records", "문서관리", "문서의 작성과 보존기간, 폐기를 안내합니다.", "", "보존기간은?", released=False),
]
NAMES = {entry["id"]: entry["name"] for entry in BOTS}


def citation(key: str, document: str, address: str, quote: str, **more: Any) -> Json:
    return {
        "id": key,
        "source": f"{document}.md",
        "document": document,
        "article": address.split()[0],
        "address": address,
        "quote": quote,
        "link": None,
        "page": None,
        **more,
    }


def block(kind: str, address: str, text: str, *marks: list[int], cells: list[list[str]] | None = None) -> Json:
    return {
        "kind": kind,
        "address": address,
        "text": text,
        "cells": cells or [],
        "quoted": bool(marks),
        "marks": list(marks),
    }


def passage(cited: Json, breadcrumb: list[str], blocks: list[Json], **more: Any) -> Json:
    kept = ("id", "document", "source", "link", "article", "address", "quote", "page")
    return {
        **{name: cited[name] for name in kept},
        "breadcrumb": breadcrumb,
        "effective": "2026-01-01",
        "blocks": blocks,
        "previous": None,
        "next": None,
        "amendments": [],
        **more,
    }


def amendment(effective: str, before: list[list[Any]], after: list[list[Any]], *, pending: bool) -> Json:
    """A change of one paragraph; the sides in pieces."""
    return {"effective": effective, "pending": pending, "paragraphs": [{"before": before, "after": after}]}


RULE = "직원은 연차휴가를 쓰려는 날의 3일 전까지 복무권자에게 신청하여야 한다."
COMING_RULE = "① 직원은 연차휴가를 쓰려는 날의 2일 전까지 복무권자에게 신청하여야 한다."
# The note sign needs two units in JavaScript: marks that count code points must not slip by one.
NOTE = "𝅘 다만, 질병 등 부득이한 사유가 있으면 당일에 신청할 수 있다."
LEAVE = citation(
    "leave-21-1",
    "복무규정",
    "제21조 제1항",
    RULE,
    link="https://regulations.example/leave#21",
    page=12,
    marks=[[4, len(RULE)]],
)
SICK = citation("leave-21-2", "복무규정", "제21조 제2항", "질병 등 부득이한 사유가 있으면 당일에 신청할 수 있다.")
CARRY = citation("leave-22", "복무규정", "제22조", "쓰지 아니한 연차휴가는 다음 해 3월 말일까지 이월하여 쓸 수 있다.")
LODGING = citation("travel-a1-3", "여비규정", "별표 1 3행", "5급(대리) 숙박비 상한 80,000원", page=31)
GRADE = citation(
    "travel-a2-30",
    "여비규정",
    "별표 2 30행",
    "등급: 30등급 | 일비(1일) 미화: 30달러 | 숙박비 상한: 300달러",
    marks=[[0, 42]],
)
ATTACK = citation("attack", PAYLOAD, "제1조", PAYLOAD, link="javascript:window.attacked=true")

COLUMNS = ["직급", "일비(1일)", "식비(1일)", "숙박비 상한(서울)", "숙박비 상한(광역시)", "숙박비 상한(그 밖)"]
RATES = [
    ["3급(차장)", "25,000원", "35,000원", "100,000원", "80,000원", "70,000원"],
    ["4급(과장)", "25,000원", "30,000원", "90,000원", "75,000원", "65,000원"],
    ["5급(대리)", "25,000원", "25,000원", "80,000원", "70,000원", "60,000원"],
    ["6급(주임)", "20,000원", "25,000원", "80,000원", "70,000원", "60,000원"],
]


def rate_row(number: int, values: list[str]) -> Json:
    cells = [list(pair) for pair in zip(COLUMNS, values, strict=True)]
    text = "\t".join(values)
    start = len("\t".join(values[:3])) + 1
    marks = [[start, start + len(values[3])]] if values[0].startswith("5급") else []
    return block("row", f"별표 1 {number}행", text, *marks, cells=cells)


LEAVE_BLOCKS = [
    block("chapter", "제3장", "제3장 휴가"),
    block("article", "제21조", "제21조(연차휴가의 신청)"),
    block("paragraph", "제21조 제1항", f"① {RULE} <개정 2024. 3. 1.>", [2, 2 + len(RULE)]),
    block("paragraph", "제21조 제2항", f"② {NOTE}"),
    block("paragraph", "제21조 제3항", "③ 복무권자는 다음 각 호의 경우에 휴가일을 바꾸게 할 수 있다."),
    block("item", "제21조 제3항 제1호", "1. 결산, 감사 등 업무가 몰리는 기간인 경우"),
    block("item", "제21조 제3항 제2호", "2. 같은 부서의 인원이 절반 넘게 쉬는 경우로서 다음 각 목에 해당하는 경우"),
    block("subitem", "제21조 제3항 제2호 가목", "가. 민원 창구를 운영하는 부서"),
    block("subitem", "제21조 제3항 제2호 나목", "나. 비상근무를 하는 부서"),
]
SICK_BLOCKS = [
    {**one, "marks": [], "quoted": False}
    if one["address"] != "제21조 제2항"
    else {**one, "marks": [[2 + NOTE.index("질병"), 2 + len(NOTE)]], "quoted": True}
    for one in LEAVE_BLOCKS
]
PASSAGES = {
    "leave-21-1": passage(
        LEAVE,
        ["복무규정", "제3장 휴가", "제21조(연차휴가의 신청)"],
        LEAVE_BLOCKS,
        amendments=[
            amendment(
                "2024-03-01",
                [["① 직원은 연차휴가를 쓰려는 날의 ", False], ["7일", True], [" 전까지 …", False]],
                [["① 직원은 연차휴가를 쓰려는 날의 ", False], ["3일", True], [" 전까지 …", False]],
                pending=False,
            ),
            amendment(
                "2027-01-01",
                [["① 직원은 연차휴가를 쓰려는 날의 ", False], ["3일", True], [" 전까지 …", False]],
                [["① 직원은 연차휴가를 쓰려는 날의 ", False], ["2일", True], [" 전까지 …", False]],
                pending=True,
            ),
        ],
        next={"article": "제22조", "heading": "연차휴가의 이월", "id": "leave-22"},
    ),
    "leave-21-2": passage(SICK, ["복무규정", "제3장 휴가", "제21조(연차휴가의 신청)"], SICK_BLOCKS),
    "leave-22": passage(
        CARRY,
        ["복무규정", "제3장 휴가", "제22조(연차휴가의 이월)"],
        [block("article", "제22조", "제22조(연차휴가의 이월)"), block("paragraph", "제22조", CARRY["quote"])],
        amendments=[amendment("2025-01-01", [], [[CARRY["quote"], True]], pending=False)],
        previous={"article": "제21조", "heading": "연차휴가의 신청", "id": "leave-21-1"},
    ),
    "travel-a1-3": passage(
        LODGING,
        ["여비규정", "별표 1 국내 여비 정액표"],
        [
            block("article", "별표 1", "별표 1 국내 여비 정액표(제12조제1항 관련)"),
            block("row", "별표 1", "\t".join(COLUMNS)),
            *(rate_row(number, values) for number, values in enumerate(RATES, start=1)),
            block("text", "별표 1", "비고: 숙박비는 상한의 범위에서 실비로 지급한다."),
        ],
    ),
    "travel-a2-30": passage(
        GRADE,
        ["여비규정", "별표 2 국외 여비 정액표"],
        [
            block("article", "별표 2", "별표 2 국외 여비 정액표"),
            block("text", "별표 2", "(단위: 달러)"),
            block("row", "별표 2", "등급\t일비(1일)\t일비(1일)\t숙박비 상한\n등급\t미화\t원화\t숙박비 상한"),
            *(
                block(
                    "row",
                    f"별표 2 {n}행",
                    f"{n}등급\t{n}\t{n},000\t{n}0",
                    *([[0, len(f"{n}등급")]] if n == 30 else []),
                    cells=[
                        ["등급", f"{n}등급"],
                        ["일비(1일) 미화", f"{n}달러"],
                        ["일비(1일) 원화", f"{n},000달러"],
                        ["숙박비 상한", f"{n}0달러"],
                    ],
                )
                for n in range(1, 61)
            ),
        ],
    ),
    "attack": passage(ATTACK, [PAYLOAD], [block("paragraph", "제1조", PAYLOAD, [0, 10]), block("text", "", "본문")]),
}


NUMBERS = itertools.count(1)


def answer(status: str, text: str, bot_id: str | None, **more: Any) -> Json:
    return {
        "id": f"a-{next(NUMBERS)}",
        "conversation_id": "c-1",
        "status": status,
        "answer": text,
        "bot": bot_id,
        "candidates": [{"id": bot_id, "name": NAMES[bot_id], "score": 0.9}] if bot_id else [],
        "confidence": 0.9,
        "as_of": "2026-11-23",
        "index_version": "v1",
        "citations": [],
        "related": [],
        "warnings": [],
        "model": None,
        **more,
    }


def candidates(*ids: str) -> list[Json]:
    return [{"id": key, "name": NAMES[key], "score": 0.5} for key in ids]


def about_leave(request: Json) -> Json:
    text = (
        f"{RULE} [1]\n\n질병처럼 부득이한 사유가 있으면 다음과 같이 할 수 있습니다.\n"
        "- 당일에 신청할 수 있습니다. [2]\n- 쓰지 못한 날은 이월할 수 있습니다.\n\n"
        "[9]에 해당하는 근거는 없습니다."
    )
    return answer(
        "answered",
        text,
        "leave",
        citations=[LEAVE, SICK],
        related=[CARRY],
        candidates=candidates("leave", "travel"),
        warnings=[
            {
                "kind": "pending-amendment",
                "effective_date": "2027-01-01",
                "text": f"「복무규정」 제21조은(는) 2027년 1월 1일부터 다음과 같이 바뀝니다: {COMING_RULE}",
            }
        ],
    )


def about_lodging(request: Json) -> Json:
    text = "서울 출장의 숙박비 상한은 5급(대리) 기준으로 1박에 80,000원입니다. [1]"
    return answer("answered", text, "travel", citations=[LODGING])


def about_grades(request: Json) -> Json:
    text = f"여비규정 — 별표 2 국외 여비 정액표\n{GRADE['quote']} [1]"
    return answer("answered", text, "travel", citations=[GRADE, SICK])


def refusal(request: Json) -> Json:
    text = "복무규정에서 이 질문에 답하는 조항을 찾지 못했습니다. 추측해서 답하지 않습니다."
    return answer("refused", text, request.get("bot") or "leave", related=[CARRY], confidence=0.1)


def clarification(request: Json) -> Json:
    if request.get("bot"):
        return answer("answered", f"{NAMES[request['bot']]}에서 찾은 답입니다. [1]", request["bot"], citations=[LEAVE])
    text = "여러 규정에 나오는 말입니다. 어느 쪽을 물으셨나요?"
    return answer("clarify", text, None, candidates=candidates("leave", "procurement", "security"))


def attack(request: Json) -> Json:
    return answer("answered", f"{PAYLOAD} [1]\n\n- {PAYLOAD}", "leave", citations=[ATTACK], related=[ATTACK])


SCRIPTS: dict[str, Callable[[Json], Json]] = {
    "숙박비": about_lodging,
    "등급": about_grades,
    "화성": refusal,
    "신청서": clarification,
    "공격": attack,
}


def scripted(request: Json) -> Json:
    question = request["question"]
    script = next((make for word, make in SCRIPTS.items() if word in question), about_leave)
    key = request.get("conversation_id") or f"c-{next(NUMBERS)}"
    return {**script(request), "as_of": request.get("as_of") or "2026-11-23", "conversation_id": key}


async def events(request: Json) -> AsyncIterator[str]:
    def event(name: str, data: Json) -> str:
        return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"

    whole = scripted(request)
    routed = {"id": whole["bot"], "name": NAMES[whole["bot"]]} if whole["bot"] else None
    yield event("route", {"bot": routed, "candidates": whole["candidates"]})
    await asyncio.sleep(30 if "천천히" in request["question"] else 0.02)
    for kind in ("citation", "related"):
        for one in whole["citations" if kind == "citation" else "related"]:
            yield event("citation", {**one, "kind": kind})
    for start in range(0, len(whole["answer"]), 12):
        yield event("delta", {"text": whole["answer"][start : start + 12]})
        await asyncio.sleep(0.005)
        if "끊김" in request["question"] and start > 24:
            return
        if "머뭇" in request["question"] and start > 72:
            await asyncio.sleep(30)
    yield ": keep-alive\n\n"
    CONVERSATIONS.setdefault(whole["conversation_id"], []).append({"question": request["question"], "answer": whole})
    yield event("done", whole)


def problem(status: int, title: str, detail: str) -> JSONResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


# Conversations live by the id that the first answer gave; what was said of answers can be looked up by a test.
CONVERSATIONS: dict[str, list[Json]] = {}
FEEDBACK: dict[str, Json] = {}

# A page of somebody else's: styles that reach for everything, shortcuts, and as strict a policy as can be had.
HOST_STYLE = """
html { font-size: 10px; color: rgb(200, 0, 0); font-family: monospace; }
* { letter-spacing: 5px; }
div, section, button, p { background: rgb(255, 255, 0) !important; display: inline !important; }
main { height: 3000px; display: block; }
"""
HOST_PAGE = """<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>그룹웨어</title>
<link rel="stylesheet" href="/host.css"><script src="/host.js"></script>
<script src="WIDGET/widget.js" data-bot="leave"TOKEN defer></script></head>
<body><main><h1>그룹웨어</h1><label>메모 <input id="memo"></label></main></body></html>"""
HOST_SCRIPT = """
window.shortcuts = [];
document.addEventListener("keydown", (event) => window.shortcuts.push(event.key));
window.before = Object.keys(window);
"""
HOST_POLICY = (
    "default-src 'none'; script-src 'self' WIDGET; style-src 'self'; connect-src 'self' WIDGET; "
    "require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'"
)

app = FastAPI(openapi_url=None)
# The page of others is the same server under another name.
app.add_middleware(
    CORSMiddleware,
    allow_origin_regex=r"http://localhost:\d+",
    allow_methods=["GET", "POST", "DELETE"],
    allow_headers=["Authorization", "Content-Type"],
)


@app.middleware("http")
async def strict_policy(request: Request, call_next: Any) -> Response:
    response: Response = await call_next(request)
    response.headers.setdefault("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'")
    return response


@app.get("/api/bots")
def bots() -> Json:
    return {"bots": BOTS, "organisation": "한울연합회"}


@app.get("/api/me")
def me() -> Json:
    return {"user": "local", "name": "local", "groups": [], "sign_in": None, "sign_out": None}


@app.post("/api/chat", response_model=None)
async def chat(request: Request) -> Response:
    body = await request.json()
    if "고장" in body["question"]:
        return problem(503, "준비되지 않음", "이 챗봇은 아직 준비되지 않았습니다. 담당자에게 문의해 주세요.")
    return StreamingResponse(events(body), media_type="text/event-stream")


@app.get("/api/citations/{key}", response_model=None)
def cited(key: str) -> Json | JSONResponse:
    if key not in PASSAGES:
        return problem(404, "없음", "찾으시는 내용이 없습니다.")
    return PASSAGES[key]


@app.get("/api/conversations/{key}", response_model=None)
def conversation(key: str) -> Json | JSONResponse:
    if key not in CONVERSATIONS:
        return problem(404, "없음", "찾으시는 내용이 없습니다.")
    turns = [{**turn, "feedback": FEEDBACK.get(turn["answer"]["id"])} for turn in CONVERSATIONS[key]]
    return {"id": key, "turns": turns}


@app.delete("/api/conversations/{key}", response_model=None)
def forget(key: str) -> Response:
    if CONVERSATIONS.pop(key, None) is None:
        return problem(404, "없음", "찾으시는 내용이 없습니다.")
    return Response(status_code=204)


@app.post("/api/feedback", status_code=204)
async def rate(request: Request) -> Response:
    said = await request.json()
    FEEDBACK[said["answer_id"]] = said
    return Response(status_code=204)


@app.delete("/api/feedback/{key}", response_model=None)
def unrate(key: str) -> Response:
    if FEEDBACK.pop(key, None) is None:
        return problem(404, "없음", "찾으시는 내용이 없습니다.")
    return Response(status_code=204)


@app.get("/widget.js")
def widget() -> Response:
    return Response(bundle(), media_type="text/javascript")


@app.get("/host")
def host(request: Request) -> HTMLResponse:
    """Somebody else's page, whose widget comes from this server by its other name."""
    widget_origin = f"http://127.0.0.1:{request.url.port}"
    policy = HOST_POLICY.replace("WIDGET", widget_origin)
    token = f' data-token="{request.query_params["token"]}"' if "token" in request.query_params else ""
    page = HOST_PAGE.replace("WIDGET", widget_origin).replace("TOKEN", token)
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


@app.get("/token")
def token(seconds: int = 900) -> Json:
    """What the page's own server hands on of `POST /api/widget-tokens`."""
    return {"token": f"ragbotsw_{next(NUMBERS)}", "seconds": seconds}


@app.get("/host.css")
def host_style() -> Response:
    return Response(HOST_STYLE, media_type="text/css")


@app.get("/host.js")
def host_script() -> Response:
    return Response(HOST_SCRIPT, media_type="text/javascript")


@app.get("/framed")
def framed() -> HTMLResponse:
    frame = '<iframe src="/host" title="업무" width="900" height="700"></iframe>'
    page = f'<!doctype html><html lang="ko"><title>틀</title>{frame}</html>'
    return HTMLResponse(page, headers={"Content-Security-Policy": "default-src 'none'; frame-src 'self'"})


@app.get("/")
def page() -> FileResponse:
    return FileResponse(STATIC / "index.html")


app.mount("/static", StaticFiles(directory=STATIC))


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
