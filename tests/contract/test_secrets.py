"""Thirty planted secrets through the ways that fail, all loggers at DEBUG: none is seen."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from tests.llm_server import LlmServer, llm_server

from ragbots import notify
from ragbots.api.app import create_app
from ragbots.channels.messenger import secret_of
from ragbots.cli.main import main
from ragbots.config import Settings, load_bot, load_settings
from ragbots.environment import Environment
from ragbots.limiting import Limiter
from ragbots.loaders.dooray_api import DoorayApi, dooray_access
from ragbots.models import endpoint_of
from ragbots.ports import Message
from ragbots.redaction import Redacting, hide, secrets_of
from ragbots.state import Database
from ragbots.types import Principal

BAD = ("401", "500", "429 late", "redirect", "garbage", "empty", "cut", "unreachable")
ASKED = [Message("user", "연차는?")]


class Planted:
    """Makes secrets, each another, and remembers them."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def __call__(self, kind: str) -> str:
        self.all.append(f"{kind}-{len(self.all):02d}-pl4nted-{len(self.all) * 7919:06d}")
        return self.all[-1]


class Told:
    """What people and logs are told."""

    def __init__(self) -> None:
        self.log = io.StringIO()
        self.words: list[str] = []

    def of(self, work: Callable[[], object]) -> None:
        """What a piece of work gives back or raises; what a log writes of the error, its causes included."""
        try:
            self.words.append(repr(work()))
        except Exception as error:
            self.words.append(f"{error} {error!r} {getattr(error, 'hint', '')} {getattr(error, 'for_people', '')}")
            self.words += traceback.format_exception(error)
            logging.getLogger("test").exception("failed")

    def text(self) -> str:
        return self.log.getvalue() + "\n".join(self.words)


@pytest.fixture
def told() -> Iterator[Told]:
    """All loggers at DEBUG, written as `ragbots` writes."""
    found = Told()
    handler = logging.StreamHandler(found.log)
    handler.setFormatter(Redacting("%(levelname)s %(name)s: %(message)s"))
    root, levels = logging.getLogger(), {}
    for name in (None, *list(logging.root.manager.loggerDict)):
        logger = logging.getLogger(name)
        levels[logger] = logger.level
        logger.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield found
    root.removeHandler(handler)
    for logger, level in levels.items():
        logger.setLevel(level)


