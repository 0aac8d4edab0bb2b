"""One dossier's story over real sockets, with every call between the portals and the gateway traced."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from adapters.receiving import InboundReply, InboundRequest, Receiver
from adapters.registry import simulator
from adapters.simulation import Reply, Request, SimClock, Simulator, SimulatorServer
from gateway.bootstrap import open_gateway
from gateway.cli.serving import serve
from gateway.config_file import load
from gateway.demo.catalogue import JUSTICE, NATIONAL, PROVINCE, TRANSPORT
from gateway.demo.sequence import Step, merged
from gateway.demo.stage import BEHIND_S, KINDS, SPEED, Stage
from gateway.inbound.offers import refresh

SHOWN = {PROVINCE: "Province", NATIONAL: "National portal", TRANSPORT: "Ministry of transport"}
GATEWAY = "Liên Thông"
_FUNCTION = re.compile(r"function(?:>|&gt;)([0-9]{2})(?:<|&lt;)")
_PAUSE_S = 0.1
"""Six seconds at the portals: no two acts share a second there."""


class Story:
    """Three portals and the gateway with its HTTP server; `trace` is what they said to one another."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._steps: list[Step] = []
        stage = Stage("none", 1, 1, port=0)
        clock = SimClock(offset_s=-BEHIND_S, speed=SPEED)
        options = {portal["name"]: portal["options"] for portal in stage.simulators()} | {TRANSPORT: {}}
        self.portals = {name: simulator(KINDS[name], options[name]) for name in SHOWN}
        for name, portal in self.portals.items():
            self._watch(name, portal)
        self.servers = {name: SimulatorServer(one, clock=clock).start() for name, one in self.portals.items()}
        urls = {name: server.url for name, server in self.servers.items()} | {JUSTICE: "http://127.0.0.1:9"}
        self.gateway = open_gateway(load(stage.write(urls, folder)))
        http = serve(self.gateway, self._received)
        assert http is not None
        self._http = http
        self.began = clock.now() - timedelta(minutes=1)
        for name in SHOWN:
            self.gateway.engine.adopt(name, self.began.timestamp(), actor="test")
        refresh(self.gateway.store, self.gateway.portals[PROVINCE])
        self.pulled()
        back = {"call_back": {"url": f"{self.address(TRANSPORT)}/MTService", "resend_every_s": 0.2}}
        self.portals[TRANSPORT].act("switch", back)
        self.now = clock.now
        self._steps.clear()

    def close(self) -> None:
        """End everything that was started."""
        self._http.stop()
        self.gateway.close()
        for server in self.servers.values():
            server.stop()
            assert server.defects == []

    @property
    def trace(self) -> list[Step]:
        """What was said, equal reads one after another as one."""
        with self._lock:
            return merged(self._steps)

    def address(self, portal: str) -> str:
        """Where a portal calls the gateway."""
        return f"{self._http.public_url}/in/{portal}"

    # what people do
    def officer(self, portal: str, verb: str, **arguments: Any) -> Any:
        """An officer's act at a portal."""
        time.sleep(_PAUSE_S)
        self._note(Step(SHOWN[portal], "", f"officer: {verb.replace('_', ' ')}"))
        return self.portals[portal].act(verb, arguments)

    def citizen(self, verb: str, **arguments: Any) -> Any:
        """What a citizen does at the national portal, which tells the gateway."""
        time.sleep(_PAUSE_S)
        self._note(Step(SHOWN[NATIONAL], "", f"citizen: {verb.replace('_', ' ')}"))
        when = "submitted_at" if verb == "submit" else "asked_at"
        plan = {"url": self.address(NATIONAL), when: self.now().isoformat(), **arguments}
        return self.portals[NATIONAL].act(verb, plan)

    # what the gateway does
    def taken_in(self, portal: str) -> None:
        """Calls that were stored become news."""
        self.gateway.inbound.taker.run(portal)

    def pulled(self) -> None:
        """Read the province until it has nothing new."""
        until(lambda: not self.gateway.engine.pull(PROVINCE).changed)

    def pulled_until_due(self, portal: str) -> None:
        """Read the province until something is due at another portal."""
        until(lambda: self.gateway.engine.pull(PROVINCE) and self._due(portal))

    def delivered(self, portal: str) -> None:
        """Send what is due."""
        self.gateway.engine.deliver(portal)

    def heard(self) -> None:
        """The province's last act is read and told to the national portal."""
        before = self._version()
        until(lambda: self.gateway.engine.pull(PROVINCE) and self._version() != before)
        self.delivered(NATIONAL)

    def _version(self) -> list[int]:
        return [row.version for row in self.gateway.store.read(lambda tx: list(tx.iter_dossiers()))]

    def _due(self, portal: str) -> bool:
        return bool(self.gateway.store.read(lambda tx: tx.due_lanes(portal)))

    # the trace
    def _note(self, step: Step) -> None:
        with self._lock:
            self._steps.append(step)

    def _watch(self, name: str, portal: Simulator) -> None:
        real: Callable[[Request], Reply] = portal.answer

        def answer(request: Request) -> Reply:
            reply = real(request)
            text, said = _LABELS[name](request, reply)
            self._note(Step(GATEWAY, SHOWN[name], text, said))
            return reply

        portal.answer = answer  # type: ignore[method-assign]  # watched from outside, as a line is tapped

    def _received(self, portal: str, receiver: Receiver, request: InboundRequest) -> InboundReply:
        reply = self.gateway.inbound.intake.receive(portal, receiver, request)
        self._note(Step(SHOWN[portal], GATEWAY, *_called(receiver, request, reply)))
        return reply


def until(done: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait for something that takes a moment."""
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)


def _called(receiver: Receiver, request: InboundRequest, reply: InboundReply) -> tuple[str, str]:
    """What a portal's call and our answer to it say."""
    if receiver.name == "callback":
        told, said = _FUNCTION.search(request.body.decode()), _FUNCTION.search(reply.body.decode())
        return f"ReceiveResultFromMT, function {told[1] if told else '?'}", f"function {said[1] if said else '?'}"
    return receiver.paths[0], f"error_code {json.loads(reply.body)['error_code']}"


def _province(request: Request, _reply: Reply) -> tuple[str, str]:
    if request.method == "GET":
        return "GET lists, details, logs, files", ""
    what = request.path.rpartition("/")[2]
    code = re.search(rb"actionCode=([0-9]+)", request.body)
    return f"POST {what}" + (f", actionCode {code[1].decode()}" if code else ""), ""


def _national(request: Request, _reply: Reply) -> tuple[str, str]:
    body = orjson.loads(request.body or b"{}")
    service = body.get("service") if isinstance(body, dict) else None
    if service == "DongBoHoSoMC":
        rows = [row["TrangThaiHoSo"] for row in body["data"]]
        return f"DongBoHoSoMC, isUpdating {body['isUpdating']}, TrangThaiHoSo {', '.join(rows)}", ""
    if service == "CapNhatTienDoHoSoMC":
        rows = [row["TrangThai"] for row in body["data"]]
        return f"CapNhatTienDoHoSoMC, TrangThai {', '.join(rows)}", ""
    return str(service or request.path.strip("/")), ""


def _ministry(request: Request, reply: Reply) -> tuple[str, str]:
    told, said = _FUNCTION.search(request.body.decode()), _FUNCTION.search(reply.body.decode())
    return f"sendAndGetMessage, function {told[1] if told else '?'}", f"function {said[1] if said else '?'}"


_LABELS: dict[str, Callable[[Request, Reply], tuple[str, str]]] = {
    PROVINCE: _province,
    NATIONAL: _national,
    TRANSPORT: _ministry,
}
