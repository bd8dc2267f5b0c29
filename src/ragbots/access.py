"""Who may see what: the one place that decides it, for every door and every path."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from ragbots.config import BotConfig
from ragbots.errors import AccountDisabled, BotNotFound
from ragbots.text import clean
from ragbots.types import Principal

ADMINISTRATORS = "administrators"
"""The group that administers the installation: it owns what names no owners."""


# ---------------------------------------------------------------- bots


def may_ask(principal: Principal, bot: BotConfig) -> bool:
    """Public bots are everybody's; others need a signed-in person, in one of the groups if any are named. A credential
    that is good for some bots alone shows no other."""
    if principal.bots is not None and bot.id not in principal.bots:
        return False
    return bot.public or _is_among(principal, bot.access.ask)


def visible(principal: Principal, bots: Iterable[BotConfig]) -> tuple[BotConfig, ...]:
    """The bots this principal may ask, in the order given."""
    return tuple(bot for bot in bots if may_ask(principal, bot))


def require(principal: Principal, bots: Mapping[str, BotConfig], bot_id: str) -> BotConfig:
    """The bot, or BotNotFound: one that may not be seen does not exist, in words and status."""
    bot = bots.get(bot_id)
    if bot is None or not may_ask(principal, bot):
        raise _no_bot(bot_id)
    return bot


def may_own(principal: Principal, bot: BotConfig) -> bool:
    """Owners see what is not for everybody: versions before they are released, what was said of answers, statistics.

    They are the groups that `own` and `administer` name, the administrators of the installation, and whoever sits at
    a machine where nobody signs in; all of them only of what they may ask."""
    if not (principal.authenticated and may_ask(principal, bot)):
        return False
    owners = {ADMINISTRATORS, *bot.access.own, *bot.access.administer}
    return principal.local or bool(principal.groups & owners)


def require_owner(principal: Principal, bots: Mapping[str, BotConfig], bot_id: str) -> BotConfig:
    """The bot, or BotNotFound for whoever does not own it."""
    bot = bots.get(bot_id)
    if bot is None or not may_own(principal, bot):
        raise _no_bot(bot_id)
    return bot


def may_administer(principal: Principal) -> bool:
    """Whether this principal sees what is of the whole installation."""
    return principal.authenticated and (principal.local or ADMINISTRATORS in principal.groups)


def _no_bot(bot_id: str) -> BotNotFound:
    return BotNotFound(f"no bot `{bot_id}`", hint="`ragbots bots list` shows those there are")


def _is_among(principal: Principal, groups: Collection[str]) -> bool:
    return principal.authenticated and (not groups or bool(principal.groups.intersection(groups)))


# ---------------------------------------------------------------- documents


def may_read(principal: Principal, bot: BotConfig, source: str) -> bool:
    """Whether this principal may see a bot's document, by its path below the source folder: they may ask the bot, and
    are in a group of every rule that the path falls under."""
    rules = (rule for rule in bot.access.documents if covers(rule.path, source))
    return may_ask(principal, bot) and all(_is_among(principal, rule.ask) for rule in rules)


def reads_all(principal: Principal, bot: BotConfig) -> bool:
    """Whether no rule can hide a document of the bot from this principal."""
    return may_ask(principal, bot) and all(_is_among(principal, rule.ask) for rule in bot.access.documents)


def whole_reader(bot: BotConfig, name: str) -> Principal:
    """Somebody in every group that the bot names: who its golden questions are asked as."""
    named = (bot.access.ask, *(rule.ask for rule in bot.access.documents))
    return Principal(name, frozenset(group for groups in named for group in groups))


def idle_rules(bot: BotConfig, sources: Collection[str]) -> tuple[str, ...]:
    """The paths of rules that no document falls under: most likely misspelt, and then they hide nothing."""
    return tuple(rule.path for rule in bot.access.documents if not any(covers(rule.path, one) for one in sources))


def covers(pattern: str, source: str) -> bool:
    """Whether a document falls under a path or pattern: the document itself, or a folder with all below it.

    `*` and `?` stay within one name, `**` spans folders. Small and capital letters are one, so that a rule hides
    rather too much than too little.
    """
    return _matcher(pattern).fullmatch(_folded(source)) is not None


def _folded(path: str) -> str:
    return clean(path).casefold().strip("/")


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> re.Pattern[str]:
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", _folded(pattern))
    return re.compile("".join(wild.get(piece) or re.escape(piece) for piece in pieces) + "(?:/.*)?", re.DOTALL)


# ---------------------------------------------------------------- messengers


class Account(Protocol):
    """A person's account, as the sign-in knows it."""

    @property
    def id(self) -> str: ...
    @property
    def groups(self) -> frozenset[str]: ...
    @property
    def enabled(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes in a messenger. `alone`: nobody else reads what is answered; `outsiders`: people of other
    organisations may read along."""

    channel: str
    id: str
    alone: bool = False
    outsiders: bool = False

    @property
    def name(self) -> str:
        """What an account is linked to: `slack:U024BE7LH`."""
        return f"{self.channel}:{self.id}"


def in_messenger(sender: Sender, account: Account | None) -> Principal:
    """Whose rights an answer in a messenger is given with: those of the sender's account where only they read it, else
    of its least privileged reader, a member in no group, and where outsiders read along somebody who is not signed
    in. Raises AccountDisabled."""
    if account is not None and not account.enabled:
        raise AccountDisabled(f"{sender.name} is linked to `{account.id}`, which is disabled")
    if sender.outsiders:
        return Principal(sender.name, channel=sender.channel, authenticated=False)
    if sender.alone and account is not None:
        return Principal(account.id, account.groups, sender.channel)
    return Principal(sender.name, channel=sender.channel)


def limits_in_messenger(sender: Sender, account: Account | None) -> str | None:
    """Why a sender may not have been answered, in words for them; None where their own rights were all that counted.
    Said of everything that is not found, so that it tells of nothing."""
    if sender.outsiders:
        return "다른 조직의 사람도 볼 수 있는 곳에서는 누구에게나 공개된 챗봇으로만 답합니다."
    if not sender.alone:
        return (
            "여러 사람이 보는 대화방에서는 모든 구성원에게 열린 챗봇과 문서로만 답합니다. "
            "다른 내용은 챗봇에게 개인 메시지로 물어봐 주세요."
        )
    if account is None:
        return (
            "이 메신저 계정이 사용자 계정과 연결되어 있지 않아, 모든 구성원에게 열린 챗봇과 문서로만 답합니다. "
            f"관리자에게 연결을 요청하실 때 이 이름을 알려 주세요: {sender.name}"
        )
    return None


def still_has(now: Principal, before: Principal, seen_now: Collection[str], seen_before: Collection[str]) -> bool:
    """Whether somebody is who they were and has lost no group, and no bot that they saw."""
    same = (now.user_id, now.bots, now.authenticated) == (before.user_id, before.bots, before.authenticated)
    return same and before.groups <= now.groups and set(seen_before) <= set(seen_now)
