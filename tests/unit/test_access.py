from __future__ import annotations

from pathlib import Path

import pytest

from ragbots import access
from ragbots.config import BotConfig
from ragbots.errors import BotNotFound
from ragbots.types import Principal


def bot(bot_id: str, **more: object) -> BotConfig:
    values = {"path": Path("x.yaml"), "id": bot_id, "name": bot_id, "sources": ({"folder": Path("d")},), **more}
    return BotConfig.model_validate(values)


BOTS = {
    one.id: one
    for one in (
        bot("board", access={"ask": ("board", "audit")}),
        bot("anyone", public=True, access={"ask": ("board",)}),
        bot("staff"),
    )
}
STRANGER = Principal("?", authenticated=False)
STRANGER_IN_GROUP = Principal("?", groups=frozenset({"board"}), authenticated=False)
EMPLOYEE = Principal("kim")
MEMBER = Principal("lee", groups=frozenset({"audit", "other"}))


@pytest.mark.parametrize(
    ("principal", "seen"),
    [
        (STRANGER, ["anyone"]),
        (STRANGER_IN_GROUP, ["anyone"]),
        (EMPLOYEE, ["anyone", "staff"]),
        (MEMBER, ["board", "anyone", "staff"]),
    ],
)
def test_who_sees_what(principal: Principal, seen: list[str]) -> None:
    assert [one.id for one in access.visible(principal, BOTS.values())] == seen
    for bot_id, config in BOTS.items():
        if bot_id in seen:
            assert access.require(principal, BOTS, bot_id) is config
        else:
            with pytest.raises(BotNotFound):
                access.require(principal, BOTS, bot_id)


def test_a_bot_that_may_not_be_seen_is_told_from_none_by_nothing_but_its_name() -> None:
    said = []
    for bot_id in ("board", "bored"):
        with pytest.raises(BotNotFound) as caught:
            access.require(EMPLOYEE, BOTS, bot_id)
        error = caught.value
        said.append((error.message.replace(bot_id, "?"), error.hint, error.for_people, error.http_status))
    assert said[0] == said[1]


def test_owning_a_bot_is_not_asking_it() -> None:
    owned = bot("owned", access={"ask": ("board",), "own": ("staff",)})
    assert not access.may_ask(Principal("kim", groups=frozenset({"staff"})), owned)


OWNED = bot("owned", access={"ask": ("staff", "legal"), "own": ("legal",), "administer": ("it",)})


@pytest.mark.parametrize(
    ("principal", "owns"),
    [
        (Principal("kim", groups=frozenset({"staff"})), False),
        (Principal("lee", groups=frozenset({"legal"})), True),
        (Principal("it", groups=frozenset({"it"})), False),  # may not ask it
        (Principal("it", groups=frozenset({"it", "staff"})), True),
        (Principal("?", groups=frozenset({"legal"}), authenticated=False), False),
        (Principal("local", groups=frozenset({"staff"}), local=True), True),
        (Principal("local", local=True), False),  # may not ask it
    ],
)
def test_owners_are_those_named_who_may_ask(principal: Principal, owns: bool) -> None:
    assert access.may_own(principal, OWNED) is owns
    if not owns:
        with pytest.raises(BotNotFound, match="no bot `owned`"):
            access.require_owner(principal, {"owned": OWNED}, "owned")


def test_where_no_owners_are_named_whoever_signs_in_and_may_ask_owns_it() -> None:
    assert access.may_own(EMPLOYEE, BOTS["staff"])
    assert not access.may_own(STRANGER, BOTS["anyone"])
    assert not access.may_own(EMPLOYEE, BOTS["board"])
