"""From a raw record to what it says in our words: the only place where sync meets vocabulary.

Pure: a mapping and a record in, a `Reading` out. Errors name fields, never values.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from adapters.base import RawRecord
from mappings.loader import Mapping as Vocabulary
from mappings.message import Message
from schemas.errors import RecordInvalidError

OUR_KEY = re.compile(r"\[lt:([0-9a-f-]{36})\]")
"""How our key travels in a note that a portal keeps for us (sync.md S11, S21)."""

_NAME_OF_A_FIELD = re.compile(r"(?!.*[0-9]{6})[A-Za-z_@#][A-Za-z0-9_.:-]{0,79}(\[\])?")

Values = dict[str, Any]


class Saying(NamedTuple):
    """One thing a record says: a status with its own id and time, or a note (status "")."""

    own_id: str
    status: str
    wire: str
    sub: str
    at: float | None
    text: Values
    cause: str = ""


class Reading(NamedTuple):
    """What one record of one portal says, as of `read_at` (S8)."""

    portal: str
    external_id: str
    read_at: float
    facts: Values
    state: Saying | None
    log: tuple[Saying, ...]
    digest: str
    list_digest: str
    national_code: str
    dossier_code: str
    reference: str
    procedure_code: str
    agency_code: str
    applicant: str
    unknown: tuple[str, ...]
    removed: bool
    allowed: tuple[str, ...] | None
    guard: Mapping[str, Any] = MappingProxyType({})
    our_keys: tuple[str, ...] = ()
    partial: bool = False
    """A message about the record, not the record: it is never out of date, and facts it does not name stand."""
    sparse: bool = False
    """A look-up, which shows a few fields of a record: facts it does not name stand, too."""
    shown: Callable[[], Mapping[str, str]] = dict
    """What the record shows under its mapping's compare rules; worked out only when asked for."""


def read(portal: str, record: RawRecord, vocabulary: Vocabulary) -> Reading:
    """Read every part of a record with the mapping message of its name.

    Raises:
        RecordInvalidError: A part has no message, or a field cannot be read or has no code.
    """
    facts: Values = {}
    log: list[Saying] = []
    unknown: set[str] = set()
    shown: list[tuple[Message, Values]] = []
    steady: list[Any] = [record.removed]
    for name, wire in record.parts.items():
        message = vocabulary.messages.get(name)
        if message is None:
            raise RecordInvalidError(f"the mapping has no message '{name}'")
        is_event = message.target == "event"
        rows = message.read_all(wire if isinstance(wire, (list, tuple)) else (wire,))
        for values, strangers in rows:
            if strangers:
                unknown.update(strangers)
            if not is_event:
                facts.update(values)
                shown.append((message, values))
        if is_event:
            log += [_saying(values) for values, _ in rows]
        steady += [values if message.is_steady else message.steady(values) for values, _ in rows]
    digest = hashlib.sha256(orjson.dumps(steady, option=orjson.OPT_SORT_KEYS)).hexdigest()
    state = facts.pop("state", None)
    said = _saying(state) if state else None
    told = said if said and (said.status or said.wire) else None
    sparse = len(shown) == 1 and shown[0][0].target == "lookup"
    return _reading(portal, record, facts, told, log, unknown, digest, lambda: _shown(shown), sparse=sparse)


def _shown(parts: Iterable[tuple[Message, Values]]) -> dict[str, str]:
    return {path: text for message, values in parts for path, text in message.comparable(values).items()}


def _as_reported(name: str) -> str:
    """An unknown field as logs, reports and leaves may name it: a part that is no plain name may be a person's."""
    return "/".join(part if _NAME_OF_A_FIELD.fullmatch(part) else "…" for part in name.split("/"))


def _reading(
    portal: str,
    record: RawRecord,
    facts: Values,
    state: Saying | None,
    log: list[Saying],
    unknown: set[str],
    digest: str,
    shown: Callable[[], Mapping[str, str]],
    *,
    sparse: bool = False,
) -> Reading:
    procedure = facts.get("procedure") or {}
    agency = facts.get("handling_agency") or {}
    applicant = facts.get("applicant") or {}
    spoken = [state, *log] if state else log
    return Reading(
        portal=portal,
        external_id=record.external_id,
        read_at=record.read_at.timestamp(),
        facts=facts,
        state=state,
        log=tuple(log),
        digest=digest,
        list_digest=record.list_digest,
        national_code=facts.get("national_code") or "",
        dossier_code=facts.get("dossier_code") or "",
        reference=facts.get("reference") or "",
        procedure_code=procedure.get("procedure_code") or "",
        agency_code=agency.get("agency_code") or "",
        applicant=who(applicant),
        unknown=tuple(sorted({_as_reported(name) for name in unknown})),
        removed=record.removed,
        allowed=record.allowed,
        guard=record.guard,
        our_keys=tuple(dict.fromkeys([said.cause for said in spoken if said.cause])),
        partial=record.partial,
        sparse=sparse,
        shown=shown,
    )


def who(applicant: Mapping[str, Any]) -> str:
    """The identifier an applicant is compared by: the identity number, never the name; "" when absent."""
    number = applicant.get("identity_number") or ""
    return unicodedata.normalize("NFC", str(number)).replace(" ", "")


def _saying(values: Mapping[str, Any]) -> Saying:
    get = values.get
    at, note = get("occurred_at"), get("note")
    found = OUR_KEY.findall(note) if note and "[lt:" in note else None
    return Saying(
        str(get("id") or ""),
        get("status") or "",
        get("wire") or "",
        get("sub_wire") or "",
        None if at is None else at.timestamp(),
        {name: value for name, value in values.items() if name in _TEXTS and value},
        found[-1] if found else "",
    )


_TEXTS = frozenset(("note", "officer", "officer_title", "handling_unit", "started_at", "due_at"))


_EMPTY: tuple[Any, ...] = (None, "", (), [], {})


def merge_facts(portals: Iterable[Mapping[str, Any]]) -> Values:
    """Facts of several sources, the first given wins per top-level field; absent and empty values never win."""
    merged: Values = {}
    for facts in portals:
        told = {name: value for name, value in facts.items() if value or value not in _EMPTY}
        merged = {**told, **merged} if merged else told
    return merged
