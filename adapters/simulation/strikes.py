"""Act out a fault on a socket: what bytes leave, and when."""

from __future__ import annotations

import random
import socket
import struct
import threading
from datetime import datetime, timedelta

from adapters.simulation.faults import FaultPlan, Strike
from adapters.simulation.simulator import Reply
from adapters.simulation.wire import http_date

HTML = (
    "<!DOCTYPE html>\n<html><head><title>Cổng dịch vụ công</title></head>"
    "<body><h1>Hệ thống đang bảo trì</h1><p>Vui lòng quay lại sau; giao dịch thành công sẽ được thông báo.</p>"
    "</body></html>"
)
"""A maintenance page that, like attested ones, even holds the words of success."""

ANSWERED = {
    "reset_before": "cut",
    "reset_after": "cut",
    "truncate": "cut",
    "delay": "late",
    "drip": "late",
    "html_200": "unreadable",
    "garbage": "unreadable",
    "empty_200": "unreadable",
    "wrong_namespace": "unreadable",
    "unavailable_503": "unavailable",
    "outage": "unavailable",
}
"""Fault -> how the book says the call was answered; anything else was answered whole."""


def reset(sock: socket.socket) -> None:
    """Close with RST: the other side loses whatever it has not read."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def substitute(strike: Strike, plan: FaultPlan, now: datetime) -> Reply | None:
    """The answer that stands in for the portal's own, or None where its own is sent, if any."""
    match strike.fault:
        case "html_200":
            return Reply.text(HTML, content_type="text/html; charset=utf-8")
        case "empty_200":
            return Reply(200)
        case "garbage":
            return Reply(200, _noise(strike.seed))
        case "too_many_429":
            return Reply.json(
                {"error": "too many requests"}, 429, {"Retry-After": _retry_after(strike.turn, plan, now)}
            )
        case "unavailable_503":
            headers = {"Retry-After": _retry_after(strike.turn // 2, plan, now)} if strike.turn % 2 else {}
            return Reply(503, HTML.encode(), headers, "text/html; charset=utf-8")
        case "outage" if strike.before:
            return Reply(503, HTML.encode(), {}, "text/html; charset=utf-8")
    return None


def drip(sock: socket.socket, data: bytes, plan: FaultPlan, stopping: threading.Event) -> None:
    """Send `data` in pieces so close together that no read times out, over `drip_s` in all."""
    pieces = max(1, int(plan.drip_s / plan.drip_every_s))
    size = max(1, len(data) // pieces)
    for start in range(0, len(data), size):
        if stopping.wait(plan.drip_every_s):
            return
        sock.sendall(data[start : start + size])


def _noise(seed: int) -> bytes:
    lot = random.Random(seed)
    return lot.randbytes(lot.randint(1, 400))


def _retry_after(turn: int, plan: FaultPlan, now: datetime) -> str:
    """Seconds and an HTTP date by turns: both forms are allowed and both are met."""
    if turn % 2 == 0:
        return str(plan.retry_after_s)
    return http_date(now + timedelta(seconds=plan.retry_after_s))
