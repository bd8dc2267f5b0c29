"""Choosing the bot: by where in all bots together the question finds its best articles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RoutingRules:
    """`clear_lead`: by how much (0–1) the first bot must lead the second to be taken without asking."""

    clear_lead: float
    best_articles: int
    candidates: int


RULES = RoutingRules(clear_lead=0.012, best_articles=3, candidates=3)


@dataclass(frozen=True, slots=True)
class Route:
    """Bots with their scores (0–1), best first. `clear` = the first may be taken without asking."""

    ranked: tuple[tuple[str, float], ...]
    clear: bool

    @property
    def bot(self) -> str | None:
        return self.ranked[0][0] if self.ranked else None


def choose(article_scores: Mapping[str, Floats], rules: RoutingRules = RULES) -> Route:
    """The route for pooled article scores (0–1, comparable over bots): each bot's best articles count.

    The best article decides; those after it count half as much each, so that a bot with several
    fitting articles is preferred to one with a single stray match.
    """
    totals = {bot: _strength(scores, rules.best_articles) for bot, scores in article_scores.items() if scores.size}
    ranked = tuple(sorted(totals.items(), key=lambda item: (-item[1], item[0])))
    clear = len(ranked) < 2 or ranked[0][1] - ranked[1][1] >= rules.clear_lead
    return Route(ranked, clear)


def _strength(scores: Floats, count: int) -> float:
    best = np.sort(scores)[::-1][:count]
    weights = 0.5 ** np.arange(best.size)
    return float((best * weights).sum() / (0.5 ** np.arange(count)).sum())
