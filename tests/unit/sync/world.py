"""A whole gateway over real SQLite and the portals of `portals.py`, on a clock that a test moves."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.base import Repeat
from gateway.config import Config
from gateway.files.fetching import Fetcher
from gateway.inbound.files import FileStore
from gateway.signing import SigningRing
from gateway.store.rows import DeliveryRow, LaneKey, LaneRow
from gateway.store.sqlite import SqliteStore
from gateway.sync.case import Workshop
from gateway.sync.engine import Engine
from gateway.sync.operate import Operator
from gateway.sync.portal import Breaker, Portal
from gateway.vault import KeyRing
from mappings.loader import load
from schemas.clock import ManualClock
from tests.unit.sync.portals import Desk, Faulty, Ministry, Mirror

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
MAPPING = Path(__file__).parent / "desk.yaml"


def config(**changes: Any) -> dict[str, Any]:
    """The configuration of the test province, as YAML would give it."""
    portal = {
        "kind": "memory",
        "mapping": str(MAPPING),
        "environment": "test",
        "settle_s": 100,
        "call_timeout_s": 10,
        "retry": {"base_s": 10, "max_s": 60, "jitter": 0, "refusals": 3, "asks": 3, "repeats": 3},
    }
    forwarded = {"procedures": ["2.*"], "wires": ["forwarded"]}
    results: dict[str, Any] = {
        "completed": {"act": "completed", "from": ["forwarded"]},
        "not_accepted": {"act": "not_accepted", "from": ["forwarded"]},
        "supplement_requested": {"act": "supplement_requested", "from": ["forwarded"]},
    }
    return {
        "environment": "test",
        "province": {"agency_code": "H99"},
        "portals": {"province": {**portal}, "national": {**portal}, "justice": {**portal}},
        "ownership": {
            "handlers": ["province"],
            "requests": {"national": {"withdrawal_requested": {"act": "withdrawal_requested"}}},
        },
        "routes": [
            {"name": "national", "to": "national"},
            {"name": "justice", "to": "justice", "kind": "forward", "when": forwarded, "results": results},
        ],
        **changes,
    }


class World:
    """Portals, store, engine and operator; `tick` moves the clock."""

    def __init__(self, folder: Path, raw: dict[str, Any] | None = None, repeat: Repeat | None = None) -> None:
        self.folder = folder
        self.clock = ManualClock(START)
        self.province = Desk("province", self.clock)
        self.national = Mirror("national", self.clock)
        self.justice = self.new_ministry("justice", repeat or Repeat.REFUSED_AS_DUPLICATE)
        self.config = Config.model_validate(raw or config())
        more = [name for name in self.config.portals if name not in ("province", "national", "justice")]
        self.others = {name: self.new_ministry(name, Repeat.REFUSED_AS_DUPLICATE) for name in more}
        self._ids = (f"d{number:04}" for number in itertools.count(1))
        self.open()

    def open(self) -> None:
        """Start the gateway; also after `close`, as a restart."""
        self.store = self.new_store(self.folder / "store.db")
        self.vault = KeyRing(self.folder / "keys.ring")
        self.signer = SigningRing(self.folder / "signing.keys", self.clock)
        adapters: dict[str, Faulty] = {p.name: p for p in (self.province, self.national, self.justice)}
        adapters.update(self.others)
        words = load(str(MAPPING))
        portals = {
            name: Portal(name, entry, adapters[name], words, self.clock, breaker=Breaker(entry.breaker, self.clock))
            for name, entry in self.config.portals.items()
        }
        self.shop = Workshop(
            config=self.config,
            store=self.store,
            vault=self.vault,
            portals=portals,
            clock=self.clock,
            random=random.Random(7),
            new_id=lambda: next(self._ids),
            wake=lambda portal: None,
            signer=self.signer,
        )
        self.files = FileStore(self.folder / "files", self.vault)
        self.fetchers = {name: Fetcher(self.shop, one, self.files) for name, one in portals.items() if one.opens_files}
        self.engine = Engine(self.shop)
        self.operator = Operator(self.engine)

    def new_store(self, path: Path) -> SqliteStore:
        """The store; a simulation puts pauses into it."""
        return SqliteStore(path)

    def new_ministry(self, name: str, repeat: Repeat) -> Ministry:
        """A portal that a stage is forwarded to; a test may give it more abilities."""
        return Ministry(name, self.clock, repeat)

    def close(self) -> None:
        """Stop the gateway."""
        self.store.close()
        self.vault.close()

    def restart(self) -> None:
        """As after a kill: what was in memory is gone."""
        self.close()
        self.open()

    def now(self) -> float:
        """Seconds."""
        return self.clock.now().timestamp()

    def tick(self, seconds: float = 1.0) -> float:
        """Move the clock; gives the new instant."""
        self.clock.advance(seconds)
        return self.now()

    def live(self, line: float | None = None) -> None:
        """Adopt all portals from a line (default: an hour before the start)."""
        for name in self.config.portals:
            self.engine.adopt(name, START.timestamp() - 3600 if line is None else line, actor="test")

    def round(self) -> int:
        """Wake every job once; gives how much happened: changes read and calls made."""
        happened = 0
        self.tick()
        names = ("province", "justice", *self.others, "national")
        for name in names:
            happened += self.engine.pull(name).changed
        for name in names:
            happened += self.engine.deliver(name).counts["sent"]
        if any(self.fetchers[name].run().counts for name in sorted(self.fetchers)):
            happened += sum(self.engine.deliver(name).counts["sent"] for name in names)
        return happened

    def rest(self, rounds: int = 20, every_s: float = 30.0) -> int:
        """Rounds until nothing happens, nothing is due and nothing open; gives how many were needed."""
        for number in range(1, rounds + 1):
            happened = self.round()
            lanes = self.store.read(lambda tx: tx.iter_lanes(limit=10_000))
            if not happened and not any(lane.due_at is not None for lane in lanes) and not self.open_deliveries():
                return number
            self.tick(every_s)
        raise AssertionError(f"no rest after {rounds} rounds: {[(x.portal, x.state, x.reason) for x in lanes]}")

    def open_deliveries(self) -> list[DeliveryRow]:
        """What is uncertain."""
        return self.deliveries("begun", "unknown")

    def deliveries(self, *states: str) -> list[DeliveryRow]:
        """Deliveries by state."""
        return self.store.read(lambda tx: tx.list_deliveries(states=states))

    def lane(self, portal: str, dossier: str = "d0001") -> LaneRow:
        """One lane."""
        key = LaneKey(portal, dossier)
        return self.store.read(lambda tx: tx.lanes([key]))[key]

    def rows(self, code: str) -> list[str]:
        """Statuses of the rows the national portal shows for a dossier, in the order they came."""
        return [row["status"] for row in self.national.rows if row["code"] == code]
