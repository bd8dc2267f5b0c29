"""Rebuilds by schedule, and with each release the verdict on which it was made."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rebuilds",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("bot", sa.String(63), nullable=False, index=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("version", sa.String(63)),
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("untold", sa.Text),
    )
    op.add_column("releases", sa.Column("verdict", sa.JSON))
