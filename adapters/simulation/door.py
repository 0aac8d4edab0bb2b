"""The door: the listening sockets of a simulator, and how the portal's own one is shut and opened again."""

from __future__ import annotations

import contextlib
import ctypes
import select
import socket
import struct
import threading
import time
from collections.abc import Callable

_SO_ATTACH_FILTER = 26
_ACCEPT_POLL_S = 0.25
_BATCH = 64
_DROP_ALL = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
"""A socket filter of one instruction: return 0, drop every packet."""

Accepted = Callable[[socket.socket], None]


class Door:
    """Accepts connections on the portal's port, and on a second one for officers that is never shut.

    A shut door refuses connections (ECONNREFUSED), so that a caller knows that nothing was sent. The port stays
    reserved meanwhile by a bound socket that does not listen. Only the acceptor thread touches the listeners.
    """

    def __init__(self, port: int, accepted: Accepted) -> None:
        self._accepted = accepted
        self._reserve = _bound(port)
        self.port: int = self._reserve.getsockname()[1]
        self._control = _listening(0)
        self.control_port: int = self._control.getsockname()[1]
        self._portal: socket.socket | None = _listening(self.port)
        self._bell, self._ear = socket.socketpair()
        self._lock = threading.Lock()
        self._shut_for_s = 0.0
        self._shut_until = 0.0
        self._is_shut = threading.Event()
        self._is_open = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"simulator-door-{self.port}", daemon=True)

    def start(self) -> None:
        """Begin to accept."""
        self._is_open.set()
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting and give the ports back."""
        self._stopping = True
        self._bell.send(b"x")
        if self._thread.is_alive():
            self._thread.join(2)
        for sock in (self._portal, self._control, self._reserve, self._bell, self._ear):
            if sock is not None:
                sock.close()

    def shut(self, seconds: float) -> None:
        """Refuse connections for `seconds` from now; returns once it is so."""
        with self._lock:
            self._shut_for_s = max(self._shut_for_s, seconds)
            self._is_shut.clear()
        self._bell.send(b"x")
        self._is_shut.wait(1)

    def open(self) -> None:
        """Accept again; returns once it is so."""
        with self._lock:
            self._shut_for_s = self._shut_until = 0.0
            if self._portal is None:
                self._is_open.clear()
        self._bell.send(b"x")
        self._is_open.wait(1)

    @property
    def is_shut(self) -> bool:
        """Whether the portal's port refuses connections now."""
        return self._is_shut.is_set()

    def _run(self) -> None:
        while not self._stopping:
            listeners = [sock for sock in (self._portal, self._control) if sock is not None]
            ready, _, _ = select.select([*listeners, self._ear], [], [], self._patience_s())
            if self._ear in ready:
                self._ear.recv(64)
            for listener in listeners:
                if listener in ready:
                    self._accept(listener)
            self._turn()

    def _patience_s(self) -> float:
        return max(0.0, self._shut_until - time.monotonic()) if self._portal is None else _ACCEPT_POLL_S

    def _turn(self) -> None:
        """Shut or open the portal's port as the time says."""
        with self._lock:
            asked_s, self._shut_for_s = self._shut_for_s, 0.0
            if asked_s:
                self._shut_until = max(self._shut_until, time.monotonic() + asked_s)
            shut = asked_s > 0 or time.monotonic() < self._shut_until
        if shut and self._portal is not None:
            # A connection may not be lost between the last accept and the close: its caller would have sent a request
            # that no book shows. So those at the door are let in, the listener goes deaf, and whoever came meanwhile
            # is let in too. One who comes while it is deaf asks again after a second, as TCP does.
            self._accept(self._portal)
            _deafen(self._portal)
            while self._accept(self._portal):
                """The queue is short and nobody joins it any more."""
            self._portal.close()
            self._portal = None
            self._is_open.clear()
            self._is_shut.set()
        elif shut:
            self._is_shut.set()
        elif not shut and self._portal is None:
            self._portal = _listening(self.port)
            self._is_shut.clear()
            self._is_open.set()

    def _accept(self, listener: socket.socket) -> bool:
        """Let in some of those at the door; False when nobody is left."""
        with contextlib.suppress(OSError):  # a caller that has already gone; BlockingIOError: nobody is left
            for _ in range(_BATCH):
                sock, _ = listener.accept()
                sock.setblocking(True)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._accepted(sock)
            return True
        return False


def _bound(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock


def _listening(port: int) -> socket.socket:
    sock = _bound(port)
    sock.listen(256)
    sock.setblocking(False)
    return sock


def _deafen(listener: socket.socket) -> None:
    """Drop what reaches a listening socket from now on; connections already made keep working (Linux)."""
    with contextlib.suppress(OSError):  # a kernel without socket filters: only the tiny gap named above is left open
        program = struct.pack("HL", 1, ctypes.addressof(_DROP_ALL))
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
