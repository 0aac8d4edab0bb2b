"""Asking whether an attempt arrived, by reading (sync.md S21)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.base import Delivery, Presence, Probe
from adapters.opencps import operations as op
from adapters.opencps import rows as wire
from adapters.opencps.calls import Calls
from adapters.opencps.content import differing
from adapters.opencps.options import Options
from adapters.opencps.reading import Reader
from adapters.opencps.rows import JsonObject
from adapters.opencps.uploads import Uploads


class Prober:
    """Probes of one portal."""

    def __init__(self, calls: Calls, reader: Reader, options: Options) -> None:
        self._calls = calls
        self._reader = reader
        self._options = options
        self._uploads = Uploads(calls, reader, options)

    def probe(self, delivery: Delivery) -> Probe:
        """Ask; a failed read is raised, because it says nothing about the attempt."""
        asked_at = self._calls.context.clock.now()
        form = op.form_of(delivery, self._options)
        key = delivery.external_id or form.get("referenceUid", "")
        if delivery.operation == op.CREATE.name:  # all that is known of it otherwise is a number of another portal
            key = form["referenceUid"]
        detail = self._reader.present(key) if key else None
        if delivery.operation in op.ACTS:
            return self._act(delivery, detail, asked_at)
        if detail is None:
            return Probe(Presence.ABSENT, "the portal holds no dossier under this reference", asked_at)
        if delivery.operation == op.CREATE.name:
            return self._birth(delivery, key, asked_at)
        if others := differing(form, detail, delivery.operation):
            return Probe(Presence.ABSENT, f"the portal shows otherwise: {', '.join(others)}", asked_at, key)
        return Probe(Presence.PRESENT, "the portal shows what was sent", asked_at, key)

    def _birth(self, delivery: Delivery, key: str, asked_at: datetime) -> Probe:
        """Its reference, which only we make, is there; files that the attempt left out are attached now.

        An upload is harmless however often it is made, and nobody else would make it: once the dossier is there, the
        engine no longer asks for it to be created.
        """
        try:
            self._uploads.attach(key, op.papers_of(delivery), delivery.planned_at)
        except LookupError:
            return Probe(Presence.CANNOT_TELL, "it is there, but a file of it is not kept here any more", asked_at, key)
        return Probe(Presence.PRESENT, "its reference, which only we make, is there with its files", asked_at, key)

    def _act(self, delivery: Delivery, detail: JsonObject | None, asked_at: datetime) -> Probe:
        """Present: our key in note or log. Absent: nothing was done since the guard's reading. Else nobody can tell."""
        if detail is None:
            return Probe(Presence.CANNOT_TELL, "the dossier is not there any more", asked_at)
        log = self._reader.log(detail) if self._options.read_log else []
        mark = op.marker(delivery)
        external_id = delivery.external_id
        if any(mark in text for text in _texts(detail, log)):
            return Probe(Presence.PRESENT, "our key stands in the note or the log", asked_at, external_id)
        if _untouched(delivery.guard, detail, log):
            return Probe(
                Presence.ABSENT, "no log row and no act since the reading before the attempt", asked_at, external_id
            )
        return Probe(Presence.CANNOT_TELL, "something was done since, without our key", asked_at, external_id)


def _texts(detail: Mapping[str, Any], log: list[JsonObject]) -> list[str]:
    texts = [detail.get("lastActionNote"), *(row.get(name) for row in log for name in ("content", "payload"))]
    return [str(text).casefold() for text in texts if text]


def _untouched(guard: Mapping[str, Any], detail: Mapping[str, Any], log: list[JsonObject]) -> bool:
    """A current act that looks unchanged proves nothing by itself: it may have been taken back (S21)."""
    if "newest_log" not in guard or "action_id" not in guard:
        return False
    same_act = wire.number(detail.get("dossierActionId")) == wire.number(guard["action_id"])
    return same_act and wire.newest_log(log) <= wire.number(guard["newest_log"])
