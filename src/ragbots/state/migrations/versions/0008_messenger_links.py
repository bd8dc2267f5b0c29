"""Whose account writes in a messenger."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "messenger_links",
        sa.Column("messenger", sa.String(255), primary_key=True),
        sa.Column("user_id", sa.String(255), nullable=False, index=True),
    )
