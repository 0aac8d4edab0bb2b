"""What the suite runs on: one adapter of a kind, its simulated portal, and the fakes of its context."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from adapters.base import Adapter, Delivery, PortalContext
from adapters.conformance.stored import BenchFile, BenchStore
from adapters.simulation.server import SimulatorServer
from schemas.clock import Clock, SystemClock


class OpenBudget:
    """Never waits; counts calls."""

    def __init__(self) -> None:
        self.taken = 0
        self._lock = threading.Lock()

    def take(self, calls: int = 1) -> None:
        """Count."""
        with self._lock:
            self.taken += calls


class OneSession:
    """One token for all threads, renewed once; counts logins."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.logins = 0
        self._lock = threading.Lock()

    def get_or_refresh(self, login: Callable[[], tuple[str, float]], *, stale: str | None = None) -> str:
        """The token, from a new login where there is none or it is the stale one."""
        with self._lock:
            if self.token is None or self.token == stale:
                self.logins += 1
                self.token, _ = login()
            return self.token


@dataclass
class Held:
    """What the gateway already holds of a portal, as two lists."""

    open: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def list_digests(self, external_ids: Iterable[str]) -> Mapping[str, str]:
        """Digests of the ids it holds."""
        return {one: self.digests[one] for one in external_ids if one in self.digests}

    def open_records(self) -> Iterator[str]:
        """Ids news is expected of."""
        return iter(tuple(self.open))

    def any_record(self) -> str | None:
        """The first open id."""
        return self.open[0] if self.open else None


def bench_context(portal: str, *, clock: Clock | None = None, **changes: Any) -> PortalContext:
    """A context of fakes; `changes` replace any of its fields."""
    settings: dict[str, Any] = {
        "clock": clock or SystemClock(),
        "budget": OpenBudget(),
        "sessions": OneSession(),
        "known": Held(),
        "secret": lambda reference: f"secret-of-{reference}",
        "agency_code": "H96",
    }
    return PortalContext(portal=portal, **(settings | changes))


class Bench(ABC):
    """One adapter and its portal, fresh for every check. Subclass it for a kind; close it when done.

    Attributes:
        adapter: The adapter under test; its calls must end within a second or so when an answer hangs.
        clock: The clock its context holds.
        server: The simulator's server, or None where faults are made in another way (override `hurt`).
        secrets: Texts that may appear in no error and outcome: passwords, tokens, names, numbers of persons.
        ordered: Whether the source has an order, so that pages come oldest first.
        exempt: Check name -> why it does not fit this kind; printed, never silent.
    """

    adapter: Adapter
    clock: Clock
    server: SimulatorServer | None = None
    secrets: tuple[str, ...] = ()
    ordered: bool = True
    exempt: Mapping[str, str] = {}

    @property
    @abstractmethod
    def kind(self) -> str:
        """Name of the kind, for what is printed."""

    @abstractmethod
    def seed(self, count: int, text: str = "") -> list[str]:
        """Make `count` records that can be pulled or fetched, oldest first; give their external ids.

        `text` stands in a free-text field of each.
        """

    @abstractmethod
    def delivery(self, operation: str, tag: str = "a", text: str = "", *, send_by_s: float = 60.0) -> Delivery:
        """A valid delivery of this operation: make ready at the portal whatever it needs first.

        Another `tag` is another record. The same tag with another `text` is the same record with other content.
        `send_by_s` is from now, on `clock`; negative: already past.
        """

    @abstractmethod
    def effects(self, delivery: Delivery) -> int:
        """How many effects of this delivery's content the portal's book holds."""

    def held_text(self, delivery: Delivery) -> str | None:
        """The free text of this delivery as the portal holds it; None where the operation carries none."""
        del delivery
        return None

    @cached_property
    def stored(self) -> BenchStore:
        """What the gateway holds: give it to the context as `open_stored`."""
        return BenchStore()

    def with_files(self, delivery: Delivery, files: Sequence[BenchFile]) -> Delivery | None:
        """The same delivery naming these files, by reference (content) or address (link), as a mapping would.

        None where the operation carries none.
        """
        del delivery, files
        return None

    def held_files(self, delivery: Delivery) -> list[tuple[str, str]]:
        """Name and SHA-256 of each file of this delivery as the portal holds it, or finds it at its address."""
        del delivery
        return []

    def portal_file(self, file: BenchFile) -> str | None:
        """Let the portal hold a file as its officers would, and give the reference that opens it; None: cannot."""
        del file
        return None

    def unknown_id(self) -> str:
        """An external id of the right form that the portal does not hold."""
        return "00000000"

    def empty_catalogue(self, name: str) -> bool:
        """Empty a catalogue at the portal; False where that cannot be done."""
        del name
        return False

    def hurt(self, fault: str, *, on: str = "", before: bool | None = None) -> bool:
        """Hurt the next call ("effect": the next write); False where the fault does not fit the protocol."""
        if self.server is None:
            return False
        if fault in ("wrong_namespace", "expired_session") and fault not in self.server.simulator.faults_supported:
            return False
        self.server.faults.script(fault, on=on, before=before)
        return True

    def go_down(self) -> None:
        """Refuse connections until `come_up`."""
        if self.server is not None:
            self.server.go_down(60)

    def come_up(self) -> None:
        """End the outage."""
        if self.server is not None:
            self.server.come_up()

    def close(self) -> None:
        """Stop what runs."""
        self.adapter.close()
        self.stored.close()
        if self.server is not None:
            self.server.stop()
