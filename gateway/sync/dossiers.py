"""Opening and closing a dossier: what is personal is sealed, the rest lies in columns (design.md section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import orjson

from gateway.config import Config
from gateway.store.base import Vault
from gateway.store.rows import DossierRow, Json
from gateway.sync.decide import Ownership
from gateway.sync.reading import OUR_KEY, merge_facts
from gateway.sync.route import DossierView, ownership_of, stages
from gateway.sync.timeline import Entry, Event
from schemas.dossier import Dossier


class Held:
    """The personal part of a dossier: facts per portal and texts per entry."""

    def __init__(self, sealed: Json | None = None) -> None:
        document = sealed or {}
        self.facts: dict[str, Json] = document.get("facts", {})
        self.texts: dict[str, Json] = document.get("texts", {})

    @classmethod
    def open(cls, row: DossierRow, vault: Vault) -> Held:
        """Open the sealed part; an empty one for a new dossier."""
        return cls(orjson.loads(vault.open(row.id, row.sealed))) if row.sealed else cls()

    def plain(self) -> bytes:
        """What is sealed into the row; instants are written as `open` gives them, ISO texts."""
        return orjson.dumps({"facts": self.facts, "texts": self.texts})

    def owned(self, handler: str) -> list[Json]:
        """The facts that count: the handler's, and the results of all stages; before it has spoken, everybody's."""
        if len(self.facts) == 1:
            return [*self.facts.values()]
        if handler not in self.facts:
            return [self.facts[name] for name in sorted(self.facts)]
        others = [self.facts[name].get("results") for name in sorted(self.facts) if name != handler]
        return [self.facts[handler], {"results": [row for rows in others for row in rows or ()]}]


def view_of(row: DossierRow, held: Held, config: Config, ownership: Ownership | None = None) -> DossierView:
    """A dossier as routes and plans see it; `ownership` where the caller has it for this handler already."""
    return DossierView(
        row=row,
        facts=merge_facts(held.owned(row.handler)),
        entries=tuple(cast("list[Entry]", row.timeline)),
        ownership=ownership or ownership_of(row.handler, config.ownership, stages(config.routes)),
    )


def refresh_columns(row: DossierRow, held: Held, view: DossierView) -> None:
    """Write what follows from facts and timeline into the row's columns."""
    now = view.current()
    row.status, row.wire = (now.status, now.wire) if now else ("", "")
    facts = held.facts.get(row.handler) or view.facts
    row.dossier_code = row.dossier_code or str(facts.get("dossier_code") or "")
    procedure, agency = facts.get("procedure") or {}, facts.get("handling_agency") or {}
    row.procedure_code = str(procedure.get("procedure_code") or row.procedure_code)
    row.agency_code = str(agency.get("agency_code") or row.agency_code)
    row.submitted_at = _seconds(facts.get("submitted_at"))
    row.received_at = _seconds(facts.get("received_at"))
    row.due_at = _seconds(facts.get("due_at"))


def _seconds(value: Any) -> float | None:
    if isinstance(value, datetime):
        return value.timestamp()
    return datetime.fromisoformat(value).timestamp() if value else None


def values_of(view: DossierView, held: Held) -> dict[str, Any]:
    """The canonical record to write: merged facts, the number it is known by, and the current status as `state`."""
    facts = Dossier.model_validate(view.facts).model_dump(exclude_defaults=True)
    now = view.current()
    if now is not None:
        facts["state"] = event_values(now, held, view.number)
        facts["state"].pop("dossier_code", None)
    facts["dossier_code"] = view.number
    return facts


def event_values(event: Event, held: Held, number: str) -> dict[str, Any]:
    """One event as a canonical status event, our own keys taken out of its note."""
    texts: dict[str, Any] = {}
    for entry_id in sorted(event.ids, reverse=True):
        for name, value in held.texts.get(entry_id, {}).items():
            texts[name] = datetime.fromisoformat(value) if name in ("started_at", "due_at") else value
    if "note" in texts:
        texts["note"] = OUR_KEY.sub("", texts["note"]).strip()
    return {
        **{name: value for name, value in texts.items() if value != ""},
        "id": event.id,
        "status": event.status,
        "wire": event.wire,
        "sub_wire": event.sub,
        "occurred_at": datetime.fromtimestamp(event.at, tz=UTC),
        "dossier_code": number,
    }


def hashed(vault: Vault, comparable: Mapping[str, str]) -> dict[str, str]:
    """Field -> keyed hash of its comparable text: what a lane may know of a content without holding it."""
    return {path: vault.blind(text)[:16] for path, text in comparable.items()}


def as_json(values: Mapping[str, Any]) -> Json:
    """Values as they are sealed: plain JSON."""
    found: Json = orjson.loads(orjson.dumps(values))
    return found
