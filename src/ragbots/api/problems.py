"""Errors as problem documents (RFC 9457): the one place where an error becomes HTTP, looked up by its class."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NotRequired

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from typing_extensions import TypedDict

from ragbots.errors import RagbotsError, TooManyRequests

log = logging.getLogger("ragbots.api")

MEDIA_TYPE = "application/problem+json"
_FIELDS_SHOWN = 5
_FIELD_CHARS = 60

_TITLES = {
    "bot-not-found": "챗봇을 찾을 수 없습니다",
    "not-found": "찾을 수 없습니다",
    "invalid-question": "질문을 확인해 주세요",
    "not-released": "아직 준비되지 않았습니다",
    "not-ready": "아직 준비되지 않았습니다",
    "locked": "다른 작업이 진행 중입니다",
    "model-unavailable": "지금은 답할 수 없습니다",
    "invalid-request": "요청을 이해할 수 없습니다",
    "sign-in-required": "로그인이 필요합니다",
    "forbidden": "볼 수 없습니다",
    "no-such-address": "없는 주소입니다",
    "method-not-allowed": "쓸 수 없는 방식입니다",
    "too-slow": "너무 느리게 보냈습니다",
    "too-large": "보낸 내용이 너무 큽니다",
    "too-many-requests": "요청이 너무 많습니다",
    "wrong-host": "이 이름으로는 열 수 없습니다",
    "wrong-origin": "다른 사이트에서 온 요청입니다",
}
_TITLE = "처리하지 못했습니다"

# What the framework (or `api` itself) raises by status: slug and words.
_BY_STATUS = {
    400: ("invalid-request", "보낸 내용을 읽을 수 없습니다. UTF-8로 쓴 JSON인지 확인해 주세요."),
    401: ("sign-in-required", "로그인한 뒤에 다시 시도해 주세요."),
    403: ("forbidden", "이 내용을 볼 권한이 없습니다."),
    404: ("no-such-address", "그런 주소가 없습니다. 쓸 수 있는 주소는 /docs 에 있습니다."),
    405: ("method-not-allowed", "이 주소는 그 방식(HTTP 메서드)을 받지 않습니다. /docs 를 보아 주세요."),
    408: ("too-slow", "내용이 제때 다 오지 않았습니다. 다시 보내 주세요."),
    413: ("too-large", "내용을 줄여서 다시 보내 주세요."),
}
_OTHER_STATUS = ("http-error", "요청을 처리하지 못했습니다.")

_FAULTS = {
    "missing": "빠졌습니다",
    "extra_forbidden": "쓸 수 없는 항목입니다",
    "json_invalid": "올바른 JSON이 아닙니다",
    "string_type": "글자여야 합니다",
    "string_unicode": "올바른 글자가 아닙니다",
    "string_too_long": "{max_length}자를 넘습니다",
    "string_too_short": "비어 있습니다",
    "string_pattern_mismatch": "쓸 수 없는 글자가 있거나 너무 깁니다",
    "too_long": "{max_length}개를 넘습니다",
    "list_type": "목록이어야 합니다",
    "tuple_type": "목록이어야 합니다",
    "literal_error": "{expected} 가운데 하나여야 합니다",
    "int_parsing": "정수여야 합니다",
    "int_type": "정수여야 합니다",
    "greater_than_equal": "{ge} 이상이어야 합니다",
    "less_than_equal": "{le} 이하여야 합니다",
    "model_attributes_type": "JSON 객체여야 합니다 (Content-Type: application/json)",
    "model_type": "JSON 객체여야 합니다",
    "not_a_day": "YYYY-MM-DD 꼴의 날짜여야 합니다",
}
_FAULT = "쓸 수 없는 값입니다"


class FieldFault(TypedDict):
    field: str
    message: str


class ProblemJson(TypedDict):
    """`detail` is Korean and may be shown to whoever asked; `instance` names one occurrence in the log."""

    type: str
    title: str
    status: int
    detail: str
    instance: NotRequired[str]
    errors: NotRequired[list[FieldFault]]
    bots: NotRequired[dict[str, str]]


def _whole_schema() -> dict[str, Any]:
    """The schema of `ProblemJson` without references: within the API's document they would lead nowhere."""
    schema = TypeAdapter(ProblemJson).json_schema()
    fault = schema.pop("$defs")["FieldFault"]
    schema["properties"]["errors"]["items"] = fault
    return schema


