"""What browsers are told with every response, and which of their requests are refused."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from starlette.datastructures import Headers
from starlette.responses import Response
from tests.unit.api.fake_runtime import FakeRuntime

from ragbots.api.app import create_app
from ragbots.api.cookies import Cookie
from ragbots.api.origins import origin_of, own_path
from ragbots.config import load_settings
from ragbots.errors import ConfigurationError

GROUPWARE = "https://groupware.example"
PAGES = ("/", "/docs", "/c/leave.v1.3", "/c/none/none")
OTHERS = (
    "/api/bots", "/api/none", "/static/chat.js", "/static/icon.svg", "/static/none", "/widget.js", "/openapi.json",
    "/docs.css", "/passage.css", "/readyz", "/healthz", "/metrics", "/v1/models", "/none",
)  # fmt: skip
QUESTION = {"question": "연차는?"}


def directives(policy: str) -> dict[str, str]:
    return dict(part.strip().partition(" ")[::2] for part in policy.split(";"))


# ---------------------------------------------------------------- headers


@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
def test_every_response_has_the_strict_headers(client: TestClient, path: str) -> None:
    headers = client.get(path, headers={"Origin": "https://elsewhere.example"}).headers
    policy = directives(headers["content-security-policy"])
    assert policy["default-src"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["form-action"] in ("'none'", "'self'")
    assert all(sources in ("'none'", "'self'", "'script'") for sources in policy.values())
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers
    assert not [name for name in headers if name.startswith("access-control-")]


def test_only_the_page_runs_scripts_and_no_markup_becomes_one(client: TestClient) -> None:
    policies = {path: directives(client.get(path).headers["content-security-policy"]) for path in (*PAGES, *OTHERS)}
    assert [path for path, policy in policies.items() if "script-src" in policy] == ["/"]
    assert policies["/"]["require-trusted-types-for"] == "'script'"
    assert policies["/"]["trusted-types"] == "'none'"


def test_answers_are_kept_nowhere_and_errors_have_the_headers_too(client: TestClient, runtime: FakeRuntime) -> None:
    for path in ("/api/bots", "/c/leave.v1.3", "/v1/models", "/api/none"):
        assert client.get(path).headers["cache-control"] == "no-store"
    assert client.get("/").headers["cache-control"] == "no-cache"
    runtime.answering = lambda _question: 1 / 0  # type: ignore[assignment, return-value]
    too_large = client.post("/api/chat", content=b" " * 300_000)
    for response in (client.post("/api/chat", json=QUESTION), too_large, client.post("/mcp", content=b"x")):
        assert response.status_code >= 400
        assert directives(response.headers["content-security-policy"])["default-src"] == "'none'"


def test_tls_is_asked_for_where_people_reach_the_server_by_it() -> None:
    with TestClient(create_app(FakeRuntime(public_url="https://rules.example"))) as client:
        assert client.get("/api/bots").headers["strict-transport-security"] == "max-age=31536000"


def test_named_pages_alone_may_frame_the_page_and_nothing_else() -> None:
    with TestClient(create_app(FakeRuntime(widget_origins=[GROUPWARE]))) as client:
        page = client.get("/").headers
        assert directives(page["content-security-policy"])["frame-ancestors"] == GROUPWARE
        assert "x-frame-options" not in page
        for path in ("/docs", "/c/leave.v1.3", "/api/bots"):
            headers = client.get(path).headers
            assert directives(headers["content-security-policy"])["frame-ancestors"] == "'none'"
            assert headers["x-frame-options"] == "DENY"


def test_refusals_to_other_origins_have_the_headers_too() -> None:
    with TestClient(create_app(FakeRuntime(widget_origins=[GROUPWARE]))) as client:
        before = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
        refused = client.options("/api/chat", headers=before)
        assert refused.status_code == 400
        assert refused.headers["x-content-type-options"] == "nosniff"
        for path in ("/api/bots", "/api/none"):
            for origin in ({}, {"Origin": GROUPWARE}, {"Origin": "null"}):
                assert "Origin" in client.get(path, headers=origin).headers["vary"]


def test_what_is_downloaded_is_a_file_and_no_page(client: TestClient) -> None:
    export = client.app.openapi()["paths"]["/api/conversations/export"]  # type: ignore[attr-defined]
    assert list(export["get"]["responses"]["200"]["content"]) == ["application/json"]


# ---------------------------------------------------------------- 40 origins that are not the one named

TRICKS = [
    # other hosts that begin, end or look alike
    "https://groupware.example.evil.example", "https://evilgroupware.example", "https://evil-groupware.example",
    "https://groupware.example-evil.example", "https://groupware.examples", "https://groupware.exampl",
    "https://sub.groupware.example", "https://www.groupware.example", "https://groupware",
    "https://groupware.example.", "https://.groupware.example", "https://groupware..example",
    "https://groupware_example", "https://groupwarexexample",
    # schemes and ports
    "http://groupware.example", "ftp://groupware.example", "file://groupware.example", "//groupware.example",
    "groupware.example", "https:groupware.example", "https:///groupware.example", "https://groupware.example:443",
    "https://groupware.example:8443", "https://groupware.example:", "https://groupware.example:0443",
    # case, letters that look alike, escapes
    "HTTPS://groupware.example", "https://GROUPWARE.example", "https://grоupware.example",
    "https://xn--grupware-2fg.example", "https://ｇroupware.example", "https://groupware%2eexample",
    "https://groupware.example%00.evil.example", "https://groupware.example%23.evil.example",
    # more than an origin
    "https://groupware.example/", "https://groupware.example/path", "https://groupware.example?x",
    "https://groupware.example#x", "https://evil@groupware.example", "https://groupware.example@evil.example",
    "https://groupware.example:x@evil.example", "https://groupware.example\\.evil.example",
    # none, all, several
    "null", "NULL", "", "*", "https://*.example", "https://*", "https://groupware.example https://evil.example",
    "https://evil.example, https://groupware.example", "https://groupware.example,https://evil.example",
    "https://groupware.example;", "'self'", "https://groupware.example\thttps://evil.example", "file://",
]  # fmt: skip


@pytest.fixture(scope="module")
def named_client() -> TestClient:
    return TestClient(create_app(FakeRuntime(widget_origins=[GROUPWARE])))


@pytest.mark.parametrize("origin", TRICKS)
def test_an_origin_that_is_not_the_named_one_is_not_taken_for_it(named_client: TestClient, origin: str) -> None:
    sent = [(b"Origin", origin.encode())]
    asking = [*sent, (b"Access-Control-Request-Method", b"POST")]
    for response in (
        named_client.get("/api/bots", headers=sent),
        named_client.options("/api/chat", headers=asking),
        named_client.post("/api/chat", json=QUESTION, headers=sent),
        named_client.get("/", headers=sent),
    ):
        assert "access-control-allow-origin" not in response.headers
        assert "access-control-allow-credentials" not in response.headers
    assert named_client.post("/api/chat", json=QUESTION, headers=sent).status_code == 403
    framing = directives(named_client.get("/", headers=sent).headers["content-security-policy"])
    assert framing["frame-ancestors"] == GROUPWARE


def test_of_two_origins_none_is_taken(named_client: TestClient) -> None:
    for pair in (("https://evil.example", GROUPWARE), (GROUPWARE, "https://evil.example"), (GROUPWARE, GROUPWARE)):
        sent = [(b"Origin", one.encode()) for one in pair]
        assert "access-control-allow-origin" not in named_client.get("/api/bots", headers=sent).headers
        assert named_client.post("/api/chat", json=QUESTION, headers=sent).status_code == 403


def test_the_named_one_is_let_in_without_cookies(named_client: TestClient) -> None:
    asked = named_client.post("/api/chat", json=QUESTION, headers={"Origin": GROUPWARE, "Sec-Fetch-Site": "cross-site"})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == GROUPWARE
    assert "access-control-allow-credentials" not in asked.headers


@pytest.mark.parametrize(
    "origin",
    [
        "*", "null", "", "https://*", "https://*.example", "'self'", "groupware.example", "//groupware.example",
        "ftp://groupware.example", "file://", "javascript:alert(1)", "https:groupware.example",
        "https:///groupware.example", "https://groupware.example/", "https://groupware.example/path",
        "https://groupware.example?x", "https://groupware.example#x", "https://groupware.example.",
        "https://.groupware.example", "https://groupware..example", "https://-x.example", "https://a_b.example",
        "https://groupware.example:", "https://groupware.example:0", "https://groupware.example:99999",
        "https://evil@groupware.example", "https://groupware.example@evil.example", "https://grоupware.example",
        "https://groupware%2eexample", "https://groupware.example\\.evil.example", "https://groupware.example;",
        "https://groupware.example https://evil.example", "https://a.example,https://b.example", "https://[::1%eth0]",
    ],
)  # fmt: skip
def test_no_setting_names_what_is_no_single_origin(origin: str) -> None:
    with pytest.raises(ConfigurationError, match="widget_origins"):
        load_settings({}, widget_origins=[origin])


def test_origins_are_named_as_browsers_send_them() -> None:
    named = ("https://Groupware.example:443", "http://[::1]:8080", "http://10.0.0.1:80")
    read = load_settings({}, widget_origins=named).widget_origins
    assert read == ("https://groupware.example", "http://[::1]:8080", "http://10.0.0.1")
    assert origin_of("https://Rules.example:443/ask") == "https://rules.example"
    assert origin_of("http://[::1]:8642") == "http://[::1]:8642"


# ---------------------------------------------------------------- requests made by other sites' pages

SESSION = {"Cookie": "ragbots-session=x"}
OWN = "http://testserver"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": OWN}, 200),
        ({**SESSION, "Origin": OWN}, 200),
        ({**SESSION, "Sec-Fetch-Site": "same-origin"}, 200),
        ({**SESSION, "Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        ({**SESSION, "Authorization": "Bearer none", "Origin": "https://evil.example"}, 200),
        ({"Origin": GROUPWARE}, 200),
        ({**SESSION}, 403),
        ({**SESSION, "Origin": GROUPWARE}, 403),
        ({**SESSION, "Origin": "null"}, 403),
        ({**SESSION, "Origin": "http://testserver.evil.example"}, 403),
        ({**SESSION, "Origin": "https://testserver"}, 403),
        ({**SESSION, "Origin": "http://testserver:81"}, 403),
        ({**SESSION, "Sec-Fetch-Site": "cross-site", "Origin": OWN}, 403),
        ({**SESSION, "Sec-Fetch-Site": "same-site"}, 403),
        ({**SESSION, "Authorization": "Basic eDp5", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
    ],
)
def test_only_own_pages_and_keys_change_anything(
    named_client: TestClient, headers: dict[str, str], status: int
) -> None:
    response = named_client.post("/api/chat", json=QUESTION, headers=headers)
    assert response.status_code == status
    if status == 403:
        assert response.headers["content-type"] == "application/problem+json"
        assert "다른 사이트" in response.json()["detail"]
    read = named_client.get("/api/bots", headers=headers)
    assert read.status_code == (401 if headers.get("Authorization", "").startswith("Basic") else 200)


def test_pages_with_the_widget_reach_the_api_alone(named_client: TestClient) -> None:
    assert named_client.post("/v1/chat/completions", json={}, headers={"Origin": GROUPWARE}).status_code == 403


def test_behind_a_proxy_the_public_address_is_the_own_one() -> None:
    with TestClient(create_app(FakeRuntime(public_url="https://rules.example/ask"))) as client:
        sent = {**SESSION, "Origin": "https://rules.example"}
        assert client.post("/api/chat", json=QUESTION, headers=sent).status_code == 200


def test_no_page_elsewhere_can_send_a_body_that_is_read_as_json(client: TestClient) -> None:
    body = b'{"question": "x"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert client.post("/api/chat", content=body, headers={"Content-Type": kind}).status_code == 422
    assert client.post("/api/chat", content=body).status_code == 422


# ---------------------------------------------------------------- cookies and ways back


def test_a_cookie_is_for_this_server_alone() -> None:
    for secure, name in ((True, "__Host-ragbots-session"), (False, "ragbots-session")):
        cookie, response = Cookie("session", secure, 3600), Response()
        cookie.put(response, "abc")
        parts = {part.strip().lower() for part in response.headers["set-cookie"].split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/", "max-age=3600"} <= parts
        assert ("secure" in parts) is secure
        assert not any(part.startswith("domain") for part in parts)
        assert cookie.read(Headers({"Cookie": f"a=b; {name}=abc"})) == "abc"
        cookie.drop(response)
        assert "max-age=0" in response.headers.getlist("set-cookie")[1].lower()


def test_a_cookie_that_somebody_else_may_have_set_is_none() -> None:
    cookie = Cookie("session", True, 3600)
    assert cookie.read(Headers({"Cookie": "ragbots-session=abc"})) is None
    assert cookie.read(Headers({"Cookie": "__Host-ragbots-session=a; __Host-ragbots-session=b"})) is None
    assert cookie.read(Headers({})) is None


def test_after_signing_in_one_stays_on_this_server() -> None:
    for path in ("/", "/c/leave.v1.3", "/?bot=leave&x=a/b", "/c/%ED%9C%B4"):
        assert own_path(path) == path
    for elsewhere in (
        None, "", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "evil.example",
        "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example", " /x", "/x\r\nSet-Cookie: a=b",
        "///evil.example", "/x\\y", "data:text/html,x", "/\u2028x", "/\x00",
    ):  # fmt: skip
        assert own_path(elsewhere, "/home") == "/home", elsewhere
