"""The bodies of `/v1/inbox`, strict: what is not described here is refused. Examples hold synthetic persons only."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

ITEM_ID = "5f0d4d0e-7a55-5b0c-9a39-2f6f1d1c8e01"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
REPORT_ID = "8c1b7a52-2f0a-5d1e-8c7e-0f4a3c2b1d10"
FILE_ID = "c2a1f0de-3b4c-5d6e-8f70-1a2b3c4d5e6f"

MOST_RESULTS = 20
MOST_TEXT = 5000
_LETTER = r"[^\x00-\x08\x0B-\x1F\x7F]"
_READABLE = rf"^{_LETTER}*$"
_NOT_BLANK = rf"^{_LETTER}*[^\x00-\x20\x7F]{_LETTER}*$"
_BASE64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"


_DAY = r"\d{4}-\d\d-\d\d"


def _written(pattern: str) -> BeforeValidator:
    """Only text of this form: a number would be read as seconds since 1970."""
    form = re.compile(pattern, re.ASCII)

    def check(value: Any) -> Any:
        if not isinstance(value, str) or not form.fullmatch(value):
            raise ValueError("write it by RFC 3339")
        return value

    return BeforeValidator(check)


Instant = Annotated[AwareDatetime, _written(rf"{_DAY}[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")]
Day = Annotated[date, _written(_DAY)]
Line = Annotated[str, Field(max_length=300, pattern=_READABLE)]
Text = Annotated[str, Field(max_length=MOST_TEXT, pattern=_READABLE)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Status = Literal[
    "accepted",
    "not_accepted",
    "in_progress",
    "supplement_requested",
    "payment_requested",
    "halted",
    "completed",
    "returned",
]
"""`adapters.inbox.options.REPORTABLE`, spelt out for the description; a test compares them."""


class Body(BaseModel):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ItemSummary(Body):
    """One hand-over as it is listed."""

    item_id: str = Field(examples=[ITEM_ID])
    operation: Literal["declare", "amend", "supplement", "cancel"]
    state: Literal["waiting", "acknowledged", "refused", "withdrawn"]
    dossier_code: str = Field(examples=["H99.1-261123-0001"])
    digest: Digest = Field(description="SHA-256 of the content, byte for byte", examples=[DIGEST])
    offered_at: datetime
    settled_at: datetime | None = None


class ItemPage(Body):
    """Items in the order in which they were offered."""

    items: list[ItemSummary]
    next: str = Field(description="Give it as `after` to go on from here; keep it", examples=["1f-09c3ab"])
    more: bool = Field(description="Whether more wait behind `next` already")


class AttachmentSummary(Body):
    """One file of the item's dossier."""

    attachment_id: str = Field(examples=[FILE_ID])
    name: str = Field(examples=["don-de-nghi.pdf"])
    media_type: str = Field(examples=["application/pdf"])
    size: int
    sha256: Digest = Field(examples=[DIGEST])
    path: str = Field(examples=[f"/v1/inbox/items/{ITEM_ID}/attachments/{FILE_ID}"])


class ItemDetail(ItemSummary):
    """One hand-over with all that belongs to it."""

    content_path: str = Field(examples=[f"/v1/inbox/items/{ITEM_ID}/content"])
    attachments: list[AttachmentSummary]
    reportable: list[str] = Field(description="The statuses you may report", examples=[["accepted", "completed"]])


class AcknowledgementBody(Body):
    """That you have stored the content with this digest."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"digest": DIGEST}]})
    digest: Digest


class AcknowledgementReply(Body):
    """Our word that your acknowledgement is kept; the same at every repeat."""

    acknowledgement_id: str = Field(examples=[REPORT_ID])
    item_id: str = Field(examples=[ITEM_ID])
    digest: Digest = Field(examples=[DIGEST])
    acknowledged_at: datetime


class RefusalBody(Body):
    """Why you do not take the item. The reason is shown to the province and to the citizen."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"digest": DIGEST, "reason": "Hồ sơ không thuộc thẩm quyền giải quyết"}]},
    )
    digest: Digest
    reason: Annotated[str, Field(min_length=3, max_length=MOST_TEXT, pattern=_NOT_BLANK)]


class ResultFile(Body):
    """A result paper. `content` is the file in base64; without it, only its description is handed on."""

    name: Line
    document_id: Line | None = None
    number: Line | None = None
    code: Line | None = None
    media_type: Annotated[str, Field(pattern=r"^[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80}$")] | None = None
    issued_on: Day | None = None
    signer: Line | None = None
    content: Annotated[str, Field(min_length=4, pattern=_BASE64)] | None = None


class ReportBody(Body):
    """How your stage of the dossier stands."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "status": "supplement_requested",
                    "occurred_at": "2026-11-23T09:30:00+07:00",
                    "note": "Đề nghị bổ sung bản sao giấy đăng ký",
                    "due_at": "2026-12-01T17:00:00+07:00",
                },
                {
                    "status": "completed",
                    "occurred_at": "2026-11-30T15:00:00+07:00",
                    "results": [{"name": "Giấy phép", "number": "12/GP", "issued_on": "2026-11-30"}],
                },
            ]
        },
    )
    status: Status
    occurred_at: Instant
    note: Text | None = None
    officer: Line | None = None
    officer_title: Line | None = None
    handling_unit: Line | None = None
    due_at: Instant | None = None
    results: Annotated[tuple[ResultFile, ...], Field(max_length=MOST_RESULTS)] = ()


class ReportReply(Body):
    """What became of a report; the same at every repeat."""

    report_id: str = Field(examples=[REPORT_ID])
    result: Literal["taken", "corrected"] = Field(
        description="`corrected`: this Idempotency-Key came before with other content, which it replaces"
    )
    received_at: datetime


class ProblemBody(BaseModel):
    """Why not (RFC 9457). `code` never changes its meaning; docs/inbox.md says what to do about each."""

    type: str = Field(examples=["urn:lienthong:inbox:digest_differs"])
    title: str
    status: int
    code: str = Field(examples=["digest_differs"])
    detail: str | None = None
    errors: list[dict[str, str]] | None = None
