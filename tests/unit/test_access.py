from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from ragbots import access
from ragbots.config import BotConfig
from ragbots.errors import AccountDisabled, BotNotFound
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


def test_where_no_owners_are_named_the_administrators_own_it() -> None:
    boss = Principal("boss", frozenset({access.ADMINISTRATORS}))
    assert access.may_own(boss, BOTS["staff"])
    assert access.may_own(boss, OWNED.model_copy(update={"access": OWNED.access.model_copy(update={"ask": ()})}))
    assert not access.may_own(boss, BOTS["board"])  # may not ask it
    assert access.may_own(Principal("local", local=True), BOTS["staff"])
    assert not access.may_own(EMPLOYEE, BOTS["staff"])
    assert not access.may_own(STRANGER, BOTS["anyone"])


def test_a_credential_for_some_bots_shows_no_other_not_even_a_public_one() -> None:
    scoped = Principal("lee", frozenset({"board", access.ADMINISTRATORS}), bots=frozenset({"board"}))
    assert [one.id for one in access.visible(scoped, BOTS.values())] == ["board"]
    assert access.may_own(scoped, BOTS["board"])
    assert not access.may_own(scoped, BOTS["staff"])
    assert access.visible(Principal("lee", bots=frozenset()), BOTS.values()) == ()


RULED = bot(
    "ruled",
    access={
        "documents": (
            {"path": "감사/**", "ask": ("audit",)},
            {"path": "감사/임원/*.hwp", "ask": ("board", "ceo")},
            {"path": "보수규정 별표.xlsx", "ask": ("hr",)},
            {"path": "**/대외비*", "ask": ("board",)},
        )
    },
)


@pytest.mark.parametrize(
    ("groups", "source", "read"),
    [
        ("", "복무규정.md", True),
        ("", "감사/지침.md", False),
        ("audit", "감사/지침.md", True),
        ("audit", "감사/임원/보수.hwp", False),  # every rule counts
        ("audit ceo", "감사/임원/보수.hwp", True),
        ("board", "감사/임원/보수.hwp", False),
        ("audit", "감사/임원/보수.pdf", True),
        ("", "감사규정.md", True),
        ("", "보수규정 별표.xlsx", False),
        ("", "규정집.zip/대외비 지침.md", False),
        ("", "대외비.md", False),
        ("board", "a/b/대외비.md", True),
        ("", "\u1100\u1161\u11b7\u1109\u1161/지침.md", False),  # decomposed jamo
    ],
)
def test_a_document_is_read_by_who_is_in_a_group_of_every_rule(groups: str, source: str, read: bool) -> None:
    assert access.may_read(Principal("kim", frozenset(groups.split())), RULED, source) is read
    assert access.may_read(access.whole_reader(RULED, "golden"), RULED, source)


@pytest.mark.parametrize(
    ("pattern", "source", "covered"),
    [
        ("감사", "감사/a/b.md", True), ("감사/", "감사/a.md", True), ("감사", "감사2/a.md", False),
        ("*.md", "a.md", True), ("*.md", "a/b.md", False), ("**/*.md", "a/b.md", True), ("a?.md", "ab.md", True),
        ("a?.md", "a/.md", False), ("[a].md", "a.md", False), ("[a].md", "[a].md", True), ("PAY.md", "pay.MD", True),
    ],
)  # fmt: skip
def test_what_falls_under_a_path(pattern: str, source: str, covered: bool) -> None:
    assert access.covers(pattern, source) is covered


def test_a_rule_that_hides_nothing_is_told() -> None:
    assert access.idle_rules(RULED, ["감사/a.md", "대외비.md"]) == ("감사/임원/*.hwp", "보수규정 별표.xlsx")


def test_a_rule_of_a_public_bot_keeps_strangers_out() -> None:
    public = bot("page", public=True, access={"documents": ({"path": "내부"},)})
    assert access.may_read(STRANGER, public, "고객.md")
    assert not access.may_read(STRANGER, public, "내부/a.md")
    assert access.may_read(EMPLOYEE, public, "내부/a.md")


@pytest.mark.parametrize("rule", [{"path": "/etc"}, {"path": "../x"}, {"path": ""}, {"paths": "x"}, {"ask": ["a"]}])
def test_a_rule_that_is_none_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        bot("x", access={"documents": (rule,)})


# ---------------------------------------------------------------- messengers


@dataclass(frozen=True)
class Person:
    id: str
    groups: frozenset[str]
    enabled: bool = True


KIM = Person("kim", frozenset({"board"}))
ALONE = access.Sender("slack", "U1", alone=True)
IN_A_ROOM = access.Sender("slack", "U1")
AMONG_OUTSIDERS = access.Sender("slack", "U1", alone=True, outsiders=True)


@pytest.mark.parametrize("account", [None, KIM])
def test_a_room_is_answered_as_its_least_privileged_reader(account: Person | None) -> None:
    room = access.in_messenger(IN_A_ROOM, account)
    assert [one.id for one in access.visible(room, BOTS.values())] == ["anyone", "staff"]
    assert not access.may_read(room, RULED, "감사/지침.md")
    assert not access.may_own(room, BOTS["staff"])
    shared = access.in_messenger(AMONG_OUTSIDERS, account)
    assert [one.id for one in access.visible(shared, BOTS.values())] == ["anyone"]


def test_a_direct_message_is_answered_with_the_senders_rights() -> None:
    assert access.in_messenger(ALONE, KIM) == Principal("kim", frozenset({"board"}), "slack")
    assert (
        access.in_messenger(ALONE, None)
        == access.in_messenger(IN_A_ROOM, KIM)
        == Principal("slack:U1", channel="slack")
    )


@pytest.mark.parametrize("sender", [ALONE, IN_A_ROOM, AMONG_OUTSIDERS])
def test_whose_account_is_disabled_is_told_so_wherever_they_write(sender: access.Sender) -> None:
    with pytest.raises(AccountDisabled) as denied:
        access.in_messenger(sender, replace(KIM, enabled=False))
    assert "사용 중지" in denied.value.for_people


def test_a_sender_is_told_what_their_rights_were_cut_down_to() -> None:
    assert access.limits_in_messenger(ALONE, KIM) is None
    assert "slack:U1" in (access.limits_in_messenger(ALONE, None) or "")
    assert "개인 메시지" in (access.limits_in_messenger(IN_A_ROOM, KIM) or "")
    assert "다른 조직" in (access.limits_in_messenger(AMONG_OUTSIDERS, KIM) or "")


def test_who_lost_a_group_or_a_bot_no_longer_has_what_they_had() -> None:
    before = Principal("kim", frozenset({"board", "hr"}))
    assert access.still_has(replace(before, groups=before.groups | {"all"}), before, {"a", "b"}, {"a"})
    for now in (
        replace(before, groups=frozenset({"hr"})),
        replace(before, user_id="lee"),
        replace(before, authenticated=False),
    ):
        assert not access.still_has(now, before, {"a"}, {"a"})
    assert not access.still_has(before, before, {"b"}, {"a"})
