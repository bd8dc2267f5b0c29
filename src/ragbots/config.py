"""Settings and bots: read once, frozen, unknown keys refused with what was meant instead."""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    StringConstraints,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from ragbots import schedule
from ragbots.environment import Environment
from ragbots.errors import ConfigurationError

BotId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Grade = Literal["open", "internal", "sensitive"]
GRADES: tuple[Grade, ...] = ("open", "internal", "sensitive")  # the last is the most guarded
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Seconds = Annotated[float, Field(gt=0, le=3_600)]
NO_LLM = "none"  # what a bot says that is answered without a language model


class Strict(BaseModel):
    # What was given may be a secret, and the errors name the field.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class FolderSource(Strict):
    """A folder of documents, below the YAML file or absolute."""

    folder: Path


def _wiki_id(value: object) -> object:
    """YAML reads a bare id as a number: both are taken, and nothing that only looks like one."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and re.fullmatch(r"[0-9]{1,20}", text.strip()):
        return text.strip()
    raise ValueError("is an id of up to 20 digits, as in the address of the page: …/wiki/<wiki>/<page>")


WikiId = Annotated[str, BeforeValidator(_wiki_id)]


class WikiPlace(Strict):
    """A Dooray wiki, or of it the page `under` with everything below."""

    wiki: WikiId
    under: WikiId | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_mapping(cls, value: object) -> object:
        if not isinstance(value, (Mapping, WikiPlace)):
            raise ValueError("is a mapping, such as {wiki: 1234567890123456789, under: 1234567890123456789}")
        return value


class DoorayWikiSource(Strict):
    """The pages of a Dooray wiki; the installation's `dooray` settings say how to reach it."""

    dooray_wiki: WikiPlace


_FOLDER, _DOORAY_WIKI = "<folder>", "<dooray_wiki>"  # bracketed: no key of a YAML file looks like this
_SOURCE_FORMS = "`folder: PATH` or `dooray_wiki: {wiki: ID, under: ID}`"


def _kind_of_source(value: object) -> str | None:
    """The form that is meant, misspelt or not: its own errors say more than those of all forms together."""
    if isinstance(value, (FolderSource, DoorayWikiSource)):
        return _FOLDER if isinstance(value, FolderSource) else _DOORAY_WIKI
    keys = [str(key) for key in value] if isinstance(value, Mapping) else []
    kinds = {"folder": _FOLDER, "dooray_wiki": _DOORAY_WIKI}
    meant = {near for key in keys for near in difflib.get_close_matches(key, kinds, n=1)}
    return kinds[meant.pop()] if len(meant) == 1 else None


BotSource = Annotated[
    Annotated[FolderSource, Tag(_FOLDER)] | Annotated[DoorayWikiSource, Tag(_DOORAY_WIKI)],
    Discriminator(
        _kind_of_source,
        custom_error_type="source_form",
        custom_error_message=f"is one source: {_SOURCE_FORMS}",
    ),
]


class DocumentRule(Strict):
    """Groups of which a reader must be in one to see what lies at a path below the source: a document, a folder, or a
    pattern of them; an empty list = any signed-in person."""

    path: Line
    ask: tuple[Line, ...] = ()

    @field_validator("path")
    @classmethod
    def _below_the_source(cls, value: str) -> str:
        parts = value.split("/")
        if value.startswith("/") or "\\" in value or ".." in parts or not any(parts):
            raise ValueError("is a path below the source with `/` between its parts, such as `감사/**`")
        return value


class Access(Strict):
    """Groups that may ask (an empty list = any signed-in person), own and administer (an empty list = the
    administrators of the installation); and what of the documents is for some readers alone."""

    ask: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    administer: tuple[str, ...] = ()
    documents: tuple[DocumentRule, ...] = ()


