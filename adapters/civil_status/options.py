"""Options of one civil-status portal: what is unknown of the ministry's side is a setting here.

Source: ministry.md sections 2 and 10.3. Names of modules and paths depend on the province's platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from schemas.errors import ConfigError
from schemas.settings import FilePath, SecretRef, Section

BIRTH, DEATH, MARRIAGE = "LTKS", "LTKT", "LTKH"

PROCEDURE_MODULES: dict[str, str] = {
    "1.001193": BIRTH,
    "1.000689": BIRTH,
    "1.003583": BIRTH,
    "1.004772": BIRTH,
    "1.004884": BIRTH,
    "2.000528": BIRTH,
    "2.000986": BIRTH,
    "2.001023": BIRTH,
    "1.000656": DEATH,
    "1.000419": DEATH,
    "1.001766": DEATH,
    "1.005461": DEATH,
    "1.000894": MARRIAGE,
    "1.000593": MARRIAGE,
    "1.004746": MARRIAGE,
    "2.000806": MARRIAGE,
}
"""Which module of the ministry serves which procedure of the sector: our reading of the names, not attested."""


RESULT_FILES: dict[str, str] = {BIRTH: "giayKhaiSinh", DEATH: "giayKhaiTu"}
"""The field of `ketQuaXuLy` that holds the certificate, by module; the shape of a marriage result is unknown."""


class TokenLogin(StrEnum):
    """How the client's key and secret travel to the token endpoint; platforms differ."""

    BASIC = "basic"
    FORM = "form"
    JSON = "json"


class SupplementBy(StrEnum):
    """How a supplement goes back to the ministry. Not attested, so off unless the ministry agreed to it."""

    NONE = "none"
    PUSH_AGAIN = "push_again"


class ErrorMeaning(StrEnum):
    """What a business error code asks of us."""

    AUTH = "auth"
    FINAL = "final"
    RETRY = "retry"


ERROR_CODES: dict[str, ErrorMeaning] = {
    "100": ErrorMeaning.AUTH,
    "101": ErrorMeaning.AUTH,
    "106": ErrorMeaning.FINAL,
    "108": ErrorMeaning.FINAL,
    "200": ErrorMeaning.RETRY,
    "201": ErrorMeaning.RETRY,
    "302": ErrorMeaning.FINAL,
    "500": ErrorMeaning.FINAL,
}
"""The guide's codes (ministry.md 2.5); that the current generation uses the same ones is likely, not attested."""


class Paths(Section):
    """Where the three operations live below `base_url`."""

    token: str = "/token"  # noqa: S105 - a path
    push: str = "/NhanDKHT"
    poll: str = "/LayKetQua"


class Options(Section):
    """The `options` of a portal entry of kind `civil_status`.

    `units` turns our agency codes into the ministry's `maDonVi`; empty means they are equal.
    `modules` turns procedure codes (a local suffix is left out) into the ministry's module.
    `batch` is how many numbers one poll asks for; the attested client never asks for more than 3.
    `poll_tries` is how often a poll that the portal did not answer is tried at once.
    `round_limit` is how many open dossiers one pull asks about; the next pull goes on behind them.
    `result_patience` is how many polls a completed dossier may stay without a readable result file,
    or fail alone, before a person is told.
    `completed_states` are the wire states that promise a result, `result_files` where its file lies.
    `max_push_bytes` is how much the files of one push may hold together, in Base64; a larger one is refused here.
    `omission_means_absent`: the ministry is known to leave unknown numbers out, so that an
    omitted number proves absence. Without it an omission says nothing.
    `own_time`: `thoiGianThucHien` is known to be the second of the act, so that an event is known again by it.
    Attested as nullable and seen as a bare date: without this an event is the n-th change of state, timed by us.
    """

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    client_id: SecretRef
    client_secret: SecretRef
    token_login: TokenLogin = TokenLogin.BASIC
    token_lifetime_s: Annotated[float, Field(gt=0)] = 300.0
    token_margin_s: Annotated[float, Field(ge=0)] = 30.0
    paths: Paths = Paths()
    province_code: Annotated[str, Field(min_length=1)]
    units: dict[str, str] = Field(default_factory=dict)
    modules: Annotated[dict[str, str], Field(min_length=1)] = PROCEDURE_MODULES
    batch: Annotated[int, Field(ge=1, le=100)] = 3
    poll_tries: Annotated[int, Field(ge=1, le=10)] = 3
    round_limit: Annotated[int, Field(ge=1)] = 1000
    result_patience: Annotated[int, Field(ge=1)] = 10
    completed_states: tuple[str, ...] = ("4",)
    result_files: dict[str, str] = RESULT_FILES
    max_result_bytes: Annotated[int, Field(ge=1024)] = 20_000_000
    max_push_bytes: Annotated[int, Field(ge=1024)] = 32_000_000
    max_answer_bytes: Annotated[int, Field(ge=65_536)] = 100_000_000
    omission_means_absent: bool = False
    own_time: bool = False
    supplement: SupplementBy = SupplementBy.NONE
    error_codes: dict[str, ErrorMeaning] = Field(default_factory=dict)
    verify: bool = True
    ca_file: FilePath = ""

    @model_validator(mode="after")
    def _margin_below_lifetime(self) -> Options:
        if self.token_margin_s >= self.token_lifetime_s:
            raise ValueError("token_margin_s must be smaller than token_lifetime_s")
        return self

    def meaning_of(self, code: str) -> ErrorMeaning | None:
        """What an error code asks of us; None for a code of no table."""
        return self.error_codes.get(code) or ERROR_CODES.get(code)

    @property
    def module_names(self) -> tuple[str, ...]:
        """The ministry's modules in use, each once, in the order of the table."""
        return tuple(dict.fromkeys(self.modules.values()))


def checked(portal: str, options: Mapping[str, object]) -> Options:
    """The options of a portal entry as a model.

    Raises:
        ConfigError: Lists every problem, without the values.
    """
    try:
        return Options.model_validate(dict(options))
    except ValidationError as error:
        raise ConfigError(
            [f"{portal}: options.{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        ) from None
