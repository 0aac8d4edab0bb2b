"""Nothing personal in the clear after calls on us: pushes, payments, call-backs, a ministry that collects (I9)."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import structlog

from adapters.npsp.caller import citizens
from gateway import log
from gateway.bootstrap import Gateway
from gateway.cli.inbox_room import InboxRoom
from gateway.store.backup import backup
from tests.integration.engine import evidence
from tests.integration.engine.test_personal_data import NOTE, PERSON, found_in
from tests.integration.inbox.conftest import Client
from tests.integration.npsp.test_npsp_pushes_reach_the_province import PLAN, Line
from tests.integration.nsw.test_call_backs_reach_their_dossier import Gate

NAME, NUMBER = PERSON["applicantName"], PERSON["applicantIdNo"]
OF_A_PERSON = {"ChuHoSo": NAME, "SoGiayToChuHoSo": NUMBER, "SoDienThoai": PERSON["contactTelNo"],
               "Email": PERSON["contactEmail"], "TrichYeuHoSo": NOTE}  # fmt: skip


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[io.BytesIO]:
    """Everything our log writes, at its most talkative."""
    stream = io.BytesIO()
    caplog.set_level(logging.DEBUG)
    log.configure(stream, level=logging.DEBUG)
    yield stream
    structlog.reset_defaults()


def in_the_clear(
    gateway: Gateway, folder: Path, told: io.BytesIO, caplog: pytest.LogCaptureFixture, **more: bytes
) -> dict[str, list[str]]:
    """Where a canary lies as anybody could read it: place -> canaries."""
    backup(Path(gateway.config.store.path), folder / "backups", datetime.now(UTC))
    held = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert any(name.startswith(("journal/", "calls/")) for name in held), "the journal was looked through"
    held |= {
        "log": told.getvalue(),
        "library log": caplog.text.encode(),
        "leaves": repr(evidence.leaves(gateway.store)).encode(),
        "file names": "\n".join(held).encode(),
        **more,
    }
    return {place: names for place, content in held.items() if (names := found_in(content))}


def papers(address: str) -> list[dict[str, Any]]:
    content = base64.b64encode(b"%PDF-1.7\n" + NOTE.encode()).decode()
    return [
        {"TenTepDinhKem": f"Đơn của {NAME}.pdf", "Base64": content},
        {"TenTepDinhKem": f"CCCD {NUMBER}.pdf", "DuongDanTaiTepTin": f"{address}/tep/giay-to.pdf?so={NUMBER}"},
        {"TenTepDinhKem": f"{NAME}.pdf", "DuongDanTaiTepTin": f"{address}/tep/giay-to-2.pdf?ten={NAME[:5]}"},
    ]


def test_pushes_good_broken_refused_and_unplaced_leave_nothing_in_the_clear(
    tmp_path: Path, told: io.BytesIO, caplog: pytest.LogCaptureFixture
) -> None:
    line = Line(tmp_path)
    offers = [{"procedure": "1.013234", "national": "1.013234", "agency": ""}]
    body = citizens.dossier(PLAN, 1) | OF_A_PERSON
    good = body | {"TaiLieuNop": papers(line.servers[1].url)}
    line.gateway.store.write(
        lambda tx: tx.put_catalogue("offers", "province", "1", [*offers, {**offers[0], "procedure": body["MaTTHC"]}], 0)
    )
    calls: dict[str, tuple[str, Any]] = {
        "good": ("nhanhsdvcqg", good),
        "changed": ("nhanhsdvcqg", good | {"SoDienThoai": "0900000000"}),
        "withdrawn": ("nhanhsdvcqg", good | {"LoaiYeuCau": "7", "LyDo": NOTE}),
        "not known": ("nhanhsdvcqg", good | {"MaHoSo": "X-2", "LoaiYeuCau": "7", "LyDo": NOTE}),
        "a name as procedure": ("nhanhsdvcqg", body | {"MaHoSo": "X-3", "MaTTHC": NAME}),
        "a name as agency": ("nhanhsdvcqg", body | {"MaHoSo": "X-4", "MaDonVi": NAME}),
        "a name as number": ("nhanhsdvcqg", body | {"MaHoSo": NAME}),
        "a name as time": ("nhanhsdvcqg", body | {"MaHoSo": "X-5", "NgayNopHoSo": NAME}),
        "a name as code": ("nhanhsdvcqg", body | {"MaHoSo": "X-6", "LoaiDoiTuong": NAME}),
        "a name as field": ("nhanhsdvcqg", body | {"MaHoSo": "X-7", NAME: NOTE}),
        "papers of nobody": ("nhanhsdvcqg", body | {"MaHoSo": "X-8", "TaiLieuNop": NAME}),
        "a host with a name": ("nhanhsdvcqg", body | {"MaHoSo": "X-9", "TaiLieuNop": papers("http://a.example.invalid")}),
        "a file that is not there": (
            "nhanhsdvcqg", body | {"MaHoSo": "X-10", "TaiLieuNop": papers(f"{line.servers[1].url}/tep/404")},
        ),
        "no JSON": ("nhanhsdvcqg", orjson.dumps(body) + NAME.encode()),
        "paid": ("kpdvcqg/dpthongbaothanhtoan", citizens.payment(PLAN, 1, 1000) | {"DonViThu": NAME}),
        "paid by word": ("kpdvcqg/dpthongbaothanhtoan", citizens.payment(PLAN, 1, 1000) | {"SoTien": NAME}),
        "fees of a name": ("kpdvcqg/dptracuuthanhtoanhs", {"MaHoSo": NAME}),
        "a name as address": (f"downloadfile/{NAME}?ten={NAME}", {}),
    }  # fmt: skip
    said = {
        name: line.ask(path, told if isinstance(told, bytes) else orjson.dumps(told)).content
        for name, (path, told) in calls.items()
    }
    assert b'"error_code":0' in said["good"]
    for _ in range(4):
        line.round()
    assert line.held().applicant.name == NAME, "the province itself was told"
    answers = b"".join(said.values())
    found = in_the_clear(line.gateway, tmp_path, told, caplog, answers=answers, aside=repr(
        line.gateway.store.read(lambda tx: [row.reason for row in tx.list_quarantine()])
    ).encode())  # fmt: skip
    line.close()
    assert found == {}


def test_call_backs_leave_nothing_in_the_clear(
    tmp_path: Path, told: io.BytesIO, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate(tmp_path)
    gate.call_back()
    gate.forwarded()
    gate.until(lambda: gate.ministry.screen("dossiers", {}))
    (held,) = gate.ministry.screen("dossiers", {})
    for function in ("21", "22", "20"):
        assert gate.ministry.act("call_back", {"key": held["key"], "function": function, "reason": f"{NAME}: {NOTE}"})
    gate.ministry.act("seed", {"dossier_code": "000.00.04.H96-0", "document_year": 2026})
    assert gate.ministry.act("call_back", {"dossier_code": "000.00.04.H96-0", "function": "21", "reason": NOTE})
    text = f"<Envelope><Header><Reference/></Header><{'A' * 3}>{NAME}</AAA></Envelope>"
    broken = f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Receive xmlns="http://tempuri.org/"><XMLData><![CDATA[{text}]]></XMLData></Receive></s:Body></s:Envelope>'
    answers = b""
    for body in (broken, broken.replace("</AAA>", f"</{NAME.split()[0]}>"), broken.replace("Receive", "Lấy"), NAME):
        answers += httpx.post(gate.url, content=body.encode(), trust_env=False, timeout=10,
                              headers={"Content-Type": "text/xml; charset=utf-8"}).content  # fmt: skip
    for _ in range(4):
        gate.round()
    assert any(NOTE in word for word in gate.words()), "what the ministry said was heard"
    found = in_the_clear(gate.gateway, tmp_path, told, caplog, answers=answers)
    gate.close()
    assert found == {}


def test_an_inbox_leaves_nothing_in_the_clear(
    tmp_path: Path, told: io.BytesIO, caplog: pytest.LogCaptureFixture
) -> None:
    with InboxRoom(tmp_path, ministries={"transport": {}}) as room:
        client = Client(room.url, room.key("transport"))
        room.hand_over(2)
        first, second = client.items()
        client.get(f"/v1/inbox/items/{first['item_id']}/content")
        assert client.acknowledge(first).status == 200
        report = {"status": "completed", "occurred_at": datetime.now(UTC).isoformat(), "note": f"{NAME} {NOTE}"}
        paper = {"name": f"{NAME}.pdf", "signer": NAME, "content": base64.b64encode(b"%PDF " + NOTE.encode()).decode()}
        assert client.report(first, "report-0001", **report, results=[paper]).status in (200, 201, 202)
        refusal = {"digest": second["digest"], "reason": f"{NAME}, {NUMBER}: {NOTE}"}
        assert client.call("POST", f"/v1/inbox/items/{second['item_id']}/refusal", refusal).status in (200, 201, 202)
        answers = [client.report(first, "report-0002", **{**report, "status": "x"}).body]
        answers.append(client.get("/v1/inbox/items?after=0912345678").body)
        for _ in range(3):
            room.turn()
        found = in_the_clear(room.gateway, tmp_path, told, caplog, answers=b"".join(answers))
    assert found == {}
