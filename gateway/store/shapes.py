"""How a row's dataclass becomes SQL values and back: columns are its fields, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from inspect import signature
from operator import attrgetter
from typing import Any, Generic, TypeVar

import orjson

from gateway.store import rows

R = TypeVar("R")
Values = tuple[Any, ...]


def dumps(value: object) -> str:
    """A document as JSON text."""
    return orjson.dumps(value).decode()


loads = orjson.loads


class Shape(Generic[R]):
    """One table and its dataclass.

    Args:
        key: The columns that name a row; an insert that meets the same key replaces the rest.
        documents: Fields kept as JSON text. tuples: Those of them that are tuples. flags: Booleans.
    """

    def __init__(
        self,
        table: str,
        row: type[R],
        key: Sequence[str] = (),
        *,
        documents: Iterable[str] = (),
        tuples: Iterable[str] = (),
        flags: Iterable[str] = (),
    ) -> None:
        names = list(signature(row).parameters)
        self.table, self.row = table, row
        self.columns = ", ".join(names)
        self.select = f"SELECT {self.columns} FROM {table}"  # noqa: S608  # names are ours
        self.insert = f"INSERT INTO {table} ({self.columns}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
        kept = ", ".join(f"{name} = excluded.{name}" for name in names if name not in (*key, "id"))
        self.upsert = f"{self.insert} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {kept}" if key else ""
        self._get = attrgetter(*names)
        self._dump = tuple(names.index(name) for name in (*documents, *tuples))
        self._tuples = tuple(names.index(name) for name in tuples)
        self._flags = tuple(names.index(name) for name in flags)
        self.values: Callable[[R], Sequence[Any]] = self._dumped if self._dump else self._get
        """The row as SQL values."""

    def _dumped(self, row: R) -> list[Any]:
        values = list(self._get(row))
        for place in self._dump:
            values[place] = orjson.dumps(values[place]).decode()
        return values

    def load(self, found: Values) -> R:
        """SQL values as a row."""
        values = list(found)
        for place in self._dump:
            values[place] = loads(values[place])
        for place in self._tuples:
            values[place] = tuple(values[place])
        for place in self._flags:
            values[place] = bool(values[place])
        return self.row(*values)


DOSSIER = Shape("dossier", rows.DossierRow, ["id"], documents=["timeline"], tuples=["flags"])
RECORD = Shape(
    "portal_record", rows.RecordRow, ["portal", "external_id"], documents=["counts"], flags=["open", "removed"]
)
LANE = Shape("lane", rows.LaneRow, ["dossier_id", "portal"], documents=["doc"])
DELIVERY = Shape(
    "delivery",
    rows.DeliveryRow,
    ["key"],
    documents=["guard", "attempts", "doc"],
    tuples=["members"],
    flags=["open"],
)
INBOUND = Shape("inbound_call", rows.InboundRow, ["portal", "endpoint", "key", "digest"], documents=["doc"])
FILE = Shape("file", rows.FileRow, ["id"])
WANTED_FILE = Shape(
    "wanted_file", rows.WantedFileRow, ["dossier_id", "portal", "ref"], documents=["doc"], flags=["urgent"]
)
FILE_LINK = Shape("file_link", rows.FileLinkRow, ["token"])
STAGE = Shape("stage", rows.StageRow, ["dossier_id", "portal", "route"], documents=["doc"])
RECEIPT = Shape("receipt", rows.ReceiptRow)
NOTICE = Shape("notice", rows.NoticeRow)
ACCESS_KEY = Shape("access_key", rows.AccessKeyRow, ["id"], tuples=["scopes"])
RAW = Shape("raw", rows.RawRow)
LEAF = Shape("leaf", rows.LeafRow)
QUARANTINE = Shape("quarantine", rows.QuarantineRow, documents=["doc"])
PORTAL = Shape("portal", rows.PortalRow, ["portal"], documents=["breaker", "budget", "alarm", "doc"])
RUN = Shape("run", rows.RunRow, ["id"], documents=["counts"])
