"""The shared model of a dossier: what every mapping reads into and writes from.

Every field is optional, because no portal shows a whole dossier: a record of one portal is a `Dossier` with
holes, and absence is never filled in (I11). Texts are NFC; instants are aware and in UTC; dates end in `_on`.
Source of the field set: npsp.md 3.2, provincial.md 2, ministry.md 1 and 2; vocabulary: `docs/glossary.md`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from schemas.status import DossierStatus, StatusEvent

SCHEMA_VERSION = "1.1"
"""Version of `published/dossier.schema.json`: the first number changes when a reader must change."""


class Channel(StrEnum):
    """How a dossier was handed in (npsp.md 4.2)."""

    IN_PERSON = "in_person"
    ONLINE = "online"
    POST = "post"


class ApplicantKind(StrEnum):
    """Who the dossier is for (npsp.md 4.3)."""

    CITIZEN = "citizen"
    BUSINESS = "business"
    STATE_BODY = "state_body"
    ORGANISATION = "organisation"


class IdentityKind(StrEnum):
    """What sort of number identifies a person or body (npsp.md 4.9, rules.md 3.7, 3.8)."""

    PERSONAL_NUMBER = "personal_number"
    ID_CARD = "id_card"
    PASSPORT = "passport"
    TAX_NUMBER = "tax_number"
    OTHER = "other"


class ReturnMethod(StrEnum):
    """How the result is handed over (npsp.md 4.4)."""

    COUNTER = "counter"
    POST = "post"
    ONLINE = "online"


class SubmittedVia(StrEnum):
    """Where the dossier was submitted (npsp.md 4.5)."""

    NATIONAL_PORTAL = "national_portal"
    LOCAL_PORTAL = "local_portal"


class OnlinePayment(StrEnum):
    """Whether and where it was paid online (npsp.md 4.6)."""

    NONE = "none"
    NATIONAL_PORTAL = "national_portal"
    LOCAL_PORTAL = "local_portal"
    NOT_ONLINE = "not_online"


class Reuse(StrEnum):
    """Where a document's content was taken from (npsp.md 4.8)."""

    NONE = "none"
    COMPONENT = "component"
    RESULT = "result"


class FeeKind(StrEnum):
    """Phí and lệ phí (npsp.md 4.11)."""

    CHARGE = "charge"
    FEE = "fee"


class Record(BaseModel):
    """Base of all parts: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Agency(Record):
    """An agency, by code where known; some portals give only a name. Codes are opaque (npsp.md 1.4)."""

    agency_code: str = ""
    name: str = ""
    level: str = ""
    parent_code: str = ""


class Sector(Record):
    """A field of administration (lĩnh vực); `agency_code` is the ministry that owns it."""

    sector_code: str = ""
    name: str = ""
    agency_code: str = ""


class Procedure(Record):
    """The procedure of a dossier; `local_code` is the province's own where it differs."""

    procedure_code: str = ""
    name: str = ""
    sector_code: str = ""
    sector_name: str = ""
    local_code: str = ""
    service_code: str = ""
    template: str = ""
    level: str = ""


class Identity(Record):
    """One identifying number of a person or body."""

    kind: IdentityKind | None = None
    number: str = ""
    issued_on: date | None = None
    issued_by: str = ""


class Address(Record):
    """An address; district codes only for events before 2025-07-01 (rules.md 3.9). Codes stay text."""

    text: str = ""
    province_code: str = ""
    province_name: str = ""
    district_code: str = ""
    district_name: str = ""
    commune_code: str = ""
    commune_name: str = ""


class Person(Record):
    """A person or body: `identity_number` is the first identity, `identities` all that a portal lists."""

    kind: ApplicantKind | None = None
    name: str = ""
    account_id: str = ""
    identity_number: str = ""
    identity_issued_on: date | None = None
    identity_issued_by: str = ""
    identities: tuple[Identity, ...] = ()
    email: str = ""
    fax: str = ""
    phone: str = ""
    address: Address = Address()
    birth_on: date | None = None
    sex: str = ""
    note: str = ""


class Applicant(Person):
    """For whom the dossier is (chủ hồ sơ)."""


class Submitter(Person):
    """Who handed it in (người nộp)."""


class SubmittedDocument(Record):
    """A paper handed in (giấy tờ nộp); `url` is where the holder serves the file, `digest` its SHA-256."""

    document_id: str = ""
    reference: str = ""
    name: str = ""
    component_code: str = ""
    url: str = ""
    media_type: str = ""
    size: int | None = None
    content: str = ""
    digest: str = ""
    deleted: bool | None = None
    digitised: bool | None = None
    reuse: Reuse | None = None
    from_personal_store: bool | None = None
    replacing_result_code: str = ""
    modified_at: AwareDatetime | None = None
    note: str = ""


