"""Logs without secrets and personal data: whatever a library writes, at whatever level, the secrets that are known are
struck out, and what looks like somebody's number or address becomes a label."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

from ragbots import privacy
from ragbots.config import BotConfig, Settings
from ragbots.errors import ConfigurationError

HIDDEN = "***"
_LEAST_CHARS = 6  # what is shorter stands in many words by chance


class Redacting(logging.Formatter):
    """Strikes `hidden` out of the written record, its traceback included."""

    def __init__(self, form: str) -> None:
        super().__init__(form)
        self.hidden: frozenset[str] = frozenset()

    def format(self, record: logging.LogRecord) -> str:
        written = super().format(record)
        for secret in sorted(self.hidden, key=len, reverse=True):  # one may be part of another
            written = written.replace(secret, HIDDEN)
        return privacy.mask(written)  # a message or a traceback may hold words of a question


def hide(secrets: Iterable[str]) -> None:
    """Has the handlers of the root logger that redact strike these out too."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, Redacting):
            handler.formatter.hidden |= frozenset(secrets)


def secrets_of(settings: Settings, bots: Iterable[BotConfig], environ: Mapping[str, str]) -> frozenset[str]:
    """The secrets that an installation knows: what its variables hold, passwords in addresses, and where notices go."""
    dooray, slack = settings.dooray, settings.slack
    names = [dooray.token_env, dooray.agent_token_env, dooray.app_token_env]
    names += [slack.bot_token_env, slack.app_token_env, slack.signing_secret_env]
    names += [settings.identity.client_secret_env]
    names += [one.api_key_env for one in settings.llms.values() if one.api_key_env]
    found = [_value(environ, name).strip() for name in names]
    redis = settings.limits.redis_url
    for address in (settings.database_url or "", redis.get_secret_value() if redis else ""):
        found += _password(address)
    for bot in bots:
        found += _tail(bot.notify or "")
    return frozenset(secret for secret in found if len(secret) >= _LEAST_CHARS)


def _value(environ: Mapping[str, str], name: str) -> str:
    try:
        return environ.get(name) or ""
    except ConfigurationError:  # told where it is needed
        return ""


def _password(address: str) -> list[str]:
    try:
        password = urlsplit(address).password or ""
    except ValueError:
        return []
    return [password, unquote(password)]


def _tail(address: str) -> list[str]:
    """What follows the host: the hooks of messengers have their secret there."""
    parts = urlsplit(address)
    return [parts.path, parts.query]
