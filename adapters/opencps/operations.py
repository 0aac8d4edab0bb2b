"""The writes of this kind, what each promises, and the forms they are sent as (provincial.md 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from adapters.base import (
    Abilities,
    Delivery,
    DeliveryClass,
    EventIdentity,
    FileUse,
    Operation,
    ProbeStrength,
    Repeat,
)
from adapters.opencps.identity import reference_of
from adapters.opencps.options import Options

FILES = "lienThongTep"
"""The field of a frozen body that names stored files; ours, never sent."""
OWN_CODE = "lienThongMaThuTuc"
"""The field of a frozen birth that holds the portal's own code of the procedure; ours, sent as `serviceCode`."""
_PAPER = ("reference", "displayName", "dossierPartNo", "fileType")


@dataclass(frozen=True, slots=True)
class Paper:
    """One stored file to upload: how our own store knows it, and what the portal shows of it."""

    reference: str
    name: str = field(default="", repr=False)
    part_no: str = ""
    file_type: str = ""


CATALOGUES = ("serviceinfos", "GOVERNMENT_AGENCY", "ADMINISTRATIVE_REGION", "DOSSIER_STATUS", "VNPOST_CITY_CODE")

ACTION = Operation(
    "action", DeliveryClass.COMMAND, "action", Repeat.UNKNOWN, ProbeStrength.CONTENT, files=FileUse.CONTENT
)
"""An act; the results it hands over are uploaded before it."""
PUBLISH = Operation("publish", DeliveryClass.SNAPSHOT, "publish", Repeat.SAFE, ProbeStrength.CONTENT, creates=True)
INFORM = Operation("inform", DeliveryClass.COMMAND, "inform", Repeat.SAFE, ProbeStrength.CONTENT)
SUPPLEMENT = Operation(
    "supplement", DeliveryClass.COMMAND, "supplement", Repeat.UNKNOWN, ProbeStrength.CONTENT, files=FileUse.CONTENT
)
"""The citizen's further papers: uploaded, then the act that goes on with them."""
CONFIRM_PAYMENT = Operation(
    "confirm_payment", DeliveryClass.COMMAND, "confirm_payment", Repeat.UNKNOWN, ProbeStrength.CONTENT
)
"""The act that says a fee is paid. The portal's payment resource has no public fields, so the act's note carries it."""
CREATE = Operation(
    "create",
    DeliveryClass.COMMAND,
    "create",
    Repeat.MOVES_DATES,
    ProbeStrength.PRESENCE,
    creates=True,
    files=FileUse.CONTENT,
)
"""Its reference is made from the national number, so presence proves it whatever was done to the dossier since."""

ACTS = frozenset({ACTION.name, SUPPLEMENT.name, CONFIRM_PAYMENT.name})
"""Operations that are status changes: one call to `actions`, our key in its note."""

ALTERNATIVES = {"2001": ("2001", "1401")}
"""Where a dossier stood decides which act takes up further papers: after a supplement, or after a correction."""

ABILITIES = Abilities(
    operations={
        operation.name: operation for operation in (ACTION, SUPPLEMENT, CONFIRM_PAYMENT, PUBLISH, INFORM, CREATE)
    },
    pulls=True,
    fetches=True,
    catalogues=CATALOGUES,
    opens_files=True,
    create=PUBLISH.name,
    update=PUBLISH.name,
    commands={
        "act": ACTION.name,
        "supplement": SUPPLEMENT.name,
        "confirm_payment": CONFIRM_PAYMENT.name,
        "inform": INFORM.name,
        "create_dossier": CREATE.name,
    },
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
    form = {name: _text(value) for name, value in body.items() if value is not None and name != FILES}
    if delivery.operation in ACTS:
        note = form.get("actionNote", "")
        mark = marker(delivery)
        form["actionNote"] = note if mark in note.casefold() else f"{note} {mark}".strip()
    if delivery.operation == CREATE.name:
        form.setdefault("referenceUid", reference_of(form.get("originDossierNo", "")))
        national = form.get("serviceCode", "")
        own = form.pop(OWN_CODE, "") or national
        form["serviceCode"] = options.procedures.get(national, own)
        if template := options.templates.get(form["serviceCode"]) or options.templates.get(national):
            form.setdefault("dossierTemplateNo", template)
    return form


def papers_of(delivery: Delivery) -> tuple[Paper, ...]:
    """The files that a frozen body names; never part of a form.

    Raises:
        ValueError: They are no list of papers.
    """
    listed = orjson.loads(delivery.body).get(FILES) or []
    rows = orjson.loads(listed) if isinstance(listed, str) else listed
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("the papers are no list")
    papers = (Paper(*(str(row.get(name) or "") for name in _PAPER)) for row in rows)
    return tuple({paper.reference: paper for paper in papers if paper.reference}.values())


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
    return options.actions.get(code) or ALTERNATIVES.get(code) or (code,)