class BotConfig(Strict):
    """One bot. `path` is the YAML file; sources and question files are relative to it."""

    path: Path
    id: BotId
    name: Line
    sources: tuple[BotSource, ...]
    description: str = ""
    sample_questions: tuple[Line, ...] = ()
    glossary: Mapping[str, tuple[Line, ...]] = Field(default_factory=dict)
    contact: str = ""
    refusal: str = ""
    refuse_below: float | None = Field(None, ge=0, le=1)  # a confidence; None: the one that was fitted
    questions: tuple[Path, ...] = ()
    access: Access = Access()
    public: bool = False
    grade: Grade = "internal"
    llm: tuple[Line, ...] = ()
    prompts: Mapping[Literal["answer", "rewrite", "rerank"], Path] = Field(default_factory=dict)
    embedder: str | None = None
    store: str | None = None
    schedule: Line | None = None
    notify: str | None = Field(None, repr=False)

    @field_validator("schedule")
    @classmethod
    def _comes_round(cls, value: str | None) -> str | None:
        problem = None if value is None else schedule.mistake(value)
        if problem:
            raise ValueError(problem)
        return value

    @field_validator("notify")
    @classmethod
    def _can_be_posted_to(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://none")
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("is an address such as https://hooks.example.com/…, without user name")
        return value

    @field_validator("sources")
    @classmethod
    def _at_least_one(cls, value: tuple[BotSource, ...]) -> tuple[BotSource, ...]:
        # Not min_length: that would also complain of the entries that are wrong, as missing ones.
        if not value:
            raise ValueError(f"names at least one source: {_SOURCE_FORMS}")
        return value

    @field_validator("glossary", mode="before")
    @classmethod
    def _one_word_is_a_list(cls, value: object) -> object:
        if isinstance(value, Mapping):
            return {key: (words,) if isinstance(words, str) else words for key, words in value.items()}
        return value

    @field_validator("llm", mode="before")
    @classmethod
    def _one_name_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("llm")
    @classmethod
    def _none_stands_alone(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if NO_LLM in value and len(value) > 1:
            raise ValueError(f"is names of models, the first one used unless another is asked for, or `{NO_LLM}` alone")
        return value

    def resolve(self, path: Path) -> Path:
        return path if path.is_absolute() else (self.path.parent / path)

    @property
    def own_prompts(self) -> Mapping[str, Path]:
        """The bot's own prompts by kind, absolute."""
        return {kind: self.resolve(path) for kind, path in self.prompts.items()}

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders among the sources, absolute."""
        return tuple(self.resolve(one.folder).resolve() for one in self.sources if isinstance(one, FolderSource))

    @property
    def wikis(self) -> tuple[WikiPlace, ...]:
        """The Dooray wikis among the sources."""
        return tuple(one.dooray_wiki for one in self.sources if isinstance(one, DoorayWikiSource))


def _listed(value: object) -> object:
    """A list, or in an environment variable its entries with commas between."""
    return tuple(one for one in re.split(r"[,\s]+", value) if one) if isinstance(value, str) else value


class DooraySettings(Strict):
    """How to reach the organisation's Dooray; needed only where a bot or a channel uses it.

    `domain` is the organisation's (`company.dooray.com`); `api_url` is worked out from it unless
    given. No token is a setting: the environment variable that `token_env` names holds the one for
    wikis, `agent_token_env` the messenger agent's, `app_token_env` the slash command's. Late answers
    to a slash command are posted to hosts of the domain, and to those in `response_hosts`.
    """

    domain: str | None = None
    api_url: str | None = None
    token_env: Variable = "DOORAY_API_TOKEN"
    agent_token_env: Variable = "DOORAY_AGENT_TOKEN"
    app_token_env: Variable = "DOORAY_APP_TOKEN"
    response_hosts: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()

    @field_validator("response_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = next((host for host in value if not re.fullmatch(r"[a-z0-9.-]+(:[0-9]{1,5})?", host)), None)
        if wrong is not None:
            raise ValueError(f"holds host names such as hooks.dooray.com, in small letters; `{wrong}` is none")
        return value

    @field_validator("domain")
    @classmethod
    def _a_host(cls, value: str | None) -> str | None:
        if value is None or re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?", value.strip().lower()):
            return value and value.strip().lower()
        raise ValueError("is a host name such as company.dooray.com, without https:// and path")

    @field_validator("api_url")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        return None if value is None else _token_address(value, "https://api.dooray.com")

    @model_validator(mode="after")
    def _an_api_can_be_named(self) -> DooraySettings:
        if self.domain and not self.api_url and self.domain.count(".") < 2:
            raise ValueError(f"the domain has at least three parts, as company.dooray.com; `{self.domain}` has two")
        return self

    @property
    def api(self) -> str | None:
        """The address of the API: `https://api.` and the domain without its first label; None without a domain."""
        if self.api_url or not self.domain:
            return self.api_url
        return f"https://api.{self.domain.partition('.')[2]}"


class SlackSettings(Strict):
    """The Slack app; needed only where people ask in Slack.

    No secret is a setting: the environment variable that `bot_token_env` names holds the bot's token
    (`xoxb-…`), `app_token_env` the one for Socket Mode (`xapp-…`), `signing_secret_env` the secret that
    requests to `/slack/events` are signed with.
    """

    bot_token_env: Variable = "SLACK_BOT_TOKEN"
    app_token_env: Variable = "SLACK_APP_TOKEN"
    signing_secret_env: Variable = "SLACK_SIGNING_SECRET"
    api_url: str = "https://slack.com/api"

    @field_validator("api_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        return _token_address(value, "https://slack.com/api")


def _token_address(value: str, such_as: str) -> str:
    """An address that a token is sent to."""
    parts = urlsplit(value)
    if parts.username or parts.query or parts.fragment or not parts.hostname:
        raise ValueError(f"is an address such as {such_as}, without user name, `?` and `#`")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(parts.hostname)):
        raise ValueError("begins with https://, since the token is sent there")
    return value.rstrip("/")


class LlmSettings(Strict):
    """A language model behind an OpenAI-compatible endpoint (vLLM, Ollama, Azure, Dooray AI …).

    The key is not a setting: `api_key_env` names the environment variable that holds it. `zone` says
    whether what is sent leaves the organisation; `clearance` is the highest grade of a bot whose rules
    and questions may be sent there: `sensitive` on the premises, else `open`, unless said otherwise.
    Prices are per million tokens, in whatever currency the costs are counted in.
    """

    base_url: str
    model: Line
    api_key_env: Variable | None = None
    provider: Line = "openai"
    zone: Literal["on-premises", "external"] = "external"
    clearance: Grade | None = None
    fallbacks: tuple[Line, ...] = ()
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    passage_tokens: Annotated[int, Field(ge=200, le=200_000)] = 2_400
    answer_tokens: Annotated[int, Field(ge=50, le=32_000)] = 700
    connect_seconds: Seconds = 3.0
    first_token_seconds: Seconds = 20.0
    answer_seconds: Seconds = 60.0
    retries: Annotated[int, Field(ge=0, le=5)] = 1
    max_tokens_name: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = 4
    most_waiting: Annotated[int, Field(ge=0, le=100_000)] = 100
    most_waiting_per_user: Annotated[int, Field(ge=0, le=100_000)] = 20
    rewrites: Literal["none", "follow-ups", "all"] = "follow-ups"
    reranks: bool = False
    input_price: Annotated[float, Field(ge=0)] = 0.0
    output_price: Annotated[float, Field(ge=0)] = 0.0

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError("is an address such as http://127.0.0.1:8001/v1, without user name and `?`")
        return value.rstrip("/")

    @property
    def names_a_host(self) -> bool:
        """Whether it is by a name that the endpoint is found, and not by an address or as this machine."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return host != "localhost"
        return False

    @model_validator(mode="after")
    def _external_is_never_sensitive(self) -> LlmSettings:
        if self.zone == "external" and self.clearance == "sensitive":
            raise ValueError("nothing sensitive may leave: an external model is cleared for `internal` at most")
        return self

    def cleared_for(self, grade: Grade) -> bool:
        """Whether what a bot of this grade holds and is asked may be sent there."""
        highest = self.clearance or ("sensitive" if self.zone == "on-premises" else "open")
        return GRADES.index(grade) <= GRADES.index(highest)


class IdentitySettings(Strict):
    """How people sign in. `local`: nobody does, and whoever sits at this machine is let in; `accounts`: with a user
    name and password kept here; `oidc`: at the identity provider `issuer`, which knows this installation as
    `client_id`. The environment variable that `client_secret_env` names holds the secret; without it the client is a
    public one. API keys are good with each. A session ends `session_idle_minutes` after it was last
    used, and `session_hours` after it began."""

    kind: Literal["local", "accounts", "oidc"] = "local"
    session_idle_minutes: Annotated[int, Field(ge=1, le=100_000)] = 120
    session_hours: Annotated[int, Field(ge=1, le=10_000)] = 12
    issuer: str | None = None
    client_id: Line | None = None
    client_secret_env: Variable = "OIDC_CLIENT_SECRET"
    scope: Line = "openid profile email"
    user_claim: Line = "sub"
    groups_claim: Line = "groups"

    @model_validator(mode="after")
    def _a_provider_where_one_is_needed(self) -> IdentitySettings:
        if self.kind != "oidc":
            return self
        if not self.issuer or not self.client_id:
            raise ValueError("`oidc` needs `issuer` and `client_id`")
        parts = urlsplit(self.issuer)
        over_tls = parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname or ""))
        if not over_tls or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("`issuer` is an address such as https://id.example.com/realms/office")
        return self


