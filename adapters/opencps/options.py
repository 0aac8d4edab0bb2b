"""Settings of one provincial portal entry; what no source attests is a setting here, never a constant in code."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.settings import FilePath, SecretRef, Section

Seconds = Annotated[float, Field(gt=0)]
Dimension = Literal["submit", "receive", "finish", "release", "due"]

OPEN_STATUSES = (
    "receiving", "new", "collecting", "processing", "interoperating", "handover", "waiting", "correcting",
    "paying", "pausing", "cancelling", "releasing", "posting",
)  # fmt: skip
"""Statuses after which more is expected (provincial.md 3.1)."""


class Tier(Section):
    """What is swept together, and how often.

    `by` are the dates whose windows are swept; `days` how far back from now (None: to `since`); `statuses` a filter
    (empty: all). The windows of a `whole` tier are spread evenly over `every_s`, and its end is the end of a sweep.
    """

    name: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    every_s: Seconds
    by: Annotated[tuple[Dimension, ...], Field(min_length=1)] = ("submit", "receive")
    days: Annotated[int, Field(ge=0)] | None = None
    statuses: tuple[str, ...] = ()
    whole: bool = False


TIERS = (
    Tier(name="recent", every_s=60, by=("submit", "receive", "finish"), days=7),
    Tier(name="open", every_s=600, statuses=OPEN_STATUSES),
    Tier(name="rest", every_s=86_400, whole=True),
)
"""Open and recent often, the rest spread over a day."""


class LogSettings(Section):
    """Where a log row says which status it stands for.

    `status_key`, `sub_status_key` name keys of the JSON in its payload; `texts` maps the beginning of its content
    (compared case-blind, in NFC) to a status word, for portals whose payload carries none.
    """

    status_key: str = "dossierStatus"
    sub_status_key: str = "dossierSubStatus"
    texts: dict[str, str] = Field(default_factory=dict)


class Options(Section):
    """How to reach and sweep one provincial portal.

    `base_path` occurs as `/o/rest/v2` and `/o/secure/rest/v2`; `group_id` is the site. `username` and `password` for
    Basic, or `token` for Bearer. `agency` is the list's filter: without one, rows depend on the caller's own scope.
    `since` is the first day that can hold a dossier; `ahead_days` how far beyond the portal's own today windows reach.
    `page_size`, `max_window_rows`: a window with more rows is split, down to one day; a day with more than a page is
    asked for in one go, and where the portal cuts that off, read until readings agree, at most `readings` times, pages
    overlapping by `overlap` rows.
    `window_slack_h`: a row may lie so far outside its window, because the index may count days in another zone.
    `records_per_page` is how many changed dossiers are handed over at once.
    `volatile` are further list fields that change by themselves. `by_modified` lets a moved `modifiedDate` cause a
    read of the detail; it is never a change in itself.
    `actions`: action code of the mapping -> codes of this portal; the first that it allows now is used.
    `templates`: procedure -> document set for `create`; `procedures`: national procedure code -> this portal's own, for
    `create`, and read back as the national one. `file_part`: the part a file is uploaded under where its paper names
    none, `file_parts`: component code of the paper -> part. `result_part`: the part of a result that an act hands over.
    `upload_tries`: how often an upload is made in one go; a second one changes nothing.
    `result_parts`, `result_types`: further parts (`dossierPartNo`) and kinds of parts (`dossierPartType`, whose numbers
    nobody attests) whose files are results; all other files are papers that were handed in.
    `refusals`: beginnings of a 403's description that mean no.
    `readers`: how many dossiers a sweep reads at once; the portal's budget bounds them together with everybody else.
    `read_tries`: how often a read is made in one go where no usable answer came; asking is harmless, and waits between
    are random up to `read_wait_s`, then twice that, and so on.
    `log_by` is how a log is asked for: by primary key (as the list gives it) or by reference.
    `login_hold_off_s`: after a refused login nobody tries the same password again for so long.
    """

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    base_path: Annotated[str, Field(pattern=r"^(/[\w.-]+)+$")] = "/o/rest/v2"
    group_id: Annotated[int, Field(ge=0)]
    username: str = ""
    password: SecretRef | None = None
    token: SecretRef | None = None
    agency: str = "all"
    since: date = date(2015, 1, 1)
    ahead_days: Annotated[int, Field(ge=1)] = 2
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)] = TIERS
    page_size: Annotated[int, Field(ge=2, le=5000)] = 200
    max_window_rows: Annotated[int, Field(ge=1)] = 200
    overlap: Annotated[int, Field(ge=0)] = 10
    readings: Annotated[int, Field(ge=2, le=10)] = 5
    window_slack_h: Annotated[int, Field(ge=0, le=24)] = 7
    records_per_page: Annotated[int, Field(ge=1, le=1000)] = 20
    volatile: tuple[str, ...] = ()
    by_modified: bool = True
    readers: Annotated[int, Field(ge=1, le=16)] = 4
    read_tries: Annotated[int, Field(ge=1, le=10)] = 2
    read_wait_s: Annotated[float, Field(ge=0)] = 0.5
    read_log: bool = True
    read_files: bool = False
    log: LogSettings = LogSettings()
    log_by: Literal["dossier_id", "reference"] = "dossier_id"
    actions: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    templates: dict[str, str] = Field(default_factory=dict)
    procedures: dict[str, str] = Field(default_factory=dict)
    file_part: str = "TP01"
    file_parts: dict[str, str] = Field(default_factory=dict)
    result_part: str = "KQ01"
    result_parts: tuple[str, ...] = ()
    result_types: tuple[int, ...] = ()
    upload_tries: Annotated[int, Field(ge=1, le=10)] = 3
    refusals: tuple[str, ...] = ("NoSuch",)
    login_hold_off_s: Seconds = 300
    timeout_s: Seconds | None = None
    max_body_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024 * 1024
    ca_file: FilePath = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if bool(self.token) == bool(self.username and self.password):
            raise ValueError("set username and password: ${...}, or token: ${...}")
        if self.overlap >= self.page_size:
            raise ValueError("overlap must be smaller than page_size: pages would not move on")
        if len({tier.name for tier in self.tiers}) != len(self.tiers):
            raise ValueError("two tiers have one name")
        if not any(tier.whole for tier in self.tiers):
            raise ValueError("one tier must be whole: it alone sees every dossier")
        return self

    @property
    def root(self) -> str:
        """Base URL and path; a slash at the end of the URL is one character, and only that is dropped."""
        return self.base_url.rstrip("/") + self.base_path
