"""Officers at their desks: each dossier's acts are done in order and in time, through the portals' own screens.

An officer of a forwarded dossier looks at the other portal's screen before going on; nobody asks the gateway.
"""

from __future__ import annotations

import heapq
import random
import time
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.demo.catalogue import JUSTICE, PROVINCE, TRANSPORT
from gateway.demo.citizens import Citizens
from gateway.demo.screen import Screen
from gateway.demo.world import Life

SHORTEST_S = 0.12
"""Between two acts on one dossier; at the portals' speed this is more than two of their seconds."""
LOOK_EVERY_S = 0.8
RESULT_PART = "KQ01"
"""Where a result lies."""
_VERBS = {"interoperate": "interoperate", "reopen": "goto"}
_SHOWN = {
    "wait_releasing": "releasing",
    "wait_waiting": "waiting",
    "wait_unresolved": "unresolved",
    "wait_processing": "processing",
    "wait_cancelling": "cancelling",
}
_SUPPLEMENT = "05"
"""The function by which a ministry of kind nsw is sent what it asked for."""


@dataclass(slots=True)
class Case:
    """One dossier and how far its life has come; `done` counts acts, the birth included."""

    life: Life
    done: int = 0
    number: str = ""
    reference: str = ""
    acted_at: float = 0.0
    has_result: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.done > len(self.life.acts)

    @property
    def waits(self) -> bool:
        """Whether the next thing is a look at a screen."""
        return 0 < self.done <= len(self.life.acts) and self.life.acts[self.done - 1][0].startswith("wait_")

    @property
    def numbers(self) -> tuple[str, ...]:
        """How another portal may call it."""
        return tuple(number for number in (self.number, self.life.number) if number)


@dataclass(slots=True)
class _Shown:
    """What the screens showed when they were last looked at; `there`: national number -> reference and number."""

    declared: dict[str, str] = field(default_factory=dict)
    supplemented: set[str] = field(default_factory=set)
    status: dict[str, str] = field(default_factory=dict)
    there: dict[str, tuple[str, str]] = field(default_factory=dict)
    looked_at: float = 0.0


class Officers:
    """All the people of the demo.

    Every dossier is born within `over_s` seconds, and nobody pauses longer than `pause_s` between two acts on one.
    """

    def __init__(
        self,
        lives: Iterable[Life],
        screens: dict[str, Screen],
        citizens: Citizens,
        *,
        seed: int,
        over_s: float,
        pause_s: float,
    ) -> None:
        self._screens = screens
        self._citizens = citizens
        self._lot = random.Random(f"officers {seed}")
        self._longest_s = pause_s
        self._shown = _Shown()
        self.cases = [Case(life, reference=life.reference) for life in lives]
        self.acts = 0
        self.last_act_at = time.monotonic()
        start = time.monotonic()
        spread = over_s / max(len(self.cases), 1)
        self._agenda = [(start + spread * place, place) for place in range(len(self.cases))]
        heapq.heapify(self._agenda)

    @property
    def total(self) -> int:
        """How many acts and looks there are in all."""
        return sum(len(case.life.acts) + 1 for case in self.cases)

    @property
    def left(self) -> int:
        """Dossiers whose life is not over."""
        return sum(not case.over for case in self.cases)

    @property
    def only_waiting(self) -> bool:
        """Whether all that is left waits for another portal to show something."""
        return all(case.over or case.waits for case in self.cases)

    def work(self, until: float) -> int:
        """Do what is on the agenda up to a monotonic instant; gives the number of acts."""
        before = self.acts
        while self._agenda and self._agenda[0][0] <= min(until, time.monotonic()):
            _, place = heapq.heappop(self._agenda)
            case = self.cases[place]
            moved = self._next(case)
            if not case.over:
                heapq.heappush(self._agenda, (time.monotonic() + self._pause_s(moved), place))
        return self.acts - before

    def next_at(self) -> float:
        """When somebody next does something; infinity when all is done."""
        return self._agenda[0][0] if self._agenda else float("inf")

    def _pause_s(self, moved: bool) -> float:
        return self._lot.uniform(SHORTEST_S, self._longest_s) if moved else LOOK_EVERY_S

    def _next(self, case: Case) -> bool:
        """Do or look; false when a screen does not show yet what is waited for."""
        if case.done == 0:
            self._born(case)
        else:
            verb, arguments = case.life.acts[case.done - 1]
            who, _, what = verb.partition("_")
            match who:
                case "wait":
                    if not self._shows(case, verb):
                        return False
                case "citizen":
                    self._citizens.ask(what, case.life)
                    self._acted()
                case "justice":
                    self._act(JUSTICE, what, {"number": self._shown.declared[self._known_as(case)]})
                case "transport":
                    key = self._shown.declared[self._known_as(case)]
                    self._act(TRANSPORT, what, {"key": key, "reason": arguments["note"]})
                case _:
                    if verb == "complete" and case.life.result and not case.has_result:
                        self._file(case, case.life.result, RESULT_PART)
                        case.has_result = True
                    answer = self._act(PROVINCE, _VERBS.get(verb, verb), {**arguments, "referenceUid": case.reference})
                    case.number = answer.get("dossierNo") or case.number
        case.done += 1
        case.acted_at = time.monotonic()
        return True

    def _born(self, case: Case) -> None:
        if case.life.number:
            self._citizens.submit(case.life)
            self._acted()
        else:
            self._act(PROVINCE, "create_dossier", case.life.birth)
            for name in case.life.papers:
                self._file(case, name, "TP01")

    def _file(self, case: Case, name: str, part: str) -> None:
        """Put a file into a dossier, another one for each."""
        content = b64encode(f"%PDF-1.4\n% {case.reference} {name}\n%%EOF\n".encode()).decode()
        about = {"name": name, "fileType": "pdf", "partNo": part, "base64": content}
        self._screens[PROVINCE].do("add_file", {"referenceUid": case.reference, **about})

    def _act(self, portal: str, verb: str, arguments: Any) -> Any:
        answer = self._screens[portal].do(verb, arguments)
        self._acted()
        return answer

    def _acted(self) -> None:
        self.acts += 1
        self.last_act_at = time.monotonic()

    def _shows(self, case: Case, verb: str) -> bool:
        if time.monotonic() - self._shown.looked_at > LOOK_EVERY_S:
            self._look()
        if self._shown.looked_at < case.acted_at:  # the screen of before the last act
            return False
        match verb:
            case "wait_there":
                found = self._shown.there.get(case.life.number)
                case.reference, case.number = found or ("", "")
                return found is not None
            case "wait_declared":
                return bool(self._known_as(case))
            case "wait_supplemented":
                return not self._shown.supplemented.isdisjoint(case.numbers)
        return self._shown.status.get(case.reference) == _SHOWN[verb]

    def _known_as(self, case: Case) -> str:
        """The number under which a ministry has it; "" when none has."""
        return next((number for number in case.numbers if number in self._shown.declared), "")

    def _look(self) -> None:
        shown = _Shown(looked_at=time.monotonic())
        for held in self._screens[TRANSPORT].look("dossiers"):
            shown.declared[held["dossier_code"]] = held["key"]
            if any(one["function"] == _SUPPLEMENT for one in held["declarations"]):
                shown.supplemented.add(held["dossier_code"])
        for held in self._screens[JUSTICE].look("dossiers"):
            shown.declared[held["number"]] = held["number"]
        for uid, record in self._screens[PROVINCE].look("records").items():
            shown.status[uid] = record["dossierStatus"]
            if record["originDossierNo"]:
                shown.there[record["originDossierNo"]] = (uid, record["dossierNo"])
        self._shown = shown
