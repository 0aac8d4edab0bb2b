"""The switches of the simulated national portal: every attested oddity can be turned on (npsp.md section 6)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from adapters.base import JsonValue
from adapters.npsp.options import FacadePaths
from schemas.settings import Section

CodeForm = Literal["number", "text", "double_zero", "spaced", "missing", "null"]
ReadShape = Literal["array", "data", "missing", "null", "object", "string"]


class Switches(Section):
    """How this portal behaves.

    Login: `username`, `password`; `session_lifetime_s` of the portal's machine; `sessions` one or many at a time;
    `expiry_code`, `expiry_text` answer a stale session; `empty_sessions` logins answer 0 with an empty session first;
    `lock_after` refused logins lock the account (0: never).
    Ways in: `adapter_paths` before every path, `destination` where `dstcode` must stand, facades beside it.
    Writes: `duplicate_code` for an insert of a known number; `update_unknown`; `failure_code`; `progress_limit` rows
    a call; `strict` checks the contract and the known lengths.
    Answers: `code_form` and `code_key` of the code, `plain_text` for some operations, `content_type`, `wrapping`,
    `byte_order_mark`, `read_shape` of `result`; `lookup_code_key`, `lookup_status_key` and `lookup_extra` (field of the
    dossier to key of the row) name a look-up row; `success_text` are the words of success.
    """

    username: str = "H56"
    password: str = "simulated-password"  # noqa: S105 - opens nothing but this simulator
    agencies: tuple[str, ...] = ()
    session_lifetime_s: Annotated[float, Field(gt=0)] = 600
    sessions: Literal["many", "one"] = "many"
    expiry_code: JsonValue = -1
    expiry_text: str = "Phiên làm việc đã hết hạn, vui lòng đăng nhập lại"
    empty_sessions: int = 0
    lock_after: int = 0
    adapter_paths: tuple[str, ...] = ("XrdAdapter/RestService/forward", "VXPAdapter/RestService/forward", "")
    login_path: str = "mapi/login"
    share_path: str = "mapi/g"
    integration_path: str = "mapi/g"
    destination: Literal["any", "query", "header", "both"] = "any"
    dstcode: str = "VN:GOV:000.00.00.G22:vpcpdvcprovider"
    facade: FacadePaths = FacadePaths()
    duplicate_code: JsonValue = -3
    update_unknown: Literal["refuse", "create"] = "refuse"
    failure_code: JsonValue = -1
    progress_limit: Annotated[int, Field(ge=0)] = 10
    strict: bool = True
    code_form: CodeForm = "number"
    code_key: Literal["error_code", "errorCode", "error_code0", "response_code"] = "error_code"
    plain_text: tuple[Literal["insert", "update", "progress"], ...] = ()
    content_type: str = "application/json;charset=UTF-8"
    wrapping: Literal["none", "string", "message", "response"] = "none"
    byte_order_mark: bool = False
    read_shape: ReadShape = "array"
    lookup_code_key: str = "MAHOSO"
    lookup_status_key: str = "TRANGTHAIHOSO"
    lookup_extra: dict[str, str] = Field(default_factory=lambda: {"MaTTHC": "MATTHC"})
    success_text: str = "thành công"
