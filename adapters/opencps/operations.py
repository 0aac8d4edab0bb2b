"""The writes of this kind, what each promises, and the forms they are sent as (provincial.md 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from adapters.base import Abilities, Delivery, DeliveryClass, EventIdentity, Operation, ProbeStrength, Repeat
from adapters.opencps.identity import reference_of
from adapters.opencps.options import Options

CATALOGUES = ("serviceinfos", "GOVERNMENT_AGENCY", "ADMINISTRATIVE_REGION", "DOSSIER_STATUS", "VNPOST_CITY_CODE")

ACTION = Operation("action", DeliveryClass.COMMAND, "action", Repeat.UNKNOWN, ProbeStrength.CONTENT)
PUBLISH = Operation("publish", DeliveryClass.SNAPSHOT, "publish", Repeat.SAFE, ProbeStrength.CONTENT, creates=True)
INFORM = Operation("inform", DeliveryClass.COMMAND, "inform", Repeat.SAFE, ProbeStrength.CONTENT)
CREATE = Operation("create", DeliveryClass.COMMAND, "create", Repeat.MOVES_DATES, ProbeStrength.PRESENCE, creates=True)
"""Its reference is made from the national number, so presence proves it whatever was done to the dossier since."""

ABILITIES = Abilities(
    operations={operation.name: operation for operation in (ACTION, PUBLISH, INFORM, CREATE)},
    pulls=True,
    fetches=True,
    catalogues=CATALOGUES,
    opens_files=True,
    create=PUBLISH.name,
    update=PUBLISH.name,
    commands={"act": ACTION.name, "inform": INFORM.name, "create_dossier": CREATE.name},
    identity=EventIdentity.ACT,
    reads_content=True,
)


def form_of(delivery: Delivery, options: Options) -> dict[str, str]:
    """The form a delivery's frozen body is sent as: texts only, our key in the note of an act.

    Raises:
        ValueError: The body is no JSON object.
    """
    body = orjson.loads(delivery.body)
    if not isinstance(body, dict):
        raise ValueError("the body of a delivery of this kind is one JSON object")
    form = {name: _text(value) for name, value in body.items() if value is not None}
    if delivery.operation == ACTION.name:
        note = form.get("actionNote", "")
        mark = marker(delivery)
        form["actionNote"] = note if mark in note.casefold() else f"{note} {mark}".strip()
    if delivery.operation == CREATE.name:
        form.setdefault("referenceUid", reference_of(form.get("originDossierNo", "")))
        if template := options.templates.get(form.get("serviceCode", "")):
            form.setdefault("dossierTemplateNo", template)
    return form


def marker(delivery: Delivery) -> str:
    """How our key stands in a note."""
    return f"[lt:{delivery.key_uuid.casefold()}]"


def _text(value: Any) -> str:
    """A form field: nested values travel as JSON strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(value)


def candidates(form: Mapping[str, str], options: Options) -> tuple[str, ...]:
    """The action codes of this portal that stand for the mapping's code, in order of preference."""
    code = form.get("actionCode", "")
    return options.actions.get(code) or (code,)
