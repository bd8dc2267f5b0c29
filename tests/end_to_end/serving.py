"""An installation served over real HTTP by the server that `ragbots serve` runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from ragbots.api.app import create_app
from ragbots.api.server import listen, url_of
from ragbots.runtime import Runtime


@contextmanager
def served(runtime: Runtime) -> Iterator[str]:
    """The URL of a server over `runtime`, in a thread of its own until the block ends."""
    listener = listen(runtime, "127.0.0.1", 0)
    config = uvicorn.Config(create_app(runtime), log_config=None, access_log=False, lifespan="on", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    with listener:
        thread.start()
        try:
            end = time.monotonic() + 30
            while not server.started:
                assert thread.is_alive()
                assert time.monotonic() < end
                time.sleep(0.01)
            yield url_of(listener, "127.0.0.1")
        finally:
            server.should_exit = True
            thread.join(30)
