"""500 clients of server-sent events at once, a fifth of whom go away: errors, memory before and after, leaked tasks.

`make soak`. The server runs in a process of its own, which counts its tasks; `RAGBOTS_…` settings hold, but limits on
requests are off: all clients have one address and are one person.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.soak import Soaked, soak

UNLIMITED = {f"RAGBOTS_LIMITS_PER_{what}": "none" for what in ("ADDRESS", "USER", "KEY", "BOT")}
MEMORY_ALLOWED = 1.10
WARM_UP_CLIENTS = 100

SERVER = """
import asyncio
import os
import uvicorn
from starlette.responses import JSONResponse
from ragbots.api.app import create_app
from ragbots.api.server import listen, url_of
from ragbots.config import load_settings
from ragbots.runtime import Runtime

runtime = Runtime.open(load_settings(os.environ))
runtime.warm_up()
app = create_app(runtime)

async def tasks(_request):
    return JSONResponse(len(asyncio.all_tasks()))

app.add_route("/tasks", tasks)
listener = listen(runtime, "127.0.0.1", 0)
print(url_of(listener, "127.0.0.1"), flush=True)
config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", ws="none")
uvicorn.Server(config).run(sockets=[listener])
runtime.close()
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--wait", type=float, default=60.0, help="seconds after which the memory is looked at")
    options = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], env=os.environ | UNLIMITED, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        if not url:
            return 1
        questions = sample_questions(url)
        # What a server takes for its first answers it keeps: measured against one that has worked already.
        asyncio.run(soak(url, questions, WARM_UP_CLIENTS))
        time.sleep(5)
        tasks, memory = count_tasks(url), memory_of(server.pid)
        found = asyncio.run(soak(url, questions, options.clients))
        peak = memory_of(server.pid)
        time.sleep(options.wait)
        return report(found, (tasks, count_tasks(url)), (memory, peak, memory_of(server.pid)), options.wait)
    finally:
        server.terminate()
        server.wait(30)


def report(found: Soaked, tasks: tuple[int, int], memory: tuple[float, float, float], wait: float) -> int:
    before, peak, after = memory
    leaked = tasks[1] - tasks[0]
    seconds = sorted(found.seconds)
    print(f"statuses            {dict(found.statuses)}")
    print(f"answers 5xx         {found.server_errors}")
    print(f"read to the end     {found.finished}")
    print(f"went away           {found.dropped}")
    print(f"complaints          {dict(found.failed) or 'none'}")
    if seconds:
        print(f"seconds, p50 / max  {statistics.median(seconds):.1f} / {seconds[-1]:.1f}")
    print(f"memory, MB          {before:.0f} before, {peak:.0f} at the end, {after:.0f} after {wait:.0f} s")
    print(f"tasks leaked        {leaked}")
    sound = not found.server_errors and not found.failed and leaked <= 0 and after <= before * MEMORY_ALLOWED
    print("sound" if sound else "NOT SOUND")
    return 0 if sound else 1


def sample_questions(url: str) -> Sequence[str]:
    bots = json.load(urlopen(f"{url}/api/bots"))["bots"]
    return [question for bot in bots for question in bot["sample_questions"]] or ["연차는 며칠인가요?"]


def count_tasks(url: str) -> int:
    return int(urlopen(f"{url}/tasks").read())


def memory_of(pid: int) -> float:
    """Resident memory in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    raise SystemExit(main())
