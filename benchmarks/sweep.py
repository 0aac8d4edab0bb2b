"""The sweep of a provincial portal: lists, then detail and log of every dossier, against a floor.

The floor makes the very requests that the gateway made in a recorded run, one after another on one connection, and the
same durable writes (`benchmarks.floor`); it takes rows apart by hand. Both end with every dossier stored.

`python -m benchmarks.sweep gateway|record|floor URL FOLDER [REQUESTS]` prints one JSON line.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore
import httpx
import orjson

from adapters import transport
from benchmarks.floor import Floor
from benchmarks.measuring import Measured, sizes
from gateway.bootstrap import open_gateway
from gateway.config import Config

PASSWORD = "simulated-password"  # noqa: S105  # the simulator's own
GROUP = "35166"
PER_PAGE = 50
HEADERS = {"groupId": GROUP}


def config(url: str, folder: Path) -> Config:
    """A province that is read and a national portal that would be told."""
    budget = {"calls_per_s": 1_000_000, "burst": 1_000_000}
    province = {
        "kind": "opencps",
        "mapping": "opencps/v2-2020",
        "environment": "test",
        "budget": budget,
        "options": {
            "base_url": url,
            "group_id": int(GROUP),
            "username": "lienthong",
            "password": "${PROVINCE_PASSWORD}",
            "since": "2026-01-01",
            "records_per_page": PER_PAGE,
            "tiers": [{"name": "rest", "every_s": 86_400, "whole": True}],
        },
    }
    national = {
        "kind": "npsp",
        "mapping": "npsp/v2-2024",
        "environment": "test",
        "direction": "push",
        "options": {"base_url": url, "agency_code": "H99", "username": "H99", "password": "${PROVINCE_PASSWORD}"},
    }
    return Config.model_validate(
        {
            "environment": "test",
            "province": {"agency_code": "H99"},
            "store": {"path": str(folder / "store.db"), "key_ring": str(folder / "keys.ring")},
            "portals": {"province": province, "national": national},
            "ownership": {"handlers": ["province"]},
            "routes": [{"name": "national", "to": "national"}],
        }
    )


def gateway(url: str, folder: Path) -> dict[str, Any]:
    """One sweep by the real engine, adapter, mapping, store and vault."""
    with open_gateway(config(url, folder), environ={"PROVINCE_PASSWORD": PASSWORD}) as running:
        with Measured() as measured:
            report = running.engine.pull("province")
        rows = running.store.read(lambda tx: tx.counts())
        return {
            "records": report.new,
            "quarantined": report.quarantined,
            "reason": report.reason,
            "rows": rows,
            **measured.figures,
            **sizes(folder),
        }


def record(url: str, folder: Path) -> dict[str, Any]:
    """As `gateway`, and the targets of its requests in the order made."""
    targets: list[str] = []
    plain = transport.DeadlineTransport.send

    def heard(self: transport.DeadlineTransport, request: httpcore.Request) -> httpcore.Response:
        targets.append(request.url.target.decode())
        return plain(self, request)

    transport.DeadlineTransport.send = heard  # type: ignore[method-assign]  # only in this process
    return {**gateway(url, folder), "requests": targets}


def floor(url: str, folder: Path, targets: list[str]) -> dict[str, Any]:
    """The same requests, and every dossier stored by hand."""
    store, count = Floor(folder), 0
    gc.set_threshold(20_000, 20, 100)
    page: list[dict[str, Any]] = []
    with Measured() as measured, httpx.Client(base_url=url, auth=("lienthong", PASSWORD), headers=HEADERS) as client:
        for found in _dossiers(client, targets):
            page.append(found)
            count += 1
            if len(page) == PER_PAGE:
                store.page(page, count)
                page = []
        if page:
            store.page(page, count)
    return {"records": count, **measured.figures, **sizes(folder)}


def _dossiers(client: httpx.Client, targets: list[str]) -> Iterator[dict[str, Any]]:
    detail: dict[str, Any] = {}
    for target in targets:
        answer = orjson.loads(client.get(target).content)
        if "/dossierlogs/" in target:
            yield _picked(detail, answer.get("data") or [])
        elif answer.get("referenceUid"):
            detail = answer


def _picked(detail: dict[str, Any], log: list[dict[str, Any]]) -> dict[str, Any]:
    at = _iso(detail.get("lastActionDate")) or _iso(detail.get("submitDate"))
    return {
        "raw": orjson.dumps({"dossier": detail, "log": log}),
        "reference": detail["referenceUid"],
        "code": detail.get("dossierNo") or "",
        "procedure": detail.get("serviceCode") or "",
        "procedure_name": detail.get("serviceName") or "",
        "sector": detail.get("domainCode") or "",
        "agency": detail.get("govAgencyCode") or "",
        "agency_name": detail.get("govAgencyName") or "",
        "name": detail.get("applicantName") or "",
        "person": detail.get("applicantIdNo") or "",
        "phone": detail.get("contactTelNo") or "",
        "email": detail.get("contactEmail") or "",
        "address": detail.get("address") or "",
        "abstract": detail.get("briefNote") or "",
        "received": _iso(detail.get("receiveDate")) or at,
        "due": _iso(detail.get("dueDate")) or at,
        "papers": [],
        "log": [_log_row(row, at) for row in log],
        "act": str(detail.get("dossierActionId") or 0),
        "status": detail.get("dossierStatus") or "",
        "at": at,
        "officer": detail.get("lastActionUser") or "",
        "note": detail.get("lastActionNote") or "",
    }


def _log_row(row: dict[str, Any], at: str) -> dict[str, Any]:
    payload = row.get("payload") or "{}"
    said = orjson.loads(payload) if isinstance(payload, str) else payload
    return {
        "id": str(row.get("dossierLogId") or 0),
        "at": _iso(row.get("createDate")) or at,
        "status": str(said.get("dossierStatus") or "") if isinstance(said, dict) else "",
        "note": row.get("content") or "",
        "officer": row.get("author") or "",
    }


def _iso(text: Any) -> str:
    """`dd/MM/yyyy HH:mm:ss` or epoch milliseconds as ISO text with Vietnam's offset; "" where absent."""
    if isinstance(text, str) and text[2:3] == "/":
        return f"{text[6:10]}-{text[3:5]}-{text[:2]}T{text[11:19] or '00:00:00'}+07:00"
    return text if isinstance(text, str) and text[4:5] == "-" else ""


def main() -> None:
    """Run one side once."""
    side, url, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    if side == "floor":
        figures = floor(url, folder, orjson.loads(Path(sys.argv[4]).read_bytes()))
    else:
        figures = (gateway if side == "gateway" else record)(url, folder)
    if "requests" in figures:
        (folder / "requests.json").write_bytes(orjson.dumps(figures.pop("requests")))
    sys.stdout.write(orjson.dumps(figures).decode() + "\n")


if __name__ == "__main__":
    main()