class OtherPaper(Record):
    """Another paper received, not part of the regulation's list."""

    name: str = ""
    quantity: int | None = None
    kind: int | None = None


class Fee(Record):
    """A fee or charge; `fee_vnd` in whole đồng."""

    name: str = ""
    fee_code: str = ""
    method: str = ""
    fee_vnd: int | None = None
    kind: FeeKind | None = None
    paid: bool | None = None
    note: str = ""


class ResultPaper(Record):
    """A result handed over (giấy tờ kết quả)."""

    document_id: str = ""
    reference: str = ""
    name: str = ""
    component_code: str = ""
    result_code: str = ""
    number: str = ""
    url: str = ""
    media_type: str = ""
    size: int | None = None
    content: str = ""
    digest: str = ""
    issued_on: date | None = None
    issued_at: AwareDatetime | None = None
    signer: str = ""
    note: str = ""


class Supplement(Record):
    """A request for supplement and its answer."""

    supplement_id: str = ""
    requested_by: str = ""
    text: str = ""
    requested_at: AwareDatetime | None = None
    received_by: str = ""
    received_text: str = ""
    received_at: AwareDatetime | None = None
    done: bool | None = None
    documents: tuple[SubmittedDocument, ...] = ()
    fees: tuple[Fee, ...] = ()
    previous_due_at: AwareDatetime | None = None
    new_due_at: AwareDatetime | None = None


class Database(Record):
    """A national database that was consulted."""

    code: str = ""


class Origin(Record):
    """Where a record stands in its own portal: copies of other desks, locks, parents."""

    originality: int | None = None
    lock_state: str = ""
    parent_id: str = ""
    parent_reference: str = ""
    step_code: str = ""
    step_name: str = ""
    server_number: str = ""
    act_id: str = ""


class Dossier(Record):
    """One dossier as one portal shows it, or as we hold it.

    `reference` is the key we use at a portal (for example a `referenceUid` of ours), `external_id` the portal's
    own primary key as text, `national_code` the number first accepted at the national portal (sync.md S1).
    `form` is what the procedure's electronic form holds: JSON whose keys belong to that form, not to us.
    """

    dossier_code: str = ""
    national_code: str = ""
    reference: str = ""
    external_id: str = ""
    receipt_number: str = ""
    origin_reference: str = ""
    procedure: Procedure = Procedure()
    handling_agency: Agency = Agency()
    receiving_agency: Agency = Agency()
    handling_unit: str = ""
    handling_officer: str = ""
    channel: Channel | None = None
    applicant: Applicant = Applicant()
    submitter: Submitter = Submitter()
    abstract: str = ""
    other_information: str = ""
    submitted_at: AwareDatetime | None = None
    received_at: AwareDatetime | None = None
    processed_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    returned_at: AwareDatetime | None = None
    refused_at: AwareDatetime | None = None
    withdrawn_at: AwareDatetime | None = None
    extended_at: AwareDatetime | None = None
    created_at: AwareDatetime | None = None
    modified_at: AwareDatetime | None = None
    return_method: ReturnMethod | None = None
    return_information: str = ""
    note: str = ""
    submitted_via: SubmittedVia | None = None
    digitised: bool | None = None
    vneid_verified: bool | None = None
    online_payment: OnlinePayment | None = None
    databases: tuple[Database, ...] = ()
    documents: tuple[SubmittedDocument, ...] = ()
    other_papers: tuple[OtherPaper, ...] = ()
    supplements: tuple[Supplement, ...] = ()
    fees: tuple[Fee, ...] = ()
    results: tuple[ResultPaper, ...] = ()
    origin: Origin = Origin()
    state: StatusEvent = StatusEvent()
    form: dict[str, Any] = {}


class Command(Record):
    """What one portal is asked to do: a status to reach, why, and our key for the wires that carry it."""

    status: DossierStatus | None = None
    wire: str = ""
    sub_wire: str = ""
    verb: str = ""
    note: str = ""
    reason: str = ""
    officer: str = ""
    officer_title: str = ""
    handling_unit: str = ""
    key: str = ""
    due_at: AwareDatetime | None = None
    occurred_at: AwareDatetime | None = None
    dossier_code: str = ""
    national_code: str = ""
    reference: str = ""
    external_id: str = ""
    form: dict[str, Any] = {}


def utc(instant: datetime) -> datetime:
    """Give the same instant in UTC.

    Raises:
        ValueError: The instant has no zone; a naive time is never an instant.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC)
