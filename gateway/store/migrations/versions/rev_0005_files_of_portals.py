"""Files that are fetched from the portals that hold them, and the addresses of ours that were given out.

Frozen, like every revision: what `gateway.store.tables` said of these tables when it was made.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "wanted_file",
        *(_text(name) for name in ("dossier_id", "portal", "ref", "state", "version", "file_id")),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=True),
        sa.Column("first_at", sa.Double, nullable=False),
        _text("reason"),
        sa.Column("urgent", sa.Boolean, nullable=False),
        _text("doc"),
        sa.PrimaryKeyConstraint("dossier_id", "portal", "ref", name="pk_wanted_file"),
        sa.CheckConstraint("state IN ('wanted', 'held', 'given_up', 'let_go')", name="state"),
    )
    due, given_up = sa.text("state = 'wanted'"), sa.text("state = 'given_up'")
    op.create_index(
        "ix_wanted_file_due", "wanted_file", ["portal", "urgent", "next_at"], sqlite_where=due, postgresql_where=due
    )
    op.create_index(
        "ix_wanted_file_given_up",
        "wanted_file",
        ["portal", "first_at"],
        sqlite_where=given_up,
        postgresql_where=given_up,
    )
    op.create_table(
        "file_link",
        sa.Column("token", sa.Text, nullable=False),
        *(_text(name) for name in ("portal", "file_id", "dossier_id")),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_file_link"),
    )


def downgrade() -> None:
    """Drop both and all that is in them."""
    op.drop_table("file_link")
    op.drop_table("wanted_file")