def in_loop(work: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result(60)


def test_no_secret_is_seen(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Planted()
    environ: dict[str, str] = {"RAGBOTS_DATA_DIR": str(tmp_path / "data"), "RAGBOTS_BOTS_DIR": str(tmp_path / "bots")}
    (tmp_path / "bots").mkdir()
    with llm_server() as server:
        toml = _models(environ, plant, server)
        (tmp_path / "ragbots.toml").write_text(toml, "utf-8")
        environ |= {
            "RAGBOTS_CONFIG": str(tmp_path / "ragbots.toml"),
            "RAGBOTS_DATABASE_URL": f"postgresql+psycopg://u:{plant('db')}@127.0.0.1:1/x?connect_timeout=1",
            "RAGBOTS_LIMITS_REDIS_URL": f"redis://:{plant('redis')}@127.0.0.1:1/0",
            "RAGBOTS_DOORAY_DOMAIN": "company.dooray.com",
            "RAGBOTS_DOORAY_API_URL": "http://127.0.0.1:1",
        }
        for name in ("DOORAY_API_TOKEN", "SLACK_SIGNING_SECRET", "DOORAY_APP_TOKEN"):
            (tmp_path / name).write_text(plant("file"), "utf-8")
            environ[f"{name}_FILE"] = str(tmp_path / name)
        for name in ("DOORAY_AGENT_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
            environ[name] = f"{plant('xoxb')} spoilt"
        hooks = [f"http://{host}/hooks/{plant('hook')}" for host in ("127.0.0.1:1", "10.0.0.1", "nowhere.invalid")]
        for number, hook in enumerate(hooks):
            values = {"id": f"b{number}", "name": "봇", "sources": [{"folder": "."}], "notify": hook}
            (tmp_path / "bots" / f"b{number}.yaml").write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")

        variables = Environment(environ)
        settings = load_settings(environ)
        bots = [load_bot(path) for path in sorted((tmp_path / "bots").iterdir())]
        hide(secrets_of(settings, bots, variables))
        told.words += [repr(settings), str(settings), repr(bots)]

        _fail_models(told, settings, variables, server)
        told.of(lambda: Database(settings.state_url))
        told.of(lambda: in_loop(lambda: Limiter(settings.limits).principal(Principal("kim"), "kim")))
        for name in ("DOORAY_AGENT_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
            told.of(lambda name=name: secret_of(variables, name, "it"))  # type: ignore[misc]
        for hook in hooks:
            told.of(lambda hook=hook: notify.post(hook, {}, ("127.0.0.1/32",)))  # type: ignore[misc]
        told.of(lambda: DoorayApi(dooray_access(settings.dooray, variables)).access)
        _refuse_settings(told, plant, tmp_path)
        _requests(told, plant)
        _commands(told, monkeypatch, environ)
    assert len(plant.all) >= 30
    seen = {secret for secret in plant.all if secret in told.text()}
    assert not seen
    assert told.log.getvalue().count("\n") > 50  # it was listened to
    assert "***" in told.log.getvalue()  # and something had to be struck out


def _models(environ: dict[str, str], plant: Planted, server: LlmServer) -> str:
    toml = ""
    for number, bad in enumerate(BAD):
        environ[f"LLM_KEY_{number}"] = plant("sk")
        url = "http://127.0.0.1:1/v1" if bad == "unreachable" else server.url
        toml += f'[llms.m{number}]\nbase_url = "{url}"\nmodel = "some-model"\napi_key_env = "LLM_KEY_{number}"\n'
        toml += "retries = 0\nanswer_seconds = 5\n"
    return toml


def _fail_models(told: Told, settings: Settings, variables: Environment, server: LlmServer) -> None:
    for number, bad in enumerate(BAD):
        server.misbehaves = bad
        name = f"m{number}"
        endpoint = endpoint_of(name, settings.llms[name], variables, ())

        async def ask(endpoint: Any = endpoint) -> None:
            async for _ in endpoint.stream(ASKED, 50):
                pass

        told.of(lambda ask=ask: in_loop(ask))  # type: ignore[misc]
        told.of(lambda endpoint=endpoint: endpoint._settings)  # type: ignore[misc]


def _refuse_settings(told: Told, plant: Planted, folder: Path) -> None:
    for name in ("PORT", "LIMITS_REDIS_URL", "LIMITS_PER_USER", "DOORAY_API_URL"):
        told.of(lambda name=name: load_settings({f"RAGBOTS_{name}": plant("wrong")}) and None)  # type: ignore[misc]
    path = folder / "wrong.yaml"
    path.write_text(f"id: a\nname: b\nsources: [{{folder: .}}]\nnotify: https://u:{plant('userinfo')}@h.example/\n")
    told.of(lambda: load_bot(path))


def _commands(told: Told, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    for arguments in (["doctor"], ["doctor", "--json"], ["bots", "list", "--json"], ["index", "status", "--json"]):
        monkeypatch.setattr(sys, "argv", ["ragbots", "--verbose", *arguments])
        with pytest.raises(SystemExit):
            main()
    told.words += [out.getvalue(), err.getvalue()]


def _requests(told: Told, plant: Planted) -> None:
    from tests.unit.api.fake_runtime import FakeRuntime

    def broken(_question: object) -> Any:
        raise ValueError("something else")

    runtime = FakeRuntime()
    runtime.answering = broken
    with TestClient(create_app(runtime), raise_server_exceptions=False) as client:
        for path in ("/api/chat", "/v1/chat/completions", "/api/feedback", "/mcp"):
            headers = {"Authorization": f"Bearer {plant('key')}", "Cookie": f"session={plant('cookie')}"}
            body = {"question": "연차는?", "model": "auto", "messages": [{"role": "user", "content": "연차는?"}]}
            for sent in (body, {"question": "연차는?"}):
                told.words.append(client.post(path, json=sent, headers=headers).text)
        told.words.append(client.get("/metrics").text)
