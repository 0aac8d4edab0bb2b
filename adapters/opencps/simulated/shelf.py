"""The portal's database: dossiers by key, running numbers, legal dates as ever shown."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime
from typing import Any

import orjson

from adapters.opencps.simulated.dates import spoken
from adapters.opencps.simulated.entity import Dossier
from adapters.opencps.simulated.index import SearchIndex
from adapters.opencps.simulated.process import Process
from adapters.opencps.simulated.switches import Agency, Service, Switches
from adapters.opencps.simulated.views import PREFIX, decomposed, list_row
from schemas.clock import VIETNAM


class Shelf:
    """All dossiers of one portal. Not locked by itself: the simulator holds its lock around every call."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.process = Process.of(switches.process)
        self.services = {service.code: service for service in switches.services}
        self.agencies = {agency.code: agency for agency in switches.agencies}
        self.lot = random.Random(switches.seed)
        self.dossiers: dict[int, Dossier] = {}
        self.index = SearchIndex(
            self._row,
            lags=switches.index_lag_s > 0,
            shift_h=switches.jvm_shift_h,
            half_range=switches.half_range,
        )
        self._by_uid: dict[str, int] = {}
        self._by_number: dict[str, int] = {}
        self._daily: Counter[tuple[str, str]] = Counter()
        self._last: Counter[str] = Counter()
        self.index_down = False

    def next_id(self, what: str) -> int:
        """The next primary key of a table."""
        self._last[what] += 1
        return {"dossier": 100_000, "action": 500_000, "log": 900_000}.get(what, 10_000) + self._last[what]

    def add(self, dossier: Dossier) -> None:
        """Put a new row into the table."""
        self.dossiers[dossier.dossier_id] = dossier
        self._by_uid.setdefault(dossier.reference_uid, dossier.dossier_id)

    def drop(self, dossier: Dossier) -> None:
        """Delete a row for good."""
        del self.dossiers[dossier.dossier_id]
        if self._by_uid.get(dossier.reference_uid) == dossier.dossier_id:
            del self._by_uid[dossier.reference_uid]
        self._by_number.pop(dossier.dossier_no, None)
        self.index.changed(dossier.dossier_id, None, 0.0)

    def find(self, key: str, *, numbers: bool = True) -> Dossier | None:
        """Resolve `{id}`: a positive number is the primary key, else case number, else reference (section 1.3)."""
        if key.isascii() and key.isdigit() and int(key) > 0:
            return self.dossiers.get(int(key))
        if numbers and (known := self._by_number.get(key)):
            return self.dossiers.get(known)
        return self.by_uid(key)

    def by_uid(self, uid: str) -> Dossier | None:
        """By reference; in a deployment that adds or strips the prefix, in either spelling."""
        known = self._by_uid.get(uid)
        if known is None and self.switches.prefix != "as_stored":
            plain = uid.removeprefix(PREFIX)
            known = self._by_uid.get(plain) or self._by_uid.get(PREFIX + plain)
        return self.dossiers.get(known) if known else None

    def service(self, service_code: str, agency_code: str) -> tuple[Service, Agency] | None:
        """The configured process of a procedure at an agency, or None."""
        service, agency = self.services.get(service_code), self.agencies.get(agency_code)
        return (service, agency) if service and agency else None

    def give_number(self, dossier: Dossier) -> None:
        """Assign the case number: agency, day of receipt, running number of that agency and day (rules.md 3.4)."""
        if dossier.dossier_no or self.switches.fail_numbers or dossier.received_at is None:
            return
        day = f"{dossier.received_at.astimezone(VIETNAM):%y%m%d}"
        self._daily[dossier.agency_code, day] += 1
        running = self._daily[dossier.agency_code, day]
        dossier.counter = running
        if self.switches.numeric_numbers:
            number = f"{day}{len(self._by_number) + 1:06d}"
        else:
            width = 4 if dossier.agency_code[:1].isdigit() else 5
            number = f"{dossier.agency_code}-{day}-{running:0{width}d}"
        self.rename(dossier, number)

    def rename(self, dossier: Dossier, number: str) -> None:
        """Set a case number; the first holder keeps answering for it, as an arbitrary finder may."""
        dossier.dossier_no = number
        self._by_number.setdefault(number, dossier.dossier_id)

    def touch(self, dossier: Dossier, now: datetime, visible: float, by: str, call: int = 0) -> None:
        """A change was made: modified date, index, and the legal dates if they moved."""
        if by != "seed":
            dossier.modified_at = now
        dates = {
            "submitDate": spoken(dossier.submitted_at),
            "receiveDate": spoken(dossier.received_at),
            "dueDate": spoken(dossier.due_at),
        }
        last = dossier.legal[-1] if dossier.legal else {}
        if any(last.get(name) != value for name, value in dates.items()):
            dossier.legal.append({**dates, "at": now, "by": by, "call": call})
        hidden = dossier.originality < 0 and not self.switches.show_removed
        self.index.changed(dossier.dossier_id, None if hidden else dossier, visible)

    def shown(self, value: Any) -> Any:
        """A value as this deployment spells it."""
        return decomposed(value) if self.switches.nfd else value

    def _row(self, dossier: Dossier) -> bytes:
        step = self.process.steps.get(dossier.step)
        return orjson.dumps(self.shown(list_row(dossier, step, self.switches.prefix)))
