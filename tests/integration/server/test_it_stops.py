"""Stopping: whatever is under way, the thread that serves ends by itself and without a trace."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import gateway.server.http as http_module
from adapters.receiving import InboundReply, InboundRequest, Receiver
from gateway.access import Access
from gateway.server.app import build_app
from gateway.server.http import HttpServer, ListenError
from schemas.clock import SystemClock
from tests.integration.server.conftest import Echo, Serve, Served, echo, settings

PUSH = "POST /in/national/nhanhsdvcqg"


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What ended threads, in words."""
    found: list[str] = []

    def note(ended: Any) -> None:
        found.append(f"{ended.thread.name}: {ended.exc_value!r}")

    monkeypatch.setattr(threading, "excepthook", note)
    yield found


def held_up(held_s: float, busy: threading.Event) -> HttpServer:
    """A server whose loop stands still for a while at each call, as on a machine that has no time for it."""

    def slowly() -> str:
        busy.set()
        time.sleep(held_s)
        return ""

    config = settings({})
    assert config.server is not None
    clock = SystemClock()
    app = build_app(
        config,
        {"national": (Echo(),)},
        echo,
        access=Access(clock),
        clock=clock,
        resolve=str,
        ready=lambda: True,
        public_url=slowly,
    )
    return HttpServer(config.server).start(app)


def test_a_stop_that_takes_longer_than_anybody_waits_ends_by_itself(
    monkeypatch: pytest.MonkeyPatch, traces: list[str]
) -> None:
    """Once the listening socket was closed under the loop's feet: "Invalid file descriptor: -1"."""
    monkeypatch.setattr(http_module, "GRACE_S", 0.1)
    busy = threading.Event()
    http = held_up(2.0, busy)
    served = Served(http)
    caller = threading.Thread(target=lambda: served.ask(PUSH, b"x"))
    caller.start()
    assert busy.wait(5)
    begun = time.monotonic()
    http.stop()
    assert time.monotonic() - begun < 1.5, "it is not waited for longer than said"
    caller.join(10)
    (thread,) = [one for one in threading.enumerate() if one.name == "http"] or [threading.Thread()]
    if thread.ident is not None:
        thread.join(10)
    assert traces == []
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(served.address, 1)


def test_a_server_nobody_wants_any_more_does_not_begin(monkeypatch: pytest.MonkeyPatch, traces: list[str]) -> None:
    """Stopped, and its socket closed, before its thread came to listen."""

    class Late(http_module._Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            self.should_exit = True
            for one in sockets or ():
                one.close()
            await super().startup(sockets)

    monkeypatch.setattr(http_module, "_Server", Late)
    monkeypatch.setattr(http_module, "STARTS_WITHIN_S", 0.5)
    config = settings({})
    assert config.server is not None
    clock = SystemClock()
    parts: dict[str, Any] = {"access": Access(clock), "clock": clock, "resolve": str, "ready": bool, "public_url": str}
    with pytest.raises(ListenError):
        HttpServer(config.server).start(build_app(config, {}, echo, **parts))
    assert traces == []


def test_stopped_again_and_again_under_load_it_never_fails(serve: Serve, traces: list[str]) -> None:
    """Callers who connect, call, hang up and wait while it stops."""

    def slow(portal: str, receiver: Receiver, request: InboundRequest) -> InboundReply:
        time.sleep(0.002)
        return echo(portal, receiver, request)

    for _ in range(4):
        served = serve({"calls_per_s": 10_000, "burst": 10_000}, receive=slow)
        ended = threading.Event()
        callers = [threading.Thread(target=_call, args=(served, ended, number)) for number in range(6)]
        for one in callers:
            one.start()
        time.sleep(0.03)
        served.http.stop()
        ended.set()
        for one in callers:
            one.join(10)
        assert not served.http.is_up
    assert traces == []


def _call(served: Served, ended: threading.Event, number: int) -> None:
    while not ended.is_set():
        try:
            with socket.create_connection(served.address, 1) as sock:
                sock.sendall(f"{PUSH} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n".encode() + b"x" * (number % 2))
                if number % 3:
                    sock.settimeout(0.2)
                    sock.recv(100)
        except OSError:
            continue
