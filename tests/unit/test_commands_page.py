"""docs/commands.md says what the command line says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_commands_is_not_stale() -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "render_commands.py"), "--check"], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


def test_every_command_is_on_the_page() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    for command in ("serve", "ask", "search", "bots new", "index build", "index rollback", "eval", "doctor"):
        assert f"## ragbots {command}\n" in page
