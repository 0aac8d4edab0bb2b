"""A portal at run time: its entry, its adapter, its words, and the breaker all its jobs share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from adapters.base import Adapter
from gateway.config import BreakerConfig, MaintenanceWindow, PortalConfig
from gateway.store.rows import Json
from mappings.loader import Mapping as Vocabulary
from schemas.clock import VIETNAM, Clock
from schemas.errors import PortalError


class Breaker:
    """Opens after a run of failures; after its time one harmless call decides whether it closes. Thread-safe."""

    def __init__(self, config: BreakerConfig, clock: Clock, state: Json | None = None) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        held = state or {}
        self._failures = int(held.get("failures", 0))
        self._opens = int(held.get("opens", 0))
        self._until = float(held.get("until", 0.0))
        self._reason = str(held.get("reason", ""))

    @property
    def state(self) -> Json:
        """For the store and for `status`."""
        with self._lock:
            return {"failures": self._failures, "opens": self._opens, "until": self._until, "reason": self._reason}

    @property
    def open_until(self) -> float:
        """0.0 when closed; else the instant from which a harmless call may be tried."""
        with self._lock:
            return self._until

    def failed(self, reason: str) -> bool:
        """Count a failure; true when this one opened the breaker."""
        with self._lock:
            self._failures += 1
            self._reason = reason
            if self._failures < self._config.failures or self._until > self._clock.now().timestamp():
                return False
            pause = min(self._config.open_s * 2**self._opens, self._config.max_open_s)
            self._opens += 1
            self._until = self._clock.now().timestamp() + pause
            return True

    def worked(self) -> bool:
        """A call was answered; true when this closed the breaker."""
        with self._lock:
            closed = self._until > 0.0
            self._failures, self._opens, self._until, self._reason = 0, 0, 0.0, ""
            return closed


@dataclass(frozen=True, slots=True)
class Portal:
    """One portal of `config.yaml`, ready to use."""

    name: str
    config: PortalConfig
    adapter: Adapter
    vocabulary: Vocabulary
    clock: Clock
    breaker: Breaker = field(kw_only=True)
    stopping: threading.Event = field(default_factory=threading.Event, kw_only=True)
    """Set when the process ends: nothing new is begun."""

    @property
    def pushes(self) -> bool:
        """Whether anything may be sent there at all."""
        return self.config.direction in ("push", "both")

    @property
    def pulls(self) -> bool:
        """Whether it is read."""
        return self.config.direction in ("pull", "both") and (
            self.adapter.abilities.pulls or self.adapter.abilities.polls
        )

    @property
    def opens_files(self) -> bool:
        """Whether the files that its records name can be asked for."""
        return self.config.direction in ("pull", "both") and self.adapter.abilities.opens_files

    def resting(self, now: datetime) -> str:
        """Why nothing is called now: we stop, a maintenance window, an open breaker; "" when it may be called."""
        if self.stopping.is_set():
            return "stopping"
        if any(inside(window, now) for window in self.config.maintenance):
            return "maintenance window"
        if self.breaker.open_until > now.timestamp():
            return "breaker open"
        return ""

    def awake(self) -> bool:
        """After an open breaker, try one harmless call; true when the portal may be called."""
        if not self.breaker.open_until:
            return True
        try:
            self.adapter.ping()
        except PortalError as error:
            self.breaker.failed(error.reason)
            return False
        self.breaker.worked()
        return True

    def ladder(self, tries: int, spread: float) -> float:
        """Seconds to wait after `tries` failures; `spread` is between -1 and 1."""
        retry = self.config.retry
        wait = min(retry.base_s * retry.factor ** max(tries - 1, 0), retry.max_s)
        return wait * (1.0 + retry.jitter * spread)


def inside(window: MaintenanceWindow, now: datetime) -> bool:
    """Whether an instant lies in a maintenance window; one past midnight belongs to the day it starts on."""
    local = now.astimezone(VIETNAM)
    minute = local.strftime("%H:%M")
    if window.starts <= window.ends:
        return local.weekday() in window.weekdays and window.starts <= minute < window.ends
    if minute >= window.starts:
        return local.weekday() in window.weekdays
    return minute < window.ends and (local.weekday() - 1) % 7 in window.weekdays
