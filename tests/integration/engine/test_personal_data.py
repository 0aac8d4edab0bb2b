"""Nothing personal or secret in logs, errors, URLs or in the store's files as they lie on the disk (I9)."""

from __future__ import annotations

import io
import json
import logging
import time
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters.simulation import FaultPlan, Reply, Request, Simulator
from gateway import log
from gateway.store.backup import backup
from tests.integration.engine import evidence
from tests.integration.engine.town import BIRTH, SECRETS, Town

PERSON = {
    "applicantName": "Hoàng Thử Nghiệm Chim Yến",
    "applicantIdNo": "096987000000",
    "contactName": "Hoàng Thử Nghiệm Chim Yến",
    "contactTelNo": "0912345678",
    "contactEmail": "chimyen@example.invalid",
    "address": "Ngõ Chim Yến Số Mười Bảy",
}
NOTE = "Ghi chú kín về chim yến"
CANARIES = (*sorted(set(PERSON.values())), NOTE, *sorted(set(SECRETS.values())))


def spellings(canary: str) -> set[bytes]:
    """A value as it could lie somewhere: composed, decomposed, in capitals, as JSON, in UTF-16."""
    texts = {canary, canary.upper(), unicodedata.normalize("NFD", canary), json.dumps(canary)[1:-1]}
    return {text.encode() for text in texts} | {canary.encode("utf-16-le")}


def found_in(content: bytes) -> list[str]:
    return [canary for canary in CANARIES if any(spelt in content for spelt in spellings(canary))]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[io.BytesIO]:
    """Everything our log writes, at its most talkative."""
    stream = io.BytesIO()
    caplog.set_level(logging.DEBUG)
    log.configure(stream, level=logging.DEBUG)
    yield stream
    structlog.reset_defaults()


def talkative(simulator: Simulator, seen: list[str]) -> None:
    """Note every address asked for, and quote the person in some refusals, as careless portals do."""
    answer = simulator.answer
    refused = iter(range(100))

    def watched(request: Request) -> Reply:
        seen.append(f"{request.path}?{dict(request.query)}")
        if simulator.describe(request) in ("progress", "write") and next(refused) < 2:
            quoted = f"Lỗi xử lý hồ sơ của {PERSON['applicantName']}, {PERSON['applicantIdNo']}"
            return Reply.json({"error_code": "-1", "message": quoted, "errorCode": "-1", "errorMessage": quoted})
        return answer(request)

    simulator.answer = watched  # type: ignore[method-assign]  # the portal itself, with a loose tongue


def test_canaries_are_found_in_no_log_error_address_or_file(
    town: Town, told: io.BytesIO, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    addresses: list[str] = []
    for simulator in (town.province, town.national, town.justice):
        talkative(simulator, addresses)
    town.servers["national"].faults = FaultPlan(seed=3, rate=0.1, kinds=("garbage", "truncate", "html_200"))
    town.pull()
    town.adopt(time.time() - 3600)
    person = {"service": BIRTH, "agency": "H99.13", "person": PERSON}
    made = town.province.act("create_dossier", {"online": False, **person})
    broken = town.province.act("create_dossier", {"online": False, "person": PERSON})
    town.province.act("amend", {"referenceUid": broken["referenceUid"], "set": {"status": "trạng thái lạ"}})
    reports: list[Any] = []
    for verb in ("process", "interoperate"):
        town.province.act(verb, {"referenceUid": made["referenceUid"], "note": NOTE})
        for _ in range(6):
            reports += [town.gateway.engine.pull(name) for name in town.raw["portals"]]
            reports += [town.gateway.engine.deliver(name) for name in town.raw["portals"]]
            reports += [town.gateway.engine.preview(), town.gateway.engine.reconcile("national")]
            time.sleep(0.1)
    assert any(PERSON["applicantIdNo"] in str(effect) for effect in town.effects()), "the portal itself was told"
    assert any(row.attempts for row in town.deliveries())
    manifest = backup(Path(town.raw["store"]["path"]), town.folder / "backups", datetime.now(UTC))

    held = {path.name: path.read_bytes() for path in town.folder.rglob("*") if path.is_file()}
    assert {"store.db", "store.db-wal", "keys.ring", manifest.name} <= set(held)
    written = capfd.readouterr()
    held |= {
        "log": told.getvalue(),
        "library log": caplog.text.encode(),
        "output": (written.out + written.err).encode(),
        "addresses": "\n".join(addresses).encode(),
        "reports": repr(reports).encode(),
        "leaves": repr(evidence.leaves(town.gateway.store)).encode(),
    }
    assert {place: names for place, content in held.items() if (names := found_in(content))} == {}


def test_the_search_finds_what_lies_in_plain(tmp_path: Path) -> None:
    assert found_in(b"..." + unicodedata.normalize("NFD", NOTE).encode() + b"...") == [NOTE]
    assert found_in(json.dumps({"name": PERSON["applicantName"]}).encode()) == [PERSON["applicantName"]]
