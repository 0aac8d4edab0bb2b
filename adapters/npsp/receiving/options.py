"""Settings of the national portal's calls on us (npsp.md 3.6a, 3.7); what no source attests is a setting here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from schemas.settings import Section

ADAPTER_PREFIXES = ("", "XrdAdapter/RestService/forward", "VXPAdapter/RestService/forward")
"""A province's endpoints are called with and without the exchange adapter's own path."""

Kind = Literal["submission", "supplement", "withdrawal"]
Names = tuple[str, ...]
"""Names of one wire field, in any case; the first that is there counts."""


def _withdrawn() -> dict[str, Kind]:
    """The one status by which a citizen asks for something (npsp.md 4.1)."""
    return {"7": "withdrawal"}


class FilePlace(Section):
    """Where a pushed dossier carries files: `at` names a list of objects, "" the dossier's own fields.

    `content` holds Base64, `url` an address; a row may have either, or neither (a paper without a file).
    """

    at: str = ""
    name: Names
    content: Names = ()
    url: Names = ()


class PushOptions(Section):
    """One endpoint that takes dossiers.

    `paths` are below the portal's own inbound address, each also behind the adapter's prefixes. `message` is the
    mapping message its submissions are read with, and `contract` the file of `schemas/npsp` they must fit. `envelope`:
    whether the dossier comes bare or inside `data`. `number`, `procedure`, `agency`: names of those fields.
    `agencies`: procedure -> agency code where the dossier names none; "*" stands for every procedure. `adds`: fields
    that the shape leaves unsaid and that hold for all of its dossiers. `said_in`: fields whose value says what the
    call is, by `says` (any other value: a submission); `isUpdating` "True" is a supplement. `submitted_at`, `acted_at`:
    times of a submission and of a later request; `reason`: its words. `required`: fields of a submission that may not
    be empty. `volatile`: fields that change by themselves; `volatile_query`: parameters of file addresses that do.
    """

    paths: tuple[str, ...]
    message: str
    contract: str
    envelope: Literal["either", "bare", "wrapped"] = "either"
    number: Names = ("MaHoSo", "MaHoSoQG")
    procedure: Names = ("MaTTHC",)
    agency: Names = ("MaDonVi",)
    agencies: dict[str, str] = Field(default_factory=dict)
    adds: dict[str, str] = Field(default_factory=dict)
    said_in: Names = ("LoaiYeuCau", "TrangThaiHoSo", "TrangThai")
    says: dict[str, Kind] = Field(default_factory=_withdrawn)
    submitted_at: Names = ("NgayNopHoSo",)
    acted_at: Names = ("NgayYeuCau", "ThoiDiemXuLy")
    reason: Names = ("LyDo", "LyDoDieuChinh", "NoiDung")
    required: Names = ("MaTTHC", "ChuHoSo")
    files: tuple[FilePlace, ...] = ()
    max_files: Annotated[int, Field(ge=0)] = 200
    volatile: Names = ()
    volatile_query: Names = ("t", "ts", "time", "timestamp", "download", "_", "token", "expires", "signature")


PUSH = PushOptions(
    paths=("nhanhsdvcqg",),
    message="push",
    contract="push",
    files=(
        FilePlace(at="TaiLieuNop", name=("TenTepDinhKem",), content=("Base64", "NoiDungTep"),
                  url=("DuongDanTaiTepTin", "URL")),
    ),
)  # fmt: skip
"""The body of `nhanhsdvcqg` is not public: this is the dossier of `DongBoHoSoMC`, bare or wrapped."""

PROMOTION = PushOptions(
    paths=("addtthcKhuyenMai",),
    message="promotion",
    contract="promotion",
    required=("MaTTHC", "MaSoThue", "TenThuongNhan"),
    adds={"LoaiDoiTuong": "2"},
    files=(
        FilePlace(name=("TenTepDonDangKy", "TenTepDangKy"), content=("TepDonDangKy",), url=("URLTepDangKy",)),
        FilePlace(at="TaiLieuNop", name=("TenTepDinhKem",), content=("Base64",), url=("DuongDanTaiTepTin",)),
    ),
)
"""The only push whose body is public: a bare object, or for a supplement inside `data`."""


def _laid_over(attested: PushOptions) -> BeforeValidator:
    """An entry says only what differs: files of an endpoint whose agency alone is set must not be lost."""

    def lay(said: object) -> object:
        return attested.model_dump() | dict(said) if isinstance(said, Mapping) else said

    return BeforeValidator(lay)


class FeesOptions(Section):
    """The question whether a dossier owes money.

    `service_suffix` makes `MaDVC` of the procedure's code. `account`, `bank`, `holder`: the beneficiary.
    `names_payer`: whether name, number and address of the payer stand in the answer; empty otherwise.
    """

    paths: tuple[str, ...] = ("kpdvcqg/dptracuuthanhtoanhs",)
    number: Names = ("MaHoSo",)
    service_suffix: str = ""
    account: str = ""
    bank: str = ""
    holder: str = ""
    names_payer: bool = False


class PaidOptions(Section):
    """The notice that a citizen has paid. Its fields are attested by meaning, not by name: all names are settings.

    `look_up` is our own `MaTraCuuTT`, number and 14 digits of time. `paid_words` say yes. A receipt's address must
    begin with http; `receipt_via` stands before it where it is only reachable through the local exchange adapter.
    """

    paths: tuple[str, ...] = ("kpdvcqg/dpthongbaothanhtoan",)
    number: Names = ("MaHoSo",)
    look_up: Names = ("MaTraCuuTT", "MaTraCuu")
    notice: Names = ("MaThongBao", "MaThamChieu", "MaGiaoDich")
    amount: Names = ("SoTien",)
    paid: Names = ("DaThanhToan", "TrangThaiThanhToan")
    paid_words: Names = ("1", "true", "da thanh toan", "đã thanh toán")
    receipt_url: Names = ("UrlBienLai", "URLBienLai", "DuongDanBienLai")
    receipt_number: Names = ("SoBienLai",)
    paid_at: Names = ("NgayBienLai", "NgayThanhToan", "ThoiGianGD")
    collector: Names = ("DonViThu", "TenDonViThu")
    receipt_via: str = ""


class FilesOptions(Section):
    """Our own file links: `<path>/<36 characters>`."""

    paths: tuple[str, ...] = ("downloadfile",)


class FetchOptions(Section):
    """How files are fetched that a push names by address.

    `hosts` are those asked, each `host` or `host:port`; empty: the portal's own host alone. `via` stands before the
    address where it is only reachable through the local exchange adapter. `timeout_s` is the whole deadline of one
    try, and `tries` how often a file is asked for that did not come: all of it well within the portal's own patience.
    `max_bytes` is the largest file.
    """

    hosts: tuple[str, ...] = ()
    via: str = ""
    timeout_s: Annotated[float, Field(gt=0)] = 5.0
    tries: Annotated[int, Field(ge=1, le=10)] = 4
    max_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024 * 1024


class InboundOptions(Section):
    """The national portal's calls on us; an endpoint set to null is not offered, one that is set says what differs.

    `prefixes` stand before every path. `dstcode`: the destination that calls must name, in query or header; those that
    name none pass unless `dstcode_needed`; who may call at all is the gateway's matter (`inbound` of the portal's
    entry). `patience_s`: how long the portal waits; 60 s is attested for its clients.
    """

    push: Annotated[PushOptions | None, _laid_over(PUSH)] = PUSH
    promotion: Annotated[PushOptions | None, _laid_over(PROMOTION)] = PROMOTION
    fees: FeesOptions | None = FeesOptions()
    paid: PaidOptions | None = PaidOptions()
    files: FilesOptions | None = FilesOptions()
    fetch: FetchOptions = FetchOptions()
    prefixes: tuple[str, ...] = ADAPTER_PREFIXES
    dstcode: str = ""
    dstcode_needed: bool = False
    patience_s: Annotated[float, Field(gt=0)] = 60.0

    def behind_prefixes(self, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Every path with every prefix, without slashes at the ends."""
        joined = (f"{prefix.strip('/')}/{path.strip('/')}".strip("/") for prefix in self.prefixes for path in paths)
        return tuple(dict.fromkeys(joined))
