"""Bodies that are right: those of public sources where the reference data are there, and our own by the same facts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import orjson

from adapters.npsp.caller import citizens
from adapters.npsp.caller.citizens import Submitting
from tests.integration.inbound.speaking import Call
from tests.unit.xmldsig.makers import MESSAGE

ACTION = "http://tempuri.org/IMTService/"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
JSON = {"content-type": "application/json; charset=utf-8"}
OFFICER = "<Organization>Bộ</Organization><Division>Vụ</Division><Name>CÁN BỘ THỬ NGHIỆM 01</Name>"
CONTENTS = {
    "21": "",
    "22": f"<Reject><RejectCode>R1</RejectCode><RejectDesc>thiếu giấy tờ</RejectDesc>{OFFICER}</Reject>",
    "23": "<ReceiveDate>2026-11-23 10:00:00</ReceiveDate>",
    "24": f"<CancelDate>2026-11-23 10:00:00</CancelDate>{OFFICER}<Reason>rút</Reason>",
    "99": "<ReceiveDate>2026-11-23 10:00:00</ReceiveDate>",
}


def national(prefix: str, links: str, turn: int, payloads: Path) -> list[Call]:
    """What the national portal tells; `turn` gives numbers of their own to some, others share a few."""
    plan = Submitting(files=("base64", "none", "mixed", "links")[turn % 4], links=links)
    place = 1 + turn if turn % 3 else 1 + turn % 30
    told = citizens.dossier(plan, place)
    odd = {
        "TenTepDinhKem": "a.pdf",
        "DuongDanTaiTepTin": f"{links}/tep/{('404', 'html', 'program', 'empty')[turn % 4]}",
    }
    wrapped = {"service": "nhanhsdvcqg", "isUpdating": "False", "data": [told]}
    bodies: list[tuple[str, Any]] = [
        ("nhanhsdvcqg", told),
        ("nhanhsdvcqg", told),
        ("nhanhsdvcqg", wrapped),
        ("nhanhsdvcqg", told | {"TaiLieuNop": [*told["TaiLieuNop"], odd]}),
        ("nhanhsdvcqg", citizens.changed(told, turn % 7)),
        ("nhanhsdvcqg", citizens.supplement(plan, place, turn % 5)),
        ("nhanhsdvcqg", citizens.withdrawal(plan, place)),
        ("addtthcKhuyenMai", citizens.dossier(Submitting(shape="promotion", start=place), 50_000 + place)),
        ("kpdvcqg/dpthongbaothanhtoan", citizens.payment(plan, place, 150_000)),
        ("kpdvcqg/dptracuuthanhtoanhs", {"MaHoSo": told["MaHoSo"]}),
        *(("nhanhsdvcqg", _offered(one, turn)) for one in _published(payloads, "dvcqg_*HoSo*request.json")),
    ]
    calls = [Call("national", f"{prefix}/{path}", orjson.dumps(body), headers=JSON) for path, body in bodies]
    calls.append(Call("national", f"{prefix}/downloadfile/11111111-2222-5333-8444-555555555555", method="GET"))
    return calls


def _published(payloads: Path, pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(payloads.glob(pattern))]


def _offered(body: bytes, turn: int) -> Any:
    """A published example; every other time with a procedure that is offered here."""
    value = orjson.loads(body)
    rows = value.get("data", value)
    for row in rows if isinstance(rows, list) and turn % 2 else ():
        row |= {"MaTTHC": "1.013234", "MaDonVi": "H99.19"}
    return value


def ministry(target: str, turn: int, keys: Sequence[tuple[int, int]], payloads: Path) -> list[Call]:
    """What the ministry calls back, about dossiers it knows (`keys`: reference and year) and about others."""
    reference, year = keys[turn % len(keys)] if turn % 4 else (7, 2026)
    texts = []
    for function, content in CONTENTS.items():
        text = MESSAGE.replace("<function>21<", f"<function>{function}<")
        text = text.replace(">m-1<", f">fuzzed-{turn % 60 if turn % 3 else turn}-{function}<")
        text = text.replace("reference>7<", f"reference>{reference}<").replace(
            "Reference>7<", f"Reference>{reference}<"
        )
        text = text.replace("<documentYear>2026<", f"<documentYear>{year}<")
        texts.append(re.sub("<Content>.*</Content>", f"<Content>{content}</Content>", text) if content else text)
    texts += [found.decode() for found in _published(payloads, "nsw_*.xml")]
    names = ("ReceiveResultFromMT", "Receive", "ReceiveFromInland")
    calls = [_soap(target, escape(text), names[place % 3]) for place, text in enumerate(texts)]
    return [
        *calls,
        _soap(target, f"<![CDATA[{texts[0]}]]>", names[0]),
        Call("transport", f"{target}?wsdl", method="GET"),
    ]


def _soap(target: str, inside: str, name: str) -> Call:
    wrapper = f'<{name} xmlns="http://tempuri.org/"><XMLData>{inside}</XMLData></{name}>'
    body = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{wrapper}</s:Body></s:Envelope>'
    headers = {"content-type": "text/xml; charset=utf-8", "soapaction": f'"{ACTION}{name}"'}
    return Call("transport", target, body.encode(), headers=headers)


def inbox(key: str, turn: int, items: Sequence[Mapping[str, str]]) -> list[Call]:
    """What a ministry that collects asks and says."""
    item = items[turn % len(items)]
    here = f"/v1/inbox/items/{item['item_id']}"
    headers = {**JSON, "authorization": f"Bearer {key}"}
    told = {"status": "in_progress", "occurred_at": f"2026-11-20T09:{turn % 60:02}:00+07:00", "note": "đang xử lý"}
    paper = {"name": "Giấy phép", "number": "12/GP", "issued_on": "2026-11-20", "content": "JVBERi0xLjQKJSVFT0YK"}
    named = headers | {"idempotency-key": f"fuzzed-report-{turn % 40}"}
    bodies = [
        (f"{here}/reports", named, told),
        (f"{here}/reports", named, told | {"status": "completed", "results": [paper]}),
        (f"{here}/reports", named, told | {"status": "supplement_requested", "due_at": "2026-12-01T17:00:00+07:00"}),
        (f"{here}/acknowledgement", headers, {"digest": item["digest"]}),
        (f"{here}/refusal", headers, {"digest": "0" * 64, "reason": "không thuộc thẩm quyền"}),
    ]
    calls = [Call("health", target, orjson.dumps(body), headers=head) for target, head, body in bodies]
    asked = (here, f"{here}/content", f"/v1/inbox/items?after={turn:x}&limit=5", "/v1/openapi.json")
    return calls + [Call("health", target, method="GET", headers=headers) for target in asked[turn % 4 : turn % 4 + 1]]
