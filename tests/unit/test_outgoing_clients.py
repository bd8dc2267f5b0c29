"""Who opens connections to elsewhere: through `outgoing`, or for a reason that stands here."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "ragbots"

OPENS = {
    "httpx.Client", "httpx.AsyncClient", "httpx2.Client", "httpx2.AsyncClient", "OAuth2Client", "WebClient", "Agent",
    "AsyncWebClient", "AsyncSocketModeHandler", "init_chat_model", "openai.AsyncOpenAI",
    "openai.DefaultAsyncHttpxClient", "openai.DefaultHttpxClient", "RedisStorage", "create_engine", "urlopen",
    "socket.create_connection", "requests.Session", "aiohttp.ClientSession", "smtplib.SMTP", "HTTPConnection",
    *(
        f"{library}.{method}"
        for library in ("httpx", "httpx2", "requests")
        for method in ("get", "post", "put", "patch", "delete", "head", "options", "request", "stream")
    ),
}  # fmt: skip

MODULES = {"urllib.request", "http.client", "aiohttp", "requests", "websockets", "websocket", "smtplib", "ftplib"}

ALLOWED = {
    ("outgoing.py", "httpx.Client"): "the guarded client",
    ("outgoing.py", "httpx.AsyncClient"): "the guarded client",
    ("auth/oidc.py", "OAuth2Client"): "with `pin` as its hook",
    ("llms/endpoint.py", "openai.DefaultAsyncHttpxClient"): "with `pin` as its hook",
    ("llms/endpoint.py", "openai.AsyncOpenAI"): "over the client above",
    ("llms/endpoint.py", "init_chat_model"): "over the client above",
    ("llms/endpoint.py", "openai.DefaultHttpxClient"): "never used: LangChain wants one to be there",
    ("loaders/dooray_api.py", "WebClient"): "with the pinned adapter mounted",
    ("channels/dooray.py", "Agent"): "goes where [dooray] says, over TLS",
    ("channels/slack.py", "AsyncWebClient"): "goes where [slack] says, over TLS",
    ("channels/slack.py", "AsyncSocketModeHandler"): "goes where Slack says, over TLS",
    ("limiting.py", "RedisStorage"): "goes where the administrator's variable says",
    ("state/database.py", "create_engine"): "goes where the administrator's variable says",
}
ALLOWED_MODULES = {
    ("outgoing.py", "urllib.request"): "reads which proxies the environment names",
    ("outgoing.py", "requests"): "the pinned adapter",
    ("channels/slack.py", "aiohttp"): "an error of Slack's SDK",
}


def test_no_module_opens_a_connection_past_the_guard() -> None:
    found, imported = set(), set()
    for path in SOURCE.rglob("*.py"):
        name = path.relative_to(SOURCE).as_posix()
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in OPENS:
                found.add((name, ast.unparse(node.func)))
            elif isinstance(node, ast.Import):
                imported |= {(name, alias.name) for alias in node.names if _opening(alias.name)}
            elif isinstance(node, ast.ImportFrom) and _opening(node.module or ""):
                imported.add((name, _opening(node.module or "")))
    assert found == ALLOWED.keys(), "a connection that is not guarded, or one that is gone"
    assert imported == ALLOWED_MODULES.keys(), "a library that opens connections"


def _opening(module: str) -> str:
    return next((one for one in MODULES if module == one or module.startswith(f"{one}.")), "")
