"""How a simulated ministry behaves: every quirk of ministry.md section 11 (R01 to R15) is a switch."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.clock import VIETNAM
from schemas.settings import Section

TimeForm = Literal["dmy_hms", "iso", "dmy", "dots", "digits", "null"]
_LAYOUTS = {
    "dmy_hms": "%d/%m/%Y %H:%M:%S",
    "iso": "%Y-%m-%d %H:%M:%S",
    "dmy": "%d/%m/%Y",
    "dots": "%d.%m.%Y",
    "digits": "%Y%m%d",
}


def written_time(at: datetime, form: TimeForm) -> str | None:
    """An instant as this ministry writes it: Vietnam time, no zone."""
    return None if form == "null" else at.astimezone(VIETNAM).strftime(_LAYOUTS[form])


class Script(Section):
    """What happens without an officer: a step every `step_s` of the portal's own time.

    0 switches a path off; 4 means every fourth dossier, by its number.
    """

    step_s: Annotated[float, Field(gt=0)] = 3600.0
    supplement_every: Annotated[int, Field(ge=0)] = 0
    refuse_every: Annotated[int, Field(ge=0)] = 0


class Switches(Section):
    """Options of the simulator; the defaults are the attested or likely behaviour.

    client_id, client_secret: what the token endpoint accepts; empty accepts anybody.
    units, modules: what the ministry knows; no units means any.
    script: work without officers; none by default.
    duplicate_words, text_form: how a repeat is refused, and in which case and Unicode form (R01).
    status_form: the type of the push reply's `status` (R02).
    nesting: how often the poll's `value` is serialised into a string; `xml` puts XML there (R03).
    omit_unknown: leave unknown numbers out, or answer 201 for the whole call. foreign_rows, repeat_rows: R04.
    result: how the certificate of a completed dossier is spoilt (R06).
    no_supplement_deadline (R08), time_form (R09), note_in_content (R12).
    auth_reply: how a bad token is answered: 401 in JSON or HTML, code 100 with 200, or 403 (R11).
    business_status: HTTP status of a business error.
    batch_limit: refuse a poll for more numbers; 0 is no limit.
    spoil: doubled keys or NaN in every poll (R15).
    supplements: take a push of a dossier in state 2 as its supplement, instead of refusing it.
    unknown_module: refuse or return nothing.
    """

    client_id: str = ""
    client_secret: str = ""
    token_lifetime_s: Annotated[int, Field(ge=1)] = 3600
    province_code: str = "96"
    units: tuple[str, ...] = ()
    modules: tuple[str, ...] = ("LTKS", "LTKT", "LTKH")
    script: Script | None = None
    duplicate_words: str = "Hồ sơ đã được tiếp nhận trước đó"
    text_form: Literal["plain", "upper", "nfd", "upper_nfd"] = "plain"
    status_form: Literal["text", "int", "bool", "missing"] = "text"
    nesting: Literal[0, 1, 2, "xml"] = 0
    omit_unknown: bool = True
    foreign_rows: bool = False
    repeat_rows: Literal["no", "same", "older_last", "newer_last", "no_time"] = "no"
    result: Literal["pdf", "null", "empty", "broken", "not_pdf"] = "pdf"
    no_supplement_deadline: bool = False
    time_form: TimeForm = "dmy_hms"
    note_in_content: bool = False
    auth_reply: Literal["json", "html", "code", "forbidden"] = "json"
    business_status: Annotated[int, Field(ge=200, le=499)] = 200
    batch_limit: Annotated[int, Field(ge=0)] = 0
    spoil: Literal["no", "doubled_key", "nan"] = "no"
    supplements: bool = False
    unknown_module: Literal["refuse", "nothing"] = "refuse"


def changed(switches: Switches, settings: dict[str, Any]) -> Switches:
    """The switches with some of them set anew; unknown names and values are refused."""
    return Switches.model_validate(switches.model_dump() | settings)
