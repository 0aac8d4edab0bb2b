"""Files that the simulated portal serves by address, good and hostile ones (npsp.md section 6, cases 18 and 28)."""

from __future__ import annotations

import time

from adapters.npsp.caller.citizens import content_of
from adapters.simulation import Reply, Request

FOLDER = "/tep/"
HUGE_BYTES = 80 * 1024 * 1024
SLOW_S = 20.0
_PAGE = "<!DOCTYPE html><html><body>Vui lòng đăng nhập để tải tệp</body></html>"


def served(request: Request) -> Reply | None:
    """The answer to a request for a file, None when the path is none; called without any lock, for one is slow.

    `html`, `500`, `404`, `empty`, `huge`, `slow`, `redirect` (to another host) and `program` are hostile; any other
    name is a small PDF.
    """
    if request.method != "GET" or not request.path.startswith(FOLDER):
        return None
    name = request.path.removeprefix(FOLDER)
    match name:
        case "html":
            return Reply.text(_PAGE, content_type="text/html; charset=utf-8")
        case "500":
            return Reply.text("internal error", 500)
        case "404":
            return Reply.text("not found", 404)
        case "empty":
            return Reply(200, b"", content_type="application/pdf")
        case "huge":
            return Reply(200, b"%PDF-1.7\n" + b"0" * HUGE_BYTES, content_type="application/pdf")
        case "slow":
            time.sleep(SLOW_S)
        case "redirect":
            return Reply(302, b"", {"Location": "http://127.0.0.2:9/tep/khac.pdf"}, "text/plain")
        case "program":
            return Reply(200, b"MZ\x90\x00" + b"\x00" * 60, content_type="application/pdf")
    return Reply(200, content_of(name), content_type="application/pdf")
