"""Catalogue rows as portals publish them: agencies, sectors and whole procedures, plus period figures.

Source: npsp.md 3.1 and 7.1. A row is kept as read; what it means on a day is the catalogue's matter.
"""

from __future__ import annotations

from schemas.dossier import Agency, Channel, FeeKind, Record


class ProcedureSector(Record):
    """A field of administration a procedure belongs to."""

    sector_code: str = ""
    name: str = ""


class ProcedureLevel(Record):
    """A level of government that handles the procedure (npsp.md 4.12)."""

    level: str = ""
    name: str = ""
    agency: str = ""
    address: str = ""


class ProcedureStep(Record):
    """One step in words."""

    name: str = ""


class ProcedureCase(Record):
    """The steps of one case."""

    case: str = ""
    steps: tuple[ProcedureStep, ...] = ()


class ProcedureFee(Record):
    """A fee of a procedure, in whole đồng."""

    kind: FeeKind | None = None
    fee_vnd: int | None = None
    unit: str = ""
    note: str = ""
    url: str = ""


class ProcedureTerm(Record):
    """How long the procedure takes; `amount` is text because portals write `7`, `7,5` and words."""

    amount: str = ""
    unit: str = ""
    note: str = ""
    fees: tuple[ProcedureFee, ...] = ()


class ProcedureWay(Record):
    """One way of handing in, with its terms and fees."""

    channel: Channel | None = None
    terms: tuple[ProcedureTerm, ...] = ()
    fees: tuple[ProcedureFee, ...] = ()


class ProcedurePaper(Record):
    """A paper the regulation asks for; the same code can occur with different form files."""

    component_code: str = ""
    name: str = ""
    form_name: str = ""
    file_name: str = ""
    url: str = ""
    originals: int | None = None
    copies: int | None = None
    replacing_result_code: str = ""


class ProcedurePapers(Record):
    """The papers of one case."""

    case: str = ""
    papers: tuple[ProcedurePaper, ...] = ()


class ProcedureSubject(Record):
    """Who may apply."""

    code: str = ""
    name: str = ""


class ProcedureResult(Record):
    """A result the procedure may give."""

    result_code: str = ""
    name: str = ""
    file_name: str = ""
    url: str = ""


class LegalBasis(Record):
    """A legal document; dates stay text, portals write them in many ways."""

    number: str = ""
    name: str = ""
    issued_by: str = ""
    issued: str = ""
    in_force: str = ""
    url: str = ""


class ProcedureRow(Record):
    """One procedure as the national catalogue publishes it."""

    external_id: str = ""
    procedure_code: str = ""
    name: str = ""
    agency_code: str = ""
    kind: str = ""
    published: bool | None = None
    sectors: tuple[ProcedureSector, ...] = ()
    levels: tuple[ProcedureLevel, ...] = ()
    cases: tuple[ProcedureCase, ...] = ()
    ways: tuple[ProcedureWay, ...] = ()
    papers: tuple[ProcedurePapers, ...] = ()
    subjects: tuple[ProcedureSubject, ...] = ()
    results: tuple[ProcedureResult, ...] = ()
    legal_bases: tuple[LegalBasis, ...] = ()
    handling_agencies: tuple[Agency, ...] = ()
    competent_agencies: tuple[Agency, ...] = ()
    authorised_agencies: tuple[Agency, ...] = ()
    coordinating_agencies: tuple[Agency, ...] = ()
    related: tuple[str, ...] = ()
    interlinked: tuple[str, ...] = ()
    conditions: str = ""
    subject_note: str = ""
    address: str = ""
    decision: str = ""
    decision_id: str = ""
    keywords: str = ""
    handling_note: str = ""
    competence_note: str = ""
    note: str = ""


class StatisticsRow(Record):
    """A period's figures of one agency, as the national portal takes them; percentages stay text."""

    month: int | None = None
    year: int | None = None
    agency_code: str = ""
    agency_name: str = ""
    kind: str = ""
    received: int | None = None
    carried_over: int | None = None
    to_handle: int | None = None
    handled: int | None = None
    handled_in_time: int | None = None
    handled_in_time_percent: str = ""
    handled_late: int | None = None
    handled_late_percent: str = ""
    open: int | None = None
    open_in_time: int | None = None
    open_in_time_percent: str = ""
    open_late: int | None = None
    open_late_percent: str = ""
    note: str = ""


class Reply(Record):
    """A portal's short answer: a code and words; code and text are judged together, by the adapter."""

    code: str = ""
    text: str = ""
