"""A small installation in a folder of its own, asked in this process or through the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ragbots.config import load_settings
from ragbots.runtime import Runtime
from ragbots.types import Answer, Context, Principal, Question, Status

SWAP_SECONDS = 30.0
RAGBOTS = Path(sysconfig.get_path("scripts")) / "ragbots"

PLANTS = """---
제목: 화분관리규정
시행일: 2026-01-01
---
# 화분관리규정

## 제1장 총칙

### 제1조(목적)

이 규정은 사무실 화분의 관리에 필요한 사항을 정하는 것을 목적으로 한다.

### 제2조(물 주기)

① 직원은 사무실의 화분에 물을 주 2회 주어야 한다.

② 여름철인 7월과 8월에는 화분에 물을 주 3회 준다.

### 제3조(분갈이)

분갈이는 2년마다 4월에 하며, 비용은 총무부가 부담한다.

### 제4조(말라 죽은 화분)

말라 죽은 화분은 발견한 날부터 7일 안에 총무부에 신고하고 새 화분으로 바꾼다.
"""
VISITORS = """---
제목: 방문객주차지침
시행일: 2026-01-01
---
# 방문객주차지침

### 제1조(목적)

이 지침은 방문객의 주차에 필요한 사항을 정하는 것을 목적으로 한다.

### 제2조(주차 요금)

① 방문객은 처음 2시간 동안 주차 요금을 내지 아니한다.

② 2시간이 지난 뒤에는 30분마다 1,000원의 주차 요금을 낸다.

### 제3조(주차 등록)

방문객의 차량은 안내 창구에서 차량 번호를 등록하여야 한다.
"""
WATER = "사무실 화분에 물은 일주일에 몇 번 주어야 하나요?"
PARKING = "방문객의 주차 요금은 30분마다 얼마인가요?"
OUTSIDE = "달에서 지구까지 빛이 오는 데 걸리는 시간과 은하의 나이는?"

Files = Mapping[str, str | bytes]
RunMain = Callable[[list[str], Mapping[str, str]], "Done"]


@dataclass(frozen=True)
class Done:
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Installation:
    """A folder with `bots`, `documents` and `data`."""

    root: Path
    model: Path
    run_main: RunMain

    @property
    def bots(self) -> Path:
        return self.root / "bots"

    @property
    def data(self) -> Path:
        return self.root / "data"

    def documents(self, bot: str = "office") -> Path:
        return self.root / "documents" / bot

    def versions(self, bot: str = "office") -> list[str]:
        """Whatever lies in the bot's index folder, leftovers of killed builds included."""
        folder = self.data / "indexes" / bot
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def add(self, bot: str, files: Files, **keys: object) -> None:
        """Writes a bot and its documents."""
        self.bots.mkdir(parents=True, exist_ok=True)
        values = {"id": bot, "name": f"{bot} 봇", "sources": [{"folder": f"../documents/{bot}"}], **keys}
        (self.bots / f"{bot}.yaml").write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
        self.put(files, bot)

    def put(self, files: Files, bot: str = "office") -> None:
        for name, content in files.items():
            path = self.documents(bot) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)

    def environment(self, **more: str) -> dict[str, str]:
        """The exact scan, unless told otherwise: Chroma's checks start a process each."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("RAGBOTS_")}
        return kept | {
            "RAGBOTS_BOTS_DIR": str(self.bots),
            "RAGBOTS_DATA_DIR": str(self.data),
            "RAGBOTS_STORE": "exact",
            "RAGBOTS_TODAY": "2026-11-23",
            **more,
        }

    def cli(self, *arguments: str, **environment: str) -> Done:
        """The command, in this process with the model that is loaded already."""
        return self.run_main(list(arguments), self.environment(**environment))

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """The real command in a process of its own."""
        self.data.mkdir(parents=True, exist_ok=True)
        if not (self.data / "models").exists():
            (self.data / "models").symlink_to(self.model)
        return subprocess.Popen(
            [str(part) for part in (command or (RAGBOTS,))],
            env=self.environment(**environment), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def process(self, *arguments: str, **environment: str) -> Done:
        with self.start(str(RAGBOTS), *arguments, **environment) as running:
            out, err = running.communicate(timeout=120)
        return Done(running.returncode, out, err)

    @contextmanager
    def open(self, **environment: str) -> Iterator[Runtime]:
        with closing(Runtime.open(load_settings(self.environment(**environment)))) as opened:
            yield opened

    def build(self, *bots: str) -> str:
        """Builds and releases; the version of the first."""
        done = self.cli("index", "build", *(bots or ("office",)), "--release", "--json")
        assert done.code == 0, done.out + done.err
        version: str = done.json["bots"][0]["version"]
        return version


def told(answer: Answer) -> str:
    """How often, by the answer, a plant is watered."""
    assert answer.status is Status.ANSWERED, answer.answer
    return answer.answer.split("물을 주 ")[1].split("회")[0]


def wait_for_an_answer_from(version: str, given: Sequence[Any]) -> None:
    """Until those who ask beside have met `version`; fails after SWAP_SECONDS."""
    end = time.monotonic() + SWAP_SECONDS
    while not given or given[-1].index_version != version:
        assert time.monotonic() < end, f"no answer from {version}"
        time.sleep(0.005)


def here(runtime: Runtime) -> Context:
    return runtime.context(Principal("tester"))


def ask(runtime: Runtime, question: str, bot: str | None = "office") -> Answer:
    return runtime.ask(Question(question, bot=bot), here(runtime))
