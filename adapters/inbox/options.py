"""What an entry of kind `inbox` in `config.yaml` may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.settings import FilePath, SecretRef, Section
from schemas.status import DossierStatus

REPORTABLE = (
    DossierStatus.ACCEPTED,
    DossierStatus.NOT_ACCEPTED,
    DossierStatus.IN_PROGRESS,
    DossierStatus.SUPPLEMENT_REQUESTED,
    DossierStatus.PAYMENT_REQUESTED,
    DossierStatus.HALTED,
    DossierStatus.COMPLETED,
    DossierStatus.RETURNED,
)
"""What a ministry may say of its stage: all but what only the citizen does, submitting and withdrawing."""

Wait = Annotated[float, Field(gt=0)]


class Options(Section):
    """Options of one ministry's inbox.

    `statuses` are those it may report of its stage. `keep_days` is how long an item's content can be read after it was
    acknowledged. `notice_url` is where it is told that something waits; without it, it only looks. `notice_secret`
    signs the notices (`whsec_` and 24 to 64 bytes in base64, by reference). `notice_timeout_s` is the whole deadline
    of one notice, `notice_waits_s` the waits between tries; after the last one it is given up, and the item still
    waits in the inbox. `ca_file` is a bundle to trust instead of the public authorities.
    """

    statuses: tuple[DossierStatus, ...] = REPORTABLE
    keep_days: Annotated[int, Field(ge=0, le=3650)] = 30
    notice_url: Annotated[str, Field(pattern=r"^(https?://[^\s?#@]+)?$")] = ""
    notice_secret: SecretRef | Literal[""] = ""
    notice_timeout_s: Annotated[float, Field(gt=0, le=60)] = 15.0
    notice_waits_s: Annotated[tuple[Wait, ...], Field(min_length=1, max_length=20)] = (
        5.0,
        300.0,
        1800.0,
        7200.0,
        18000.0,
        36000.0,
        50400.0,
        72000.0,
        86400.0,
    )
    ca_file: FilePath = ""

    @model_validator(mode="after")
    def _sound(self) -> Options:
        if self.notice_url and not self.notice_secret:
            raise ValueError("notice_secret is needed with notice_url: a notice is always signed")
        if strange := [status.value for status in self.statuses if status not in REPORTABLE]:
            raise ValueError(f"statuses: only a citizen or the province says {', '.join(strange)}")
        return self
