from __future__ import annotations

import numpy as np
import pytest

from ragbots.routing import Route, RoutingRules, choose

RULES = RoutingRules(clear_lead=0.1, best_articles=3, candidates=3)


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_the_best_article_decides_and_the_next_count_half_as_much_each() -> None:
    route = choose({"a": floats(0.1, 0.7, 0.35), "b": floats(0.7)}, RULES)
    # (0.7 + 0.35 / 2 + 0.1 / 4) / 1.75, and 0.7 / 1.75: missing articles count as nothing
    assert dict(route.ranked) == pytest.approx({"a": 0.9 / 1.75, "b": 0.4})
    assert route.bot == "a"
    assert route.clear


def test_only_the_best_articles_count() -> None:
    few, many = floats(0.9, 0.8, 0.7), floats(0.9, 0.8, 0.7, *[0.69] * 50)
    (_, one), (_, other) = choose({"a": few, "b": many}, RULES).ranked
    assert one == other


@pytest.mark.parametrize(("lead", "clear"), [(0.05, False), (0.25, True)])
def test_a_small_lead_is_not_clear(lead: float, clear: bool) -> None:
    route = choose({"a": floats(0.5 + lead, 0.5 + lead, 0.5 + lead), "b": floats(0.5, 0.5, 0.5)}, RULES)
    assert route.ranked[0][0] == "a"
    assert route.clear is clear


def test_equals_are_not_clear_and_come_in_the_order_of_their_ids() -> None:
    route = choose({"b": floats(0.5), "a": floats(0.5)}, RULES)
    assert [bot for bot, _ in route.ranked] == ["a", "b"]
    assert not route.clear


def test_one_bot_is_clear_and_none_is_no_bot() -> None:
    assert choose({"a": floats(0.0)}, RULES).clear
    assert choose({}, RULES) == Route((), True)
    assert choose({}, RULES).bot is None
    assert choose({"empty": floats(), "a": floats(0.3)}, RULES).bot == "a"
