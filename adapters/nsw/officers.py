"""What the simulated ministry's officers decide, and how it is told: on the screen, and by call-back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from adapters.nsw.calling import CallBack, Outbox
from adapters.nsw.contents import contents
from adapters.nsw.envelope import Subject, send_date, write
from adapters.nsw.holdings import CALLED_BACK, STATE_AFTER, STATES, Held, Switches
from adapters.nsw.options import Party
from adapters.nsw.signing import Signing
from adapters.simulation import Book

MINISTRY, PROVINCE = Party(name="BGTVT", identity="BGTVT"), Party(name="System", identity="NSW")
_OFFICER = "CÁN BỘ THỬ NGHIỆM 01"
_WAITS_FOR = ("05", "10")
_WHOLE_DOSSIER = 99


class Officers:
    """Decide dossiers and call back. Guarded by the simulator's lock; only the outbox has a thread."""

    def __init__(self, switches: Callable[[], Switches], now: Callable[[], datetime], book: Book) -> None:
        self._switches = switches
        self._now = now
        self._book = book
        self.outbox = Outbox(lambda: switches().call_back, now)
        self._early: list[CallBack] = []

    def decide(self, held: Held, verb: str, arguments: Mapping[str, Any], signing: Signing) -> Held:
        """An officer's verb of `STATES`; it is called back where the ministry calls back at all."""
        self.show(held, STATES[verb])
        if self._switches().call_back.url and verb in CALLED_BACK:
            self.outbox.add(self.message(held, CALLED_BACK[verb], arguments, signing))
        return held

    def show(self, held: Held, state: int) -> None:
        """Put a state on the screen."""
        held.state = state
        held.states.append((self._now().isoformat(), state))
        self._book.put(held.key, held.shown())

    def declared(self, held: Held, function: str, signing: Signing) -> None:
        """Go on with the script: a new dossier begins it, a supplement or a cancellation may be what it waits for."""
        settings = self._switches().call_back
        if not settings.url:
            return
        if function == "01":
            held.steps = list(settings.script)
        elif held.steps and held.steps[0] == function:
            held.steps.pop(0)
        while held.steps and held.steps[0] not in _WAITS_FOR:
            step = held.steps.pop(0)
            if step in STATE_AFTER:
                self.show(held, STATE_AFTER[step])
            call = self.message(held, step, {}, signing)
            if settings.early and not held.told - 1:
                self._early.append(call)
            else:
                self.outbox.add(call, start=False)

    def take_early(self) -> list[CallBack]:
        """What is to be called back before the declaration is answered."""
        early, self._early = self._early, []
        return early

    def message(self, held: Held, function: str, arguments: Mapping[str, Any], signing: Signing) -> CallBack:
        """One message about a dossier; `arguments` may replace `reason`, `message_id`, `operation` and `send_date`."""
        settings = self._switches().call_back
        at = self._now()
        if held.told_at is not None and not settings.same_second:
            at = max(at, held.told_at + timedelta(seconds=1))
        elif held.told_at is not None:
            at = held.told_at
        held.told, held.told_at = held.told + 1, at
        message_id = str(arguments.get("message_id") or uuid.uuid5(uuid.NAMESPACE_OID, f"{held.key}/{held.told}"))
        date = str(arguments.get("send_date") or send_date(at))
        subject = replace(held.subject or _subject(held.key), function=function, send_date=date)
        reason = str(arguments.get("reason", settings.reason))
        content = contents(function, at, reason, who=_OFFICER)
        text = signing.sealed(write(message_id, MINISTRY, PROVINCE, subject, *content))
        operation = str(arguments.get("operation", settings.operation))
        return CallBack(message_id, held.key, function, operation, text, at, reason)


def _subject(key: str) -> Subject:
    """The subject of a dossier nobody declared."""
    document_type, reference, year = (int(part) for part in key.split("-"))
    return Subject(document_type, _WHOLE_DOSSIER, "", reference, reference, year, "")
