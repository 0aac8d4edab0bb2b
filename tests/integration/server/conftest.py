"""A real server on a socket, with a small receiver of its own behind it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog

from adapters.receiving import (
    InboundCall,
    InboundReply,
    InboundRequest,
    Question,
    Receiver,
    Reception,
    Unreadable,
    Verdict,
)
from gateway import log
from gateway.access import Access
from gateway.access.networks import networks
from gateway.config import Config
from gateway.server.app import build_app
from gateway.server.http import HttpServer
from schemas.clock import SystemClock

Receive = Callable[[str, Receiver, InboundRequest], InboundReply]


@dataclass(frozen=True)
class Echo:
    """Answers with what it was asked: one receiver of a portal that no real kind has."""

    name: str = "push"
    paths: tuple[str, ...] = ("nhanhsdvcqg",)
    methods: tuple[str, ...] = ("POST",)
    repeats_first_answer: bool = False
    patience_s: float = 5.0

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        return Question(arguments={"sha256": hashlib.sha256(request.body).hexdigest()})

    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:
        return InboundReply(f"{reception.verdict}:{request.method}:{request.path}:{len(request.body)}".encode())


def echo(_portal: str, receiver: Receiver, request: InboundRequest) -> InboundReply:
    receiver.read(request)
    return receiver.reply(request, Reception(Verdict.ANSWERED, request.at))


@dataclass
class Raw:
    """One connection that says exactly the bytes it is told."""

    sock: socket.socket
    closed: bool = False

    def say(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # the server may have gone away before all was said
            self.sock.sendall(data)

    def hear(self, within_s: float = 10.0) -> bytes:
        """Everything until the server closes or nothing more comes of a whole answer."""
        self.sock.settimeout(within_s)
        heard = b""
        with contextlib.suppress(OSError):
            while part := self.sock.recv(65536):
                heard += part
                head, gap, body = heard.partition(b"\r\n\r\n")
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                if gap and lengths and len(body) >= int(lengths[0].split(b":")[1]):
                    return heard
        return heard


@dataclass
class Served:
    """A server under test. `calls` are the requests that reached the seam."""

    http: HttpServer
    calls: list[InboundRequest] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.http.url.rpartition("//")[2].rpartition(":")
        return host, int(port)

    @contextlib.contextmanager
    def raw(self) -> Iterator[Raw]:
        with socket.create_connection(self.address, 10) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield Raw(sock)

    def ask(self, head: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """One call on a connection of its own: status, headers, body."""
        lines = [
            f"{head} HTTP/1.1",
            "host: gateway.example.invalid",
            f"content-length: {len(body)}",
            "connection: close",
        ]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        with self.raw() as raw:
            raw.say("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            return parsed(raw.hear())


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    return int(first.split()[1]) if first else 0, headers, body


def settings(inbound: dict[str, Any], **server: Any) -> Config:
    """A configuration with one portal that may call."""
    return Config.model_validate(
        {
            "environment": "test",
            "province": {"agency_code": "H99"},
            "portals": {"national": {"kind": "npsp", "mapping": "npsp/v2-2024", "inbound": inbound}},
            "ownership": {"handlers": ["national"]},
            "server": {"listen": "127.0.0.1:0", **server},
        }
    )


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers: `serve(inbound, receive=..., receivers=..., secret=..., **server settings)`."""
    with contextlib.ExitStack() as stack:

        def start(
            inbound: dict[str, Any] | None = None,
            *,
            receive: Receive = echo,
            receivers: tuple[Receiver, ...] = (Echo(),),
            secret: str = "",
            ready: Callable[[], bool] = lambda: True,
            **server: Any,
        ) -> Served:
            config = settings(inbound or {}, **server)
            assert config.server is not None
            http = HttpServer(config.server)
            served = Served(http)

            def noted(portal: str, receiver: Receiver, request: InboundRequest) -> InboundReply:
                served.calls.append(request)
                return receive(portal, receiver, request)

            clock = SystemClock()
            app = build_app(
                config,
                {"national": receivers},
                noted,
                access=Access(clock, trusted_proxies=networks(config.server.trusted_proxies)),
                clock=clock,
                resolve=lambda reference: secret,
                ready=ready,
                public_url=lambda: http.public_url,
            )
            stack.callback(http.stop)
            http.start(app)
            return served

        yield start


@pytest.fixture
def logged() -> Iterator[io.BytesIO]:
    """What the server logs, as the program would write it."""
    stream = io.BytesIO()
    log.configure(stream)
    yield stream
    structlog.reset_defaults()


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Do the work in that many threads at once; their results in order."""
    results: list[Any] = [None] * count

    def one(number: int) -> None:
        results[number] = work(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def until(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.01)
