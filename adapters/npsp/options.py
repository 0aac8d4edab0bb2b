"""Settings of one national portal entry; what no source attests is a setting here, never a constant in code."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from adapters.npsp.outcomes import DEFAULT_RULES, Rule, Success
from adapters.npsp.receiving.options import InboundOptions
from schemas.settings import SecretRef, Section

Profile = Literal["v1.4-2020", "v2-2024", "facade-get-wrapped", "facade-bare-array"]
Form = Literal["envelope", "get_wrapped", "bare_array"]
FORMS: dict[Profile, Form] = {
    "v1.4-2020": "envelope",
    "v2-2024": "envelope",
    "facade-get-wrapped": "get_wrapped",
    "facade-bare-array": "bare_array",
}
Destination = Literal["query", "header", "both", "none"]
Seconds = Annotated[float, Field(gt=0)]


class FacadePaths(Section):
    """Paths at a provincial facade; real ones differ per province (npsp.md 3.8)."""

    read: str = "KetNoiMotCuaQuocGia"
    insert: str = "KetNoiMotCuaQuocGia/ThemMoiHoSo"
    update: str = "KetNoiMotCuaQuocGia/CapNhatHoSo"
    progress: str = "KetNoiMotCuaQuocGia/CapNhatTienDoHoSo"
    bare_array: str = "SynsTTHCC"


class Options(Section):
    """How to reach and read one national portal.

    `adapter_path` stands before every path of the portal (`XrdAdapter/...` or `VXPAdapter/...`); facades have none.
    `destination` says where `dstcode` goes; `raw_colons` leaves its colons unencoded in the query.
    `session_ttl_s`: the portal's own lifetime is unknown; S1 takes 10 minutes.
    `login_hold_off_s`: after a refused login nobody tries the same password again for so long; keep it below the
    gateway's own hold (5 minutes, growing), which is shared by all processes.
    `success` says what a write must show: code 0 and words, the code alone (S1, 2020), or words alone;
    None means both, or words where the facade answers only text.
    `rules` are tried before `DEFAULT_RULES`; `login_rules` likewise for login answers.
    `lookup_code_keys` are the names a look-up row may give its dossier number (in any case).
    `read_tries`: how often a look-up or list is asked in one go where nothing usable comes back.
    `poll` asks the portal for the records we handed over (`TraCuuHoSo`, one call a record).
    `inbound`: the portal's calls on us.
    """

    profile: Profile = "v2-2024"
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    adapter_path: str = "XrdAdapter/RestService/forward"
    login_path: str = "mapi/login"
    share_path: str = "mapi/g"
    integration_path: str = "mapi/g"
    destination: Destination = "query"
    dstcode: str = "VN:GOV:000.00.00.G22:vpcpdvcprovider"
    provider_url: str = ""
    raw_colons: bool = False
    agency_code: str = ""
    username: str = ""
    password: SecretRef | None = None
    session_ttl_s: Seconds = 600
    login_hold_off_s: Seconds = 60
    facade: FacadePaths = FacadePaths()
    progress_rows_per_call: Annotated[int, Field(ge=1, le=10)] = 10
    success: Success | None = None
    rules: tuple[Rule, ...] = ()
    lookup_code_keys: tuple[str, ...] = ("mahoso",)
    poll: bool = False
    poll_batch: Annotated[int, Field(ge=1, le=1000)] = 50
    read_tries: Annotated[int, Field(ge=1, le=5)] = 2
    timeout_s: Seconds | None = None
    max_body_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024 * 1024
    inbound: InboundOptions = InboundOptions()

    @property
    def form(self) -> Form:
        """The shape of requests and answers that the profile stands for."""
        return FORMS[self.profile]

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """Own rules first, then those of the kind."""
        return self.rules + DEFAULT_RULES

    @property
    def success_needs(self) -> Success:
        """What a write must show to be delivered."""
        return self.success or ("text" if self.form == "bare_array" else "both")

    @model_validator(mode="after")
    def _has_account(self) -> Self:
        if self.form == "envelope" and not (self.username and self.password):
            raise ValueError(f"profile {self.profile} logs in: set username and password: ${{...}}")
        return self
