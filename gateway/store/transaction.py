"""All tables of a SQLite store, seen through one connection."""

from __future__ import annotations

from gateway.store.deliveries import DeliveryTable
from gateway.store.dossiers import DossierTables
from gateway.store.evidence import EvidenceTables
from gateway.store.files import FileTables
from gateway.store.handovers import HandoverTables
from gateway.store.inbound import InboundTables
from gateway.store.inbox import InboxTables
from gateway.store.lanes import LaneTable
from gateway.store.upkeep import UpkeepTables


class SqliteTx(
    DossierTables,
    LaneTable,
    DeliveryTable,
    EvidenceTables,
    FileTables,
    HandoverTables,
    InboundTables,
    InboxTables,
    UpkeepTables,
):
    """`gateway.store.base.Tx` on SQLite; whose transaction it is, the owner of the connection decides."""
