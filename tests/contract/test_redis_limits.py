"""Limits counted in a real Redis: by two servers together, and while it is away."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.test_limiting import KIM, limiter, run, taken

SERVER = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(SERVER is None, reason="redis-server is not installed")


class Redis:
    def __init__(self, folder: Path) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port = free.getsockname()[1]
        self.folder = folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            str(SERVER),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self.folder),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("redis-server did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


def test_two_servers_count_together(redis: Redis) -> None:
    async def work() -> list[int]:
        servers = [limiter(per_user="6/hour", redis_url=redis.url) for _ in range(2)]
        found = [await taken(server.principal, KIM, 4) for server in servers]
        for server in servers:
            await server.close()
        return found

    assert run(work()) == [4, 2]


def test_people_go_on_asking_when_redis_goes_and_are_counted_there_when_it_is_back(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ragbots.limiting.AWAY_SECONDS", 0.0)

    async def work() -> None:
        server = limiter(per_user="3/hour", redis_url=redis.url)
        assert await taken(server.principal, KIM, 1) == 1
        await asyncio.to_thread(redis.stop)
        assert await taken(server.principal, KIM, 9) == 3
        await asyncio.to_thread(redis.start)
        assert await taken(server.principal, KIM, 9) == 3
        await server.close()

    run(work())
    told = [record.getMessage() for record in caplog.records if record.name == "ragbots.limiting"]
    assert len(told) == 2
    assert "each server counts by itself" in told[0]
    assert told[1] == "limits: Redis answers again"
