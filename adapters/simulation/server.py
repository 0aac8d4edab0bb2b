"""A simulator on a socket: HTTP/1.1 with keep-alive on 127.0.0.1, one daemon thread for each connection."""

from __future__ import annotations

import itertools
import socket
import threading
from types import TracebackType
from typing import Self

from adapters.simulation.clock import SimClock
from adapters.simulation.connection import Connection
from adapters.simulation.door import Door
from adapters.simulation.faults import FaultPlan
from adapters.simulation.simulator import Simulator


class SimulatorServer:
    """Serves one simulator. Written on plain sockets, so that a fault can act on single bytes.

    `url` is the portal. `control_url` is a second port with the same paths, never shut by a refusal or an outage:
    officers and the oracle use its `/_sim/`. `defects` holds errors of the simulator itself: a test expects none.
    """

    def __init__(
        self,
        simulator: Simulator,
        port: int = 0,
        faults: FaultPlan | None = None,
        clock: SimClock | None = None,
    ) -> None:
        self.simulator = simulator
        if clock is not None:
            simulator.clock = clock
        self.faults = faults or FaultPlan()
        self.stopping = threading.Event()
        self.defects: list[Exception] = []
        self._door = Door(port, self._accepted)
        self._calls = itertools.count(1)
        self._lock = threading.Lock()
        self._open: dict[Connection, threading.Thread] = {}

    @property
    def port(self) -> int:
        """The portal's port."""
        return self._door.port

    @property
    def url(self) -> str:
        """Base URL of the portal, without a trailing slash."""
        return f"http://127.0.0.1:{self._door.port}"

    @property
    def control_url(self) -> str:
        """Base URL for `/_sim/`, reachable during outages too."""
        return f"http://127.0.0.1:{self._door.control_port}"

    @property
    def is_down(self) -> bool:
        """Whether connections are refused now."""
        return self._door.is_shut

    def start(self) -> Self:
        """Begin to serve; returns at once."""
        self._door.start()
        return self

    def stop(self) -> None:
        """Stop within a second: no new connections, open ones cut, threads joined."""
        self.stopping.set()
        self._door.stop()
        with self._lock:
            open_now = dict(self._open)
        for connection in open_now:
            connection.cut()
        for thread in open_now.values():
            thread.join(1)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def next_call(self) -> int:
        """Number a call of the portal's protocol, from 1."""
        return next(self._calls)

    def go_down(self, seconds: float) -> None:
        """Refuse connections for `seconds`; calls under way are answered, idle connections closed."""
        self._door.shut(seconds)
        with self._lock:
            open_now = list(self._open)
        for connection in open_now:
            if not connection.official:
                connection.say_farewell()

    def come_up(self) -> None:
        """End an outage at once."""
        self._door.open()

    def _accepted(self, sock: socket.socket) -> None:
        connection = Connection(self, sock, official=sock.getsockname()[1] == self._door.control_port)
        thread = threading.Thread(target=self._serve, args=(connection,), name=f"simulator-{self.port}", daemon=True)
        with self._lock:
            self._open[connection] = thread
        thread.start()

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve()
        finally:
            with self._lock:
                self._open.pop(connection, None)
