from __future__ import annotations

import pytest

from ragbots.routing import Route, RoutingRules, choose, share_of_profile

RULES = RoutingRules(profile=0.2, clear_lead=0.1)


def test_the_best_article_decides() -> None:
    route = choose({"a": (0.5, 0.0), "b": (0.7, 0.0), "c": (0.1, 0.0)}, RULES)
    assert route.ranked == (("b", 0.7), ("a", 0.5), ("c", 0.1))
    assert route.bot == "b"
    assert route.clear


def test_what_a_bot_is_described_by_counts_besides() -> None:
    assert choose({"a": (0.5, 1.0), "b": (0.6, 0.0)}, RULES).bot == "a"
    assert choose({"a": (0.5, 0.2), "b": (0.6, 0.0)}, RULES).bot == "b"


@pytest.mark.parametrize(("lead", "clear"), [(0.05, False), (0.25, True)])
def test_a_small_lead_is_not_clear(lead: float, clear: bool) -> None:
    route = choose({"a": (0.5 + lead, 0.0), "b": (0.5, 0.0)}, RULES)
    assert route.ranked[0][0] == "a"
    assert route.clear is clear


def test_equals_are_not_clear_and_come_in_the_order_of_their_ids() -> None:
    route = choose({"b": (0.5, 0.0), "a": (0.5, 0.0)}, RULES)
    assert [bot for bot, _ in route.ranked] == ["a", "b"]
    assert not route.clear


def test_one_bot_is_clear_and_none_is_no_bot() -> None:
    assert choose({"a": (0.0, 0.0)}, RULES).clear
    assert choose({}, RULES) == Route((), True)
    assert choose({}, RULES).bot is None


def test_words_that_describe_few_bots_count_more_and_those_that_describe_none_not_at_all() -> None:
    profiles = [frozenset({"노란우산", "신청"}), frozenset({"휴가", "신청"}), frozenset({"여비", "신청"})]
    umbrella, leave, travel = share_of_profile(["노란우산", "신청", "어떻게"], profiles)
    assert umbrella == pytest.approx(1.0)
    assert 0 < leave == travel < 0.5
    assert share_of_profile(["어떻게"], profiles) == [0, 0, 0]
    assert share_of_profile([], profiles) == [0, 0, 0]
