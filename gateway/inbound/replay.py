"""After a restore: what was told to us since the backup is told again from the journal (sync.md S27)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from adapters.receiving import InboundCall, Receiver
from gateway.inbound.intake import Desk, read_entry, store_call
from gateway.log import get_logger

log = get_logger()
_REPLAYED = "journal_replayed"


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
            continue
        if not _held(desk, portal, endpoint, said):
            store_call(desk, portal, receiver, request, said, files)
            stored += 1
    desk.store.write(lambda tx: tx.put_setting(_REPLAYED, epoch))
    log.info("journal_replayed", calls=stored)
    return stored


def _held(desk: Desk, portal: str, endpoint: str, call: InboundCall) -> bool:
    versions = desk.store.read(lambda tx: tx.inbound_versions(portal, endpoint, call.key))
    return any(row.digest == call.digest and row.state != "refused" for row in versions)
