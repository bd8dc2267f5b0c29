"""Choosing the bot: by where in all bots together the question finds its best article, and by what they are about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoutingRules:
    """`profile`: what a bot gains that is described in the question's very words. `clear_lead`: by how much the first
    bot must lead the second to be taken without asking. `tools/fit_routing.py` tells how they do."""

    profile: float
    clear_lead: float


RULES = RoutingRules(profile=0.15, clear_lead=0.006)


@dataclass(frozen=True, slots=True)
class Route:
    """Bots with their scores (about 0–1), best first. `clear` = the first may be taken without asking."""

    ranked: tuple[tuple[str, float], ...]
    clear: bool

    @property
    def bot(self) -> str | None:
        return self.ranked[0][0] if self.ranked else None


def choose(found: Mapping[str, tuple[float, float]], rules: RoutingRules = RULES) -> Route:
    """The route for bots by the score of their best article, comparable over bots, and by the share of the question's
    words that describe them."""
    totals = {bot: best + rules.profile * described for bot, (best, described) in found.items()}
    ranked = tuple(sorted(totals.items(), key=lambda item: (-item[1], item[0])))
    clear = len(ranked) < 2 or ranked[0][1] - ranked[1][1] >= rules.clear_lead
    return Route(ranked, clear)


def share_of_profile(terms: Sequence[str], profiles: Sequence[frozenset[str]]) -> list[float]:
    """For each bot the share of the question's words that describe it (0–1), those that describe few bots counting
    more, and those that describe none not at all."""
    describing = {term: sum(term in profile for profile in profiles) for term in dict.fromkeys(terms)}
    weights = {term: math.log1p((len(profiles) - n + 0.5) / (n + 0.5)) for term, n in describing.items() if n}
    total = sum(weights.values()) or 1.0
    return [sum(weight for term, weight in weights.items() if term in profile) / total for profile in profiles]
