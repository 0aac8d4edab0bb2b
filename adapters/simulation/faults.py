"""Faults on demand: which call is hurt and how, decided by a seed and the call's number."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

GENERAL_FAULTS = (
    "refuse",
    "reset_before",
    "reset_after",
    "delay",
    "drip",
    "truncate",
    "html_200",
    "too_many_429",
    "unavailable_503",
    "garbage",
)
"""Faults that fit every protocol over HTTP."""

FAULT_KINDS = (*GENERAL_FAULTS, "wrong_namespace", "expired_session")
"""Every fault; the last two need a portal with namespaces or sessions."""

_SCRIPTED_ONLY = ("empty_200",)
"""An answer without a byte of body: met in the wild, struck only by a script."""

EXPIRY_GAP = 12
"""A session that was just renewed is not lost again within so many calls: two in a row would be a refused login."""

_NO_EFFECT = frozenset({"reset_before", "too_many_429", "unavailable_503"})
_EITHER = frozenset({"html_200", "garbage", "empty_200"})
_READS = frozenset({"read", "file", "login", "ping"})


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens to one call. `before`: the portal does nothing; `turn` counts strikes of this fault from 0."""

    fault: str
    before: bool
    turn: int
    seed: int
    lasts_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage, begun when call `after_calls` has been made.

    With `seconds` the portal's socket is closed, so that a caller knows nothing was sent. With `calls` that many calls
    are answered 503: whether a portal behind such a proxy worked, a caller cannot know.
    """

    after_calls: int
    calls: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _Scripted:
    fault: str
    on: str
    before: bool | None


class FaultPlan:
    """Decides per call; the same seed and calls give the same faults.

    `rate` is the share of calls hurt. Among the kinds that fit a call the least used come first, ties by lot, so every
    kind gets its share early. `calls` limits the plan to sorts of calls (None: all). `script` hurts exactly one coming
    call, whatever the rate. `delay_s` is how late a delayed answer is; a dripped one takes `drip_s`, in pieces
    `drip_every_s` apart; a refusal keeps the socket closed for `refuse_s`; a 429 names `retry_after_s` (whole seconds).
    """

    def __init__(
        self,
        seed: int = 0,
        rate: float = 0.0,
        kinds: Iterable[str] = FAULT_KINDS,
        *,
        outage: Outage | None = None,
        calls: Iterable[str] | None = None,
        delay_s: float = 1.0,
        drip_s: float = 3.0,
        drip_every_s: float = 0.05,
        refuse_s: float = 0.02,
        retry_after_s: int = 1,
    ) -> None:
        self.seed = seed
        self.rate = rate
        self.kinds = _known(kinds)
        self.outage = outage
        self.call_kinds = None if calls is None else frozenset(calls)
        self.delay_s = delay_s
        self.drip_s = drip_s
        self.drip_every_s = drip_every_s
        self.refuse_s = refuse_s
        self.retry_after_s = retry_after_s
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._script: list[_Scripted] = []
        self._calls = 0
        self._outage_left = 0
        self._expired_at = -EXPIRY_GAP

    def decide(self, call: int, kind: str, supported: Iterable[str]) -> Strike | None:
        """Say what hurts call number `call`, or None."""
        with self._lock:
            self._calls = max(self._calls, call)
            if scripted := self._take_scripted(kind):
                return self._strike(scripted.fault, call, scripted.before)
            if strike := self._outage_strike(call):
                return strike
            lot = random.Random(self.seed * 1_000_003 + call)
            if lot.random() >= self.rate or (self.call_kinds is not None and kind not in self.call_kinds):
                return None
            fresh = call - self._expired_at < EXPIRY_GAP
            fitting = [fault for fault in self.kinds if fault in supported and _fits(fault, kind, fresh=fresh)]
            if not fitting:
                return None
            least = min(self._counts[fault] for fault in fitting)
            return self._strike(lot.choice([fault for fault in fitting if self._counts[fault] == least]), call, None)

    def script(self, fault: str, *, on: str = "", before: bool | None = None) -> None:
        """Hurt the next call of sort `on` ("": any; "effect": any write) once with `fault`."""
        if fault not in _SCRIPTED_ONLY:
            _known([fault])
        with self._lock:
            self._script.append(_Scripted(fault, on, before))

    def change(self, settings: dict[str, Any]) -> None:
        """Apply `{"rate", "kinds", "stop", "next": [{"fault", "on", "before"}], "outage": {...}}`.

        Raises:
            ValueError: Unknown kind of fault.
        """
        if settings.get("stop"):
            self.stop()
        with self._lock:
            if "kinds" in settings:
                self.kinds = _known(settings["kinds"])
            self.rate = float(settings.get("rate", self.rate))
            if "outage" in settings:
                self.outage = None if settings["outage"] is None else Outage(**settings["outage"])
        for item in settings.get("next", ()):
            self.script(item["fault"], on=item.get("on", ""), before=item.get("before"))

    def stop(self) -> None:
        """Hurt nothing from now on."""
        with self._lock:
            self.rate, self.outage, self._outage_left = 0.0, None, 0
            self._script.clear()

    def counts(self) -> dict[str, int]:
        """How often each kind struck."""
        with self._lock:
            return dict(self._counts)

    def report(self) -> dict[str, Any]:
        """What the screen `/_sim/faults` shows."""
        counts = self.counts()
        struck = sum(counts.values())
        return {"rate": self.rate, "kinds": list(self.kinds), "calls": self._calls, "struck": struck, "counts": counts}

    def _take_scripted(self, kind: str) -> _Scripted | None:
        for place, item in enumerate(self._script):
            if item.on in ("", kind) or (item.on == "effect" and kind not in _READS):
                return self._script.pop(place)
        return None

    def _outage_strike(self, call: int) -> Strike | None:
        if self.outage is not None and call > self.outage.after_calls:
            outage, self.outage = self.outage, None
            if outage.seconds:
                return self._strike("outage", call, before=False, lasts_s=outage.seconds)
            self._outage_left = outage.calls
        if not self._outage_left:
            return None
        self._outage_left -= 1
        return self._strike("outage", call, before=True)

    def _strike(self, fault: str, call: int, before: bool | None, lasts_s: float = 0.0) -> Strike:
        seed = self.seed * 7_919 + call
        if before is None:
            before = fault in _NO_EFFECT or (fault in _EITHER and random.Random(seed).random() < 0.5)
        if fault == "expired_session":
            self._expired_at = call
        turn = self._counts[fault]
        self._counts[fault] += 1
        return Strike(fault, before, turn, seed, lasts_s)


def _known(kinds: Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(kinds)
    if unknown := [kind for kind in chosen if kind not in FAULT_KINDS]:
        raise ValueError(f"unknown fault kinds {unknown}; known: {', '.join(FAULT_KINDS)}")
    return chosen


def _fits(fault: str, call_kind: str, *, fresh: bool) -> bool:
    """A login has no session to lose, nor is one lost that was `fresh`."""
    return not (fault == "expired_session" and (call_kind == "login" or fresh))
