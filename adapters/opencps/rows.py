"""Pure work on wire objects: blank secrets, settle keys, digest list rows, take status words out of a log."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from unicodedata import normalize

import orjson

from adapters.opencps.options import LogSettings, Options

PREFIX = "xxx-cps-"
"""Marks the copy of a linked dossier; some deployments add or strip it (provincial.md 1.3)."""

SECRETS = frozenset({"haspassword", "password", "secretkey", "secretcode", "configs", "messagetext", "security"})
"""Wire names, in lower case, that carry a password or a token (provincial.md section 6)."""

VOLATILE = frozenset({
    "hasPassword", "visited", "permission", "pending", "assigned", "specialNo", "dossierOverdue",
    "dossierFinishOverdue", "timeOverdueText", "stepOverdue", "stepDuedate", "lock", "dueDateComing", "dossierIdCTN",
    "dossierCounter", "counter", "dossierStatusText", "dossierSubStatusText", "submitting", "certNumber",
    "delegateType", "stepInstruction",
})  # fmt: skip
"""List fields that depend on the caller, the minute, the language or a counter."""

JsonObject = dict[str, Any]


def blanked(value: Any) -> Any:
    """The same value with every declared secret emptied, also inside lists, objects and JSON in texts."""
    if isinstance(value, dict):
        return {key: "" if key.casefold() in SECRETS and item else blanked(item) for key, item in value.items()}
    if isinstance(value, str):
        return _blanked_text(value)
    return [blanked(item) for item in value] if isinstance(value, list) else value


def _blanked_text(text: str) -> str:
    """JSON in a text loses its secrets too; any other text, and JSON without one, stays as it came."""
    if text[:1] not in ("{", "[") or not any(name in text.casefold() for name in SECRETS):
        return text
    try:
        held = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    clean = blanked(held)
    return text if clean == held else orjson.dumps(clean).decode()


def reference(row: Mapping[str, Any]) -> str:
    """The reference of a row or detail, "" where it has none to ask by: one of digits is read as a primary key."""
    uid = row.get("referenceUid")
    plain = uid.strip() if isinstance(uid, str) else ""
    return "" if plain.isdecimal() else plain


def plain_uid(uid: str) -> str:
    """A reference as it is compared: without the prefix, blanks and case."""
    return uid.strip().casefold().removeprefix(PREFIX)


def other_spelling(uid: str) -> str:
    """The same reference with the prefix where it has none, and the other way round."""
    return uid[len(PREFIX) :] if uid.startswith(PREFIX) else PREFIX + uid


def list_digest(row: Mapping[str, Any], volatile: Collection[str] = (), *, by_modified: bool = True) -> str:
    """What a list row says, without what changes by itself; names are compared as the portal spells them."""
    left_out = VOLATILE.union(volatile) if by_modified else VOLATILE.union(volatile, ("modifiedDate",))
    kept = {key: value for key, value in row.items() if key not in left_out and value not in (None, "")}
    return hashlib.blake2b(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def dossier_part(detail: Mapping[str, Any], procedures: Mapping[str, str] | None = None) -> JsonObject:
    """A detail as the mapping reads it: key without prefix; a sub-dossier's origin number is its parent's.

    `procedures`: national code -> this portal's own; the others are told the national one, where it is not in doubt.
    Nearly everything is text on this wire, and what is not differs between list and detail: all is spelled as text.
    """
    part = {name: _spelled(value) for name, value in detail.items()}
    if isinstance(uid := part.get("referenceUid"), str):
        part["referenceUid"] = plain_uid(uid)
    if number(part.get("originDossierId")):
        part["parentDossierNo"] = part.pop("originDossierNo", "")
    nationals = [national for national, own in (procedures or {}).items() if own == part.get("serviceCode")]
    if len(nationals) == 1:
        part["serviceCode"] = nationals[0]
    return part


def _spelled(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def log_part(rows: Iterable[Mapping[str, Any]], settings: LogSettings) -> list[JsonObject]:
    """Log rows as the mapping reads them: the status words stand beside the text, the payload is left out."""
    return [_log_row(row, settings) for row in rows]


def _log_row(row: Mapping[str, Any], settings: LogSettings) -> JsonObject:
    part = {key: _spelled(value) for key, value in row.items() if key != "payload"}
    said = _opened(row.get("payload"))
    status = said.get(settings.status_key)
    if isinstance(status, str) and status:
        part["dossierStatus"] = status
        part["dossierSubStatus"] = said.get(settings.sub_status_key) or ""
        return part
    content = normalize("NFC", str(row.get("content") or "")).casefold()
    for text, word in settings.texts.items():
        if content.startswith(normalize("NFC", text).casefold()):
            part["dossierStatus"] = word
            break
    return part


def _opened(payload: Any) -> Mapping[str, Any]:
    """A payload as an object; most are free text, which says nothing."""
    if isinstance(payload, str) and payload.lstrip().startswith("{"):
        try:
            payload = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return {}
    return payload if isinstance(payload, dict) else {}


RESULTS = "lienThongKetQua"
"""Our name for the rows of files that are results."""
FILE_KEY = "lienThongTep"
"""Our name for what `open_file` takes, put into each row of files."""
RESULT_FIELDS = ("dossierFileId", FILE_KEY, "displayName", "dossierPartNo", "fileType", "fileSize")


def files_part(rows: Iterable[Mapping[str, Any]], dossier: str, options: Options) -> JsonObject:
    """Rows of files as the mapping reads them: papers and results apart, each with what opens it.

    Args:
        rows: As the portal lists them.
        dossier: The dossier's key, as calls name it.
        options: Which parts hold results. A result that was taken away is none.
    """
    papers: list[JsonObject] = []
    results: list[JsonObject] = []
    for row in rows:
        file = reference(row) or str(number(row.get("dossierFileId")) or "")
        named = {**row, FILE_KEY: f"{dossier}/{file}" if file else ""}
        if not _is_result(row, options):
            papers.append(named)
        elif row.get("removed") not in (True, "true"):
            results.append({name: named[name] for name in RESULT_FIELDS if name in named})
    return {"data": papers} | ({RESULTS: results} if results else {})


def _is_result(row: Mapping[str, Any], options: Options) -> bool:
    if row.get("dossierPartNo") in (options.result_part, *options.result_parts):
        return True
    kind = row.get("dossierPartType")
    return kind not in (None, "") and number(kind) in options.result_types


def newest_log(rows: Iterable[Mapping[str, Any]]) -> int:
    """The highest log id, 0 for an empty log."""
    return max((number(row.get("dossierLogId")) for row in rows), default=0)


def number(value: Any) -> int:
    """A whole number that may be spelled as text; 0 when absent or unreadable."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def is_removed(detail: Mapping[str, Any]) -> bool:
    """Negative originality: logically rolled back or removed."""
    return number(detail.get("originality")) < 0
