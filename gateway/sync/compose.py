"""From a planned step to frozen bytes: canonical values through the mapping into the portal's words."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import orjson

from adapters.base import DeliveryClass, JsonValue, Operation
from gateway.sync.case import KEY_SPACE, Case
from gateway.sync.dossiers import event_values
from gateway.sync.offers import only_agency
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
    if step.klass is DeliveryClass.APPEND:
        wire = [message.localise(row) for row in _rows(case, step)]
    elif step.klass is DeliveryClass.SNAPSHOT:
        wire = message.localise(case.values())
        content = dict(case.snapshot().content)
    elif message.target == "command":
        wire = message.localise(_command(case, step, key_uuid))
    else:
        wire = message.localise(_to_be_made(case) if step.verb == "create_dossier" else case.values())
    body = wire if isinstance(wire, bytes) else orjson.dumps(wire)
    return Composed(operation, key, key_uuid, body, step.members, step.cause, content)


def _to_be_made(case: Case) -> dict[str, Any]:
    """A dossier born elsewhere; where it names no agency, the only one that handles its procedure gets it."""
    values, handler, procedure = case.values(), case.portal.name, case.view.row.procedure_code
    if (values.get("handling_agency") or {}).get("agency_code") or not procedure:
        return values
    agency = case.shop.store.read(lambda tx: only_agency(tx, handler, procedure))
    return {**values, "handling_agency": {"agency_code": agency}} if agency else values


def _rows(case: Case, step: Step) -> list[dict[str, Any]]:
    wanted = set(step.members)
    number = case.external_id
    return [event_values(event, case.held, number) for event in case.view.owned() if event.id in wanted]


def _command(case: Case, step: Step, key_uuid: str) -> dict[str, Any]:
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
        values["form"] = {"documents": [paper for paper in papers if paper.get("reference")]}
    return values
