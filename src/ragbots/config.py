"""Settings and bots: read once, frozen, unknown keys refused with what was meant instead."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from ragbots.errors import ConfigurationError

BotId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FolderSource(Strict):
    """A folder of documents, below the YAML file or absolute."""

    folder: Path


class Access(Strict):
    """Groups that may ask, own and administer; an empty list = any signed-in person."""

    ask: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    administer: tuple[str, ...] = ()


class BotConfig(Strict):
    """One bot. `path` is the YAML file; sources and question files are relative to it."""

    path: Path
    id: BotId
    name: Line
    sources: Annotated[tuple[FolderSource, ...], Field(min_length=1)]
    description: str = ""
    sample_questions: tuple[Line, ...] = ()
    glossary: Mapping[str, tuple[Line, ...]] = Field(default_factory=dict)
    contact: str = ""
    refusal: str = ""
    questions: tuple[Path, ...] = ()
    access: Access = Access()
    public: bool = False
    grade: Annotated[str, StringConstraints(pattern="^(open|internal|sensitive)$")] = "internal"
    llm: str | None = None
    embedder: str | None = None
    store: str | None = None
    schedule: str | None = None

    @field_validator("glossary", mode="before")
    @classmethod
    def _one_word_is_a_list(cls, value: object) -> object:
        if isinstance(value, Mapping):
            return {key: (words,) if isinstance(words, str) else words for key, words in value.items()}
        return value

    def resolve(self, path: Path) -> Path:
        return path if path.is_absolute() else (self.path.parent / path)

    @property
    def folders(self) -> tuple[Path, ...]:
        return tuple(self.resolve(source.folder).resolve() for source in self.sources)


class Settings(Strict):
    """How this installation runs. From `ragbots.toml`, then `RAGBOTS_…` variables, then options."""

    bots_dir: Path = Path("bots")
    data_dir: Path = Path("var")
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8642
    today: date | None = None
    embedder: str = "bundled"
    store: str = "chroma"
    max_question_chars: Annotated[int, Field(ge=1, le=100_000)] = 2_000
    max_body_bytes: Annotated[int, Field(ge=1_000)] = 262_144
    allow_anonymous_network: bool = False

    @field_validator("store")
    @classmethod
    def _known_store(cls, value: str) -> str:
        if value not in ("chroma", "exact"):
            raise ValueError("is `chroma` or `exact`")
        return value

    @model_validator(mode="after")
    def _absolute(self) -> Settings:
        # Frozen, so replaced beneath pydantic: every later reader sees absolute folders.
        object.__setattr__(self, "bots_dir", self.bots_dir.expanduser().resolve())
        object.__setattr__(self, "data_dir", self.data_dir.expanduser().resolve())
        return self

    @property
    def state_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'state.sqlite3'}"

    @property
    def indexes(self) -> Path:
        return self.data_dir / "indexes"

    @property
    def models(self) -> Path:
        return self.data_dir / "models"


def load_settings(environ: Mapping[str, str], **options: object) -> Settings:
    """Settings from the toml file, overridden by the environment, overridden by given options."""
    named = environ.get("RAGBOTS_CONFIG")
    path = Path(named) if named else Path("ragbots.toml")
    values: dict[str, Any] = {}
    if path.is_file():
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: not valid TOML: {error}") from error
    elif named:
        raise ConfigurationError(f"{path}: no such file", hint="it is named by RAGBOTS_CONFIG")
    _refuse_unknown(str(path), values, Settings)
    prefix = "RAGBOTS_"
    variables = {key[len(prefix) :].lower(): value for key, value in environ.items() if key.startswith(prefix)}
    variables.pop("config", None)
    _refuse_unknown("environment (RAGBOTS_…)", variables, Settings)
    values |= variables
    values |= {key: value for key, value in options.items() if value is not None}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(f"settings: {explain(error)}") from error


def load_bot(path: Path) -> BotConfig:
    """One bot from its YAML file. Raises ConfigurationError naming file and field."""
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path}: no such file") from error
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8", hint="save the file as UTF-8") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}: a bot is a mapping with `id`, `name` and `sources`")
    if "path" in values:
        raise ConfigurationError(f"{path}: unknown key `path`")
    _refuse_unknown(str(path), values, BotConfig)
    try:
        return BotConfig.model_validate({**values, "path": path.resolve()})
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {explain(error)}") from error


def load_bots(folder: Path) -> dict[str, BotConfig]:
    """All bots of a folder by id, in order of id. The first mistake is an error; see `check_bots`."""
    bots, mistakes = check_bots(folder)
    if mistakes:
        raise mistakes[0]
    return bots


def check_bots(folder: Path) -> tuple[dict[str, BotConfig], list[ConfigurationError]]:
    """The bots of a folder that are sound, by id, and what is wrong with the others.

    Of two bots with one id neither is taken, since nobody can know which was meant.
    """
    if not folder.is_dir():
        return {}, [
            ConfigurationError(f"{folder}: no such folder", hint="name the folder of bot files with --bots-dir")
        ]
    found: dict[str, list[BotConfig]] = {}
    mistakes: list[ConfigurationError] = []
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            bot = load_bot(path)
        except ConfigurationError as error:
            mistakes.append(error)
        else:
            found.setdefault(bot.id, []).append(bot)
    for bot_id, same in found.items():
        if len(same) > 1:
            names = " and ".join(str(bot.path) for bot in same)
            mistakes.append(ConfigurationError(f"two bots with id `{bot_id}`: {names}", hint="give one another id"))
    if not found and not mistakes:
        mistakes.append(ConfigurationError(f"{folder}: no bot files (*.yaml)", hint="make one with `ragbots bots new`"))
    return {bot_id: same[0] for bot_id, same in sorted(found.items()) if len(same) == 1}, mistakes


def explain(error: ValidationError) -> str:
    """A validation error in one line: each field and what it should be."""
    parts = []
    for problem in error.errors():
        where = ".".join(str(step) for step in problem["loc"]) or "value"
        known = problem["type"] != "extra_forbidden"
        parts.append(f"`{where}`: {problem['msg'] if known else _unknown_inside(str(problem['loc'][-1]))}")
    return "; ".join(parts)


def _unknown_inside(key: str) -> str:
    near = difflib.get_close_matches(key, [*FolderSource.model_fields, *Access.model_fields], n=1)
    return f"unknown key, did you mean `{near[0]}`?" if near else "unknown key"


def _refuse_unknown(where: str, values: Mapping[str, Any], model: type[BaseModel]) -> None:
    known = [name for name in model.model_fields if name != "path"]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
            raise ConfigurationError(f"{where}: unknown key `{key}`", hint=hint)
