"""A plain HTTP server before one receiver; it keeps first answers as the gateway does, and is no part of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from adapters.nsw.options import CallBacks
from adapters.nsw.receiver import CallBackReceiver
from adapters.nsw.signing import Signing
from adapters.receiving import (
    InboundCall,
    InboundReply,
    InboundRequest,
    Reception,
    Unreadable,
    Verdict,
)

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@dataclass
class Desk:
    """What came and what was answered. `busy` makes it unable to store."""

    receiver: CallBackReceiver
    url: str = ""
    kept: dict[str, dict[str, InboundReply]] = field(default_factory=dict)
    calls: list[InboundCall] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    busy: bool = False
    refuses: str = ""
    lock: Any = field(default_factory=threading.Lock)

    def take(self, request: InboundRequest) -> InboundReply:
        """Judge, keep and answer one call."""
        read = self.receiver.read(request)
        if isinstance(read, Unreadable):
            self.unreadable.append(read)
            return self.receiver.reply(request, Reception(Verdict.UNREADABLE, AT, read.reason, read.code))
        if not isinstance(read, InboundCall):
            return self.receiver.reply(request, Reception(Verdict.ANSWERED, AT))
        with self.lock:
            return self._kept(request, read)

    def _kept(self, request: InboundRequest, call: InboundCall) -> InboundReply:
        if self.busy:
            return self.receiver.reply(request, Reception(Verdict.BUSY, AT))
        if self.refuses:
            return self.receiver.reply(request, Reception(Verdict.REFUSED, AT, self.refuses))
        versions = self.kept.setdefault(call.key, {})
        if call.digest in versions:
            self.verdicts.append(Verdict.REPEATED)
            return versions[call.digest]
        verdict = Verdict.CHANGED if versions else Verdict.NEW
        self.verdicts.append(verdict)
        self.calls.append(call)
        versions[call.digest] = self.receiver.reply(request, Reception(verdict, AT))
        return versions[call.digest]


@contextmanager
def serving(signing: Signing | None = None, **options: Any) -> Iterator[Desk]:
    """A desk on a free port of this machine."""
    desk = Desk(CallBackReceiver(CallBacks(**options), signing or Signing()))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("content-length", "0"))))

        def _answer(self, body: bytes) -> None:
            where = urlsplit(self.path)
            reply = desk.take(
                InboundRequest(
                    method=self.command,
                    path="",
                    query=dict(parse_qsl(where.query, keep_blank_values=True)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=body,
                    at=AT,
                    base_url=desk.url,
                )
            )
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.media_type)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    desk.url = f"http://127.0.0.1:{server.server_port}/{desk.receiver.paths[0]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield desk
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2)