_DOCUMENTED: dict[str, Any] = {
    "description": "What went wrong, as a problem document (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": _whole_schema()}},
}
PROBLEMS: dict[int | str, dict[str, Any]] = {422: _DOCUMENTED, "default": _DOCUMENTED}
"""For the reference: how operations fail."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it is sent. `more` holds members beyond the four that all have."""

    status: int
    slug: str
    detail: str
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The shape of `ProblemJson`."""
        title = _TITLES.get(self.slug, _TITLE)
        known = {"type": f"/problems/{self.slug}", "title": title, "status": self.status, "detail": self.detail}
        return {**known, **self.more}

    def response(self) -> JSONResponse:
        return JSONResponse(self.document(), self.status, dict(self.headers), MEDIA_TYPE)


def problem_of(error: BaseException) -> Problem:
    """The problem that the nearest known class of `error` makes; logs those that are the server's fault."""
    for known in type(error).__mro__:
        if known in _BY_CLASS:
            return _BY_CLASS[known](error)
    return _unexpected(error)


def install(app: FastAPI, note: Callable[[Request, BaseException], Awaitable[None]]) -> None:
    """Has `app` answer the errors known here as problems, each noted first. The unknown are caught by `Guard`."""

    async def respond(request: Request, error: Exception) -> JSONResponse:
        await note(request, error)
        return problem_of(error).response()

    for known in _BY_CLASS:
        app.add_exception_handler(known, respond)


def _ours(error: RagbotsError) -> Problem:
    if error.http_status < 500:
        return Problem(error.http_status, error.slug, error.for_people)
    number = _number()
    # What is not there yet is for an administrator to know of, but no fault of the program.
    level = logging.ERROR if error.http_status == 500 else logging.WARNING
    log.log(level, "error %s: %s: %s", number, type(error).__name__, error)
    return Problem(error.http_status, error.slug, error.for_people, _instance(number))


def _too_many(error: TooManyRequests) -> Problem:
    log.info("%s", error)
    return Problem(error.http_status, error.slug, error.for_people, headers={"Retry-After": str(error.retry_after)})


def _http(error: HTTPException) -> Problem:
    slug, detail = _BY_STATUS.get(error.status_code, _OTHER_STATUS)
    return Problem(error.status_code, slug, detail, headers=error.headers or {})


def _invalid(error: RequestValidationError) -> Problem:
    faults = [_fault(one) for one in error.errors()[:_FIELDS_SHOWN]]
    detail = " ".join(f"`{fault['field']}`: {fault['message']}." for fault in faults)
    return Problem(422, "invalid-request", detail, {"errors": faults})


def _fault(error: Mapping[str, Any]) -> FieldFault:
    # The names of unknown fields are the sender's words: cut short, and made fit to be sent back.
    path = [str(step) for step in error["loc"][1:]] if error["type"] != "json_invalid" else []
    name = ".".join(path)[:_FIELD_CHARS].encode("utf-8", "replace").decode("utf-8")
    message = _FAULTS.get(error["type"], _FAULT).format_map(error.get("ctx", {}))
    return {"field": name or str(error["loc"][0]), "message": message}


def _unexpected(error: BaseException) -> Problem:
    number = _number()
    log.error("error %s", number, exc_info=error)
    detail = f"{RagbotsError.for_people} 문의하실 때 오류 번호 {number}을(를) 알려 주세요."
    return Problem(500, RagbotsError.slug, detail, _instance(number))


def _number() -> str:
    return uuid.uuid4().hex[:12]


def _instance(number: str) -> dict[str, str]:
    return {"instance": f"/problems/occurrences/{number}"}


_BY_CLASS: Mapping[type[Exception], Callable[[Any], Problem]] = {
    RagbotsError: _ours,
    TooManyRequests: _too_many,
    RequestValidationError: _invalid,
    HTTPException: _http,
}