_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")

_RATE = re.compile(r"[1-9][0-9]{0,8}/(second|minute|hour|day)")


def _rate(value: str) -> str:
    """So many in so long, several with `;` between, or `none`."""
    rates = [one.strip() for one in value.split(";")]
    if value.strip() != NO_LIMIT and not all(_RATE.fullmatch(one) for one in rates):
        raise ValueError(f"is a rate such as 120/minute, or 20/second; 120/minute, or `{NO_LIMIT}`")
    return "; ".join(rates)


NO_LIMIT = "none"
Rate = Annotated[str, AfterValidator(_rate)]


class LimitSettings(Strict):
    """How many requests the server takes. Who uses it without signing in, on its own machine, is counted by address
    and bot alone; `sign_ins` are attempts to sign in under one name from one address. `redis_url` counts over several
    servers; without it each counts in its own memory."""

    per_user: Rate = "240/minute"
    per_key: Rate = "120/minute"
    per_bot: Rate = "3000/minute"
    per_address: Rate = "6000/minute"
    sign_ins: Rate = "10/minute; 60/hour"
    redis_url: SecretStr | None = None

    @field_validator("redis_url")
    @classmethod
    def _an_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.match(r"(rediss?|unix)://", value.get_secret_value()):
            raise ValueError("is an address such as redis://127.0.0.1:6379/0")
        return value


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value.strip(), strict=False))
    except ValueError as error:
        raise ValueError("is an address or a network, such as 10.0.0.5 or 10.0.0.0/24") from error


