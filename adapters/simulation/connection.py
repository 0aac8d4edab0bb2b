"""One connection of one client: requests in, answers out, faults in between."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

from adapters.simulation import control, strikes
from adapters.simulation.faults import Strike
from adapters.simulation.simulator import Reply, Request
from adapters.simulation.wire import BadRequestError, Reader, Received, render

if TYPE_CHECKING:
    from adapters.simulation.server import SimulatorServer

log = logging.getLogger(__name__)


class Connection:
    """Serves one socket in a thread of its own until either side is done. `official`: came by the officers' port."""

    def __init__(self, server: SimulatorServer, sock: socket.socket, *, official: bool = False) -> None:
        self.official = official
        self._server = server
        self._sock = sock
        self._reader = Reader(sock)
        self._lock = threading.Lock()
        self._busy = False
        self._fresh = True
        self._farewell = False
        self._half_closed = False
        self._last: tuple[int, bytes] = (0, b"")

    def say_farewell(self) -> None:
        """Close as soon as nothing is under way (the portal is going down); one just let in makes its first call."""
        with self._lock:
            self._farewell = True
            if not self._busy and not self._fresh:
                self._half_closed = True
                with contextlib.suppress(OSError):
                    self._sock.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """Close now (the server stops)."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Answer until the client or the portal closes."""
        try:
            while (received := self._reader.request()) is not None:
                if not self._serve_one(received):
                    break
        except BadRequestError as error:
            with contextlib.suppress(OSError):
                self._send(Reply.text(f"bad request: {error}", 400), "GET", keep_alive=False)
        except OSError:
            # Reset by the client with bytes of our last answer unread, or while we were sending it.
            call, body = self._last
            self._server.simulator.book.end_call(call, "cut", body=body)
        finally:
            with contextlib.suppress(OSError):
                self._sock.close()

    def _serve_one(self, received: Received) -> bool:
        """Answer one request; False when the connection is over."""
        with self._lock:
            late = self._half_closed
            self._busy, self._fresh = True, False
        try:
            if received.path.startswith("/_sim/"):
                self._last = (0, b"")
                self._send(control.answer(self._server, received), received.method, received.keep_alive)
                return received.keep_alive
            return self._portal_call(received, late) and received.keep_alive
        finally:
            with self._lock:
                self._busy = False

    def _portal_call(self, received: Received, late: bool) -> bool:
        server, simulator = self._server, self._server.simulator
        call = server.next_call()
        self._last = (call, received.body)
        request = Request(
            received.method, received.path, received.query, received.headers, received.body, simulator.clock.now(), call
        )
        kind = simulator.describe(request)
        strike = None if late else server.faults.decide(call, kind, simulator.faults_supported)
        noted = kind not in ("read", "file", "login", "ping")
        if noted:
            fault = "farewell" if late else strike.fault if strike else None
            simulator.book.begin_call(
                call, kind=kind, method=request.method, path=request.path, fault=fault, began_s=time.time()
            )
        if late:  # our goodbye and this request crossed: nothing is done, and the caller cannot know that
            self._note(request, "cut")
            return False
        if strike is None:
            how, going_on = self._plain(request, received.keep_alive)
        else:
            how, going_on = self._struck(request, strike, received.keep_alive)
        if noted:
            self._note(request, how)
        return going_on

    def _note(self, request: Request, how: str) -> None:
        """Say in the book how a call is answered: before the bytes leave, so that no reader is quicker, and after."""
        self._server.simulator.book.end_call(request.call, how, ended_s=time.time(), body=request.body)

    def _plain(self, request: Request, keep_alive: bool) -> tuple[str, bool]:
        reply = self._work(request)
        how = "cut" if self._client_has_gone() else "whole"
        going_on = keep_alive and not self._farewell
        self._note(request, how)
        self._send(reply, request.method, going_on)
        return how, going_on

    def _struck(self, request: Request, strike: Strike, keep_alive: bool) -> tuple[str, bool]:
        server = self._server
        how = strikes.ANSWERED.get(strike.fault, "whole")
        if strike.fault == "refuse" or (strike.fault == "outage" and not strike.before):
            server.go_down(strike.lasts_s or server.faults.refuse_s)
            return self._plain(request, keep_alive)
        reply = strikes.substitute(strike, server.faults, request.at)
        if strike.before:
            if reply is None:
                self._note(request, how)
                strikes.reset(self._sock)
                return how, False
        else:
            own = self._own_reply(request, strike)
            reply = reply or own
        self._note(request, how)
        return how, self._deliver(reply, request, strike.fault, keep_alive)

    def _own_reply(self, request: Request, strike: Strike) -> Reply:
        """Let the portal do its work, in the fault's own shape where it has one."""
        simulator = self._server.simulator
        if strike.fault == "expired_session":
            simulator.expire_sessions()
        if strike.fault in ("expired_session", "wrong_namespace") and (
            special := simulator.fault_reply(strike.fault, request)
        ):
            return special
        return self._work(request)

    def _deliver(self, reply: Reply, request: Request, fault: str, keep_alive: bool) -> bool:
        server, plan = self._server, self._server.faults
        match fault:
            case "reset_after":
                strikes.reset(self._sock)
                return False
            case "truncate":
                size = len(reply.body)
                head, body = self._render(reply, request.method, keep_alive, length=size + 64)
                self._sock.sendall(head + body[: size // 2])
                return False
            case "drip":
                head, body = self._render(reply, request.method, keep_alive=False)
                strikes.drip(self._sock, head + body, plan, server.stopping)
                return False
            case "delay":
                server.stopping.wait(plan.delay_s)
        going_on = keep_alive and not self._farewell
        self._send(reply, request.method, going_on)
        return going_on

    def _work(self, request: Request) -> Reply:
        try:
            return self._server.simulator.answer(request)
        except Exception as error:  # a defect of the simulator: answered as a portal's own would be, and kept
            log.exception("simulator_failed")
            self._server.defects.append(error)
            return Reply.text("internal error", 500)

    def _client_has_gone(self) -> bool:
        try:
            return self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False

    def _send(self, reply: Reply, method: str, keep_alive: bool) -> None:
        head, body = self._render(reply, method, keep_alive)
        with self._lock:  # whoever has read this answer finds the connection idle, and not still busy with it
            self._sock.sendall(head + body)
            self._busy = False

    def _render(self, reply: Reply, method: str, keep_alive: bool, length: int | None = None) -> tuple[bytes, bytes]:
        now = self._server.simulator.clock.now()
        return render(reply, method=method, now=now, keep_alive=keep_alive, length=length)
