"""The procedures of the demo's province: a small list written from public facts (codes and names as published).

Days are of the demo, short enough that due dates are seen. Sector codes are the local ones of the simulated portal.
"""

from __future__ import annotations

from dataclasses import dataclass

PROVINCE = "province"
NATIONAL = "national"
TRANSPORT = "ministry_of_transport"
JUSTICE = "ministry_of_justice"

AGENCIES = {
    "H99.19": "Sở Xây dựng",
    "H99.13": "Sở Tư pháp",
}


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure: where it is handled, how long it takes (working days), which ministry takes a stage of it."""

    code: str
    name: str
    sector_code: str
    sector: str
    agency: str
    days: int
    ministry: str = ""


PROCEDURES = (
    Procedure("1.013234", "Thẩm định thiết kế xây dựng triển khai sau thiết kế cơ sở", "G17-XD", "Hoạt động xây dựng",
              "H99.19", 20),
    Procedure("1.013239", "Thẩm định Báo cáo nghiên cứu khả thi đầu tư xây dựng", "G17-XD", "Hoạt động xây dựng",
              "H99.19", 25),
    Procedure("1.002693", "Cấp giấy phép chặt hạ, dịch chuyển cây xanh", "G17-HT", "Hạ tầng kỹ thuật", "H99.19", 10),
    Procedure("1.013061", "Cấp giấy phép thi công công trình trên đường bộ đang khai thác", "G17-DB", "Đường bộ",
              "H99.19", 7),
    Procedure("2.002288", "Cấp, cấp lại phù hiệu cho xe ô tô kinh doanh vận tải", "G17-DB", "Đường bộ", "H99.19", 2),
    Procedure("1.004873", "Thủ tục cấp Giấy xác nhận tình trạng hôn nhân", "G15-HT", "Hộ tịch", "H99.13", 3),
    Procedure("2.000635", "Cấp bản sao trích lục hộ tịch", "G15-HT", "Hộ tịch", "H99.13", 0),
    Procedure("1.002861", "Cấp, cấp lại Giấy phép vận tải đường bộ quốc tế giữa Việt Nam và Lào", "G17-DB", "Đường bộ",
              "H99.19", 5, TRANSPORT),
    Procedure("1.002856", "Cấp, cấp lại Giấy phép liên vận giữa Việt Nam và Lào", "G17-DB", "Đường bộ", "H99.19", 2,
              TRANSPORT),
    Procedure("1.001193", "Thủ tục đăng ký khai sinh", "G15-HT", "Hộ tịch", "H99.13", 1, JUSTICE),
    Procedure("1.000656", "Thủ tục đăng ký khai tử", "G15-HT", "Hộ tịch", "H99.13", 1, JUSTICE),
    Procedure("1.000894", "Thủ tục đăng ký kết hôn", "G15-HT", "Hộ tịch", "H99.13", 3, JUSTICE),
)  # fmt: skip
"""Every procedure of the demo."""


def of_ministry(name: str) -> tuple[Procedure, ...]:
    """The procedures a ministry takes a stage of; "" gives those that stay in the province."""
    return tuple(found for found in PROCEDURES if found.ministry == name)
