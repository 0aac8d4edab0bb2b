"""Keys of ministries, kept in the store: what `gateway.access` asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.access.keys import ApiKey, mint
from gateway.evidence.leaf import leaf
from gateway.store.base import Store, Tx
from gateway.store.rows import AccessKeyRow
from schemas.errors import GatewayError

SCOPE = "inbox"


class NoSuchKeyError(GatewayError):
    """There is no key of that id in force."""


class StoredKeys:
    """`gateway.access.keys.Keys` over the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, key_id: str) -> ApiKey | None:
        """The key of that id, revoked or not."""
        row = self._store.read(lambda tx: tx.access_key(key_id))
        return None if row is None else _key_of(row)

    def add(self, portal: str, days: int | None, *, actor: str, now: datetime) -> tuple[str, AccessKeyRow]:
        """Make a key for a ministry; gives the text for its holder, which is kept nowhere."""
        until = None if days is None else now + timedelta(days=days)
        text, made = mint(portal, frozenset({SCOPE}), now, until)
        row = AccessKeyRow(
            made.id,
            portal,
            made.digest,
            tuple(sorted(made.scopes)),
            actor,
            now.timestamp(),
            until.timestamp() if until else None,
        )

        def work(tx: Tx) -> None:
            tx.put_access_key(row)
            _act(tx, "key_added", row, actor, now)

        self._store.write(work)
        return text, row

    def revoke(self, key_id: str, *, actor: str, now: datetime) -> AccessKeyRow:
        """From now on it opens nothing.

        Raises:
            NoSuchKeyError: There is none, or it was revoked before.
        """

        def work(tx: Tx) -> AccessKeyRow:
            row = tx.access_key(key_id)
            if row is None or row.revoked_at is not None:
                raise NoSuchKeyError(f"there is no key {key_id} in force: 'lienthong inbox key list' shows them")
            row.revoked_at = now.timestamp()
            tx.put_access_key(row)
            _act(tx, "key_revoked", row, actor, now)
            return row

        return self._store.write(work)


def _act(tx: Tx, act: str, row: AccessKeyRow, actor: str, now: datetime) -> None:
    tx.append_leaves([leaf("act", now.timestamp(), portal=row.holder, act=act, actor=actor, reason="", record=row.id)])


def _key_of(row: AccessKeyRow) -> ApiKey:
    return ApiKey(
        row.id,
        row.holder,
        row.digest,
        frozenset(row.scopes),
        datetime.fromtimestamp(row.made_at, UTC),
        _instant(row.expires_at),
        _instant(row.revoked_at),
    )


def _instant(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
