"""An answer as it is kept with its turn, so that it can be shown again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from ragbots.types import Answer

_ANSWER = TypeAdapter(Answer)


def kept_answer(answer: Answer) -> Mapping[str, Any]:
    """The answer as JSON knows it."""
    kept: Mapping[str, Any] = _ANSWER.dump_python(answer, mode="json")
    return kept


def read_answer(kept: Mapping[str, Any]) -> Answer:
    return _ANSWER.validate_python(kept)
