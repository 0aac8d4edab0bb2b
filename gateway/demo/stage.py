"""The demo's stage: four simulated portals, what hurts their calls, and a `config.yaml` for the gateway between them.

Everything that takes minutes in a province takes milliseconds here, by settings alone: the code is the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.demo.catalogue import AGENCIES, JUSTICE, NATIONAL, PROCEDURES, PROVINCE, TRANSPORT, of_ministry

SPEED = 60.0
"""How fast the portals' own clocks run: a second of the demo is a minute at the portals, so no two acts on a dossier
share a second there."""

BEHIND_S = 12 * 3600.0
"""How far the portals' clocks are behind at the start, so that however fast they run they never pass our own: what a
bare state says is timed by us, and the line of first contact is drawn in the province's time."""

KINDS = {PROVINCE: "opencps", NATIONAL: "npsp", TRANSPORT: "nsw", JUSTICE: "civil_status"}

CALL_TIMEOUT_S = 1.5
SETTLE_S = 2.5
LADDER = {"base_s": 0.05, "factor": 2.0, "max_s": 0.25, "jitter": 0.2}
OUTAGE_STEPS = 20
FEW = 200
"""Up to so many dossiers everything goes at twice the pace: there is less to read."""

_RATES = {
    "none": dict.fromkeys(KINDS, 0.0),
    "light": dict.fromkeys(KINDS, 0.05),
    "heavy": {PROVINCE: 0.24, NATIONAL: 0.25, TRANSPORT: 0.45, JUSTICE: 0.25},
}
"""The share of calls hurt; a ministry gets few calls, so more of them."""


CALL_FAULTS = {"none": 0.0, "light": 0.05, "heavy": 0.25}
"""The share of the national portal's calls on us that it spoils itself."""
_LINE = {
    "none": (),
    "light": (*[""] * 8, "cut", "", "deaf", "", "twice", "", "cdata"),
    "heavy": ("", "cut", "", "deaf", "twice", "", "cdata"),
}
"""How the ministry's calls on us are spoilt, by turns."""


def outage_s() -> float:
    """How long an outage must last for a delivery to climb `OUTAGE_STEPS` steps of its ladder."""
    step, whole = LADDER["base_s"], 0.0
    for _ in range(OUTAGE_STEPS):
        whole += min(step, LADDER["max_s"])
        step *= LADDER["factor"]
    return whole * (1 + LADDER["jitter"])


