"""What the simulated ministry looks at before it takes a call: who asks, and whether a push is fit to be taken.

Codes are the guide's (ministry.md 2.5); that the current generation uses them is likely, not attested.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from adapters.civil_status.switches import Switches
from adapters.simulation import Request

AUTHEN_ERROR, UNKNOWN_AGENCY, UNKNOWN_PROVINCE = "100", "106", "108"
NOT_FOUND, BAD_TYPE, BAD_DATA = "201", "302", "500"


def credentials(request: Request) -> tuple[str, str]:
    """Key and secret of a token call, from Basic, a form or JSON; empty where there are none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme == "Basic":
        try:
            key, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return unquote(key), unquote(secret)
    if "json" in request.headers.get("content-type", ""):
        sent = _json(request.body)
        found = sent if isinstance(sent, dict) else {}
        return str(found.get("client_id", "")), str(found.get("client_secret", ""))
    form = parse_qs(request.body.decode("utf-8", "replace"))
    return form.get("client_id", [""])[0], form.get("client_secret", [""])[0]


def refusal(body: Any, switches: Switches) -> tuple[str, str] | None:
    """Code and text of what is wrong with a push, or None when it can be taken."""
    if not isinstance(body, dict) or not body.get("maHoSoMCDT") or not isinstance(body["maHoSoMCDT"], str):
        return BAD_DATA, "DATA_INCORRECT"
    if not body.get("maDonVi") or (switches.units and str(body["maDonVi"]) not in switches.units):
        return UNKNOWN_AGENCY, "AGENCY_ID_INCORRECT"
    if body.get("module") not in switches.modules:
        return BAD_TYPE, "DATA_TYPE_INVALID"
    if not isinstance(body.get("data"), str) or not isinstance(_json(body["data"]), dict):
        return BAD_TYPE, "DATA_TYPE_INVALID"
    if not _is_local_time(body.get("ngayTiepNhan")) or not isinstance(body.get("fileDinhKem", []), list):
        return BAD_DATA, "DATA_INCORRECT"
    return None


def _json(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _is_local_time(text: Any) -> bool:
    try:
        datetime.strptime(str(text), "%d/%m/%Y %H:%M:%S")  # noqa: DTZ007 - only its form is looked at
    except ValueError:
        return False
    return True
