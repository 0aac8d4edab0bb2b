"""What was offered to ministries that collect, with the notices about it; and the keys they show.

Frozen, like every revision: what `gateway.store.tables` said of these tables when it was made.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "notice",
        *(_text(name) for name in ("portal", "item", "key", "dossier_id", "state")),
        _at("at"),
        sa.Column("tries", sa.Integer, nullable=False),
        *(_at(name, nullable=True) for name in ("next_at", "told_at")),
        _text("reason"),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True, nullable=False),
        sa.UniqueConstraint("portal", "item", name="uq_notice_portal_item"),
        sa.CheckConstraint("state IN ('due', 'told', 'moot', 'given_up')", name="state"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notice_portal", "notice", ["portal", "id"])
    due = sa.text("state = 'due'")
    op.create_index("ix_notice_due", "notice", ["portal", "next_at"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "access_key",
        sa.Column("id", sa.Text, nullable=False),
        *(_text(name) for name in ("holder", "digest", "scopes", "actor")),
        _at("made_at"),
        *(_at(name, nullable=True) for name in ("expires_at", "revoked_at")),
        sa.PrimaryKeyConstraint("id", name="pk_access_key"),
    )


def downgrade() -> None:
    """Drop both and all that is in them."""
    op.drop_table("access_key")
    op.drop_table("notice")
