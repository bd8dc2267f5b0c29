"""What language models are told: Markdown files with a version, each of which a bot may replace by its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Template

import yaml

from ragbots.errors import ConfigurationError
from ragbots.ports import Message
from ragbots.text import digest

BUILT_IN = Path(__file__).parents[1] / "prompts"
# What each kind of prompt must be given a place for; `bot` and `today` may stand in any.
NEEDED: Mapping[str, frozenset[str]] = {
    "answer": frozenset({"passages", "question"}),
    "rewrite": frozenset({"history", "question"}),
    "rerank": frozenset({"passages", "question"}),
}
_ANYWHERE = frozenset({"bot", "today"})
_PARTS = re.compile(r"\A---\n(?P<head>.*?)\n---\n(?P<system>.*?)\n---\n(?P<user>.*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Prompt:
    """`id` is `answer@1`; of a bot's own file `answer@1+` and the beginning of its hash."""

    id: str
    system: str
    user: str

    def messages(self, *, bot: str, today: date, **values: str) -> tuple[Message, ...]:
        """The two messages with their places filled in; what is filled in is not read for places again."""
        known = {"bot": bot, "today": f"{today.year}년 {today.month}월 {today.day}일", **values}
        return (
            Message("system", Template(self.system).substitute(known).strip()),
            Message("user", Template(self.user).substitute(known).strip()),
        )


def load_prompt(kind: str, own: Path | None = None) -> Prompt:
    """The prompt of a kind (`answer`, `rewrite`, `rerank`), from a bot's own file where it has one.

    Raises ConfigurationError naming the file and what is wrong with it.
    """
    path = own or BUILT_IN / f"{kind}.md"
    try:
        text = path.read_text("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: the prompt `{kind}` cannot be read: {error}") from error
    match = _PARTS.match(text)
    if match is None:
        raise ConfigurationError(
            f"{path}: is no prompt", hint="`---`, `version: 1`, `---`, what the model is told, `---`, what it is asked"
        )
    _check_places(path, kind, match["system"], match["user"])
    version = _version(path, match["head"])
    return Prompt(f"{kind}@{version}" + (f"+{digest(text)[:8]}" if own else ""), match["system"], match["user"])


def mistakes_in_prompts(own: Mapping[str, Path]) -> Iterator[ConfigurationError]:
    """What is wrong with a bot's own prompts, by kind."""
    for kind, path in own.items():
        try:
            load_prompt(kind, path)
        except ConfigurationError as error:
            yield error


def _version(path: Path, head: str) -> str:
    try:
        values = yaml.safe_load(head)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML above the prompt") from error
    if not isinstance(values, dict) or set(values) != {"version"}:
        raise ConfigurationError(f"{path}: above the prompt stands `version: …` and nothing else")
    return str(values["version"])


def _check_places(path: Path, kind: str, *parts: str) -> None:
    templates = [Template(part) for part in parts]
    if not all(template.is_valid() for template in templates):
        raise ConfigurationError(f"{path}: a `$` that names no place", hint="write `$$` for a dollar sign")
    named = {name for template in templates for name in template.get_identifiers()}
    missing, unknown = NEEDED[kind] - named, named - NEEDED[kind] - _ANYWHERE
    if missing or unknown:
        wrong = [
            *(f"`${name}` is missing" for name in sorted(missing)),
            *(f"`${name}` is unknown" for name in sorted(unknown)),
        ]
        raise ConfigurationError(
            f"{path}: {', '.join(wrong)}", hint=f"places: {', '.join(sorted(NEEDED[kind] | _ANYWHERE))}"
        )
