"""The tables, as SQLAlchemy metadata: to make a store, to migrate one, to compare two; never on the hot path.

Instants are seconds since 1970 in UTC. Columns stand in the order of the fields in `rows.py`. Documents are JSON text.
There are few indexes on purpose: each row of a page pays for every one of them (docs/adr/0009).
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=primary_key, nullable=False)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _number() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True, nullable=False)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> sa.Index:
    """An index of the few rows that matter; the condition is spelt so that both dialects understand it."""
    return sa.Index(name, *columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


dossier = sa.Table(
    "dossier",
    metadata,
    _text("id", primary_key=True),
    _int("version"),
    *(_text(name) for name in ("national_code", "dossier_code", "procedure_code", "agency_code", "applicant_hash")),
    *(_text(name) for name in ("status", "wire", "handler")),
    *(_at(name, nullable=True) for name in ("submitted_at", "received_at", "due_at")),
    _at("changed_at"),
    _text("flags"),
    _text("timeline"),
    _bytes("sealed"),
    _partial("ix_dossier_national_code", "national_code", where="national_code <> ''"),
    _partial("ix_dossier_dossier_code", "dossier_code", where="dossier_code <> ''"),
)

portal_record = sa.Table(
    "portal_record",
    metadata,
    _text("portal", primary_key=True),
    _text("external_id", primary_key=True),
    *(_text(name) for name in ("dossier_id", "dossier_code", "national_code", "reference", "applicant_hash")),
    *(_text(name) for name in ("procedure_code", "agency_code", "digest", "list_digest", "raw_digest")),
    _at("read_at"),
    _flag("open"),
    _flag("removed"),
    _int("absent"),
    _text("counts"),
    _text("leaf"),
    sa.Index("ix_portal_record_dossier_id", "dossier_id"),
    _partial("ix_portal_record_reference", "reference", where="reference <> ''"),
    _partial("ix_portal_record_open", "portal", "read_at", "external_id", where="open"),
)

# The dossier comes first in the key: one tree then serves both `lanes` and `lanes_of`.
lane = sa.Table(
    "lane",
    metadata,
    _text("portal"),
    _text("dossier_id"),
    _at("due_at", nullable=True),
    _int("mark"),
    _at("lease_until"),
    _text("lease_token"),
    _text("state"),
    _text("reason"),
    _at("since"),
    _text("doc"),
    sa.PrimaryKeyConstraint("dossier_id", "portal"),
    _partial("ix_lane_due", "portal", "due_at", "dossier_id", where="due_at IS NOT NULL"),
    _partial("ix_lane_waiting", "state", "since", where="state <> 'calm'"),
)

delivery = sa.Table(
    "delivery",
    metadata,
    *(_text(name) for name in ("key", "key_uuid", "portal", "dossier_id", "klass", "operation", "cause", "state")),
    _flag("open"),
    _text("external_id"),
    _text("members"),
    _bytes("sealed_body"),
    _text("body_digest"),
    _at("planned_at"),
    _text("guard"),
    _text("attempts"),
    _at("next_at", nullable=True),
    _int("asks"),
    _text("reason"),
    _text("excerpt"),
    _at("settled_at", nullable=True),
    _text("by_person"),
    _text("doc"),
    _number(),
    sa.UniqueConstraint("key"),
    sa.CheckConstraint("klass IN ('snapshot', 'append', 'command')", name="klass"),
    sa.Index("ix_delivery_lane", "dossier_id", "portal"),
    _partial("ix_delivery_open", "dossier_id", "portal", where="open"),
    sa.Index("ix_delivery_state", "state", "portal"),
    sqlite_autoincrement=True,
)

raw = sa.Table(
    "raw",
    metadata,
    *(_text(name) for name in ("portal", "external_id", "seal_key")),
    _bytes("sealed"),
    _text("digest"),
    _at("at"),
    _at("expires_at"),
    _number(),
    sa.Index("ix_raw_expires_at", "expires_at"),
    sqlite_autoincrement=True,
)

leaf = sa.Table(
    "leaf",
    metadata,
    _text("kind"),
    _bytes("canonical"),
    _text("digest"),
    _at("at"),
    _text("dossier_id"),
    _text("portal"),
    _number(),
    sqlite_autoincrement=True,
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    *(_text(name) for name in ("portal", "external_id", "cause", "reason")),
    sa.Column("raw_id", sa.Integer, nullable=True),
    _at("at"),
    *(_text(name) for name in ("state", "owner", "next_step")),
    _int("times"),
    _text("digest"),
    _text("doc"),
    _number(),
    _partial("uq_quarantine_open", "portal", "external_id", "cause", "digest", where="state = 'open'", unique=True),
    _partial("ix_quarantine_raw_id", "raw_id", where="state = 'open'"),
    sqlite_autoincrement=True,
)

portal = sa.Table(
    "portal",
    metadata,
    _text("portal", primary_key=True),
    _text("mode"),
    _at("adopt_from", nullable=True),
    _text("paused"),
    _text("breaker"),
    _text("budget"),
    _bytes("sealed_session"),
    _at("session_until"),
    _at("heard_at", nullable=True),
    _text("alarm"),
    _text("doc"),
    sa.CheckConstraint("mode IN ('watch', 'live')", name="mode"),
)

cursor = sa.Table(
    "cursor",
    metadata,
    _text("portal", primary_key=True),
    _text("job", primary_key=True),
    sa.Column("value", sa.Text, nullable=True),
)

run = sa.Table(
    "run",
    metadata,
    _text("job"),
    _text("portal"),
    _at("started_at"),
    _at("ended_at", nullable=True),
    _text("outcome"),
    _text("counts"),
    _text("reason"),
    _number(),
    sa.Index("ix_run_portal", "portal"),
    sqlite_autoincrement=True,
)

setting = sa.Table("setting", metadata, _text("name", primary_key=True), _text("value"))

catalogue = sa.Table(
    "catalogue",
    metadata,
    _text("name"),
    _text("portal"),
    _text("version"),
    _text("rows"),
    _at("at"),
    _number(),
    sa.Index("ix_catalogue_name", "name", "portal"),
    sqlite_autoincrement=True,
)

inbound_call = sa.Table(
    "inbound_call",
    metadata,
    *(_text(name) for name in ("portal", "endpoint", "key", "digest")),
    _int("version"),
    *(_text(name) for name in ("state", "reason", "dossier_id", "seal_key")),
    _bytes("sealed"),
    _bytes("answer"),
    _at("at"),
    _at("applied_at", nullable=True),
    _int("times"),
    _at("last_at"),
    _text("doc"),
    _number(),
    sa.UniqueConstraint("portal", "endpoint", "key", "digest"),
    sa.CheckConstraint("state IN ('accepted', 'applied', 'refused')", name="state"),
    _partial("ix_inbound_call_owed", "portal", "id", where="state = 'accepted'"),
    _partial("ix_inbound_call_unplaced", "portal", "id", where="state = 'applied' AND dossier_id = ''"),
    _partial("ix_inbound_call_dossier_id", "dossier_id", where="dossier_id <> ''"),
    sqlite_autoincrement=True,
)

file = sa.Table(
    "file",
    metadata,
    _text("id", primary_key=True),
    *(_text(name) for name in ("portal", "key", "ref", "dossier_id", "seal_key")),
    _bytes("sealed_name"),
    _text("media_type"),
    _int("size"),
    _text("sha256"),
    _at("at"),
    _at("expires_at"),
    sa.Index("ix_file_call", "portal", "key"),
    _partial("ix_file_dossier_id", "dossier_id", where="dossier_id <> ''"),
    sa.Index("ix_file_expires_at", "expires_at"),
)

wanted_file = sa.Table(
    "wanted_file",
    metadata,
    *(_text(name) for name in ("dossier_id", "portal", "ref", "state", "version", "file_id")),
    _int("tries"),
    _at("next_at", nullable=True),
    _at("first_at"),
    _text("reason"),
    _flag("urgent"),
    _text("doc"),
    sa.PrimaryKeyConstraint("dossier_id", "portal", "ref"),
    sa.CheckConstraint("state IN ('wanted', 'held', 'given_up', 'let_go')", name="state"),
    _partial("ix_wanted_file_due", "portal", "urgent", "next_at", where="state = 'wanted'"),
    _partial("ix_wanted_file_given_up", "portal", "first_at", where="state = 'given_up'"),
)

file_link = sa.Table(
    "file_link",
    metadata,
    _text("token", primary_key=True),
    *(_text(name) for name in ("portal", "file_id", "dossier_id")),
    _at("at"),
)

stage = sa.Table(
    "stage",
    metadata,
    *(_text(name) for name in ("dossier_id", "portal", "route")),
    _at("owed_at"),
    *(_at(name, nullable=True) for name in ("sent_at", "received_at", "accepted_at", "completed_at")),
    _text("status"),
    _text("doc"),
    sa.PrimaryKeyConstraint("dossier_id", "portal", "route"),
    _partial("ix_stage_open", "portal", "owed_at", where="completed_at IS NULL"),
)

receipt = sa.Table(
    "receipt",
    metadata,
    *(_text(name) for name in ("dossier_id", "portal", "route", "fact", "subject")),
    _bytes("statement"),
    _text("digest"),
    _bytes("signature"),
    _text("key_id"),
    _at("at"),
    _number(),
    sa.UniqueConstraint("dossier_id", "portal", "route", "fact", "subject", name="uq_receipt_fact"),
    sqlite_autoincrement=True,
)

notice = sa.Table(
    "notice",
    metadata,
    *(_text(name) for name in ("portal", "item", "key", "dossier_id", "state")),
    _at("at"),
    _int("tries"),
    *(_at(name, nullable=True) for name in ("next_at", "told_at")),
    _text("reason"),
    _number(),
    sa.UniqueConstraint("portal", "item"),
    sa.CheckConstraint("state IN ('due', 'told', 'moot', 'given_up')", name="state"),
    sa.Index("ix_notice_portal", "portal", "id"),
    _partial("ix_notice_due", "portal", "next_at", where="state = 'due'"),
    sqlite_autoincrement=True,
)

access_key = sa.Table(
    "access_key",
    metadata,
    _text("id", primary_key=True),
    *(_text(name) for name in ("holder", "digest", "scopes", "actor")),
    _at("made_at"),
    *(_at(name, nullable=True) for name in ("expires_at", "revoked_at")),
)

# Alembic's own table, declared here so that a fresh store and a migrated one are alike.
alembic_version = sa.Table(
    "alembic_version",
    metadata,
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

_NEVER_CHANGED = """CREATE TRIGGER tr_leaf_never_changed BEFORE UPDATE ON leaf
BEGIN SELECT RAISE(ABORT, 'a leaf is never changed'); END"""

# Retention names the last leaf it removed; nothing behind that line can go (docs/adr/0009).
_KEPT = """CREATE TRIGGER tr_leaf_kept BEFORE DELETE ON leaf
WHEN OLD.id > coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'leaves_removed_to'), 0)
BEGIN SELECT RAISE(ABORT, 'a leaf is kept until retention has named its range'); END"""

SQLITE_TRIGGERS = (_NEVER_CHANGED, _KEPT)
