"""The short answer of every call, `{"error_code": n, "message": text}` with HTTP 200 (npsp.md 3.6a, 3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from adapters.base import JsonValue
from adapters.npsp.receiving.options import InboundOptions
from adapters.receiving import InboundReply, InboundRequest, Unreadable

_WHY: Mapping[str, str] = {
    "json": "dữ liệu không phải là JSON hợp lệ",
    "envelope": "thiếu phần data",
    "empty": "không có dữ liệu hồ sơ",
    "many": "mỗi lần gọi chỉ nhận một hồ sơ",
    "ambiguous": "một trường được khai hai lần với hai giá trị khác nhau",
    "number": "mã hồ sơ không hợp lệ",
    "missing": "thiếu trường bắt buộc",
    "fields": "có trường không đúng định dạng",
    "files": "tệp đính kèm không đọc được",
    "file": "tệp đính kèm không đọc được",
    "procedure": "thủ tục không thuộc phạm vi tiếp nhận",
    "agency": "cơ quan không thuộc phạm vi tiếp nhận",
    "destination": "dstcode không đúng",
    "unpaid": "thông báo không cho biết đã thanh toán",
    "address": "địa chỉ biên lai không hợp lệ",
}
"""Machine's name of a reason -> what the portal's people read. Never a value of the call."""


def answer(code: int, text: str) -> InboundReply:
    """Code and text."""
    return InboundReply(orjson.dumps({"error_code": code, "message": text}))


def said_no(what: str, code: str) -> InboundReply:
    """A refusal in words that a person at the portal understands; `code` is a machine's name of the reason."""
    why = _WHY.get(code)
    return answer(-1, f"{what}: {why}" if why else what)


@dataclass(frozen=True, slots=True)
class Door:
    """What every endpoint asks before it reads: the destination, where one is set."""

    options: InboundOptions

    def turned_away(self, request: InboundRequest) -> Unreadable | None:
        """Why this call is not for us, or None."""
        options = self.options
        if options.dstcode:
            named = [text for text in (request.query.get("dstcode"), request.headers.get("dstcode")) if text]
            if any(text != options.dstcode for text in named) or (options.dstcode_needed and not named):
                return Unreadable("the call names another destination or none", "destination")
        return None


def found_part(found: JsonValue, *names: str) -> Mapping[str, JsonValue]:
    """A part of what the gateway found, an empty one where there is none."""
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
