"""What people at the portal, and the oracle, see: records, histories, effects of API calls, legal dates."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from adapters.opencps.simulated.entity import Dossier
from adapters.opencps.simulated.shelf import Shelf
from adapters.opencps.simulated.views import detail
from adapters.simulation import Book

_KEY = re.compile(r"\[lt:([0-9a-fA-F-]{36})\]")


def records(shelf: Shelf) -> dict[str, Any]:
    """Reference -> everything the portal shows of the dossier now, without passwords."""
    return {
        dossier.reference_uid: detail(dossier, shelf.process.steps.get(dossier.step), "as_stored")
        for dossier in shelf.dossiers.values()
    }


def history(shelf: Shelf, reference_uid: str = "") -> Any:
    """Every act of every dossier in the order done, with its instant in UTC; of one dossier when named."""
    if reference_uid:
        dossier = shelf.by_uid(reference_uid)
        return None if dossier is None else _acts(dossier)
    return {dossier.reference_uid: _acts(dossier) for dossier in shelf.dossiers.values()}


def _acts(dossier: Dossier) -> list[dict[str, Any]]:
    undone = {row.action_id for row in dossier.actions} - _standing(dossier)
    acts: list[dict[str, Any]] = [
        {
            "dossierActionId": row.action_id,
            "actionCode": row.code,
            "status": row.status,
            "subStatus": row.sub_status,
            "at": row.at,
            "note": row.note,
            "user": row.user,
            "call": row.call,
            "key": _key(row.note),
            "undone": row.action_id in undone,
        }
        for row in dossier.actions
    ]
    return acts


def _standing(dossier: Dossier) -> set[int]:
    standing, current = set(), dossier.action_id
    while current and (row := dossier.row(current)) is not None:
        standing.add(current)
        current = row.previous_id
    return standing


def effects(book: Book) -> list[dict[str, Any]]:
    """What API calls did, oldest first, with our key where the note carries one."""
    return [
        {**effect, "lt": _key(str(effect["content"].get("actionNote", "")))}
        for effect in book.effects()
        if effect["call"]
    ]


def files(shelf: Shelf, reference_uid: str = "") -> Any:
    """The files of every dossier as they lie here, each with the SHA-256 of its bytes; of one dossier when named."""
    if reference_uid:
        dossier = shelf.by_uid(reference_uid)
        return None if dossier is None else _files(dossier)
    return {dossier.reference_uid: _files(dossier) for dossier in shelf.dossiers.values() if dossier.files}


def _files(dossier: Dossier) -> list[dict[str, Any]]:
    return [
        {
            "referenceUid": file.reference_uid,
            "dossierPartNo": file.part_no,
            "displayName": file.name,
            "fileType": file.file_type,
            "version": file.version,
            "removed": file.removed,
            "at": file.at,
            "size": None if file.content is None else len(file.content),
            "sha256": None if file.content is None else hashlib.sha256(file.content).hexdigest(),
        }
        for file in dossier.files
    ]


def legal(shelf: Shelf) -> dict[str, Any]:
    """Reference -> every set of submit, receive and due date ever shown, with what moved them."""
    return {dossier.reference_uid: dossier.legal for dossier in shelf.dossiers.values()}


def _key(note: str) -> str:
    found = _KEY.findall(note)
    return str(found[-1]) if found else ""
