"""Rebuilds by schedule: when, what becomes of them, and who is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ragbots import rebuilding, schedule
from ragbots.config import BotConfig
from ragbots.errors import ChecksNotPassed, Locked, SourceUnavailable
from ragbots.state import Database
from ragbots.state.database import Rebuild, VersionRecord

HERE = ("127.0.0.1/32",)
NIGHTLY = "0 3 * * *"
BUILT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    yield opened
    opened.close()


def bot(**more: object) -> BotConfig:
    values = {"path": Path("x.yaml"), "id": "travel", "name": "여비", "sources": ({"folder": Path("d")},), **more}
    return BotConfig.model_validate(values)


def add_version(database: Database, version: str = "v1") -> str:
    database.add_version(VersionRecord("travel", version, BUILT, 3, 1, 0))
    return version


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        ("2026-11-23T17:59", "2026-11-23T18:00", True),  # three in the morning in Korea
        ("2026-11-23T18:00", "2026-11-24T17:59", False),
        ("2026-11-20T00:00", "2026-11-23T12:00", True),  # missed while nothing ran
    ],
)
def test_what_is_due_is_reckoned_in_korean_time(last: str, now: str, due: bool) -> None:
    before, after = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (last, now))
    assert schedule.due(NIGHTLY, before, after) is due


@pytest.mark.parametrize("expression", ["", "nightly", "0 3 * *", "61 3 * * *", "0 0 31 2 *", "0 0 3 * * *"])
def test_an_expression_that_never_comes_round_is_refused(expression: str) -> None:
    assert schedule.mistake(expression)


@pytest.mark.parametrize("expression", [NIGHTLY, "*/15 8-18 * * mon-fri", "@daily"])
def test_usual_expressions_are_taken(expression: str) -> None:
    assert schedule.mistake(expression) is None


def test_a_bot_without_schedule_is_never_due_and_one_without_version_at_once(database: Database) -> None:
    assert not rebuilding.due(bot(), database, BUILT)
    assert rebuilding.due(bot(schedule=NIGHTLY), database, BUILT)


def test_a_build_by_hand_and_a_rebuild_both_count(database: Database) -> None:
    one = bot(schedule=NIGHTLY)
    add_version(database)
    assert not rebuilding.due(one, database, BUILT + timedelta(hours=5))
    assert rebuilding.due(one, database, BUILT + timedelta(hours=7))
    database.add_rebuild(Rebuild("travel", BUILT + timedelta(hours=7), "failed", None, "no network", None))
    assert not rebuilding.due(one, database, BUILT + timedelta(hours=8))


def fails(error: Exception) -> Callable[..., str]:
    def fail(*_: object) -> str:
        raise error

    return fail


def released(database: Database, *versions: str, action: str = "release") -> None:
    for version in versions:
        database.release("travel", version, by="kim", action=action)


def test_what_passes_its_checks_is_released_and_kept(database: Database) -> None:
    asked: list[str] = []
    add_version(database)
    record = rebuilding.rebuild(bot(), database, lambda: "v1", asked.append)
    assert (record.outcome, asked) == ("released", ["v1"])
    assert database.rebuilds("travel", 5) == [record]


def test_what_has_not_changed_is_not_released_again(database: Database) -> None:
    released(database, add_version(database))
    record = rebuilding.rebuild(bot(), database, lambda: "v1", fails(AssertionError()))
    assert record.outcome == "unchanged"


def test_a_version_that_was_withdrawn_does_not_come_back_by_itself(database: Database) -> None:
    released(database, add_version(database, "v1"), add_version(database, "v2"))
    released(database, "v1", action="rollback")
    record = rebuilding.rebuild(bot(), database, lambda: "v2", fails(AssertionError()))
    assert (record.outcome, "withdrawn" in record.report) == ("held", True)


@pytest.mark.parametrize(
    ("build", "release", "outcome"),
    [
        (lambda: "v2", fails(ChecksNotPassed("no longer states ‘주 2회’")), "held"),
        (fails(SourceUnavailable("the wiki does not answer")), fails(AssertionError()), "failed"),
    ],
)
def test_what_goes_wrong_is_kept_with_its_reason(
    database: Database, build: Callable[[], str], release: Callable[[str], object], outcome: str
) -> None:
    released(database, add_version(database))
    record = rebuilding.rebuild(bot(), database, build, release)
    assert record.outcome == outcome
    assert record.report in ("no longer states ‘주 2회’", "the wiki does not answer")
    assert database.active() == {"travel": "v1"}


def test_where_somebody_else_is_at_it_nothing_is_kept(database: Database) -> None:
    with pytest.raises(Locked):
        rebuilding.rebuild(bot(), database, fails(Locked("held")), fails(AssertionError()))
    assert database.rebuilds("travel", 5) == []


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, object]], list[int]]]:
    """An address that takes notices, those it took, and the status it answers with."""
    taken: list[dict[str, object]] = []
    status = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hooks/secret-token", taken, status
        server.shutdown()
        thread.join()


def test_the_owner_is_told_of_what_happened_and_not_of_what_did_not(
    database: Database, hook: tuple[str, list[dict[str, object]], list[int]]
) -> None:
    url, taken, _ = hook
    add_version(database)
    record = rebuilding.rebuild(bot(notify=url), database, lambda: "v1", lambda _: None, private_networks=HERE)
    assert record.untold is None
    assert [(one["bot"], one["outcome"], one["version"]) for one in taken] == [("travel", "released", "v1")]
    assert "여비" in str(taken[0]["text"])
    released(database, "v1")
    rebuilding.rebuild(bot(notify=url), database, lambda: "v1", lambda _: None, private_networks=HERE)
    assert len(taken) == 1


def test_a_notice_that_is_not_taken_is_kept_as_untold_without_the_secret_in_its_address(
    database: Database, hook: tuple[str, list[dict[str, object]], list[int]]
) -> None:
    url, _, status = hook
    status[0] = 410
    add_version(database)
    record = rebuilding.rebuild(bot(notify=url), database, lambda: "v1", lambda _: None, private_networks=HERE)
    assert record.outcome == "released"
    assert record.untold is not None
    assert "410" in record.untold
    assert "secret-token" not in record.untold
    gone = rebuilding.rebuild(
        bot(notify="http://127.0.0.1:9/x"), database, lambda: "v2", lambda _: None, private_networks=HERE
    )
    assert "was not reached" in (gone.untold or "")
