"""Who may see what: the one place that decides it, for every door and every path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ragbots.config import BotConfig
from ragbots.errors import BotNotFound
from ragbots.types import Principal


def may_ask(principal: Principal, bot: BotConfig) -> bool:
    """Public bots are everybody's; others need a signed-in person, in one of the groups if any are named."""
    if bot.public:
        return True
    if not principal.authenticated:
        return False
    return not bot.access.ask or bool(principal.groups.intersection(bot.access.ask))


def visible(principal: Principal, bots: Iterable[BotConfig]) -> tuple[BotConfig, ...]:
    """The bots this principal may ask, in the order given."""
    return tuple(bot for bot in bots if may_ask(principal, bot))


def require(principal: Principal, bots: Mapping[str, BotConfig], bot_id: str) -> BotConfig:
    """The bot, or BotNotFound: one that may not be seen does not exist, in words and status."""
    bot = bots.get(bot_id)
    if bot is None or not may_ask(principal, bot):
        raise BotNotFound(f"no bot `{bot_id}`", hint="`ragbots bots list` shows those there are")
    return bot


def may_own(principal: Principal, bot: BotConfig) -> bool:
    """Owners and administrators see what is not for everybody: versions before they are released, what was said of
    answers. Where neither are named, any signed-in person who may ask it; at this machine whoever may ask it."""
    if not (principal.authenticated and may_ask(principal, bot)):
        return False
    owners = {*bot.access.own, *bot.access.administer}
    return principal.local or not owners or bool(principal.groups & owners)


def require_owner(principal: Principal, bots: Mapping[str, BotConfig], bot_id: str) -> BotConfig:
    """The bot, or BotNotFound for whoever does not own it."""
    bot = bots.get(bot_id)
    if bot is None or not may_own(principal, bot):
        raise BotNotFound(f"no bot `{bot_id}`", hint="`ragbots bots list` shows those there are")
    return bot
