"""The rights that bot files give now."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragbots import rights
from ragbots.config import load_bot
from ragbots.rights import CurrentBots

BOT = "id: office\nname: 사무실\nsources: [{folder: d}]\n"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rights, "LOOK_SECONDS", -1.0)
    path = tmp_path / "office.yaml"
    path.write_text(BOT, "utf-8")
    return path


def test_rights_are_those_of_the_file_and_nothing_else_is(path: Path) -> None:
    bots = CurrentBots({"office": load_bot(path)})
    path.write_text(BOT.replace("사무실", "다른 이름") + "access: {ask: [hr]}\n", "utf-8")
    assert bots()["office"].access.ask == ("hr",)
    assert bots()["office"].name == "사무실"
    path.write_text(BOT + "public: true\n", "utf-8")
    assert bots()["office"].public


@pytest.mark.parametrize("broken", ["id: [", "id: other\nname: x\nsources: [{folder: d}]\n", BOT + "public: perhaps\n"])
def test_a_file_that_cannot_be_used_opens_nothing(path: Path, broken: str) -> None:
    path.write_text(BOT + "access: {ask: [hr]}\n", "utf-8")
    bots = CurrentBots({"office": load_bot(path)})
    path.write_text(broken, "utf-8")
    assert bots()["office"].access.ask == ("hr",)


def test_the_bot_of_a_file_that_is_gone_is_gone_until_it_is_back(path: Path) -> None:
    bots = CurrentBots({"office": load_bot(path)})
    path.unlink()
    assert bots() == {}
    path.write_text(BOT + "access: {ask: [hr]}\n", "utf-8")
    assert bots()["office"].access.ask == ("hr",)
