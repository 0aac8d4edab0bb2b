"""After a restore: what was told to us since the backup is told again from the journal (sync.md S27)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from adapters.receiving import InboundCall, Receiver, Unreadable
from gateway.inbound import kept
from gateway.inbound.fetching import keep_files
from gateway.inbound.intake import Desk, entry, read_entry, set_aside, store_call
from gateway.log import get_logger
from schemas.errors import RecordInvalidError

log = get_logger()
_REPLAYED = "journal_replayed"
_STEP = "its sender will not send it again: put the receiver or its settings back, then replay it"


def replay(desk: Desk, receivers: Mapping[str, Mapping[str, Receiver]]) -> int:
    """Store every call of the journal that the store lacks, once for each restored store; says how many there were.

    Their answers were given long ago, so they are not judged again. Their files lie outside the store, as they were.

    Raises:
        StoreError: The store does not take them; the next start tries again.
    """
    epoch = desk.store.read(lambda tx: tx.setting("epoch"))
    if not epoch or desk.store.read(lambda tx: tx.setting(_REPLAYED)) == epoch:
        return 0
    since = datetime.now(UTC) - timedelta(days=desk.config.store.journal_days)
    stored = 0
    for plain in desk.journal.entries(since):
        portal, endpoint, files, request = read_entry(plain)
        receiver = receivers.get(portal, {}).get(endpoint)
        said = receiver.read(request) if receiver is not None else None
        if receiver is None or not isinstance(said, InboundCall):
            log.warning("call_not_replayed", portal=portal, endpoint=endpoint)
            lost = Unreadable("it was answered with success before the restore and can no longer be read", "lost")
            set_aside(desk, portal, endpoint, request, lost, "not_replayed", _STEP)
            continue
        if not _held(desk, portal, endpoint, said):
            store_call(desk, portal, receiver, request, said, files)
            stored += 1
    desk.store.write(lambda tx: tx.put_setting(_REPLAYED, epoch))
    log.info("journal_replayed", calls=stored)
    return stored


def replay_call(desk: Desk, receivers: Mapping[str, Mapping[str, Receiver]], quarantine_id: int, plain: bytes) -> str:
    """Judge a call afresh that could not be read when it came; its sender was told no and may send it again.

    Says "replayed" when it is stored now, else why not.
    """
    row = desk.store.read(lambda tx: tx.quarantine(quarantine_id))
    receiver = receivers.get(row.portal, {}).get(str(row.doc.get("endpoint", ""))) if row is not None else None
    if row is None or receiver is None:
        return "there is no such receiver any more"
    request = kept.from_bytes(plain)
    said = receiver.read(request)
    if not isinstance(said, InboundCall):
        return "still unreadable"
    try:
        files = keep_files(desk.files, desk.portals[row.portal], said, request.at, desk.config.store)
    except RecordInvalidError as error:
        return error.reason
    desk.journal.append(entry(row.portal, receiver.name, request, files), request.at)
    store_call(desk, row.portal, receiver, request, said, files)
    desk.store.write(lambda tx: tx.close_quarantine(quarantine_id, "replayed"))
    return "replayed"


def _held(desk: Desk, portal: str, endpoint: str, call: InboundCall) -> bool:
    versions = desk.store.read(lambda tx: tx.inbound_versions(portal, endpoint, call.key))
    return any(row.digest == call.digest and row.state != "refused" for row in versions)
