"""Form fields of writes: which of them a dossier takes, and which the book keeps (never a password)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from adapters.opencps.simulated.dates import from_epoch
from adapters.opencps.simulated.entity import Dossier

_SECRET = frozenset({"password", "secretKey", "security"})
_PERSONS = {
    "applicantName": "name",
    "applicantIdType": "kind",
    "applicantIdNo": "number",
    "applicantIdDate": "issued_on",
    "address": "address",
    "contactName": "contact_name",
    "contactTelNo": "phone",
    "contactEmail": "email",
}
_PLACES = (("city", "city"), ("district", "district"), ("ward", "ward"))
_TEXTS = {
    "applicantNote": "applicant_note",
    "briefNote": "brief",
    "dossierNote": "note",
    "originDossierNo": "origin_dossier_no",
    "password": "password",
}
_DELEGATE = ("delegateName", "delegateIdNo", "delegateTelNo", "delegateEmail", "delegateAddress")
_PUBLISHED_DATES = {
    "submitDate": "submitted_at",
    "receiveDate": "received_at",
    "dueDate": "due_at",
    "extendDate": "extended_at",
    "releaseDate": "released_at",
    "finishDate": "finished_at",
    "cancellingDate": "cancelling_at",
    "correcttingDate": "correcting_at",
}


def read(body: bytes) -> dict[str, str]:
    """`application/x-www-form-urlencoded` in UTF-8; a name given twice keeps its last value."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def whole(text: Any, default: int) -> int:
    """A whole number in text, or the default."""
    try:
        return int(text)
    except (TypeError, ValueError):
        return default


def fill(dossier: Dossier, form: Mapping[str, str]) -> None:
    """Take over what a create or publish form says of persons and texts; empty values change nothing."""
    for name, own in _PERSONS.items():
        if form.get(name):
            setattr(dossier.applicant, own, form[name])
    for wire, own in _PLACES:
        if form.get(f"{wire}Code") or form.get(f"{wire}Name"):
            setattr(dossier.applicant, own, (form.get(f"{wire}Code", ""), form.get(f"{wire}Name", "")))
    for name, own in _TEXTS.items():
        if form.get(name):
            setattr(dossier, own, form[name])
    dossier.delegate |= {name: form[name] for name in _DELEGATE if form.get(name)}
    if form.get("online"):
        dossier.online = form["online"] == "true"
    if form.get("viaPostal"):
        dossier.via_postal = whole(form["viaPostal"], 0)


def fill_published(dossier: Dossier, form: Mapping[str, str]) -> None:
    """Take over status and dates of a publish form: dates are epoch milliseconds, 0 or unreadable is "absent"."""
    for name, own in _PUBLISHED_DATES.items():
        if at := from_epoch(form.get(name, "")):
            setattr(dossier, own, at)
    dossier.status = form.get("dossierStatus", dossier.status)
    dossier.sub_status = form.get("dossierSubStatus", dossier.sub_status)
    dossier.lock_state = form.get("lockState", dossier.lock_state)
    dossier.step = form.get("stepCode", dossier.step)


def kept(form: Mapping[str, str]) -> dict[str, Any]:
    """A form as the book keeps it."""
    return {name: value for name, value in form.items() if name not in _SECRET}
