"""A whole gateway with its server before every kind that calls: the national portal, a ministry, one that collects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from adapters.npsp.simulator import build as build_national
from adapters.nsw.simulator import build as build_ministry
from adapters.opencps.simulator import build as build_province
from adapters.receiving import InboundCall
from adapters.simulation import SimulatorServer
from gateway.bootstrap import open_gateway
from gateway.cli.serving import serve
from gateway.config import Config
from gateway.inbound import kept
from gateway.inbound.intake import read_entry
from gateway.inbound.offers import refresh
from gateway.inbound.take_in import opened_call
from gateway.inbox.keys import StoredKeys
from gateway.store.rows import FileRow, InboundRow, QuarantineRow
from gateway.vault import unpack
from schemas.clock import SystemClock
from tests.integration.engine.town import SECRETS, configuration
from tests.integration.inbound.speaking import Call, Line

FORWARDED = "2.002288"
CALLERS = ("national", "transport", "health")
_SALT = 16


class Gate:
    """Four portals around a gateway; dossiers of one procedure are forwarded to two ministries."""

    def __init__(self, folder: Path, dossiers: int = 6) -> None:
        self.folder = folder
        self.simulators = {
            "province": build_province({}),
            "national": build_national({}),
            "transport": build_ministry({"repeat_answer": "ack"}),
        }
        self.servers = {name: SimulatorServer(one).start() for name, one in self.simulators.items()}
        self.config = folder / "config.yaml"
        self.config.write_text(json.dumps(self._settings()))
        self.gateway = open_gateway(Config.model_validate(self._settings()), environ=SECRETS)
        self.http = serve(self.gateway, self.gateway.inbound.intake.receive)
        assert self.http is not None
        host, _, port = self.http.url.rpartition("//")[2].rpartition(":")
        self.address = host, int(port)
        self.key = StoredKeys(self.gateway.store).add("health", 1, actor="test", now=SystemClock().now())[0]
        assert refresh(self.gateway.store, self.gateway.portals["province"]) == ""
        self.round()
        for name in self.gateway.portals:
            self.gateway.engine.adopt(name, datetime(2026, 10, 1, tzinfo=UTC).timestamp(), actor="test")
        self._forward(dossiers)
        self.items = self._items()
        """What waits in the inbox at first."""

    def _settings(self) -> dict[str, Any]:
        urls = {name: server.url for name, server in self.servers.items()}
        raw = configuration(self.folder, {**urls, "justice": "http://127.0.0.1:9"}, {})
        pace = {
            name: raw["portals"]["province"][name] for name in ("environment", "call_timeout_s", "settle_s", "budget")
        }
        pace["inbound"] = {"calls_per_s": 1e6, "burst": 1_000_000, "allow": ["127.0.0.0/8"]}
        del raw["portals"]["justice"]
        raw["portals"]["national"] |= {"inbound": pace["inbound"]}
        raw["portals"]["national"]["options"] |= {"inbound": {"fetch": {"tries": 1, "timeout_s": 2.0}}}
        transport = {**pace, "kind": "nsw", "mapping": "nsw/forward-2026", "options": {"base_url": urls["transport"]}}
        raw["portals"] |= {"transport": transport, "health": {**pace, "kind": "inbox", "mapping": "inbox/v1"}}
        when = {"procedures": [f"{FORWARDED}*"], "wires": ["interoperating"]}
        raw["routes"] = [
            {"name": name, "to": name, "kind": "forward", "when": when} for name in ("transport", "health")
        ]
        raw["ownership"] = {"handlers": ["province"], "births": ["national"]}
        raw["server"] = {"listen": "127.0.0.1:0", "head_s": 1.0, "body_s": 2.0}
        raw["store"] |= {"files": str(self.folder / "files"), "journal": str(self.folder / "journal")}
        return raw

    def _forward(self, count: int) -> None:
        province = self.simulators["province"]
        for _ in range(count):
            made = province.act("create_dossier", {"online": False, "service": FORWARDED, "agency": "H99.19"})
            for verb in ("process", "interoperate"):
                province.act(verb, {"referenceUid": made["referenceUid"]})
        self.round()

    def round(self) -> None:
        """Read the province, take in what waits, hand over what is due."""
        self.gateway.engine.pull("province")
        self.take_in()
        for name in self.gateway.portals:
            self.gateway.engine.deliver(name)
        for fetcher in self.gateway.fetchers.values():
            fetcher.run()

    def take_in(self) -> None:
        """Give all stored calls to the engine."""
        for name in CALLERS:
            self.gateway.inbound.taker.run(name)

    def close(self) -> None:
        assert self.http is not None
        self.http.stop()
        self.gateway.close()
        for server in self.servers.values():
            server.stop()
            assert server.defects == []

    # what is kept
    def rows(self) -> list[InboundRow]:
        return self.gateway.store.read(lambda tx: tx.list_inbound(limit=1_000_000))

    def aside(self) -> list[QuarantineRow]:
        return self.gateway.store.read(lambda tx: tx.list_quarantine(limit=1_000_000))

    def national_codes(self) -> list[str]:
        """Of every dossier there is."""
        return [
            row.national_code for row in self.gateway.store.read(lambda tx: list(tx.iter_dossiers(limit=1_000_000)))
        ]

    def told(self, row: InboundRow) -> InboundCall:
        """A stored call, opened and read again."""
        request = kept.from_bytes(opened_call(self.gateway.vault, row))
        said = self.gateway.inbound.receivers[row.portal][row.endpoint].read(request)
        assert isinstance(said, InboundCall)
        return said

    def raw_of(self, row: QuarantineRow) -> bytes:
        """What a quarantined record came as."""
        number = row.raw_id
        raw = self.gateway.store.read(lambda tx: None if number is None else tx.raw(number))
        assert raw is not None, row.cause
        return unpack(self.gateway.vault.open(raw.seal_key, raw.sealed)[_SALT:])

    def journal(self) -> Iterator[tuple[str, str, str, str]]:
        """Portal, receiver, key and digest of each call in the journal."""
        for plain in self.gateway.inbound.journal.entries(SystemClock().now()):
            portal, endpoint, _, request = read_entry(plain)
            said = self.gateway.inbound.receivers[portal][endpoint].read(request)
            assert isinstance(said, InboundCall)
            yield portal, endpoint, said.key, said.digest

    def files(self) -> tuple[set[str], list[FileRow]]:
        """Names in the folder of files, and what the store knows of the files of calls."""
        keys = {(row.portal, row.key) for row in self.rows()}
        known = self.gateway.store.read(
            lambda tx: [file for portal, key in keys for file in tx.files_of_call(portal, key)]
        )
        return {path.name for path in (self.folder / "files").iterdir()}, known

    def written(self) -> dict[str, int]:
        """How many effects each portal's book saw."""
        return {name: len(one.book.effects()) for name, one in self.simulators.items()}

    def deliveries(self) -> set[str]:
        return {row.key for row in self.gateway.store.read(lambda tx: tx.list_deliveries(limit=1_000_000))}

    def made(self) -> list[str]:
        """National numbers of the dossiers that calls made at the province."""
        effects = self.simulators["province"].book.effects()
        return [
            str(one["content"].get("originDossierNo") or "")
            for one in effects
            if one["effect"] == "create" and one["call"]
        ]

    def ministry_keys(self) -> list[tuple[int, int]]:
        """Reference and year of what the ministry holds."""
        held: Any = self.simulators["transport"].screen("dossiers", {})
        parts = [str(one["key"]).split("-") for one in held]
        return [(int(part[-2]), int(part[-1])) for part in parts]

    def _items(self) -> list[dict[str, str]]:
        line, headers = Line(self.address), {"authorization": f"Bearer {self.key}"}
        answer = line.say(Call("health", "/v1/inbox/items", method="GET", headers=headers))
        line.close()
        found: list[dict[str, str]] = orjson.loads(answer.body)["items"]
        return found