Network = Annotated[str, AfterValidator(_network)]


def _origin(value: str) -> str:
    """An origin as a browser names it; no wildcard, since whoever is named may read answers."""
    said = value.strip().lower()
    parts = urlsplit(said)
    if parts.scheme not in ("http", "https") or not parts.hostname or said != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("is the origin of a page, such as https://groupware.example.com, without a path")
    if "@" in parts.netloc or not (_HOST_NAME.fullmatch(parts.hostname) or _is_address(parts.hostname)):
        raise ValueError("is one origin, with neither user name nor `*`, and with its host in ASCII (xn--…)")
    if parts.netloc.endswith(":") or parts.port == 0:
        raise ValueError("is one origin, with a port of its own or none")
    # Browsers leave the scheme's own port out.
    return said.removesuffix({"http": ":80", "https": ":443"}[parts.scheme])


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


Origin = Annotated[str, AfterValidator(_origin)]


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Settings(Strict):
    """How this installation runs. From `ragbots.toml`, then `RAGBOTS_…` variables, then options.

    A table of the toml file is reached from the environment by its name and the key's:
    `domain` in `[dooray]` is `RAGBOTS_DOORAY_DOMAIN`, `api_url` `RAGBOTS_DOORAY_API_URL`,
    `token_env` `RAGBOTS_DOORAY_TOKEN_ENV`.
    """

    bots_dir: Path = Path("bots")
    data_dir: Path = Path("var")
    database_url: str | None = Field(None, repr=False)
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8642
    today: date | None = None
    embedder: str = "bundled"
    rerank: str = "none"
    store: str = "chroma"
    max_question_chars: Annotated[int, Field(ge=1, le=100_000)] = 2_000
    max_body_bytes: Annotated[int, Field(ge=1_000)] = 262_144
    body_seconds: Seconds = 20.0
    allow_anonymous_network: bool = False
    public_url: str | None = None
    conversation_days: Annotated[int, Field(ge=0, le=36_500)] = 365
    audit_days: Annotated[int, Field(ge=0, le=36_500)] = 730
    widget_origins: Annotated[tuple[Origin, ...], BeforeValidator(_listed)] = ()
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(_listed)] = ()
    private_networks: Annotated[tuple[Network, ...], BeforeValidator(_listed)] = ()
    limits: LimitSettings = LimitSettings()
    dooray: DooraySettings = DooraySettings()
    slack: SlackSettings = SlackSettings()
    identity: IdentitySettings = IdentitySettings()
    default_llm: str | None = None
    llms: Mapping[str, LlmSettings] = Field(default_factory=dict)
    llm_tokens_per_user_per_day: Annotated[int, Field(ge=1)] | None = None
    llm_tokens_per_bot_per_day: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _models_are_there(self) -> Settings:
        named = [("default_llm", self.default_llm)] if self.default_llm and self.default_llm != NO_LLM else []
        named += [(f"llms.{name}.fallbacks", other) for name, one in self.llms.items() for other in one.fallbacks]
        unknown = [f"`{where}` names `{name}`" for where, name in named if name not in self.llms]
        if unknown:
            known = ", ".join(self.llms) or "none is configured"
            raise ValueError(f"{'; '.join(unknown)}, which is no model under [llms] ({known})")
        if NO_LLM in self.llms:
            raise ValueError(f"`{NO_LLM}` is no name for a model: a bot says it to have none")
        return self

    @field_validator("public_url")
    @classmethod
    def _a_base(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError("is how people reach this server, such as https://rules.example.com, without `?`")
        if parts.fragment:
            raise ValueError("is an address without `#`")
        return value.rstrip("/")

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
    environ = Environment(environ)
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
    flat, tables = _split_tables(variables)
    _refuse_unknown("environment (RAGBOTS_…)", flat, Settings)
    values |= flat
    for name, table in tables.items():
        below = values.get(name, {})
        values[name] = {**below, **table} if isinstance(below, Mapping) else below  # pydantic names the latter
    values |= {key: value for key, value in options.items() if value is not None}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(f"settings: {explain(error)}") from error


def _split_tables(variables: Mapping[str, str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Variables for single settings, and those for the keys of a table: `dooray_domain` is `domain` in `dooray`."""
    flat: dict[str, str] = {}
    tables: dict[str, dict[str, str]] = {}
    for key, value in variables.items():
        table = next((name for name in _TABLES if key.startswith(f"{name}_")), None)
        if table:
            tables.setdefault(table, {})[key.removeprefix(f"{table}_")] = value
        else:
            flat[key] = value
    return flat, tables


_TABLES = ("dooray", "slack", "identity", "limits")


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
        where = ".".join(str(step) for step in problem["loc"] if step not in (_FOLDER, _DOORAY_WIKI)) or "value"
        known = problem["type"] != "extra_forbidden"
        told = str(problem["msg"]).removeprefix("Value error, ")
        parts.append(f"`{where}`: {told if known else _unknown_inside(str(problem['loc'][-1]))}")
    return "; ".join(parts)


def _unknown_inside(key: str) -> str:
    inner = (
        FolderSource, DoorayWikiSource, WikiPlace, Access, DocumentRule, DooraySettings, SlackSettings,
        IdentitySettings, LlmSettings, LimitSettings,
    )  # fmt: skip
    near = difflib.get_close_matches(key, [name for model in inner for name in model.model_fields], n=1)
    return f"unknown key, did you mean `{near[0]}`?" if near else "unknown key"


def _refuse_unknown(where: str, values: Mapping[str, Any], model: type[BaseModel]) -> None:
    known = [name for name in model.model_fields if name != "path"]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
            raise ConfigurationError(f"{where}: unknown key `{key}`", hint=hint)
