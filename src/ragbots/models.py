"""The language models of an installation: built from its settings, counted, and kept within their budgets."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ragbots.clearance import cleared_for_all, in_turn, models_of
from ragbots.config import NO_LLM, BotConfig, LlmSettings, Settings
from ragbots.errors import ModelFailed
from ragbots.gate import FairGate
from ragbots.llms.endpoint import Endpoint, EndpointSettings
from ragbots.llms.prompts import Prompt, load_prompt
from ragbots.llms.writer import Call, GatedModel, Writer, complete
from ragbots.metrics import Metrics
from ragbots.ports import Message
from ragbots.state import Database
from ragbots.state.database import Spent
from ragbots.text import one_line
from ragbots.types import Turn

_log = logging.getLogger(__name__)

_MILLION = 1_000_000
_REWRITTEN_CHARS = 300  # more is no question any more
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose account a request to a model is on."""

    user: str
    bot: str
    today: date


class Models:
    """`terms` gives the words that carry meaning, as answers are checked by them."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        database: Database,
        metrics: Metrics,
        terms: Callable[[str], Sequence[str]],
    ) -> None:
        self._settings = settings
        self._database = database
        self._metrics = metrics
        self._terms = terms
        self._load_prompt = functools.cache(load_prompt)  # as they were when they were first used
        self._gated = {
            name: _gated(name, one, environ, settings.private_networks) for name, one in settings.llms.items()
        }
        # Counting must not hold up the loop that passes the answers on, and one writer keeps their order.
        self._booking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="usage")

    def close(self) -> None:
        self._booking.shutdown(wait=True)

    def chosen(self, bot: BotConfig, wanted: str | None) -> str | None:
        """The model that answers for a bot: the wanted one where the bot allows it, else its own; None: none."""
        names = models_of(bot, self._settings)
        if wanted == NO_LLM:
            return None
        return wanted if wanted in names else next(iter(names), None)

    def passage_tokens(self, name: str) -> int:
        """What is left for passages in the smallest of the models that may be tried."""
        return min(self._settings.llms[one].passage_tokens for one in in_turn(name, self._settings))

    def writer(self, name: str, bot: BotConfig, asker: Asker) -> Writer:
        tried = [self._gated[one] for one in in_turn(name, self._settings)]
        return Writer(tried, self._prompt("answer", bot), self._terms, self._book(asker))

    def over_budget(self, asker: Asker) -> bool:
        """Whether the person or the bot has used up the day's tokens."""
        limits = [
            (self._settings.llm_tokens_per_user_per_day, {"user_id": asker.user}),
            (self._settings.llm_tokens_per_bot_per_day, {"bot": asker.bot}),
        ]
        return any(
            limit is not None and self._database.spent(asker.today, **whose).tokens >= limit for limit, whose in limits
        )

    async def standalone(
        self, name: str, question: str, history: Sequence[Turn], bots: Sequence[BotConfig], asker: Asker
    ) -> str | None:
        """The question as it would be asked without what was said before; None where the model does not rewrite,
        may not see what was said, or fails."""
        rewrites = self._settings.llms[name].rewrites
        wanted = rewrites == "all" or (rewrites == "follow-ups" and bool(history))
        # What was said before may have been said to any of these bots.
        if not wanted or not cleared_for_all(name, bots, self._settings) or self.over_budget(asker):
            return None
        said = "\n".join(f"{_SPEAKERS[turn.role]}: {one_line(turn.content)[:500]}" for turn in history[-6:])
        prompt = self._load_prompt("rewrite", None)
        messages = prompt.messages(bot="", today=asker.today, history=said or "(없음)", question=question)
        text = one_line(await self._completed(name, messages, asker) or "").strip("\"'“”‘’")
        return text if text and len(text) <= _REWRITTEN_CHARS else None

    async def reranked(
        self, name: str, bot: BotConfig, question: str, passages: Sequence[str], asker: Asker
    ) -> list[int] | None:
        """The indexes of the passages in the order in which the model finds them fit, those it does not name after
        them; None where the model does not rerank, or fails."""
        if not self._settings.llms[name].reranks or self.over_budget(asker):
            return None
        numbered = "\n".join(f"[{number}] {text}" for number, text in enumerate(passages, start=1))
        prompt = self._prompt("rerank", bot)
        messages = prompt.messages(bot=bot.name, today=asker.today, passages=numbered, question=question)
        said = await self._completed(name, messages, asker)
        named = [int(number) - 1 for number in _NUMBERS.findall(said or "")]
        first = [at for at in dict.fromkeys(named) if 0 <= at < len(passages)]
        return [*first, *(at for at in range(len(passages)) if at not in first)] if first else None

    async def _completed(self, name: str, messages: Sequence[Message], asker: Asker) -> str | None:
        try:
            return await complete(self._gated[name], messages, asker.user, self._book(asker))
        except ModelFailed as error:
            _log.warning("llm `%s`: %s", name, error)
            return None

    def _prompt(self, kind: Literal["answer", "rerank"], bot: BotConfig) -> Prompt:
        return self._load_prompt(kind, bot.own_prompts.get(kind))

    def _book(self, asker: Asker) -> Callable[[Call], None]:
        def book(call: Call) -> None:
            prices = self._settings.llms[call.llm]
            used = call.usage
            cost = (used.input_tokens * prices.input_price + used.output_tokens * prices.output_price) / _MILLION
            self._metrics.call(call.llm, call.outcome, call.seconds, call.first_seconds)
            self._metrics.spent(call.llm, used.input_tokens, used.output_tokens, cost)
            spent = Spent(1, used.input_tokens, used.output_tokens, cost)
            self._booking.submit(self._add_spent, asker, call.llm, spent)

        return book

    def _add_spent(self, asker: Asker, llm: str, spent: Spent) -> None:
        try:
            self._database.add_spent(asker.today, asker.user, asker.bot, llm, spent)
        except Exception:  # noqa: BLE001 - nobody waits for it: an answer is not lost with its bookkeeping
            _log.exception("usage of llm `%s` by bot `%s` was not counted: %s", llm, asker.bot, spent)


_SPEAKERS = {"user": "직원", "assistant": "챗봇"}


def endpoint_of(name: str, one: LlmSettings, environ: Mapping[str, str], private_networks: tuple[str, ...]) -> Endpoint:
    """The endpoint of a configured model, with the key from the environment where one is named. One outside that is
    named by an address, or on this machine, goes where the settings say; a name may lead nowhere else than outside."""
    key = environ.get(one.api_key_env) if one.api_key_env else None
    if one.api_key_env and not key:
        _log.error("llm `%s`: the environment variable %s is not set", name, one.api_key_env)
    return Endpoint(
        EndpointSettings(
            name=name,
            base_url=one.base_url,
            model=one.model,
            api_key=key,
            temperature=one.temperature,
            connect_seconds=one.connect_seconds,
            first_token_seconds=one.first_token_seconds,
            answer_seconds=one.answer_seconds,
            retries=one.retries,
            max_tokens_name=one.max_tokens_name,
            provider=one.provider,
            proxied=one.zone == "external",
            private=private_networks if one.zone == "external" and one.names_a_host else None,
        )
    )


def _gated(name: str, one: LlmSettings, environ: Mapping[str, str], private_networks: tuple[str, ...]) -> GatedModel:
    gate = FairGate(one.concurrency, one.most_waiting, one.most_waiting_per_user, _busy)
    return GatedModel(name, endpoint_of(name, one, environ, private_networks), gate, one.answer_tokens)


def _busy(words: str) -> ModelFailed:
    return ModelFailed(f"{words} for the model", kind="busy")
