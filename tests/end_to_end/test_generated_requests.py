"""Requests that nobody would write, made up from the OpenAPI document and from any text: none is answered with 5xx.

`GENERATED_REQUESTS=20000` sends that many in all (`make api-fuzz`); without it a few hundred are sent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.end_to_end.installation import Installation
from tests.end_to_end.serving import served

WANTED = int(os.environ.get("GENERATED_REQUESTS", "400"))
OPERATIONS = 17
SECONDS = 25 if "GENERATED_REQUESTS" not in os.environ else 3_000
SCHEMATHESIS = Path(sysconfig.get_path("scripts")) / "schemathesis"
PATIENT = 60.0

ODD = st.sampled_from(["\u0000", "\ud800", "\u202e", "ㄱ", "ᄒ", "\ufeff", "제", "조", "%00", "'", "{{", "\n", "９"])
TEXTS = st.one_of(
    st.text(max_size=300), st.lists(ODD, max_size=40).map("".join), st.text("제조항호0123456789년월일.? ")
)


def test_requests_made_up_from_the_document_are_never_answered_with_5xx(built: Installation, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with built.open(RAGBOTS_LIMITS_PER_ADDRESS="none", RAGBOTS_LIMITS_PER_BOT="none") as runtime:
        runtime.warm_up()
        with served(runtime) as url:
            done = subprocess.run(
                [
                    str(SCHEMATHESIS), "run", f"{url}/openapi.json", "--checks", "not_a_server_error",
                    "--max-examples", str(max(10, WANTED // OPERATIONS)), "--phases", "examples,coverage,fuzzing",
                    "--max-time", str(SECONDS), "--continue-on-failure", "--no-color", "--seed", "8",
                    "--suppress-health-check", "all", "--report", "json", "--report-json-path", str(report),
                    "--generation-database", "none",
                ],
                capture_output=True, text=True, cwd=tmp_path, timeout=SECONDS + 100,
            )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    sys.stdout.write(done.stdout[-1_500:])


def test_no_text_that_is_asked_is_answered_with_5xx(built: Installation) -> None:
    counted: dict[int, int] = {}
    with built.open(RAGBOTS_LIMITS_PER_ADDRESS="none", RAGBOTS_LIMITS_PER_BOT="none") as runtime:
        runtime.warm_up()
        with served(runtime) as url, httpx.Client(base_url=url, timeout=PATIENT) as client:

            @settings(
                max_examples=max(60, WANTED // 4), deadline=None, database=None,
                suppress_health_check=list(HealthCheck), derandomize=True,
            )  # fmt: skip
            @given(TEXTS, st.sampled_from(["/api/chat", "/v1/chat/completions", "/api/search"]))
            def ask(text: str, door: str) -> None:
                if door == "/api/search":
                    safe = text.encode("utf-8", "replace").decode()
                    found = client.get(door, params={"bot": "office", "q": safe})
                else:
                    body = {"question": text} if door == "/api/chat" else {
                        "model": "auto", "messages": [{"role": "user", "content": text}]
                    }  # fmt: skip
                    headers = {"Content-Type": "application/json"}
                    found = client.post(door, content=json.dumps(body).encode(), headers=headers)
                counted[found.status_code] = counted.get(found.status_code, 0) + 1
                assert found.status_code < 500, (text, found.text)

            ask()
    sys.stdout.write(f"{counted}\n")
    assert counted[200] > 10
