"""A lane's document: shadow (what we believe the portal shows), ledger (what was handed over), holds and tries.

The document is a JSON object in `lane.doc`; this module gives it names. Contents are keyed hashes per field, so a
lane holds nothing personal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.store.rows import Json, LaneRow
from gateway.sync.timeline import Event

HANDED = "handed"
UNPROVEN = "unproven"
SUPERSEDED = "superseded"


class Lane:
    """A claimed lane. Changes go into `row.doc`; storing it is the caller's matter.

    A class of delivery may be given as its enum: keys of the document are plain text, for JSON knows no others.
    """

    def __init__(self, row: LaneRow) -> None:
        self.row = row
        self._doc = row.doc

    # shadow
    @property
    def shadow_state(self) -> str:
        """`none` (never looked), `absent`, `present` (there, content not known), `known` or `unknown`."""
        return str(self._shadow().get("state", "none"))

    @property
    def shadow(self) -> Mapping[str, str]:
        """Field -> keyed hash of what the portal shows, as far as proven."""
        content: Mapping[str, str] = self._shadow().get("content", {})
        return content

    @property
    def ours(self) -> bool:
        """Whether we put the record there ourselves."""
        return bool(self._shadow().get("ours"))

    def _shadow(self) -> Json:
        found: Json = self._doc.setdefault("shadow", {})
        return found

    def show(self, state: str, content: Mapping[str, str] | None = None, *, ours: bool | None = None) -> None:
        """Move the shadow; only proof may call this (S9, S18)."""
        shadow = self._shadow()
        shadow["state"] = state
        shadow["content"] = dict(content or {})
        if ours is not None:
            shadow["ours"] = ours

    def overlay(self, content: Mapping[str, str]) -> dict[str, str]:
        """Take over what a reading showed; gives the fields that differ from the shadow."""
        shadow = self._shadow()
        held: dict[str, str] = shadow.setdefault("content", {})
        differing = {path: value for path, value in content.items() if path in held and held[path] != value}
        held.update({path: value for path, value in content.items() if path in held or shadow.get("state") != "none"})
        if shadow.get("state") in (None, "none", "absent"):
            shadow["state"] = "present"
        return differing

    # ledger of events
    def ledger(self) -> Mapping[str, str]:
        """Event id -> handed, unproven, superseded or parked."""
        found: Mapping[str, str] = self._doc.get("events", {})
        return found

    def note(self, ids: Iterable[str], how: str) -> None:
        """Enter events into the ledger."""
        self._doc.setdefault("events", {}).update(dict.fromkeys(ids, how))

    def forget(self, ids: Iterable[str]) -> None:
        """Take events out again: a person said they did not arrive."""
        ledger = self._doc.get("events", {})
        for event_id in ids:
            ledger.pop(event_id, None)

    def has(self, event: Event) -> bool:
        """Whether the ledger holds this event under any of its ids."""
        return event.known_in(self.ledger())

    def free(self, ids: Iterable[str]) -> None:
        """A person said that these causes did not arrive: they may be sent though they are of a restore's gap (S27)."""
        self._doc["freed"] = sorted({*self._doc.get("freed", ()), *ids})

    def is_free(self, event: Event) -> bool:
        """Whether a person has freed this event."""
        return event.known_in(self._doc.get("freed", ()))

    # ledger of commands
    def commands(self) -> Mapping[str, Json]:
        """Cause (event id) -> {state, verb, key}; `carries`: requests whose papers it brought; `unheard`: ended
        superseded, and the handler does not know of it.
        """
        found: Mapping[str, Json] = self._doc.get("commands", {})
        return found

    def command(self, cause: str, **values: Any) -> None:
        """Enter or change a command's state."""
        self._doc.setdefault("commands", {}).setdefault(cause, {}).update(values)

    def heard(self, cause: str) -> None:
        """Nobody need be asked any more about a request that was not handed over."""
        self._doc.get("commands", {}).get(cause, {}).pop("unheard", None)

    def forget_command(self, cause: str) -> None:
        """Free a cause again."""
        self._doc.get("commands", {}).pop(cause, None)

    def command_for(self, event: Event) -> Json | None:
        """The command an event caused, under any of its ids."""
        commands = self.commands()
        return next((commands[event_id] for event_id in event.ids if event_id in commands), None)

    def cause_of(self, event: Event) -> str:
        """The id under which an event's command is entered; "" when it has none."""
        commands = self.commands()
        return next((event_id for event_id in sorted(event.ids) if event_id in commands), "")

    # waiting
    def hold(self, klass: str) -> float:
        """Until when different bytes of this class wait (S22)."""
        return float(self._doc.get("hold", {}).get(str(klass), 0.0))

    def set_hold(self, klass: str, until: float) -> None:
        """Different bytes of this class wait until then."""
        holds = self._doc.setdefault("hold", {})
        holds[str(klass)] = max(until, holds.get(klass, 0.0))

    def not_before(self, klass: str) -> float:
        """Until when the ladder lets this class wait."""
        return float(self._doc.get("next", {}).get(str(klass), 0.0))

    def tries(self, klass: str) -> int:
        """Failed tries in a row of this class."""
        return int(self._doc.get("tries", {}).get(str(klass), 0))

    def tried(self, klass: str, next_at: float) -> int:
        """Count a failed try and wait; gives the number of tries."""
        tries: dict[str, int] = self._doc.setdefault("tries", {})
        tries[str(klass)] = tries.get(klass, 0) + 1
        self._doc.setdefault("next", {})[str(klass)] = next_at
        return tries[klass]

    def worked(self, klass: str) -> None:
        """Reset the ladder of a class."""
        for name in ("tries", "next", "refusals"):
            self._doc.get(name, {}).pop(str(klass), None)

    def refused(self, klass: str) -> int:
        """Count a refusal without a known text."""
        refusals: dict[str, int] = self._doc.setdefault("refusals", {})
        refusals[str(klass)] = refusals.get(klass, 0) + 1
        return refusals[klass]

    def forget_refusals(self, klass: str) -> None:
        """A person asked to try again."""
        self._doc.get("refusals", {}).pop(str(klass), None)

    @property
    def one_by_one(self) -> bool:
        """A call with several rows was refused: rows go alone (S19)."""
        return bool(self._doc.get("one_by_one"))

    @one_by_one.setter
    def one_by_one(self, value: bool) -> None:
        self._doc["one_by_one"] = value

    @property
    def parked_version(self) -> str:
        """The snapshot content that was refused for good, "" when none."""
        return str(self._doc.get("parked_version", ""))

    @parked_version.setter
    def parked_version(self, version: str) -> None:
        self._doc["parked_version"] = version

    @property
    def newest_snapshot(self) -> str:
        """Key of the newest snapshot begun: only it may move the shadow (S18)."""
        return str(self._doc.get("newest", ""))

    @newest_snapshot.setter
    def newest_snapshot(self, key: str) -> None:
        self._doc["newest"] = key

    # drift
    def drift_tries(self, content: str) -> int:
        """How often this content was sent again because the portal showed something else (S12)."""
        return int(self._doc.get("drift", {}).get(content, 0))

    def drifted(self, content: str) -> int:
        """Count one correction of this content."""
        drift: dict[str, int] = self._doc.setdefault("drift", {})
        drift[content] = drift.get(content, 0) + 1
        return drift[content]

    def forget_drift(self) -> None:
        """A new event of the owner or a person starts the count again."""
        self._doc.pop("drift", None)
        self._doc.pop("drifting", None)

    @property
    def drifting(self) -> bool:
        """The portal shows what it does not own, and we have not yet corrected it."""
        return bool(self._doc.get("drifting"))

    @drifting.setter
    def drifting(self, value: bool) -> None:
        self._doc["drifting"] = value

    # instants and evidence
    @property
    def last_ended(self) -> float:
        """When the lane's last attempt ended (S8)."""
        return float(self._doc.get("ended", 0.0))

    @last_ended.setter
    def last_ended(self, at: float) -> None:
        self._doc["ended"] = at

    @property
    def leaf(self) -> str:
        """Digest of the lane's last leaf."""
        return str(self._doc.get("leaf", ""))

    @leaf.setter
    def leaf(self, digest: str) -> None:
        self._doc["leaf"] = digest
