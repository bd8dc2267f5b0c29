"""The state database: versions and verdicts, which version answers, conversations."""

from ragbots.state.database import Database

__all__ = ["Database"]
