"""What waits in a ministry's inbox: items, their frozen content, their attachments. Another's items are not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import cast

from adapters.inbox.adapter import InboxAdapter
from gateway.inbound.files import FileStore
from gateway.inbox import cursor
from gateway.store.base import Tx
from gateway.store.rows import DeliveryRow, FileRow, NoticeRow
from gateway.sync.case import Workshop
from gateway.sync.route import stages
from gateway.vault import SealError

WAITING, ACKNOWLEDGED, REFUSED, WITHDRAWN = "waiting", "acknowledged", "refused", "withdrawn"


class RefusedError(Exception):
    """The inbox says no; `code` is one of `adapters.inbox.problems.PROBLEMS`."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Item:
    """One hand-over to a ministry. `number` is its place in the inbox; `digest` is of its exact content."""

    number: int
    id: str
    operation: str
    state: str
    dossier_code: str
    digest: str
    offered_at: datetime
    settled_at: datetime | None
    row: DeliveryRow


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that the item's content names."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Items in order, the cursor behind the last of them, and whether there are more."""

    items: list[Item]
    next: str
    more: bool


class Items:
    """Reads inboxes. Thread-safe."""

    def __init__(self, shop: Workshop, files: FileStore) -> None:
        self._shop = shop
        self._files = files
        self._staged = stages(shop.config.routes)

    def adapter(self, portal: str) -> InboxAdapter:
        """The inbox of a portal.

        Raises:
            RefusedError: `not_allowed`, the portal has none.
        """
        found = self._shop.portals.get(portal)
        if found is None or not found.adapter.abilities.collected:
            raise RefusedError("not_allowed")
        return cast("InboxAdapter", found.adapter)

    def page(self, portal: str, after: str, limit: int, *, waiting: bool) -> Slice:
        """Items behind a cursor, oldest first.

        Raises:
            RefusedError: `cursor_foreign`, it is of another inbox, or of a place that this one has not come to.
        """
        self.adapter(portal)
        place = cursor.place_of(self._shop.vault, portal, after)
        if place is None:
            raise RefusedError("cursor_foreign")

        def look(tx: Tx) -> tuple[int, list[tuple[NoticeRow, DeliveryRow]]]:
            return tx.last_offered(), tx.items(portal, after=place, waiting=waiting, limit=limit + 1)

        last, found = self._shop.store.read(look)
        if place > last:
            raise RefusedError("cursor_foreign")
        items = [_item(*pair) for pair in found[:limit]]
        end = items[-1].number if items else place
        return Slice(items, cursor.written(self._shop.vault, portal, end), len(found) > limit)

    def item(self, portal: str, item_id: str, tx: Tx | None = None) -> Item:
        """One item.

        Raises:
            RefusedError: `not_found`, also for another portal's.
        """
        self.adapter(portal)
        found = tx.item(portal, item_id) if tx else self._shop.store.read(lambda read: read.item(portal, item_id))
        if found is None:
            raise RefusedError("not_found")
        return _item(*found)

    def content(self, portal: str, item_id: str) -> tuple[Item, bytes]:
        """An item with its exact bytes.

        Raises:
            RefusedError: `not_found`; `content_gone` when its time has passed, or the dossier was erased.
        """
        item = self.item(portal, item_id)
        if not self._is_kept(portal, item):
            raise RefusedError("content_gone")
        try:
            return item, self._shop.vault.open(item.row.dossier_id, item.row.sealed_body)
        except (KeyError, SealError):
            raise RefusedError("content_gone") from None

    def attachments(self, portal: str, item: Item) -> list[Attachment]:
        """The files that an item's content names; of an item frozen before content named any, those of its dossier."""
        if not self._is_kept(portal, item):
            return []
        return [found for row in self._rows(portal, item) if (found := self._attachment(row)) is not None]

    def open(self, portal: str, item_id: str, file_id: str) -> tuple[Attachment, Iterator[bytes]]:
        """One file, slice by slice.

        Raises:
            RefusedError: `not_found`, or `content_gone` when it is no longer kept.
        """
        item = self.item(portal, item_id)
        row = next((row for row in self._rows(portal, item) if row.id == file_id), None)
        if row is None:
            raise RefusedError("content_gone" if file_id in (item.row.doc.get("files") or ()) else "not_found")
        found = self._attachment(row) if self._is_kept(portal, item) else None
        if found is None:
            raise RefusedError("content_gone")
        slices = self._files.open(row)
        try:
            first = next(slices)
        except (OSError, KeyError, SealError, StopIteration):
            raise RefusedError("content_gone") from None
        return found, chain((first,), slices)

    def _is_kept(self, portal: str, item: Item) -> bool:
        if item.state in (REFUSED, WITHDRAWN) or not item.row.sealed_body:
            return False
        kept = timedelta(days=self.adapter(portal).options.keep_days)
        return item.settled_at is None or self._shop.clock.now() <= item.settled_at + kept

    def _rows(self, portal: str, item: Item) -> list[FileRow]:
        named = item.row.doc.get("files")
        if named is not None:
            kept = self._shop.store.read(lambda tx: [tx.file(file_id) for file_id in sorted(named)])
            return [row for row in kept if row is not None]
        rows = self._shop.store.read(lambda tx: tx.files_of(item.row.dossier_id))
        return [row for row in rows if row.portal == portal or row.portal not in self._staged]

    def _attachment(self, row: FileRow) -> Attachment | None:
        try:
            name = self._files.name(row)
        except (KeyError, SealError):
            return None
        return Attachment(row.id, name, row.media_type, row.size, row.sha256)


def _item(notice: NoticeRow, row: DeliveryRow) -> Item:
    return Item(
        number=notice.id or 0,
        id=notice.item,
        operation=row.operation,
        state=_state(row),
        dossier_code=row.external_id,
        digest=row.body_digest,
        offered_at=datetime.fromtimestamp(notice.at, UTC),
        settled_at=None if row.settled_at is None else datetime.fromtimestamp(row.settled_at, UTC),
        row=row,
    )


def _state(row: DeliveryRow) -> str:
    if row.open:
        return WAITING
    if row.state == "delivered":
        return ACKNOWLEDGED
    return REFUSED if row.state == "parked" else WITHDRAWN
