"""What stood at the portals before the gateway came: old dossiers at the province, most of them elsewhere, too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.demo.catalogue import JUSTICE, NATIONAL, PROVINCE, TRANSPORT, of_ministry
from gateway.demo.screen import Screen

_MIX = ("done", "releasing", "processing", "done", "new", "waiting", "done", "interoperating", "receiving", "denied")
_NATIONAL = {"done": "10", "releasing": "9", "processing": "4", "new": "2", "waiting": "5", "interoperating": "4"}
DAYS = 30


def seed_past(screens: Mapping[str, Screen], count: int) -> None:
    """Let `count` old dossiers stand at the province, those with a number at the national portal and ministries."""
    screens[PROVINCE].do("seed_many", {"count": count, "days": DAYS, "until_days": 0.05, "statuses": _MIX})
    transport = {one.code for one in of_ministry(TRANSPORT)}
    justice = {one.code for one in of_ministry(JUSTICE)}
    for record in screens[PROVINCE].look("records").values():
        number = record["dossierNo"]
        if not number:
            continue
        screens[NATIONAL].do("seed_dossier", {"content": _copy(record)})
        if record["dossierStatus"] not in ("interoperating", "done"):
            continue
        if record["serviceCode"] in transport:
            year = int(record["receiveDate"][6:10])
            screens[TRANSPORT].do("seed", {"dossier_code": number, "owner": "H99", "document_year": year})
        elif record["serviceCode"] in justice:
            screens[JUSTICE].do("create", {"number": number})


def _copy(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "MaHoSo": record["dossierNo"],
        "MaTTHC": record["serviceCode"],
        "TenTTHC": record["serviceName"],
        "ChuHoSo": record["applicantName"],
        "SoGiayToChuHoSo": record["applicantIdNo"],
        "LoaiDoiTuong": "1",
        "NgayTiepNhan": _digits(record["receiveDate"]),
        "NgayHenTra": _digits(record["dueDate"]),
        "TrangThaiHoSo": _NATIONAL.get(record["dossierStatus"], "4"),
        "DonViXuLy": record["govAgencyName"],
    }


def _digits(text: str) -> str:
    return datetime.strptime(text, "%d/%m/%Y %H:%M:%S").strftime("%Y%m%d%H%M%S") if text else ""  # noqa: DTZ007
