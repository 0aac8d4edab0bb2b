"""Whose dossier is this? Identifiers only, never a name, never a guess (sync.md S1, S2)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from gateway.store.rows import DossierRow, RecordRow
from gateway.sync.reading import Reading


class Link(StrEnum):
    """What linking came to."""

    KNOWN = "known"
    NEW = "new"
    DOUBT = "doubt"


class Linked(NamedTuple):
    """`dossier_ids` holds the one dossier, none (new), or all that are in doubt; `reason` names the rule."""

    link: Link
    dossier_ids: tuple[str, ...]
    reason: str


_NEW = Linked(Link.NEW, (), "no identifier is known")


class Candidates(NamedTuple):
    """What the store holds under the identifiers of a reading.

    `record` is this very record; `by_reference` are records whose reference equals this one's id or the other way
    round; `by_number` and `by_code` are dossiers; `others` are live records of the same portal per dossier id.
    `apart` are dossiers that a person said this record is not of.
    """

    record: RecordRow | None
    by_reference: tuple[RecordRow, ...]
    by_number: tuple[DossierRow, ...]
    by_code: tuple[DossierRow, ...]
    others: dict[str, tuple[str, ...]]
    apart: frozenset[str] = frozenset()


def link(reading: Reading, candidates: Candidates, applicant_hash: str) -> Linked:
    """Link by (1) an identifier we wrote there, (2) the national number, (3) code with procedure, agency, applicant."""
    record = candidates.record
    if record is None and not (candidates.by_reference or candidates.by_number or candidates.by_code):
        return _NEW
    if record is not None and record.dossier_id and not _identifiers_changed(record, reading):
        return Linked(Link.KNOWN, (record.dossier_id,), "this record is linked")
    held_apart = candidates.apart
    found = _found(reading, candidates, applicant_hash)
    if held_apart:
        found = {k: v for k, v in found.items() if k not in held_apart}
    if record is not None and record.dossier_id:
        found = {record.dossier_id: "this record is linked", **found}
    if len(found) > 1:
        return Linked(
            Link.DOUBT, tuple(sorted(found)), "identifiers of two dossiers: " + ", ".join(sorted(set(found.values())))
        )
    if not found:
        return _NEW
    ((dossier_id, reason),) = found.items()
    rivals = tuple(other for other in candidates.others.get(dossier_id, ()) if other != reading.external_id)
    if rivals:
        return Linked(Link.DOUBT, (dossier_id,), "a second live record of this portal in one dossier")
    return Linked(Link.KNOWN, (dossier_id,), reason)


def _identifiers_changed(record: RecordRow, reading: Reading) -> bool:
    def other(old: str, new: str) -> bool:
        return (bool(old) and bool(new) and old != new) or (bool(new) and not old)

    return other(record.dossier_code, reading.dossier_code) or other(record.national_code, reading.national_code)


def _found(reading: Reading, candidates: Candidates, applicant_hash: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for record in candidates.by_reference:
        if record.dossier_id:
            found.setdefault(record.dossier_id, "an identifier we wrote there")
    for dossier in candidates.by_number:
        found.setdefault(dossier.id, "the national number")
    for dossier in _agreeing(reading, candidates.by_code, applicant_hash):
        found.setdefault(dossier.id, "dossier code, procedure, agency and applicant")
    return found


def _agreeing(reading: Reading, dossiers: Iterable[DossierRow], applicant_hash: str) -> list[DossierRow]:
    return [
        dossier
        for dossier in dossiers
        if reading.dossier_code
        and dossier.dossier_code == reading.dossier_code
        and dossier.procedure_code == reading.procedure_code
        and dossier.agency_code == reading.agency_code
        and applicant_hash
        and dossier.applicant_hash == applicant_hash
    ]
