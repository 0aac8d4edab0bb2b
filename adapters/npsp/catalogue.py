"""The simulated portal's catalogues: a small list of real procedures, in the row shapes of npsp.md 3.1 and 7.1."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

Row = dict[str, Any]


@cache
def seeds() -> Mapping[str, list[Row]]:
    """Agencies, sectors and procedures as listed in `catalogue.json`."""
    found: Mapping[str, list[Row]] = orjson.loads((files("adapters.npsp") / "catalogue.json").read_bytes())
    return found


def agencies() -> list[Row]:
    """Rows of `LayDanhMucCoQuan`."""
    return [{"MADONVI": row["code"], "TENDONVI": row["name"], "CAPDONVI": row["level"]} for row in seeds()["agencies"]]


def sectors() -> list[Row]:
    """Rows of `LayDanhMucLinhVuc`."""
    return [
        {"MALINHVUC": row["code"], "TENLINHVUC": row["name"], "MANGANH": row["agency"]} for row in seeds()["sectors"]
    ]


def procedures() -> list[Row]:
    """Rows of `LayDanhSachTTHC`."""
    return [{"MATTHC": row["code"], "TENTTHC": row["name"]} for row in seeds()["procedures"]]


def procedure(code: str) -> list[Row]:
    """The row of `LayThuTuc`, in a list; empty when the portal has no such procedure."""
    found = next((row for row in seeds()["procedures"] if row["code"] == code), None)
    return [_procedure_row(found)] if found else []


def _procedure_row(seed: Row) -> Row:
    sector = next(row for row in seeds()["sectors"] if row["code"] == seed["sector"])
    return {
        "ID": seed["code"].replace(".", ""),
        "MATTHC": seed["code"],
        "TENTTHC": seed["name"],
        "MACOQUANCONGBO": seed["authority"],
        "LOAITTHC": "",
        "YEUCAU": "",
        "TRANGTHAI": "1",
        "LINHVUCTHUCHIEN": [{"MALINHVUC": sector["code"], "TENLINHVUC": sector["name"]}],
        "CACHTHUCTHUCHIEN": [_channel(row) for row in seed["channels"]],
        "THANHPHANHOSO": [],
        "DOITUONGTHUCHIEN": [],
        "KETQUATHUCHIEN": [{"MAKETQUA": row["code"], "TENKETQUA": row["name"]} for row in seed["results"]],
    }


def _channel(row: Row) -> Row:
    """One channel; money as the portal spells it: dots for thousands, or the word "Không" (case 10)."""
    fee = row["fee"]
    money = "" if fee is None else (f"{int(fee):,}".replace(",", ".") if fee else "Không")
    time: Row = {
        "THOIGIANGIAIQUYET": "" if row["time"] is None else str(row["time"]),
        "DONVITINH": row["unit"],
        "MOTA": "",
        "PHILEPHI": [{"MAPHILEPHI": "2", "SOTIEN": money, "DONVI": "Đồng", "MOTA": "", "URL": ""}],
    }
    return {"KENH": row["KENH"], "THOIGIAN": [time]}
