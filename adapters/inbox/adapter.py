"""Kind `inbox`: a ministry without an interface collects its dossiers from us.

`push` calls nobody. The frozen bytes are *offered*: they wait in the inbox until the ministry has fetched them and
acknowledged their digest, and only that acknowledgement makes the delivery delivered. What the ministry decides about
the dossier comes as reports, through the same door as the calls of other portals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from adapters.base import (
    Abilities,
    CatalogueList,
    Cursor,
    Delivery,
    DeliveryClass,
    EventIdentity,
    FileStream,
    FileUse,
    JsonValue,
    Operation,
    Outcome,
    OutcomeKind,
    Page,
    PortalContext,
    Presence,
    Probe,
    ProbeStrength,
    RawRecord,
    Repeat,
)
from adapters.inbox.options import Options
from adapters.inbox.receiver import ReportReceiver
from adapters.receiving import Receiver
from adapters.webhook.sender import Told, Webhook
from schemas.errors import PortalRefusedError

VERBS = ("declare", "amend", "supplement", "cancel")
"""What an item asks for: take up a dossier, its data have changed, papers were added, it is withdrawn."""

_OPERATIONS = {
    verb: Operation(
        name=verb,
        klass=DeliveryClass.COMMAND,
        message="dossier",
        repeat=Repeat.SAFE,
        probe=ProbeStrength.NONE,
        creates=verb == "declare",
        files=FileUse.NONE if verb == "cancel" else FileUse.CONTENT,
    )
    for verb in VERBS
}
ABILITIES = Abilities(
    operations=_OPERATIONS,
    commands={verb: verb for verb in VERBS},
    identity=EventIdentity.OWN_ID,
    collected=True,
)


class InboxAdapter:
    """One ministry's inbox. Thread-safe."""

    asks_for_keys = True
    """Nobody calls without a key or a pinned certificate, whatever networks are allowed."""

    def __init__(self, context: PortalContext, options: Mapping[str, JsonValue]) -> None:
        """Check the options.

        Raises:
            pydantic.ValidationError: The options are wrong.
        """
        self._context = context
        self.options = Options.model_validate(options)
        self._receivers = (ReportReceiver(),)
        self._webhook = (
            Webhook(
                context.portal,
                self.options.notice_url,
                clock=context.clock,
                deadline_s=self.options.notice_timeout_s,
                ca_file=self.options.ca_file,
            )
            if self.options.notice_url
            else None
        )

    @property
    def abilities(self) -> Abilities:
        """Commands only, collected by the ministry."""
        return ABILITIES

    def push(self, delivery: Delivery) -> Outcome:
        """Offer it; no call is made, so a repeat offers the same item."""
        if self._context.clock.monotonic() > delivery.send_by:
            return Outcome(OutcomeKind.RETRY, "the time to send had passed")
        return Outcome(OutcomeKind.OFFERED, "waits in the inbox to be collected", external_id=delivery.external_id)

    def probe(self, delivery: Delivery) -> Probe:
        """Nobody can ask the ministry: its acknowledgement tells."""
        reason = f"{delivery.portal} tells by its acknowledgement only"
        return Probe(Presence.CANNOT_TELL, reason, self._context.clock.now())

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """Nothing: the ministry reports, it is not read."""
        del cursor
        return iter(())

    def fetch(self, external_id: str) -> RawRecord | None:
        """Refuse: the ministry shows no dossier."""
        del external_id
        raise self._unable("fetch")

    def catalogue(self, name: str) -> CatalogueList:
        """Refuse: the ministry publishes no lists."""
        del name
        raise self._unable("catalogue")

    def open_file(self, ref: str) -> FileStream:
        """Refuse: the ministry serves no files."""
        del ref
        raise self._unable("open_file")

    def receivers(self) -> tuple[Receiver, ...]:
        """Where its reports are taken apart; the interface hands them over, no address leads here."""
        return self._receivers

    @property
    def wants_notices(self) -> bool:
        """Whether it is told that something waits."""
        return self._webhook is not None

    def tell(self, notice_id: str, body: bytes) -> Told:
        """Tell it that something waits, signed; nothing personal may stand in `body`."""
        if self._webhook is None:
            return Told("it wants no notices", gone=True)
        return self._webhook.tell(self._context.secret(self.options.notice_secret), notice_id, body)

    def ping(self) -> datetime | None:
        """Nobody is called, so nothing can be down."""
        return None

    def close(self) -> None:
        """Give back connections."""
        if self._webhook is not None:
            self._webhook.close()

    def _unable(self, verb: str) -> PortalRefusedError:
        return PortalRefusedError(self._context.portal, f"kind inbox has no {verb}", sent=False)
