"""The command line: translates, never decides."""

from ragbots.cli.main import main

__all__ = ["main"]
