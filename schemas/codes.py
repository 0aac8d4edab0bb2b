"""Identifiers as validated strings: agencies, dossiers, procedures, sectors (rules.md 3.1 to 3.6).

A code is checked where it enters and stays text for life: never rewritten, never parsed for routing. What a failed
check means is data (`SEVERITY`), so that rules can be dated and argued about without touching code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self
from unicodedata import normalize

from schemas.errors import RecordInvalidError


class Severity(StrEnum):
    """What to do with a record whose identifier fails a check."""

    REJECT = "reject"
    QUARANTINE = "quarantine"
    FLAG = "flag"


SEVERITY: Mapping[str, Severity] = {
    "agency.form": Severity.REJECT,
    "agency.unknown": Severity.QUARANTINE,
    "agency.not_in_force": Severity.QUARANTINE,
    "dossier.form": Severity.REJECT,
    "dossier.date": Severity.REJECT,
    "dossier.after_event": Severity.REJECT,
    "dossier.not_received_then": Severity.FLAG,
    "dossier.sequence_nearly_full": Severity.FLAG,
    "procedure.form": Severity.QUARANTINE,
    "procedure.unknown": Severity.QUARANTINE,
    "sector.form": Severity.FLAG,
    "personal_number.form": Severity.REJECT,
    "personal_number.sex": Severity.FLAG,
    "personal_number.birth": Severity.FLAG,
    "personal_number.future": Severity.FLAG,
    "personal_number.place": Severity.FLAG,
    "id_card.form": Severity.REJECT,
    "id_card.expired": Severity.FLAG,
    "tax_number.form": Severity.FLAG,
    "tax_number.serial": Severity.FLAG,
    "tax_number.check_digit": Severity.FLAG,
    "tax_number.branch": Severity.FLAG,
    "tax_number.too_early": Severity.FLAG,
    "unit.province": Severity.REJECT,
    "unit.district": Severity.REJECT,
    "unit.commune": Severity.REJECT,
    "unit.district_missing": Severity.FLAG,
    "unit.district_abolished": Severity.FLAG,
}
"""Rule -> what its failure means (rules.md 3)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A failed check: the rule and its severity, never the value."""

    rule: str
    severity: Severity


def finding(rule: str) -> Finding:
    """The finding of a rule, with the severity on record."""
    return Finding(rule, SEVERITY[rule])


_AGENCY_OLD = r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Y][0-9]{2}"
_AGENCY_NEW = r"[A-Y][0-9]{2}(?:\.[0-9A-Z]+)*"
_OLD = re.compile(_AGENCY_OLD).fullmatch
_NEW = re.compile(_AGENCY_NEW).fullmatch
_SCHEME = re.compile(r"Z(?:0[1-9]|[1-9][0-9])[\x21-\x7e]{1,32}").fullmatch
_DOSSIER_2018 = re.compile(rf"(?P<agency>{_AGENCY_OLD})-(?P<date>[0-9]{{6}})-(?P<sequence>[0-9]{{4}})").fullmatch
_DOSSIER_FIELD = re.compile(rf"(?P<agency>{_AGENCY_NEW})-(?P<date>[0-9]{{6}})-(?P<sequence>[0-9]{{4,6}})").fullmatch
_PROCEDURE = re.compile(
    rf"(?P<national>[1-9]\.[0-9]{{6}})(?:\.(?P<agency>{_AGENCY_OLD}|{_AGENCY_NEW}))?(?:\.(?P<service>[0-9]{{2}}))?"
).fullmatch
_PROCEDURE_PLAIN = re.compile(
    rf"(?P<national>[1-9]\.[0-9]{{6}})(?:\.(?P<agency>{_AGENCY_OLD}|{_AGENCY_NEW}))?"
).fullmatch
_SECTOR = re.compile(r"[A-Y][0-9]{2}-[A-Z0-9]+").fullmatch
_LONGEST_AGENCY = 35
_NEARLY_FULL = 9000


def tidy(text: str) -> str:
    """NFC without outer blanks; case is never changed silently."""
    return normalize("NFC", text).strip()


class AgencyForm(StrEnum):
    """Which layout an agency code has."""

    OLD = "old"
    CURRENT = "current"
    SCHEME = "scheme"


class AgencyCode(str):
    """An agency's electronic identifier, in the form its source gave it.

    Old form `000.00.19.H99` (QCVN 102:2016), current form `H99.19` (Decision 20/2020), scheme codes `Z01...`.
    The conversion between forms is a guess and not done here: use a dated mapping table.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check and keep.

        Raises:
            RecordInvalidError: No known form (rule `agency.form`).
        """
        code = cls(tidy(text))
        _ = code.form
        return code

    @property
    def form(self) -> AgencyForm:
        """Which layout it has."""
        form = _form_of(self)
        if form is None:
            raise RecordInvalidError("agency.form: no known form of an agency code", field="agency_code")
        return form

    @property
    def level_1(self) -> str:
        """The ministry's or province's own code; empty for a scheme code."""
        return {AgencyForm.OLD: self[-3:], AgencyForm.CURRENT: self[:3], AgencyForm.SCHEME: ""}[self.form]


def _form_of(code: str) -> AgencyForm | None:
    if _OLD(code):
        return AgencyForm.OLD
    if len(code) <= _LONGEST_AGENCY and _NEW(code):
        return AgencyForm.CURRENT
    return AgencyForm.SCHEME if _SCHEME(code) else None


@dataclass(frozen=True, slots=True)
class InForce:
    """When an agency code is in force; `until` is its last day, `successor` the code it is routed to."""

    since: date
    until: date | None = None
    successor: str = ""

    def covers(self, day: date) -> bool:
        """Whether `day` lies in the span."""
        return self.since <= day and (self.until is None or day <= self.until)


def check_agency(text: str, on: date, known: Mapping[str, InForce]) -> tuple[Finding, ...]:
    """Findings for an agency code at the date of the event, against a dated table."""
    code = tidy(text)
    if _form_of(code) is None:
        return (finding("agency.form"),)
    if code not in known:
        return (finding("agency.unknown"),)
    return () if known[code].covers(on) else (finding("agency.not_in_force"),)


class DossierCode(str):
    """A dossier number of Circular 01/2018 (`000.00.19.H99-260302-0001`) or its newer field form (`H99.19-...`).

    Ministries use other layouts; so check only where the source claims this one. The date is the day of receipt.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check and keep.

        Raises:
            RecordInvalidError: No known layout (`dossier.form`) or no real day (`dossier.date`).
        """
        code = cls(tidy(text))
        parts = _DOSSIER_2018(code) or _DOSSIER_FIELD(code)
        if parts is None or _form_of(parts["agency"]) is None:
            raise RecordInvalidError("dossier.form: no known layout of a dossier code", field="dossier_code")
        _ = code.received_on
        return code

    @property
    def agency(self) -> AgencyCode:
        """The agency that received the dossier."""
        return AgencyCode(self.rsplit("-", 2)[0])

    @property
    def received_on(self) -> date:
        """The day of receipt in the number: of this century, as the law that made these numbers is of 2018."""
        digits = self.rsplit("-", 2)[1]
        try:
            return date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
        except ValueError:
            reason = "dossier.date: the date in the dossier code does not exist"
            raise RecordInvalidError(reason, field="dossier_code") from None

    @property
    def sequence(self) -> int:
        """The running number of that agency on that day."""
        return int(self.rsplit("-", 1)[1])

    @property
    def is_2018(self) -> bool:
        """Whether it has the layout of Circular 01/2018."""
        return _DOSSIER_2018(self) is not None


def check_dossier(text: str, *, event_on: date | None = None, received_on: date | None = None) -> tuple[Finding, ...]:
    """Findings for a dossier number, given the days of the event and of receipt where they are known."""
    try:
        code = DossierCode.parse(text)
    except RecordInvalidError as error:
        return (finding(error.reason.partition(":")[0]),)
    rules = []
    if event_on is not None and code.received_on > event_on:
        rules.append("dossier.after_event")
    if received_on is not None and code.received_on != received_on:
        rules.append("dossier.not_received_then")
    if code.is_2018 and code.sequence >= _NEARLY_FULL:
        rules.append("dossier.sequence_nearly_full")
    return tuple(finding(rule) for rule in rules)


class ProcedureCode(str):
    """A procedure code: national `2.000815`, or with the agency that runs its own copy (`2.000815.H55`).

    An online service adds two digits to the old agency form (`2.000815.000.00.00.H55.02`).
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check and keep.

        Raises:
            RecordInvalidError: No known form (rule `procedure.form`), as local made-up codes are.
        """
        code = tidy(text)
        if _PROCEDURE_PLAIN(code) is None and _PROCEDURE(code) is None:
            raise RecordInvalidError("procedure.form: no known form of a procedure code", field="procedure_code")
        return cls(code)

    @property
    def national(self) -> str:
        """The national part, by which procedures are compared."""
        return self[:8]

    @property
    def agency(self) -> str:
        """The agency in it; empty for a national code."""
        parts = _PROCEDURE_PLAIN(self) or _PROCEDURE(self)
        return (parts["agency"] or "") if parts else ""


def check_procedure(text: str, known: frozenset[str] | None = None) -> tuple[Finding, ...]:
    """Findings for a procedure code; `known` is the national list at the event's date."""
    try:
        code = ProcedureCode.parse(text)
    except RecordInvalidError:
        return (finding("procedure.form"),)
    return () if known is None or code.national in known else (finding("procedure.unknown"),)


def check_sector(text: str) -> tuple[Finding, ...]:
    """Findings for a sector code such as `G03-GD10`."""
    return () if _SECTOR(tidy(text)) else (finding("sector.form"),)
