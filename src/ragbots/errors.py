"""Every error ragbots raises on purpose: what happened, to what, and what to do about it.

`message` is English and goes to logs and the command line; `for_people` is Korean and goes to
those who ask. `exit_code` is the command line's; `http_status` and `slug` make the problem document.
"""

from __future__ import annotations

from typing import Literal

FailureKind = Literal["unreachable", "slow", "busy", "refused", "broken", "cut", "garbage", "empty"]


class RagbotsError(Exception):
    """Base class; never raised itself."""

    exit_code = 1
    http_status = 500
    slug = "internal-error"
    for_people = "처리하는 중에 문제가 생겼습니다. 잠시 뒤 다시 시도해 주세요."

    def __init__(self, message: str, *, hint: str = "", for_people: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if for_people:
            self.for_people = for_people

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigurationError(RagbotsError):
    """A setting or a bot's YAML cannot be used."""

    exit_code = 2
    slug = "configuration"


class BotNotFound(RagbotsError):
    """No bot of that id that the principal may see."""

    exit_code = 2
    http_status = 404
    slug = "bot-not-found"
    for_people = "그런 챗봇이 없습니다. 목록에서 골라 주세요."


class AccountDisabled(RagbotsError):
    """Somebody writes in a messenger whose account may no longer sign in."""

    http_status = 403
    slug = "account-disabled"
    for_people = "이 메신저 계정에 연결된 사용자 계정이 사용 중지되어 답할 수 없습니다. 관리자에게 문의해 주세요."


class NotFound(RagbotsError):
    """A citation, version or document that is not (or no longer) there."""

    exit_code = 2
    http_status = 404
    slug = "not-found"
    for_people = "찾으시는 내용이 없습니다."


class InvalidQuestion(RagbotsError):
    """A question that is empty, too long or not text."""

    exit_code = 2
    http_status = 422
    slug = "invalid-question"
    for_people = "질문을 읽을 수 없습니다. 글로 된 질문을 적어 주세요."


class NotReleased(RagbotsError):
    """The bot has no released index version."""

    http_status = 503
    slug = "not-released"
    for_people = "이 챗봇은 아직 준비되지 않았습니다. 담당자에게 문의해 주세요."


class SignInRefused(RagbotsError):
    """Somebody came back from the identity provider with something that is not good, or it cannot be reached."""

    http_status = 401
    slug = "sign-in-refused"
    for_people = "로그인하지 못했습니다. 처음부터 다시 시도해 주세요. 계속되면 담당자에게 문의해 주세요."


class UnreadableDocument(RagbotsError):
    """A file that no loader could read whole; the rest of the build goes on."""

    slug = "unreadable-document"


class SourceUnavailable(RagbotsError):
    """A source that could not be read to its end; what was fetched is kept for the next run."""

    http_status = 503
    slug = "source-unavailable"


class DamagedVersion(RagbotsError):
    """An index version whose files are not what its manifest says."""

    exit_code = 3
    slug = "damaged-version"


class DiskFull(RagbotsError):
    """What had to be written did not fit; nothing half-written is left."""

    slug = "disk-full"


class NotTold(RagbotsError):
    """A notice that its address did not take."""

    slug = "not-told"


class AddressRefused(RagbotsError):
    """An address to which no request is sent."""

    slug = "address-refused"


class ChecksNotPassed(RagbotsError):
    """A version that may not be released as it is."""

    exit_code = 3
    slug = "checks-not-passed"


class Locked(RagbotsError):
    """Somebody else holds what is needed."""

    exit_code = 4
    http_status = 409
    slug = "locked"


class ModelUnavailable(RagbotsError):
    """The embedding model is missing or not what it should be."""

    exit_code = 2
    http_status = 503
    slug = "model-unavailable"


class TooManyRequests(RagbotsError):
    """More than the limits allow; another try is taken after `retry_after` whole seconds."""

    http_status = 429
    slug = "too-many-requests"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(
            message,
            hint="see [limits]",
            for_people=f"짧은 시간에 너무 많이 요청하셨습니다. {retry_after}초 뒤에 다시 시도해 주세요.",
        )
        self.retry_after = retry_after


class ModelFailed(RagbotsError):
    """A language model gave no answer. `passing`: another try may do better, after `retry_after` seconds where it
    said so."""

    http_status = 503
    slug = "model-failed"

    def __init__(
        self, message: str, *, kind: FailureKind, passing: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint=_FAILURE_HINTS[kind])
        self.kind = kind
        self.passing = passing
        self.retry_after = retry_after


_FAILURE_HINTS = {
    "unreachable": "is the server running, and `base_url` right?",
    "slow": "see the deadlines under [llms], or take a faster model",
    "busy": "the limits of the endpoint, or `concurrency` under [llms]",
    "refused": "see `api_key_env`, `model` and `max_tokens_name` under [llms]",
    "broken": "see the log of the server",
    "cut": "see the log of the server, and `answer_tokens` under [llms]",
    "garbage": "`base_url` ends in /v1 with most servers",
    "empty": "is it a model that answers questions?",
}
