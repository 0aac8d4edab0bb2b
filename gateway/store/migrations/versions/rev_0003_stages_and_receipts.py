"""Hand-overs with their four facts, and our signed statements about them.

Frozen, like every revision: what `gateway.store.tables` said of these tables when it was made.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "stage",
        *(_text(name) for name in ("dossier_id", "portal", "route")),
        _at("owed_at"),
        *(_at(name, nullable=True) for name in ("sent_at", "received_at", "accepted_at", "completed_at")),
        _text("status"),
        _text("doc"),
        sa.PrimaryKeyConstraint("dossier_id", "portal", "route", name="pk_stage"),
    )
    still_open = sa.text("completed_at IS NULL")
    op.create_index(
        "ix_stage_open", "stage", ["portal", "owed_at"], sqlite_where=still_open, postgresql_where=still_open
    )
    op.create_table(
        "receipt",
        *(_text(name) for name in ("dossier_id", "portal", "route", "fact", "subject")),
        sa.Column("statement", sa.LargeBinary, nullable=False),
        _text("digest"),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        _text("key_id"),
        _at("at"),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True, nullable=False),
        sa.UniqueConstraint("dossier_id", "portal", "route", "fact", "subject", name="uq_receipt_fact"),
        sa.PrimaryKeyConstraint("id", name="pk_receipt"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop both and all that is in them."""
    op.drop_table("receipt")
    op.drop_table("stage")
