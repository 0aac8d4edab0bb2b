"""Interlinked procedures over real wires: province, national portal, justice that is polled, a ministry that calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.civil_status.simulator import build as build_justice
from adapters.npsp.simulator import build as build_national
from adapters.nsw.simulator import build as build_ministry
from adapters.opencps.simulator import build as build_province
from adapters.simulation import SimulatorServer
from gateway.bootstrap import open_gateway
from gateway.cli.serving import serve
from gateway.config import Config
from gateway.sync.stages import Fact
from tests.integration.engine.town import SECRETS, configuration

PROCEDURE = "1.001193"
STAGES = ("transport", "justice")
PORTALS = ("province", "national", *STAGES)


class Counter:
    """One dossier between all of them."""

    def __init__(self, folder: Path) -> None:
        self.province, self.national = build_province({}), build_national({})
        self.justice, self.transport = build_justice({}), build_ministry({})
        made = {"province": self.province, "national": self.national, "justice": self.justice}
        self.servers = {
            name: SimulatorServer(one).start() for name, one in {**made, "transport": self.transport}.items()
        }
        raw = configuration(folder, {name: server.url for name, server in self.servers.items()}, {})
        pace = {key: raw["portals"]["justice"][key] for key in ("environment", "call_timeout_s", "settle_s", "retry")}
        options = {"base_url": self.servers["transport"].url}
        raw["portals"]["transport"] = {
            **pace, "kind": "nsw", "mapping": "nsw/forward-2026", "options": options, "inbound": {}
        }  # fmt: skip
        asks = {"supplement_requested": {"act": "supplement_requested", "from": ["interoperating"]}}
        shared = {"kind": "forward", "group": "both", "accepted_by": ["in_progress", "21"], "results": asks}
        when = {"procedures": [f"{PROCEDURE}*"], "wires": ["interoperating"]}
        raw["routes"] = [raw["routes"][0]]
        raw["routes"] += [{"name": f"to {name}", "to": name, "when": when, **shared} for name in STAGES]
        raw["routes"][1]["cancel"] = ["unresolved"]
        raw["groups"] = {
            "both": {
                "when_all": {"act": "completed", "from": ["interoperating"], "note": "Các bộ đã trả kết quả"},
                "when_any_refused": {"act": "halted", "from": ["interoperating"], "note": "Bộ không giải quyết"},
            }
        }
        raw["server"] = {"listen": "127.0.0.1:0"}
        raw["store"] |= {"files": str(folder / "files"), "journal": str(folder / "journal")}
        self.gateway = open_gateway(Config.model_validate(raw), environ=SECRETS)
        self.http = serve(self.gateway, self.gateway.inbound.intake.receive)
        assert self.http is not None
        url = f"{self.http.public_url}/in/transport/MTService"
        self.transport.act("switch", {"call_back": {"url": url, "resend_every_s": 0.02}})
        self.round()
        for name in PORTALS:
            self.gateway.engine.adopt(name, time.time() - 3600, actor="test")
        reference = self.province.act("create_dossier", {"online": False, "service": PROCEDURE, "agency": "H99.13"})
        self.reference = str(reference["referenceUid"])
        self.lead("process", "interoperate")

    def close(self) -> None:
        assert self.http is not None
        self.http.stop()
        self.gateway.close()
        for server in self.servers.values():
            server.stop()
            assert server.defects == []

    def lead(self, *verbs: str) -> None:
        """What officers of the province do."""
        for verb in verbs:
            self.province.act(verb, {"referenceUid": self.reference})

    def round(self) -> None:
        for name in ("province", "justice"):
            self.gateway.engine.pull(name)
        self.gateway.inbound.taker.run("transport")
        for name in PORTALS:
            self.gateway.engine.deliver(name)
        for fetcher in self.gateway.fetchers.values():
            fetcher.run()

    def until(self, done: Callable[[], Any], seconds: float = 20.0) -> None:
        """Rounds until something is so."""
        ends = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < ends, (self.status(), self.functions(), self.lanes())
            self.round()
            time.sleep(0.02)

    def rest(self) -> None:
        """Rounds until nothing is owed."""
        self.round()
        self.until(lambda: not self.lanes())

    def lanes(self) -> list[tuple[str, str]]:
        lanes = self.gateway.store.read(lambda tx: tx.iter_lanes(limit=100))
        return [(lane.portal, lane.reason) for lane in lanes if lane.due_at is not None]

    def record(self) -> dict[str, Any]:
        held: Any = self.province.screen("records", {})
        records = held.values() if isinstance(held, dict) else held
        return dict(next(row for row in records if row["referenceUid"] == self.reference))

    def status(self) -> str:
        return str(self.record()["dossierStatus"])

    def facts(self, portal: str) -> list[str]:
        stages = self.gateway.store.read(lambda tx: tx.list_stages(portal=portal, open_only=False))
        return [fact.value for row in stages for fact in Fact if getattr(row, f"{fact.value}_at") is not None]

    def functions(self) -> list[str]:
        """The messages the ministry of transport got."""
        return [
            str(one["content"]["function"]) for one in self.transport.book.effects() if "function" in one["content"]
        ]

    def says(self, function: str, reason: str = "theo quy định") -> None:
        """Transport calls back; justice is told apart, with `office`."""
        (held,) = self.transport.screen("dossiers", {})
        told = self.transport.act("call_back", {"key": held["key"], "function": function, "reason": reason})
        assert told["acknowledged"]

    def office(self, verb: str, **more: str) -> None:
        self.justice.act(verb, {"number": self.record()["dossierNo"], **more})

    def rows(self) -> list[dict[str, Any]]:
        """Progress rows at the national portal, as they came."""
        return [one["content"] for one in self.national.book.effects() if one["effect"] == "progress"]


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    made = Counter(tmp_path)
    yield made
    made.close()


def test_both_ministries_answer_and_the_result_comes_back_once(counter: Counter) -> None:
    counter.rest()
    assert counter.facts("transport") == ["sent", "received"], "99 proves received and nothing more"
    assert counter.facts("justice") == ["sent", "received"]
    counter.says("21")
    counter.until(lambda: counter.facts("transport") == ["sent", "received", "accepted"])
    counter.says("23")
    counter.until(lambda: "completed" in counter.facts("transport"))
    assert counter.status() == "interoperating"
    counter.office("advance")
    counter.office("complete")
    counter.until(lambda: counter.status() == "releasing")
    counter.rest()
    (dossier,) = counter.gateway.store.read(lambda tx: list(tx.iter_dossiers()))
    receipts = counter.gateway.store.read(lambda tx: tx.receipts_of(dossier.id))
    said = [(row.portal, row.fact, orjson.loads(row.statement)["proof"]["by"]) for row in receipts]
    assert ("transport", "received", "answer") in said
    assert [(fact, by) for portal, fact, by in said if portal == "transport" and by == "event"] == [
        ("accepted", "event"),
        ("completed", "event"),
    ]
    assert len(said) == len(set(said))


def test_one_refuses_and_the_reason_reaches_province_and_citizen_and_the_other_is_called_off(counter: Counter) -> None:
    counter.rest()
    counter.says("21")
    counter.office("refuse", note="Thiếu giấy chứng sinh")
    counter.until(lambda: counter.status() == "unresolved")
    counter.rest()
    assert counter.functions() == ["01", "10"]
    assert any("Bộ không giải quyết: Thiếu giấy chứng sinh" in str(row) for row in counter.rows())
    assert "lt:" not in str(counter.rows()), "our own keys are nobody's reading"


def test_papers_are_asked_for_by_call_back_and_supplied_by_function_05(counter: Counter) -> None:
    counter.rest()
    counter.says("21")
    for _ in range(2):
        time.sleep(1.1)  # these wires know whole seconds, and no office asks twice in one
        before = len(counter.functions())
        counter.says("29", "Bản sao giấy tờ")
        counter.until(lambda: counter.status() == "waiting")
        counter.lead("process", "interoperate")
        counter.until(lambda asked=before: len(counter.functions()) > asked)
        counter.says("21")
        counter.rest()
    assert counter.functions() == ["01", "05", "05"]
