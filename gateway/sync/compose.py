"""From a planned step to frozen bytes: canonical values through the mapping into the portal's words."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from adapters.base import DeliveryClass, FileUse, JsonValue, Operation
from gateway.store.rows import Json
from gateway.sync.case import KEY_SPACE, Case
from gateway.sync.dossiers import event_values
from gateway.sync.files import Carrier, Missing
from gateway.sync.offers import only_agency, own_code
from gateway.sync.plan import Step
from schemas.status import DossierStatus


@dataclass(frozen=True, slots=True)
class Composed:
    """Frozen bytes of one call. `content` is what the shadow becomes when a snapshot is proven."""

    operation: Operation
    key: str
    key_uuid: str
    body: bytes
    members: tuple[str, ...]
    cause: str
    content: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """Id -> SHA-256 of each file that the bytes name."""
    links: tuple[str, ...] = ()
    """Ids of the files of which an address is written."""
    missing: tuple[Missing, ...] = ()
    """Files it should carry and cannot yet."""


def compose(case: Case, step: Step, key: str) -> Composed:
    """Localise a step and freeze its bytes.

    Raises:
        NotSendableError: A required value is missing; nothing is invented (I11).
    """
    operation = case.portal.adapter.abilities.operations[step.operation]
    message = case.portal.vocabulary.messages[operation.message]
    key_uuid = str(uuid.uuid5(KEY_SPACE, key))
    wire: JsonValue
    content: dict[str, str] = {}
    carried = case.carrier(operation)
    if step.klass is DeliveryClass.APPEND:
        wire = [message.localise(row) for row in _rows(case, step)]
    elif step.klass is DeliveryClass.SNAPSHOT:
        written = case.written(operation)
        wire, carried = message.localise(written.values), written.carried
        content = dict(case.snapshot().content)
    elif message.target == "command":
        wire = message.localise(_command(case, step, key_uuid, carried))
    else:
        written = case.written(operation)
        carried, values = written.carried, written.values
        wire = message.localise(_to_be_made(case, values) if step.verb == "create_dossier" else values)
    body = wire if isinstance(wire, bytes) else orjson.dumps(wire)
    return Composed(
        operation,
        key,
        key_uuid,
        body,
        step.members,
        step.cause,
        content,
        carried.files,
        tuple(carried.linked),
        tuple(carried.missing),
    )


def _to_be_made(case: Case, values: dict[str, Any]) -> dict[str, Any]:
    """A dossier born elsewhere, in its handler's terms: the handler's own code of its procedure, and its agency.

    Where it names no agency, the only one that handles its procedure gets it.
    """
    handler, procedure = case.portal.name, case.view.row.procedure_code
    if not procedure:
        return values
    code, agency = case.shop.store.read(
        lambda tx: (own_code(tx, handler, procedure), only_agency(tx, handler, procedure))
    )
    if code:
        values = {**values, "procedure": {**values.get("procedure", {}), "local_code": code}}
    if agency and not (values.get("handling_agency") or {}).get("agency_code"):
        values = {**values, "handling_agency": {"agency_code": agency}}
    return values


def _rows(case: Case, step: Step) -> list[dict[str, Any]]:
    wanted = set(step.members)
    number = case.external_id
    return [event_values(event, case.held, number) for event in case.view.owned() if event.id in wanted]


def _command(case: Case, step: Step, key_uuid: str, carried: Carrier) -> dict[str, Any]:
    """A command's values; our key stands at the end of its note (S11, S21).

    A term of the stage that caused it (until when a ministry waits for papers) is not the dossier's due date and is
    never sent as one (I12).
    """
    wanted = step.wanted
    values: dict[str, Any] = {"key": key_uuid, "dossier_code": case.view.number}
    said: dict[str, Any] = {}
    if wanted is not None:
        said = event_values(wanted.cause, case.held, case.view.number)
        if wanted.act is not None:
            values["status"] = DossierStatus(wanted.act.act)
            said["note"] = ": ".join(text for text in (wanted.act.note, said.get("note", "")) if text)
    values["note"] = f"{said.get('note', '')} [lt:{key_uuid}]".strip()
    if said.get("officer"):
        values["officer"] = said["officer"]
    if wanted is not None and step.verb == "supplement":
        papers = case.held.facts.get(wanted.cause.portal, {}).get("documents") or ()
        named = [paper for paper in papers if paper.get("reference")]
        values["form"] = {"documents": _rows_with_files(carried, wanted.cause.portal, named)}
    elif wanted is not None and wanted.stages:
        rows = {name: case.held.facts.get(name, {}).get("results") or () for name in wanted.stages}
        values["form"] = {
            "results": [row for name, listed in rows.items() for row in _rows_with_files(carried, name, listed)]
        }
    return values


def _rows_with_files(carried: Carrier, portal: str, rows: Iterable[Json]) -> list[Json]:
    """Rows of a command as they travel."""
    return list(rows) if carried.use is FileUse.NONE else carried.rows(portal, rows)
