"""Calls on us, and the files that came with them.

Frozen, like every revision: what `gateway.store.tables` said of these tables when it was made.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=primary_key, nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "inbound_call",
        *(_text(name) for name in ("portal", "endpoint", "key", "digest")),
        sa.Column("version", sa.Integer, nullable=False),
        *(_text(name) for name in ("state", "reason", "dossier_id", "seal_key")),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        _at("at"),
        _at("applied_at", nullable=True),
        sa.Column("times", sa.Integer, nullable=False),
        _at("last_at"),
        _text("doc"),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True, nullable=False),
        sa.UniqueConstraint("portal", "endpoint", "key", "digest", name="uq_inbound_call_portal_endpoint_key_digest"),
        sa.CheckConstraint("state IN ('accepted', 'applied', 'refused')", name="state"),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_call"),
        sqlite_autoincrement=True,
    )
    _partial("ix_inbound_call_owed", "inbound_call", ["portal", "id"], "state = 'accepted'")
    unplaced = "state = 'applied' AND dossier_id = ''"
    _partial("ix_inbound_call_unplaced", "inbound_call", ["portal", "id"], unplaced)
    _partial("ix_inbound_call_dossier_id", "inbound_call", ["dossier_id"], "dossier_id <> ''")
    op.create_table(
        "file",
        _text("id", primary_key=True),
        *(_text(name) for name in ("portal", "key", "ref", "dossier_id", "seal_key")),
        sa.Column("sealed_name", sa.LargeBinary, nullable=False),
        _text("media_type"),
        sa.Column("size", sa.Integer, nullable=False),
        _text("sha256"),
        _at("at"),
        _at("expires_at"),
        sa.PrimaryKeyConstraint("id", name="pk_file"),
    )
    op.create_index("ix_file_call", "file", ["portal", "key"])
    _partial("ix_file_dossier_id", "file", ["dossier_id"], "dossier_id <> ''")
    op.create_index("ix_file_expires_at", "file", ["expires_at"])


def downgrade() -> None:
    """Drop both and all that is in them."""
    op.drop_table("file")
    op.drop_table("inbound_call")
