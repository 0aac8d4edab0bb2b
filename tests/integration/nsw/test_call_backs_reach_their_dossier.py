"""A province, a ministry that calls back, and the whole gateway with its HTTP server between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.nsw.simulator import build as build_ministry
from adapters.opencps.simulator import build as build_province
from adapters.simulation import SimulatorServer
from gateway.bootstrap import open_gateway
from gateway.cli.serving import serve
from gateway.config import Config
from gateway.sync.dossiers import Held
from tests.integration.engine.town import SECRETS, configuration

VEHICLES = "2.002288"
PACE: dict[str, Any] = {
    "environment": "test",
    "call_timeout_s": 5.0,
    "settle_s": 5.1,
    "retry": {"base_s": 0.02, "max_s": 0.2, "jitter": 0.2, "repeats": 2},
}


class Gate:
    """The gateway between one dossier's province and its ministry; both are simulated, all wires are real."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.province, self.ministry = build_province({}), build_ministry({"repeat_answer": "ack"})
        self.servers = [SimulatorServer(one).start() for one in (self.province, self.ministry)]
        urls = {"province": self.servers[0].url, "national": "http://127.0.0.1:9", "justice": "http://127.0.0.1:9"}
        raw = configuration(folder, urls, {})
        options = {"base_url": self.servers[1].url} | options
        transport = {**PACE, "kind": "nsw", "mapping": "nsw/forward-2026", "options": options, "inbound": {}}
        raw["portals"] = {"province": raw["portals"]["province"], "transport": transport}
        raw["routes"] = [
            {
                "name": "vehicles",
                "to": "transport",
                "kind": "forward",
                "when": {"procedures": [f"{VEHICLES}*"], "wires": ["interoperating"]},
                "results": {"completed": {"act": "completed", "from": ["interoperating"]}},
            }
        ]
        raw["server"] = {"listen": "127.0.0.1:0"}
        raw["store"] |= {"files": str(folder / "files"), "journal": str(folder / "journal")}
        self.gateway = open_gateway(Config.model_validate(raw), environ=SECRETS)
        self.http = serve(self.gateway, self.gateway.inbound.intake.receive)
        assert self.http is not None
        self.url = f"{self.http.public_url}/in/transport/MTService"
        self.round()
        for name in ("province", "transport"):
            self.gateway.engine.adopt(name, time.time() - 3600, actor="test")

    def close(self) -> None:
        assert self.http is not None
        self.http.stop()
        self.gateway.close()
        for server in self.servers:
            server.stop()
            assert server.defects == []

    def call_back(self, **settings: Any) -> None:
        """From now on the ministry calls back."""
        self.ministry.act("switch", {"call_back": {"url": self.url, "resend_every_s": 0.02} | settings})

    def forwarded(self) -> str:
        """A dossier that the province hands over; gives its reference."""
        made = self.province.act("create_dossier", {"online": False, "service": VEHICLES, "agency": "H99.19"})
        for verb in ("process", "interoperate"):
            self.province.act(verb, {"referenceUid": made["referenceUid"]})
        return str(made["referenceUid"])

    def round(self) -> None:
        """Wake every job once."""
        self.gateway.engine.pull("province")
        self.gateway.inbound.taker.run("transport")
        for name in ("province", "transport"):
            self.gateway.engine.deliver(name)
        self.gateway.fetchers["province"].run()

    def until(self, done: Callable[[], Any], seconds: float = 20.0) -> None:
        """Rounds until something is so."""
        ends = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < ends, (self.said(), self.book(), self.aside())
            self.round()
            time.sleep(0.02)

    def said(self) -> list[str]:
        """What the ministry has said of its dossiers, as the timeline orders it."""
        rows = self.gateway.store.read(lambda tx: list(tx.iter_dossiers()))
        entries = [entry for row in rows for entry in row.timeline if entry["portal"] == "transport"]
        return [str(entry["wire"]) for entry in sorted(entries, key=lambda entry: entry["at"])]

    def book(self) -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = self.ministry.screen("callbacks", {})
        return shown

    def aside(self) -> list[str]:
        """Causes of what stands in quarantine."""
        return [row.cause for row in self.gateway.store.read(lambda tx: tx.list_quarantine())]

    def states(self) -> list[str]:
        """What has become of each message to the ministry."""
        rows = self.gateway.store.read(lambda tx: tx.list_deliveries(states=(), limit=1000))
        return [row.state for row in rows if row.portal == "transport"]

    def words(self) -> list[str]:
        """The notes that the ministry's events carry, opened."""
        rows = self.gateway.store.read(lambda tx: list(tx.iter_dossiers()))
        texts = [text for row in rows for text in Held.open(row, self.gateway.vault).texts.values()]
        return [str(text["note"]) for text in texts if "note" in text]

    def status(self, reference: str) -> str:
        """What the province shows of a dossier."""
        held: Any = self.province.screen("records", {})
        records = held.values() if isinstance(held, dict) else held
        return str(next(row["dossierStatus"] for row in records if row["referenceUid"] == reference))


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path)
    yield made
    made.close()


