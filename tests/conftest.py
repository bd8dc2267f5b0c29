from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ragbots.state import Database
from ragbots.state.accounts import Accounts


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    """Those of an empty installation."""
    database = Database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    yield Accounts(database)
    database.close()
