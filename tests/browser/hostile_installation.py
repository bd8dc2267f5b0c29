"""A real installation whose every text is a payload, served: `python hostile_installation.py FOLDER PORT ORIGIN`,
where the pages of ORIGIN have the widget.

FOLDER then holds a comparison with the version before (`diff.html`), a report (`report.html`) and the ids of the
articles (`articles.json`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import date
from html import escape
from pathlib import Path

import yaml
from payloads import packs, payloads

from ragbots import evaluation
from ragbots.api.server import serve
from ragbots.cli.main import app
from ragbots.config import load_settings
from ragbots.runtime import Runtime
from ragbots.types import Principal

PER_ARTICLE = 10
PER_RECORD = 90
RULE = "직원은 사무실의 화분에 물을 주 2회 주어야 한다."


class Quiet:
    """No progress to be seen."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_arguments, **_more: None


def regulation() -> str:
    """Articles whose headings and items are payloads."""
    articles = (
        f"제{number}조({pack[0]})\n다음 각 호와 같이 한다.\n"
        + "\n".join(f"{at}. {text}" for at, text in enumerate(pack, start=1))
        for number, pack in enumerate(packs(PER_ARTICLE), start=2)
    )
    return f"공격규정\n\n제1조(물 주기)\n{RULE} {payloads()[2]}\n\n" + "\n\n".join(articles) + "\n"


def page() -> str:
    """A page as a wiki gives it: payloads as title, headings, cells and targets of links."""
    made = payloads()
    rows = "".join(f"<tr><td>{escape(text)}</td><td>{at}원</td></tr>" for at, text in enumerate(made[::24]))
    return f"""<html><head><title>{escape(made[2])}</title></head><body><h1>{escape(made[2])}</h1>
<h2>제1조({escape(made[4])})</h2><p>{escape(made[29])} <a href="javascript:alert(1)">{escape(made[57])}</a></p>
<h2>별표 1 {escape(made[31])}</h2><table><tr><th>{escape(made[0])}</th><th>금액</th></tr>{rows}</table></body></html>"""


def named(number: int, name: str) -> tuple[str, str]:
    """A file whose name is a payload, and so are its title and its link."""
    made = payloads()
    facts = {"제목": made[number + 60], "출처": f"javascript:alert({number})"}
    front = yaml.safe_dump(facts, allow_unicode=True)
    body = f"# {escape(made[number + 90])}\n\n## 제1조({escape(name)})\n\n{escape(made[number])}\n"
    return f"{name.replace('/', '∕')[:70]}.md", f"---\n{front}---\n{body}"


def write_bot(root: Path) -> None:
    made = payloads()
    values = {
        "id": "attack", "name": made[36], "description": made[33], "contact": f"{made[36]} a@b.example",
        "sample_questions": made[:4], "glossary": {made[40]: [made[41]]}, "refusal": made[62],
        "sources": [{"folder": "../documents"}], "public": True,
    }  # fmt: skip
    for folder in ("bots", "documents"):
        (root / folder).mkdir(parents=True)
    (root / "bots" / "attack.yaml").write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")


def write_documents(folder: Path) -> None:
    files = {"공격규정.txt": regulation(), "표.html": page()}
    files |= dict(named(number, name) for number, name in enumerate(payloads()[:56:14]))
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


def built(runtime: Runtime) -> str:
    """Builds and releases what is written now."""
    version = runtime.build("attack", Quiet()).version  # type: ignore[arg-type]
    runtime.release("attack", version, by="test")
    return version


def questions(root: Path) -> Path:
    """Golden questions that are payloads themselves."""
    path = root / "questions.jsonl"
    gold = [{"source": "공격규정.txt", "article": "제1조", "paragraph": None}]
    lines = (
        {"id": f"q{at}", "bot": "attack", "question": pack[at], "gold": gold, "answer": "\n".join(pack)}
        for at, pack in enumerate(packs(PER_RECORD))
    )
    path.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    return path


def articles(runtime: Runtime) -> Iterable[str]:
    context = runtime.context(Principal("local", local=True))
    for number in range(1, len(packs(PER_ARTICLE)) + 2):
        yield runtime.article("attack", f"제{number}조", "공격규정.txt", context).id
    yield runtime.article("attack", "별표 1", "표.html", context).id


def run(root: Path, port: int, origin: str) -> None:
    environment = {
        "RAGBOTS_BOTS_DIR": str(root / "bots"), "RAGBOTS_DATA_DIR": str(root / "data"), "RAGBOTS_STORE": "exact",
        "RAGBOTS_TODAY": "2026-11-23", "RAGBOTS_WIDGET_ORIGINS": origin,
    }  # fmt: skip
    write_bot(root)
    (root / "documents" / "공격규정.txt").write_text(f"공격규정\n\n제1조({payloads()[5]})\n{payloads()[6]}\n", "utf-8")
    with closing(Runtime.open(load_settings(environment))) as runtime:
        old = built(runtime)
        write_documents(root / "documents")
        new = built(runtime)
        runtime.warm_up()
        records = evaluation.load_questions([questions(root)])
        report = runtime.judged("attack", new, records)
        names = {bot.id: bot.name for bot in runtime.bots.values()}
        shown = evaluation.report_page(report, records, names, date(2026, 11, 23), 0.5)
        (root / "report.html").write_text(shown, "utf-8")
        (root / "articles.json").write_text(json.dumps(list(articles(runtime))), "utf-8")
        folders = ["--bots-dir", str(root / "bots"), "--data-dir", str(root / "data")]
        app(["diff", "attack", old, new, "--html", str(root / "diff.html"), "--json", *folders], standalone_mode=False)
        serve(runtime, "127.0.0.1", port)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
