"""The switches of the simulated provincial portal: every attested oddity can be turned on (provincial.md section 6)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.settings import Section


class Account(Section):
    """One account: `scope` holds agency codes, empty sees everything; employees' own names replace `actionUser`."""

    password: str = "simulated-password"  # noqa: S105 - opens nothing but this simulator
    full_name: str = "Tài khoản liên thông"
    user_id: int = 20_100
    employee: bool = True
    scope: tuple[str, ...] = ()
    may_create: bool = True


class Agency(Section):
    """A receiving agency; `code` heads the case numbers."""

    code: str
    name: str


class Service(Section):
    """A procedure with its document set and duration in working days (0: none, so no due date)."""

    code: str
    name: str
    domain_code: str = ""
    domain_name: str = ""
    template: str = ""
    days: float = 0
    national_code: str = ""
    level: int = 4


AGENCIES = (Agency(code="H99.19", name="Sở Xây dựng"), Agency(code="H99.13", name="Sở Tư pháp"))
SERVICES = (
    Service(code="1.013234", name="Thẩm định thiết kế xây dựng", domain_code="G17-XD", domain_name="Hoạt động xây dựng",
            template="TPL-XD-01", days=20),
    Service(code="1.002693", name="Cấp giấy phép chặt hạ, dịch chuyển cây xanh", domain_code="G17-HT",
            domain_name="Hạ tầng kỹ thuật", template="TPL-XD-02", days=10),
    Service(code="2.002288", name="Cấp, cấp lại phù hiệu cho xe ô tô", domain_code="G17-DB", domain_name="Đường bộ",
            template="TPL-XD-03", days=2),
    Service(code="1.001193", name="Thủ tục đăng ký khai sinh", domain_code="G15-HT", domain_name="Hộ tịch",
            template="TPL-HT-01", days=1),
    Service(code="2.000635", name="Cấp bản sao trích lục hộ tịch", domain_code="G15-HT", domain_name="Hộ tịch",
            template="TPL-HT-02", days=0),
)  # fmt: skip


class Switches(Section):
    """How this portal behaves. Oddities that are attested without a condition are always on.

    Ways in: `base_paths`; `accounts` by user name; `group_id` the site; `guests_see_list` rows for a caller who is
    not signed in (the list makes no such test; what a guest sees is unknown: none here unless set).
    Index: `index_lag_s` real seconds until a change is in the list; `reorder` rotates the rows of a list at random
    between calls; `total_skew` is added to the count, which comes from another query; `half_range` what a date
    filter with one end finds; `jvm_shift_h` hours by which the index's own days differ from Vietnam's;
    `ignores` filters that are silently dropped; `ignore_page_end` gives every row whatever `end` says.
    Acts: `auto_submit` fires act 1000 when a dossier is created (else `dossierActionId` stays 0); `log_rows` and
    `log_payload` say what the log keeps of an act; `clock_log_s` how far log times are off;
    `note_limit` cuts notes. `fail_numbers` leaves received dossiers without a number (attested failure).
    Details: `prefix` adds or strips `xxx-cps-` when a record is shown; `numeric_numbers` makes purely numeric case
    numbers; `nfd` shows texts decomposed; `show_removed` keeps rolled back dossiers in the list.
    `seed` drives what is left to chance.
    """

    base_paths: tuple[str, ...] = ("/o/rest/v2", "/o/secure/rest/v2", "/secure/rest/v2", "/o/rest/v2_1")
    accounts: dict[str, Account] = Field(default_factory=lambda: {"lienthong": Account()})
    group_id: int = 35_166
    province: str = "H99"
    agencies: Annotated[tuple[Agency, ...], Field(min_length=1)] = AGENCIES
    services: Annotated[tuple[Service, ...], Field(min_length=1)] = SERVICES
    process: dict[str, Any] | None = None
    guests_see_list: bool = False
    index_lag_s: float = 0.0
    reorder: Annotated[float, Field(ge=0, le=1)] = 0.0
    total_skew: int = 0
    half_range: Literal["empty", "open"] = "empty"
    jvm_shift_h: float = 0.0
    ignores: tuple[str, ...] = ()
    ignore_page_end: bool = False
    auto_submit: bool = True
    log_rows: bool = True
    log_payload: Literal["status", "text", "none"] = "status"
    clock_log_s: float = 0.0
    note_limit: int = 0
    fail_numbers: bool = False
    prefix: Literal["as_stored", "add", "strip"] = "as_stored"
    numeric_numbers: bool = False
    nfd: bool = False
    show_removed: bool = True
    seed: int = 0
