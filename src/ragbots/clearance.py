"""Which language models may answer for a bot: those it names, as far as they are cleared for what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ragbots.config import GRADES, NO_LLM, BotConfig, Settings
from ragbots.errors import ConfigurationError


def models_of(bot: BotConfig, settings: Settings) -> tuple[str, ...]:
    """The names a person may choose among, the first one used unless another is asked for; empty: none."""
    if bot.llm:
        return () if bot.llm == (NO_LLM,) else bot.llm
    return () if settings.default_llm in (None, NO_LLM) else (settings.default_llm,)


def in_turn(name: str, settings: Settings) -> tuple[str, ...]:
    """A model and those tried after it, each once."""
    return tuple(dict.fromkeys((name, *settings.llms[name].fallbacks)))


def refusals(bot: BotConfig, settings: Settings) -> Iterator[ConfigurationError]:
    """Why a bot may not be answered with the models that it names; nothing where it may."""
    for name in models_of(bot, settings):
        if name not in settings.llms:
            known = ", ".join(settings.llms) or "none is configured"
            yield ConfigurationError(
                f"{bot.path}: `llm` names `{name}`, which is no model under [llms]", hint=f"there are: {known}"
            )
            continue
        for one in in_turn(name, settings):
            if not settings.llms[one].cleared_for(bot.grade):
                yield ConfigurationError(
                    f"{bot.path}: bot `{bot.id}` is of grade `{bot.grade}`, and its model `{one}` "
                    f"({settings.llms[one].zone}) is not cleared for that",
                    hint="name another model, `llm: none`, or set the model's `zone` or `clearance` if it may be sent",
                )


def cleared_for_all(name: str, bots: Iterable[BotConfig], settings: Settings) -> bool:
    """Whether a model may see what was said to any of these bots."""
    grades = [bot.grade for bot in bots]
    highest = max(grades, key=GRADES.index, default=GRADES[-1])
    return settings.llms[name].cleared_for(highest)
