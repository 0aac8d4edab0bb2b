"""A running inbox with synthetic dossiers, so that a ministry can finish its client before any agreement.

The real thing in small: a simulated provincial portal, a gateway that reads it and forwards its dossiers, and the
server. What the client says back arrives as it would in earnest.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from adapters import registry
from adapters.simulation.server import SimulatorServer
from gateway.bootstrap import Gateway, open_gateway
from gateway.cli.serving import serve
from gateway.config import Config
from gateway.inbox.keys import StoredKeys
from gateway.inbox.telling import Teller

if TYPE_CHECKING:
    from gateway.server.http import HttpServer

PASSWORD = "simulated-password"  # noqa: S105 - opens nothing but the simulator of this room
SERVICE = "2.002288"
PAPER = b"%PDF-1.4\n% Synthetic paper of a rehearsal; it tells nothing of anybody.\n%%EOF\n"


def configuration(
    folder: Path, province_url: str, listen: str, ministries: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The room's configuration: one province, and an inbox for each ministry with its options."""
    pace = {"environment": "demo", "every_s": 1, "call_timeout_s": 5, "settle_s": 6, "max_writes_per_sweep": 100_000}
    often = {"allow": ["127.0.0.0/8"], "calls_per_s": 2000, "burst": 5000}
    tiers = [{"name": "all", "every_s": 0.01, "by": ["submit"], "whole": True}]
    province = {
        **pace,
        "kind": "opencps",
        "mapping": "opencps/v2-2020",
        "budget": {"calls_per_s": 1000, "burst": 1000},
        "options": {
            "base_url": province_url,
            "group_id": 35166,
            "username": "lienthong",
            "password": "${PROVINCE_PASSWORD}",
            "tiers": tiers,
            "read_files": True,
        },
    }
    results = {
        "completed": {"act": "completed", "from": ["interoperating"]},
        "not_accepted": {"act": "not_accepted", "from": ["interoperating"]},
    }
    return {
        "environment": "demo",
        "province": {"agency_code": "H99", "name": "Tỉnh Thử Nghiệm"},
        "store": {
            name: str(folder / file)
            for name, file in (
                ("path", "store.db"),
                ("key_ring", "keys.ring"),
                ("files", "files"),
                ("journal", "calls"),
            )
        },
        "portals": {
            "province": province,
            **{
                name: {**pace, "kind": "inbox", "mapping": "inbox/v1", "inbound": dict(often), "options": dict(options)}
                for name, options in ministries.items()
            },
        },
        "ownership": {"handlers": ["province"]},
        "routes": [
            {
                "name": f"to {name}",
                "to": name,
                "kind": "forward",
                "when": {"procedures": [f"{SERVICE}*"], "wires": ["interoperating"]},
                "results": results,
            }
            for name in ministries
        ],
        "server": {"listen": listen},
    }


class InboxRoom:
    """Everything running, on this machine; close it, or use it as a context manager.

    Args:
        folder: For store, keys and files; they are of this room only.
        listen: Address of the interface; port 0 takes a free one.
        ministries: Name -> options of its inbox.
        environ: Secrets that the options refer to.
    """

    def __init__(
        self,
        folder: Path,
        listen: str = "127.0.0.1:0",
        ministries: Mapping[str, Mapping[str, Any]] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        names = ministries if ministries is not None else {"ministry": {}}
        with ExitStack() as undo:
            self.province = undo.enter_context(SimulatorServer(registry.simulator("opencps", {})))
            raw = configuration(folder, self.province.url, listen, names)
            secrets = {"PROVINCE_PASSWORD": PASSWORD, **(environ or {})}
            self.gateway: Gateway = undo.enter_context(open_gateway(Config.model_validate(raw), environ=secrets))
            served = serve(self.gateway, self.gateway.inbound.intake.receive)
            if served is None:
                raise RuntimeError("a room without a server")
            self.http: HttpServer = served
            undo.callback(self.http.stop)
            self.tellers = {name: Teller(self.gateway.engine.shop, name) for name in names}
            self._undo = undo.pop_all()
        self.ministries: Sequence[str] = tuple(names)
        for name in ("province", *names):
            self.gateway.engine.adopt(name, self.gateway.clock.now().timestamp() - 40 * 86_400, actor="rehearsal")

    @property
    def url(self) -> str:
        """Where the interface stands, without a closing slash."""
        return self.http.url

    def key(self, ministry: str, days: int | None = 1) -> str:
        """A fresh key of a ministry."""
        keys = StoredKeys(self.gateway.store)
        return keys.add(ministry, days, actor="rehearsal", now=self.gateway.clock.now())[0]

    def hand_over(self, count: int) -> None:
        """Let citizens hand in dossiers and officers forward them; each has one paper."""
        forwarded = {"statuses": ["interoperating"], "services": [SERVICE], "days": 1}
        paper = {"name": "Đơn đề nghị.pdf", "fileType": "pdf", "base64": b64encode(PAPER).decode()}
        made = self.province.simulator.act("seed_many", {"count": count, **forwarded})
        for uid in made["referenceUids"]:
            self.province.simulator.act("add_file", {"referenceUid": uid, **paper})
        self.turn()

    def turn(self) -> None:
        """One round: read the province, fetch its files, offer, take in what was reported, act on it, tell."""
        engine, taker = self.gateway.engine, self.gateway.inbound.taker
        engine.pull("province")
        for name in self.ministries:
            engine.deliver(name)
        self.gateway.fetchers["province"].run()
        for name in self.ministries:
            engine.deliver(name)
            taker.run(name)
        engine.deliver("province")
        for teller in self.tellers.values():
            teller.run()

    def run(self, stopping: threading.Event, for_s: float, every_s: float = 1.0) -> None:
        """Turn until stopped or the time is over."""
        ends = self.gateway.clock.monotonic() + for_s
        while not stopping.wait(every_s) and self.gateway.clock.monotonic() < ends:
            self.turn()

    def close(self) -> None:
        """Stop everything."""
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
