"""Synthetic dossiers of about 3.5 KB with six papers and a log of seven or eight rows; nobody real, fixed by number."""

from __future__ import annotations

from typing import Any

WARDS = ("Phường Tân Thành", "Xã Hòa Thành", "Phường An Xuyên", "Xã Lý Văn Lâm")
STEPS = ("submitted", "accepted", "in_progress", "supplement_requested", *["in_progress"] * 3, "completed")
CHANGED_EVERY = 10


def record(number: int, version: int = 1) -> dict[str, Any]:
    """One dossier as the feed gives it; in version 2 every tenth has one act more."""
    acts = 8 if version > 1 and number % CHANGED_EVERY == 0 else 7
    day, sequence = divmod(number, 9000)
    base = f"2026-{1 + day % 9:02}-{1 + day % 27:02}"
    steps = STEPS[:acts]
    log = [_row(number, index, status, base) for index, status in enumerate(steps)]
    return {
        "reference": f"00000000-0000-4000-8000-{number:012}",
        "code": f"000.00.19.H99-26{1 + day % 9:02}{1 + day % 27:02}-{sequence:04}",
        "procedure": "1.001193",
        "procedure_name": "Thủ tục đăng ký khai sinh có yếu tố nước ngoài tại cơ quan đại diện",
        "sector": "G15-HT01",
        "agency": "H99.19",
        "agency_name": "Sở Tư pháp tỉnh Thử Nghiệm",
        "name": f"CÔNG DÂN THỬ NGHIỆM {number:06}",
        "person": f"058090{number:06}",
        "phone": "0900000000",
        "email": f"nguoidung{number}@example.invalid",
        "address": f"Số {number % 300}, {WARDS[number % 4]}, tỉnh Thử Nghiệm",
        "abstract": "Hồ sơ thử nghiệm về đăng ký khai sinh, kèm giấy chứng sinh và bản sao hộ chiếu. " * 3,
        "received": f"{base}T08:00:00+07:00",
        "due": f"{base}T17:00:00+07:00",
        "papers": [_paper(number, index) for index in range(6)],
        "log": log,
        "act": log[-1]["id"],
        "status": log[-1]["status"],
        "at": log[-1]["at"],
        "officer": "CÁN BỘ THỬ NGHIỆM 01",
        "note": log[-1]["note"],
    }


def _row(number: int, index: int, status: str, base: str) -> dict[str, str]:
    return {
        "id": str(number * 10 + index),
        "at": f"{base}T{8 + index:02}:15:00+07:00",
        "status": status,
        "note": "Đã kiểm tra thành phần hồ sơ và chuyển bước tiếp theo",
        "officer": "CÁN BỘ THỬ NGHIỆM 01",
    }


def _paper(number: int, index: int) -> dict[str, str]:
    return {
        "id": f"{number}-{index}",
        "name": f"Tờ khai và giấy tờ kèm theo số {index}.pdf",
        "url": f"https://portal.example.invalid/files/{number}/{index}",
    }
