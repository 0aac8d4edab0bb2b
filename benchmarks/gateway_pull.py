"""The gateway's own pull of the feed: real engine, store, vault and mapping. `URL FOLDER VERSION`; one JSON line."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import orjson

from adapters.base import (
    Abilities,
    CatalogueList,
    Cursor,
    Delivery,
    EventIdentity,
    FileStream,
    Outcome,
    OutcomeKind,
    Page,
    Presence,
    Probe,
    RawRecord,
)
from adapters.http import HttpClient
from benchmarks.measuring import Measured, sizes
from gateway.bootstrap import collect_rarely, new_id
from gateway.config import Config
from gateway.store.opening import open_store
from gateway.sync.case import Workshop
from gateway.sync.engine import Engine
from gateway.sync.portal import Breaker, Portal
from gateway.vault import KeyRing
from mappings.loader import load
from schemas.clock import SystemClock
from schemas.errors import PortalContractError

MAPPING = str(Path(__file__).parent / "feed.yaml")
CONFIG = {
    "environment": "test",
    "province": {"agency_code": "H99"},
    "portals": {
        "province": {"kind": "feed", "mapping": MAPPING, "environment": "test"},
        "national": {"kind": "feed", "mapping": MAPPING, "environment": "test", "direction": "push"},
    },
    "ownership": {"handlers": ["province"]},
    "routes": [{"name": "national", "to": "national"}],
}


class Feed:
    """A portal that gives whole records, 200 a page."""

    abilities = Abilities({}, pulls=True, identity=EventIdentity.ACT)

    def __init__(self, url: str, version: str) -> None:
        self._clock = SystemClock()
        self._http = HttpClient("province", url, clock=self._clock)
        self._version = version

    def pull(self, _cursor: Cursor | None) -> Iterator[Page]:
        """All pages from the beginning: a full pass, as the floor makes it."""
        after: int | None = 0
        while after is not None:
            at = self._clock.now()
            params = {"from": str(after), "size": "200", "version": self._version}
            page = orjson.loads(self._http.request("GET", "/feed", params=params, idempotent=True).body)
            after = page["next"]
            records = tuple(_record(item, at) for item in page["data"])
            yield Page(records, str(after), total=page["total"])

    def fetch(self, _external_id: str) -> RawRecord | None:
        """Not asked for here."""
        raise PortalContractError("province", "a feed only")

    def push(self, _delivery: Delivery) -> Outcome:
        """Not asked for here."""
        return Outcome(OutcomeKind.REFUSED, "a feed only", final=True)

    def probe(self, _delivery: Delivery) -> Probe:
        """Not asked for here."""
        return Probe(Presence.CANNOT_TELL, "a feed only", self._clock.now())

    def catalogue(self, _name: str) -> CatalogueList:
        """Not asked for here."""
        raise PortalContractError("province", "a feed only")

    def open_file(self, _ref: str) -> FileStream:
        """Not asked for here."""
        raise PortalContractError("province", "a feed only")

    def ping(self) -> datetime | None:
        """Nothing to do."""
        return None

    def close(self) -> None:
        """Give back the connection."""
        self._http.close()


def _record(item: dict[str, object], at: datetime) -> RawRecord:
    log = item.pop("log")
    return RawRecord(str(item["reference"]), {"dossier": item, "log": log}, orjson.dumps([item, log]), at)


def main() -> None:
    """Pull the whole feed once."""
    url, folder, version = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    collect_rarely()
    clock, config = SystemClock(), Config.model_validate(CONFIG)
    feed, words = Feed(url, version), load(MAPPING)
    portals = {
        name: Portal(name, entry, feed, words, clock, breaker=Breaker(entry.breaker, clock))
        for name, entry in config.portals.items()
    }
    with closing(open_store(folder / "store.db")) as store, closing(KeyRing(folder / "keys.ring")) as vault:
        shop = Workshop(config, store, vault, portals, clock, random.Random(1), new_id, _nobody)
        with Measured() as measured:
            report = Engine(shop).pull("province")
        figures = {
            "records": report.records,
            "new": report.new,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "reason": report.reason,
            "rows": store.read(lambda tx: tx.counts()),
            **measured.figures,
            **sizes(folder),
        }
    sys.stdout.write(orjson.dumps(figures).decode() + "\n")


def _nobody(_portal: str) -> None:
    """Nothing is delivered here."""


if __name__ == "__main__":
    main()
