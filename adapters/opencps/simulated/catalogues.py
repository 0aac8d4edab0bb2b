"""Procedures and code lists as the portal gives them (provincial.md 1.7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.opencps.simulated.dates import false_z, twelve_hour
from adapters.opencps.simulated.forms import whole
from adapters.opencps.simulated.switches import Agency, Switches
from adapters.opencps.simulated.views import STATUS_TEXTS
from adapters.simulation import Request

_MADE_AT = datetime(2020, 10, 5, 13, 30, tzinfo=UTC)


def services(switches: Switches, agencies: Sequence[Agency]) -> list[dict[str, Any]]:
    """Rows of `GET /serviceinfos`."""
    configs = [
        {"serviceConfigId": number, "govAgencyCode": agency.code, "govAgencyName": agency.name, "serviceLevel": 4}
        for number, agency in enumerate(agencies, start=1)
    ]
    return [
        {
            "serviceInfoId": number,
            "serviceCode": service.code,
            "serviceName": service.name,
            "serviceCodeDVCQG": service.national_code or service.code,
            "serviceNameDVCQG": service.name,
            "domainCode": service.domain_code,
            "domainName": service.domain_name,
            "administrationCode": switches.province,
            "maxLevel": service.level,
            "public": "true",
            "synced": 1,
            "active": "true",
            "createDate": twelve_hour(_MADE_AT),
            "modifiedDate": twelve_hour(_MADE_AT),
            "serviceConfigs": configs,
        }
        for number, service in enumerate(switches.services, start=1)
    ]


def items(switches: Switches, collection: str) -> list[dict[str, Any]]:
    """Rows of one code list; an unknown list is empty."""
    pairs: list[tuple[str, str]] = []
    if collection == "GOVERNMENT_AGENCY":
        pairs = [(agency.code, agency.name) for agency in switches.agencies]
    if collection == "DOSSIER_STATUS":
        pairs = list(STATUS_TEXTS.items())
    if collection == "ADMINISTRATIVE_REGION":
        pairs = [("96", "Tỉnh Cà Mau")]
    return [
        {
            "dictItemId": number,
            "itemCode": code,
            "itemName": name,
            "itemNameEN": "",
            "itemDescription": "",
            "level": 0,
            "sibling": str(number),
            "treeIndex": code,
            "createDate": false_z(_MADE_AT),
            "modifiedDate": false_z(_MADE_AT),
        }
        for number, (code, name) in enumerate(pairs, start=1)
    ]


def page(rows: list[dict[str, Any]], request: Request, key: str) -> dict[str, Any]:
    """A page of rows under the list's own key; `end` absent or 0 gives all."""
    start, end = whole(request.first("start"), 0), whole(request.first("end"), 0)
    return {"total": len(rows), key: rows if end <= 0 else rows[start:end]}
