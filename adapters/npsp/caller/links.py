"""Files that the simulated portal serves by address, good and hostile ones (npsp.md section 6, cases 18 and 28)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from adapters.npsp.caller.citizens import content_of
from adapters.simulation import Reply, Request

FOLDER = "/tep/"
HUGE_BYTES = 80 * 1024 * 1024
SLOW_S = 20.0
_PAGE = "<!DOCTYPE html><html><body>Vui lòng đăng nhập để tải tệp</body></html>"
PDF = "application/pdf"
_HOSTILE: dict[str, Callable[[], Reply]] = {
    "html": lambda: Reply.text(_PAGE, content_type="text/html; charset=utf-8"),
    "500": lambda: Reply.text("internal error", 500),
    "404": lambda: Reply.text("not found", 404),
    "empty": lambda: Reply(200, b"", content_type=PDF),
    "huge": lambda: Reply(200, b"%PDF-1.7\n" + b"0" * HUGE_BYTES, content_type=PDF),
    "redirect": lambda: Reply(302, b"", {"Location": "http://127.0.0.2:9/tep/khac.pdf"}, "text/plain"),
    "program": lambda: Reply(200, b"MZ\x90\x00" + b"\x00" * 60, content_type=PDF),
    "noise": lambda: Reply(200, os.urandom(90), content_type=PDF),
}


def served(request: Request) -> Reply | None:
    """The answer to a request for a file, None when the path is none; called without any lock, for one is slow.

    `html`, `500`, `404`, `empty`, `huge`, `slow`, `redirect` (to another host), `program` and `noise` (other bytes
    each time) are hostile; any other name is a small PDF.
    """
    if request.method != "GET" or not request.path.startswith(FOLDER):
        return None
    name = request.path.removeprefix(FOLDER)
    if name == "slow":
        time.sleep(SLOW_S)
    hostile = _HOSTILE.get(name)
    return hostile() if hostile is not None else Reply(200, content_of(name), content_type=PDF)
