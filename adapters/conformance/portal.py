"""A portal in memory: records, a feed of changes, a book of effects, and every fault a real one has."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from adapters.base import JsonValue, Outcome, RawRecord, UnreadableRecord
from adapters.simulation.book import Book
from adapters.simulation.faults import FAULT_KINDS, FaultPlan
from schemas.clock import Clock, SystemClock
from schemas.errors import PortalContractError, PortalError, PortalUnavailableError

Item = RawRecord | UnreadableRecord | dict[str, Any]
"""What a feed holds: a record in the portal's own field names, or one ready read."""

Scripted = tuple[Outcome, bool]
OnCommand = Callable[[dict[str, Any], dict[str, Any]], Outcome | None]

_UNREADABLE = frozenset({"html_200", "garbage", "wrong_namespace", "empty_200"})


class MemoryPortal:
    """What stands at the other end of a `MemoryAdapter`; many adapters may speak with one portal.

    `received` holds what writes brought, in order: records of snapshots and commands, single rows of appends.
    `faults` hurts calls as it does over sockets; `answer_next` scripts whole outcomes. Officers work by `put`.
    `is_down` refuses every call. `on_command(record, body)` may change the record and gives an outcome to answer with
    instead of delivered.
    """

    def __init__(
        self,
        name: str,
        *,
        pages: Iterable[Sequence[Item]] = (),
        key_field: str = "id",
        clock: Clock | None = None,
        faults: FaultPlan | None = None,
        on_command: OnCommand | None = None,
    ) -> None:
        self.name = name
        self.key_field = key_field
        self.clock = clock or SystemClock()
        self.faults = faults or FaultPlan()
        self.on_command = on_command
        self.lock = threading.RLock()
        self.book = Book()
        self.received: list[JsonValue] = []
        self.records: dict[str, dict[str, Any]] = {}
        self.catalogues: dict[str, list[JsonValue]] = {}
        self.files: dict[str, bytes] = {}
        self._feed: list[Item] = []
        self._page_ends: set[int] = set()
        self._scripted: deque[Scripted] = deque()
        self.is_down = False
        self._calls = 0
        for page in pages:
            for item in page:
                self._publish(item)
            self._page_ends.add(len(self._feed))

    def put(self, record: dict[str, Any]) -> str:
        """Create or change a record as an officer does, and show it in the feed. Gives its external id."""
        with self.lock:
            self._publish(dict(record))
            return str(record[self.key_field])

    def answer_next(self, outcome: Outcome, *, effect: bool) -> None:
        """Answer the next write, in order of scripting, with this outcome; `effect` says whether it was done."""
        self._scripted.append((outcome, effect))

    def feed(self, after: int, size: int) -> tuple[list[Item], int]:
        """At most `size` items after position `after`, oldest first, and the position reached."""
        with self.lock:
            self.begin("read")
            end = min(after + size, len(self._feed), *(end for end in self._page_ends if end > after))
            return self._feed[after:end], end

    def begin(self, kind: str) -> tuple[int, PortalError | None]:
        """Number a call and let the fault plan hurt it.

        Gives the call's number and the error the caller sees instead of the answer, after the effect.

        Raises:
            PortalError: A read, or a write hurt before its effect.
        """
        self._calls += 1
        if self.is_down:
            raise self._error("outage")
        strike = self.faults.decide(self._calls, kind, FAULT_KINDS)
        if strike is None or strike.fault == "expired_session":
            return self._calls, None
        error = self._error(strike.fault)
        if kind == "read" or strike.before or not error.sent:
            raise error
        return self._calls, error

    def write(self, effect: str, key: str, content: JsonValue, call: int, key_uuid: str) -> None:
        """Write an effect into the book, with our key as far as the wire has room for it."""
        self.book.record(effect, key, {"content": content, "key_uuid": key_uuid}, at=self.clock.now(), call=call)
        self.received.append(content)

    def scripted(self) -> Scripted | None:
        """The outcome scripted for this write, if any."""
        return self._scripted.popleft() if self._scripted else None

    def show(self, key: str) -> None:
        """Put the present state of a record into the feed."""
        self._feed.append(dict(self.records[key]))

    def shown(self, item: Item) -> tuple[str, Item]:
        """An item with its external id, read now."""
        if isinstance(item, dict):
            return str(item[self.key_field]), item
        return item.external_id, replace(item, read_at=self.clock.now())

    def _publish(self, item: Item) -> None:
        if isinstance(item, dict):
            self.records[str(item[self.key_field])] = item
        self._feed.append(item)

    def _error(self, fault: str) -> PortalError:
        if fault in _UNREADABLE:
            return PortalContractError(self.name, "a web page or noise instead of the agreed answer", status=200)
        if fault == "too_many_429":
            wait_s = float(self.faults.retry_after_s)
            return PortalUnavailableError(
                self.name, "too many requests (429)", status=429, retry_after_s=wait_s, sent=False
            )
        if fault in ("refuse", "outage"):
            return PortalUnavailableError(self.name, "the connection could not be opened", sent=False)
        if fault == "unavailable_503":
            return PortalUnavailableError(self.name, "the portal answered 503", status=503)
        return PortalUnavailableError(self.name, "time-out" if fault in ("delay", "drip") else "the connection broke")


def digest_bytes(record: JsonValue) -> bytes:
    """A record in one fixed spelling."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
