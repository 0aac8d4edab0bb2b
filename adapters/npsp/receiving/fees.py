"""Does this dossier owe money? The portal asks before a citizen pays (npsp.md 3.6a).

Here `error_code` 1 is the good answer: there is a debt, and `message` is an object. 0: nothing to pay; -1: an error or
an unknown dossier; in both `message` is an empty list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from adapters.base import JsonValue
from adapters.npsp.receiving.answers import Door, found_part
from adapters.npsp.receiving.body import UnreadableBodyError, opened, text_of
from adapters.npsp.receiving.options import FeesOptions
from adapters.receiving import InboundCall, InboundReply, InboundRequest, Question, Reception, Unreadable, Verdict
from schemas.clock import VIETNAM

FEES_OWED = "fees_owed"
FEES_AND_CHARGES = "2"
_CHARGE_AND_FEE = 2
"""`LoaiPhiLePhi` and `MaPhiLePhi` of a debt are the number 2 wherever they were seen."""
_FINES = ("MaLoaiHinhThuPhat", "TenLoaiHinhThuPhat", "KhoBac", "NgayQD", "SoQD", "ThoiGianViPham", "DiaDiemViPham",
          "TenNguoiViPham", "TaiKhoanThuNSNN")  # fmt: skip
"""Fields of fines, always there and always empty for fees."""


@dataclass(frozen=True, slots=True)
class FeesReceiver:
    """The question about fees: `Question("fees_owed", {"dossier_code"})`.

    The gateway finds None for a dossier it does not know, else a dossier in the words of the shared model whose `fees`
    are those still owed: `{"fees": [{"name", "fee_vnd"}], "procedure": {...}, "handling_agency": {...}, "submitter"}`.
    """

    options: FeesOptions
    door: Door
    name: str = "fees"
    methods: tuple[str, ...] = ("POST",)
    repeats_first_answer: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it listens."""
        return self.door.options.behind_prefixes(self.options.paths)

    @property
    def patience_s(self) -> float:
        """How long the portal waits."""
        return self.door.options.patience_s

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        """The number asked for; never raises for what the portal sent."""
        if away := self.door.turned_away(request):
            return away
        try:
            number = text_of(opened(request.body).fields, self.options.number)
        except UnreadableBodyError as error:
            return Unreadable(error.reason, error.code)
        if not number:
            return Unreadable("no dossier number", "number")
        return Question(FEES_OWED, {"dossier_code": number})

    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:
        """1 and the debt, 0 and nothing, -1 and nothing."""
        found = reception.found
        if reception.verdict is not Verdict.ANSWERED or not isinstance(found, Mapping):
            return _said(-1, [])
        owed = [fee for fee in found.get("fees") or () if _amount(fee) > 0]
        if not owed:
            return _said(0, [])
        asked = self.read(request)
        number = str(asked.arguments["dossier_code"]) if isinstance(asked, Question) else ""
        return _said(1, self._debt(number, owed, found, reception.at))

    def _debt(
        self, number: str, owed: Sequence[Mapping[str, JsonValue]], found: Mapping[str, JsonValue], at: datetime
    ) -> dict[str, Any]:
        options = self.options
        procedure, agency = found_part(found, "procedure"), found_part(found, "handling_agency")
        code, name = str(procedure.get("procedure_code") or ""), str(procedure.get("name") or "")
        agency_code, agency_name = str(agency.get("agency_code") or ""), str(agency.get("name") or "")
        return {
            "MaTraCuuTT": f"{number}{at.astimezone(VIETNAM):%Y%m%d%H%M%S}",
            "MaDichVu": FEES_AND_CHARGES,
            "MaDVC": f"{code}{options.service_suffix}" if code else "",
            "TenDVC": name,
            "MaTTHC": code,
            "TenTTHC": name,
            "MaDonVi": agency_code,
            "TenDonVi": agency_name,
            "MaHoSo": number,
            "PhiLePhi": [
                {"LoaiPhiLePhi": _CHARGE_AND_FEE, "MaPhiLePhi": _CHARGE_AND_FEE,
                 "TenPhiLePhi": str(fee.get("name") or ""), "SoTien": _amount(fee)}
                for fee in owed
            ],
            "TKThuHuong": options.account,
            "MaNHThuHuong": options.bank,
            "TenTKThuHuong": options.holder,
            **dict.fromkeys(_FINES, ""),
            "MaCoQuanQD": agency_code,
            "TenCoQuanQD": agency_name,
            "NoiDungThanhToan": f"Phí, lệ phí hồ sơ {number}",
            **self._payer(found),
            "DSKhoanNop": [{"NoiDung": str(fee.get("name") or ""), "SoTien": str(_amount(fee))} for fee in owed],
        }  # fmt: skip

    def _payer(self, found: Mapping[str, JsonValue]) -> dict[str, str]:
        """Who pays, where the setting lets him be named: the portal knows its own citizen."""
        payer = found_part(found, "submitter") or found_part(found, "applicant")
        address = found_part(payer, "address")
        told = {
            "HoTenNguoiNop": payer.get("name"),
            "SoCMNDNguoiNop": payer.get("identity_number"),
            "DiaChiNguoiNop": address.get("text"),
            "HuyenNguoiNop": address.get("district_name"),
            "TinhNguoiNop": address.get("province_name"),
        }
        return {name: str(value or "") if self.options.names_payer else "" for name, value in told.items()}


def _amount(fee: JsonValue) -> int:
    """Whole đồng still to pay; `SoTien` is a number in one list of the answer and a text in the other."""
    value = fee.get("fee_vnd") if isinstance(fee, Mapping) and not fee.get("paid") else None
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _said(code: int, message: JsonValue) -> InboundReply:
    return InboundReply(orjson.dumps({"error_code": code, "message": message}))