@dataclass(frozen=True, slots=True)
class Stage:
    """Level of faults and seed; everything else follows."""

    faults: str
    seed: int
    dossiers: int
    port: int = 8080
    """Where the gateway listens for calls of portals."""

    @property
    def whole_every_s(self) -> float:
        """How often the province is swept whole; what changed is looked for more often."""
        return 1.0 if self.dossiers <= FEW else 2.0

    @property
    def pause_s(self) -> float:
        """The longest pause between two acts on one dossier."""
        return 1.2 if self.dossiers <= FEW else 2.5

    def simulators(self) -> list[dict[str, Any]]:
        """What `adapters.simulation` is started with."""
        options: dict[str, dict[str, Any]] = {
            PROVINCE: {
                "agencies": [{"code": code, "name": name} for code, name in AGENCIES.items()],
                "services": [
                    {
                        "code": one.code,
                        "name": one.name,
                        "domain_code": one.sector_code,
                        "domain_name": one.sector,
                        "template": f"TPL-{one.code}",
                        "days": one.days,
                    }
                    for one in PROCEDURES
                ],
                "seed": self.seed,
            },
            NATIONAL: {"session_lifetime_s": 30},
            TRANSPORT: {"call_back": self._call_back()},
            JUSTICE: {"token_lifetime_s": 30 * int(SPEED), "province_code": "99"},
        }
        return [
            {
                "name": name,
                "kind": kind,
                "options": options[name],
                "clock": {"offset_s": -BEHIND_S, "speed": SPEED},
                "faults": self._faults(number, name),
            }
            for number, (name, kind) in enumerate(KINDS.items())
        ]

    def _call_back(self) -> dict[str, Any]:
        """The ministry's outbox: it gives up nothing, and its line stumbles as it does for us."""
        return {
            "url": f"{self.address(TRANSPORT)}/MTService",
            "faults": _LINE[self.faults],
            "resend_every_s": 0.15,
            "resends": 1000,
        }

    def address(self, portal: str) -> str:
        """Where a portal calls the gateway."""
        return f"http://127.0.0.1:{self.port}/in/{portal}"

    def _faults(self, number: int, name: str) -> dict[str, Any]:
        """The plan as it stands from the start; the rate is raised when the gateway goes live."""
        late = CALL_TIMEOUT_S + 0.1
        patient = name in (PROVINCE, JUSTICE)  # read by one thread after another: late, but not too late
        return {
            "seed": self.seed * 10 + number,
            "rate": 0.0,
            "delay_s": 0.15 if patient else late,
            "drip_s": 0.2 if patient else late,
            "drip_every_s": 0.05,
            "refuse_s": 0.02,
            "retry_after_s": 0 if patient else 1,
        }

    def hurting(self, name: str, calls_so_far: int) -> dict[str, Any]:
        """What the fault plan of a portal is changed to when the demo begins."""
        settings: dict[str, Any] = {"rate": _RATES[self.faults][name]}
        if self.faults == "heavy" and name == NATIONAL:
            settings["outage"] = {"after_calls": calls_so_far + self.dossiers, "seconds": outage_s()}
        return settings

    def config(self, urls: Mapping[str, str], folder: Path) -> dict[str, Any]:
        """The gateway's configuration, as `config.yaml` holds it."""
        return {
            "environment": "demo",
            "province": {"agency_code": "H99", "name": "Tỉnh Thử Nghiệm"},
            "store": {
                "path": str(folder / "lienthong.db"),
                "key_ring": str(folder / "keys.ring"),
                "files": str(folder / "files"),
                "journal": str(folder / "journal"),
            },
            "server": {"listen": f"127.0.0.1:{self.port}"},
            "secrets_file": str(folder / "secrets"),
            "ownership": {"handlers": [PROVINCE], "births": [NATIONAL], "requests": {NATIONAL: _REQUESTS}},
            "portals": {
                PROVINCE: self._province(urls[PROVINCE]),
                NATIONAL: self._national(urls[NATIONAL]),
                TRANSPORT: self._transport(urls[TRANSPORT]),
                JUSTICE: self._justice(urls[JUSTICE]),
            },
            "routes": _routes(),
            "notify": {},
        }

    def _portal(self, kind: str, mapping: str, **more: Any) -> dict[str, Any]:
        return {
            "kind": kind,
            "mapping": mapping,
            "environment": "demo",
            "every_s": 0.3,
            "call_timeout_s": CALL_TIMEOUT_S,
            "settle_s": SETTLE_S,
            "retry": {**LADDER, "asks": 30, "repeats": 12, "refusals": 5},
            "budget": {"calls_per_s": 2000, "burst": 2000},
            "breaker": {"failures": 12, "open_s": 0.1, "max_open_s": 0.3},
            "max_writes_per_sweep": 100_000,
            **more,
        }

    def _province(self, url: str) -> dict[str, Any]:
        tiers = [
            {"name": "recent", "every_s": 0.3 * self.whole_every_s, "by": ["submit"], "days": 7},
            {"name": "rest", "every_s": self.whole_every_s, "by": ["submit"], "whole": True},
        ]
        options = {
            "base_url": url,
            "group_id": 35_166,
            "username": "lienthong",
            "password": "${DEMO_PROVINCE}",
            "tiers": tiers,
            "page_size": 5000,
            "max_window_rows": 5000,
            "records_per_page": 40,
            "read_tries": 6,
            "read_wait_s": 0.02,
            "since": "2026-01-01",
            "read_files": True,
        }
        return self._portal("opencps", "opencps/v2-2020", workers=6, options=options)

    def _national(self, url: str) -> dict[str, Any]:
        options = {
            "base_url": url,
            "username": "H56",
            "password": "${DEMO_NATIONAL}",
            "session_ttl_s": 25,
            "agency_code": "H99",
        }
        inbound = {**_INBOUND, "files_at": f"{self.address(NATIONAL)}/downloadfile"}
        return self._portal("npsp", "npsp/v2-2024", direction="push", workers=16, inbound=inbound, options=options)

    def _transport(self, url: str) -> dict[str, Any]:
        options = {"base_url": url, "attachments": "content"}
        return self._portal("nsw", "nsw/forward-2026", direction="push", workers=8, inbound=_INBOUND, options=options)

    def _justice(self, url: str) -> dict[str, Any]:
        options = {
            "base_url": url,
            "client_id": "${DEMO_JUSTICE_ID}",
            "client_secret": "${DEMO_JUSTICE}",
            "province_code": "99",
            "batch": 20,
            "poll_tries": 2,
        }
        return self._portal("civil_status", "civil_status/g2-2024", workers=8, options=options)

    def write(self, urls: Mapping[str, str], folder: Path) -> Path:
        """Write `config.yaml` and its secrets file; gives the path of the first."""
        secrets = folder / "secrets"
        secrets.touch(mode=0o600)
        names = ("DEMO_PROVINCE", "DEMO_NATIONAL", "DEMO_JUSTICE_ID", "DEMO_JUSTICE")
        secrets.write_text("".join(f"{name}=simulated-password\n" for name in names), "utf-8")
        path = folder / "config.yaml"
        # JSON is YAML: the file is made by a program and read by one.
        path.write_text(json.dumps(self.config(urls, folder), ensure_ascii=False, indent=2), "utf-8")
        return path


_INBOUND = {"allow": ["127.0.0.1"], "calls_per_s": 5000, "burst": 5000}
_HANDLED = ["in_progress"]
_REQUESTS = {
    "withdrawal_requested": {"act": "withdrawal_requested"},
    "payment_requested": {"act": "in_progress", "by": "confirm_payment", "from": ["payment_requested"]},
    "submitted": {
        "act": "in_progress",
        "by": "supplement",
        "wires": ["supplement"],
        "from": ["supplement_requested"],
    },
}
"""What a citizen's wish makes the province do."""
_RESULTS = {
    "supplement_requested": {"act": "supplement_requested", "from": _HANDLED},
    "completed": {"act": "completed", "from": _HANDLED},
    "not_accepted": {"act": "halted", "from": _HANDLED},
}
"""What a ministry's word makes the province do."""


def _routes() -> list[dict[str, Any]]:
    return [
        {"name": "national", "to": NATIONAL},
        *(
            {
                "name": name,
                "to": ministry,
                "kind": "forward",
                "when": {"procedures": [one.code for one in of_ministry(ministry)], "wires": ["interoperating"]},
                "results": _RESULTS,
            }
            for name, ministry in (("transport", TRANSPORT), ("justice", JUSTICE))
        ),
    ]
