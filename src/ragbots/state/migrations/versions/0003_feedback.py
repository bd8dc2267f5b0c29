"""Feedback, and turns whose answers can be shown again: found by the answer's id, kept whole."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_turns = sa.table(
    "turns",
    sa.column("id", sa.Integer),
    sa.column("conversation_id", sa.String),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("answer", sa.JSON),
    sa.column("answer_id", sa.String),
)
_NOT_KEPT = {"candidates": [], "confidence": 0.0, "related": [], "warnings": [], "model": None}


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("answer_id", sa.String(43), primary_key=True),
        sa.Column("user_id", sa.String(255), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rating", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(100)),
        sa.Column("comment", sa.Text),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("bot", sa.String(63), index=True),
        sa.Column("index_version", sa.String(63)),
        sa.Column("channel", sa.String(32), nullable=False),
    )
    op.add_column("turns", sa.Column("answer_id", sa.String(43)))
    op.create_index("ix_turns_answer_id", "turns", ["answer_id"])
    connection = op.get_bind()
    rows = connection.execute(sa.select(_turns.c.id, _turns.c.conversation_id, _turns.c.at, _turns.c.answer)).all()
    for number, conversation_id, at, answer in rows:
        whole = _whole(answer, conversation_id, at.date().isoformat())
        connection.execute(
            sa.update(_turns).where(_turns.c.id == number).values(answer=whole, answer_id=answer.get("id"))
        )


def _whole(answer: dict[str, Any], conversation_id: str, day: str) -> dict[str, Any]:
    """An answer of which the text and the ids of the citations were kept, in the form in which all of it is."""
    unknown = {"source": "", "document": "", "article": None, "address": "", "quote": "", "link": None, "page": None}
    cited = [{"id": one, **unknown} for one in answer.get("citations", [])]
    return {"conversation_id": conversation_id, "as_of": day, **_NOT_KEPT, **answer, "citations": cited}
