"""Whatever the environment says, a prompt goes to the endpoint alone, with the configured key and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.llm_server import LlmServer, llm_server

PROGRAM = """
import asyncio, json, sys, time
from ragbots.llms.endpoint import Endpoint, EndpointSettings
from ragbots.ports import Message
settings = EndpointSettings(
    name="local", base_url=sys.argv[1], model="some-model", api_key="right-key", temperature=0.0, connect_seconds=10,
    first_token_seconds=30, answer_seconds=30, retries=0, max_tokens_name="max_completion_tokens", provider="openai",
    proxied=bool(sys.argv[2:]))
async def told():
    return [one async for one in Endpoint(settings).stream([Message("user", "zebra")], 50) if isinstance(one, str)]
print(json.dumps("".join(asyncio.run(told()))))
time.sleep(1.5)  # traces are sent from a thread
"""


@contextmanager
def eavesdropper() -> Iterator[tuple[str, list[bytes]]]:
    heard: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_PATCH = do_CONNECT = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.fixture
def server() -> Iterator[LlmServer]:
    with llm_server() as state:
        state.say = lambda _messages: "그렇습니다."
        yield state


# Every case names the eavesdropper as the place for traces, so that a failing test leaks to this machine only.
@pytest.mark.parametrize(
    "variables",
    [
        {"LANGSMITH_TRACING": "true"},
        {"LANGCHAIN_TRACING_V2": "true"},
        {"LANGCHAIN_TRACING": "true"},
        {"OPENAI_BASE_URL": "{there}", "OPENAI_API_BASE": "{there}", "OPENAI_API_KEY": "leak"},
        {"OPENAI_ORG_ID": "leak", "OPENAI_PROJECT_ID": "leak"},
        {"OPENAI_CUSTOM_HEADERS": "X-Other: leak\nAuthorization: Bearer leak"},
        {"OPENAI_PROXY": "{there}"},
        {"HTTP_PROXY": "{there}", "http_proxy": "{there}", "ALL_PROXY": "{there}", "NO_PROXY": "", "no_proxy": ""},
        {"LC_OUTPUT_VERSION": "v1"},
        {"LC_OUTPUT_VERSION": "responses/v1"},
    ],
    ids=lambda variables: " ".join(variables) + "=" + next(iter(variables.values()))[:12],
)
def test_the_environment_changes_neither_where_nor_what_is_sent(server: LlmServer, variables: dict[str, str]) -> None:
    with eavesdropper() as (there, heard):
        unproxied = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        traces = {"LANGSMITH_ENDPOINT": there, "LANGCHAIN_ENDPOINT": there, "LANGSMITH_API_KEY": "leak"}
        asked = {name: value.replace("{there}", there) for name, value in variables.items()}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, server.url],
            env=unproxied | traces | asked, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == "그렇습니다."
    assert heard == []
    assert [one["messages"] for one in server.requests] == [[{"role": "user", "content": "zebra"}]]
    assert server.headers[0]["authorization"] == "Bearer right-key"
    assert "leak" not in str(server.headers)


def test_an_endpoint_outside_is_reached_through_the_proxy_of_the_environment() -> None:
    with eavesdropper() as (there, heard):
        proxied = os.environ | {"HTTP_PROXY": there, "http_proxy": there, "NO_PROXY": "", "no_proxy": ""}
        subprocess.run(
            [sys.executable, "-c", PROGRAM, "http://models.invalid/v1", "proxied"],
            env=proxied, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
    assert len(heard) == 1  # which answers nothing of use