def test_a_result_called_back_completes_the_dossier_at_the_province(gate: Gate) -> None:
    gate.call_back(script=("21", "23"), copies=2, faults=("", "deaf", "twice", "cut"))
    reference = gate.forwarded()
    gate.until(lambda: gate.said() == ["21", "23"])
    gate.until(lambda: gate.status(reference) in ("releasing", "done"))
    assert all(one["acknowledged"] for one in gate.book())
    answers = {one["message_id"]: {a["answer"] for a in one["attempts"] if a["status"]} for one in gate.book()}
    assert {len(different) for different in answers.values()} == {1}
    assert gate.aside() == []


def test_a_call_back_before_our_own_commit_finds_its_dossier_afterwards(gate: Gate) -> None:
    gate.call_back(script=("21",), early=True)
    gate.forwarded()
    gate.until(lambda: gate.said() == ["21"])
    assert gate.book()[0]["acknowledged"]
    gate.until(lambda: gate.aside() == [])


def test_call_backs_that_overtake_one_another_are_ordered_by_their_own_time(gate: Gate) -> None:
    gate.call_back(script=("21", "26", "23"), order="reversed")
    gate.forwarded()
    gate.until(lambda: len(gate.said()) == 3)
    assert gate.said() == ["21", "26", "23"]


def test_a_call_back_for_a_dossier_nobody_forwarded_is_acknowledged_and_waits(gate: Gate) -> None:
    gate.call_back()
    gate.ministry.act("seed", {"dossier_code": "000.00.04.H96-0", "document_year": 2026})
    told = gate.ministry.act("call_back", {"dossier_code": "000.00.04.H96-0", "function": "21"})
    assert told["acknowledged"]
    gate.round()
    assert gate.aside() == ["unplaced"]
    assert gate.said() == []


def test_one_id_with_two_contents_calls_for_a_person_and_loses_neither(gate: Gate) -> None:
    gate.call_back(script=("21",))
    gate.forwarded()
    gate.until(lambda: gate.said() == ["21"])
    (held,) = gate.ministry.screen("dossiers", {})
    first = gate.book()[0]["message_id"]
    told = gate.ministry.act("call_back", {"key": held["key"], "function": "22", "message_id": first})
    assert told["acknowledged"]
    gate.until(lambda: gate.said() == ["22"])
    assert gate.aside() == ["changed_call"]
    calls = gate.gateway.store.read(lambda tx: tx.list_inbound())
    assert sorted(row.version for row in calls if row.key == first) == [1, 2]


def test_a_function_nobody_gave_a_meaning_waits_for_a_person(gate: Gate) -> None:
    gate.call_back()
    gate.forwarded()
    gate.until(lambda: gate.ministry.screen("dossiers", {}))
    (held,) = gate.ministry.screen("dossiers", {})
    assert gate.ministry.act("call_back", {"key": held["key"], "function": "20"})["acknowledged"]
    gate.until(lambda: gate.aside() == ["unreadable"])
    assert gate.ministry.act("call_back", {"key": held["key"], "function": "21"})["acknowledged"]
    gate.until(lambda: gate.said() == ["21"])
    assert gate.aside() == ["unreadable"], "another message says nothing for the one that could not be read"


def test_a_ministry_that_never_acknowledged_is_heard_all_the_same(gate: Gate) -> None:
    """Its first answer is lost and each repeat refused: nobody can say that it arrived, until it calls back."""
    gate.ministry.act("switch", {"repeat_answer": "reject"})
    gate.ministry.act("next", {"quirk": "empty"})
    gate.call_back(script=("21",))
    gate.forwarded()
    gate.until(lambda: gate.states() == ["unproven"] and gate.aside() == ["unplaced"])
    gate.until(lambda: gate.said() == ["21"] and gate.aside() == [])


def test_twenty_dossiers_over_a_bad_line_all_end_with_every_word_heard_once(gate: Gate) -> None:
    """Early, newest first, cut, unread, twice at once: nothing is lost, nothing is counted twice."""
    gate.ministry.act("switch", {"repeat_answer": "mixed"})
    faults = ("", "deaf", "twice", "cut", "cdata", "", "no_action")
    gate.call_back(script=("21", "26", "23"), early=True, order="reversed", copies=1, faults=faults, resends=20)
    references = [gate.forwarded() for _ in range(20)]
    gate.until(lambda: len(gate.said()) == 60 and all(one["acknowledged"] for one in gate.book()), 60.0)
    gate.until(lambda: {gate.status(one) for one in references} <= {"releasing", "done"})
    assert sorted(gate.said()) == ["21"] * 20 + ["23"] * 20 + ["26"] * 20
    assert {len({a["answer"] for a in one["attempts"] if a["status"] == 200}) for one in gate.book()} == {1}
    assert gate.aside() == []
