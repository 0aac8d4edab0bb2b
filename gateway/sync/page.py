"""One page inside its transaction (T1): what holds for it, and what is to be written at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from adapters.base import EventIdentity
from gateway.config import Config
from gateway.evidence.leaf import LeafRow
from gateway.store.base import Tx, Vault
from gateway.store.rows import DossierRow, LaneKey, LaneRow, RecordRow
from gateway.sync.arrival import Arrival
from gateway.sync.decide import Decision, Ownership
from gateway.sync.dossiers import Held
from gateway.sync.handover import Handovers
from gateway.sync.portal import Portal
from gateway.sync.reading import Reading
from gateway.sync.route import ownership_of, stages


class Terms:
    """What holds for every page: configuration, vault, portals, and what follows from them."""

    def __init__(
        self,
        config: Config,
        vault: Vault,
        portals: Mapping[str, Portal],
        new_id: Callable[[], str],
        handovers: Handovers,
    ) -> None:
        self.config = config
        self.handovers = handovers
        self.vault = vault
        self.portals = portals
        self.new_id = new_id
        self.handlers = config.ownership.handlers
        self._staged = stages(config.routes)
        self._ownerships: dict[str, Ownership] = {}

    def stage_of(self, portal: str) -> str:
        """The stage a portal handles: its own name for a ministry, "" for all others."""
        return portal if portal in self._staged and portal not in self.handlers else ""

    def ownership(self, handler: str) -> Ownership:
        """Ownership as all dossiers of one handler share it."""
        found = self._ownerships.get(handler)
        if found is None:
            found = self._ownerships[handler] = ownership_of(handler, self.config.ownership, self._staged)
        return found

    def blind(self, text: str) -> str:
        """A keyed digest; "" of nothing."""
        return self.vault.blind(text) if text else ""


@dataclass(slots=True)
class Stored:
    """What a page came to."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    stale: int = 0
    quarantined: int = 0
    decisions: dict[str, int] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    unknown_fields: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Slot:
    """One readable arrival with its record's row; `known` says whether that row was stored before."""

    arrival: Arrival
    reading: Reading
    record: RecordRow
    known: bool


@dataclass(slots=True)
class Placed:
    """A slot whose dossier is found or made, with the dossier's personal part open."""

    slot: Slot
    dossier: DossierRow
    held: Held


class Page:
    """One page of one portal, in one transaction."""

    def __init__(self, terms: Terms, tx: Tx, portal: Portal, now: float) -> None:
        self.terms = terms
        self.tx = tx
        self.portal = portal
        self.name = portal.name
        self.now = now
        self.stage = terms.stage_of(portal.name)
        self.handles = portal.name in terms.handlers
        self.identity = portal.adapter.abilities.identity or EventIdentity.BARE
        self.lanes: dict[LaneKey, LaneRow] = {}
        """Lanes at this portal, of the dossiers its records were linked to before."""
        self.records: list[RecordRow] = []
        """Read again or for the first time: to be stored."""
        self.doubted: list[RecordRow] = []
        self.touched: dict[str, RecordRow] = {}
        """By external id: read again and found to say nothing new."""
        self.changed: dict[str, Placed] = {}
        """By dossier id: dossiers to be stored."""
        self.raws: list[tuple[str, Arrival, str]] = []
        """Key owner, arrival and commitment."""
        self.leaves: list[LeafRow] = []
        self.labels: list[Decision] = []
        self.due: dict[LaneKey, None] = {}
        """Lanes made due, in order."""
        self.done = Stored()
