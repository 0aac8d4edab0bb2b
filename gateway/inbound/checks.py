"""What can be checked here before success is said: that it can be read and made, as our words and the handlers say."""

from __future__ import annotations

from adapters.receiving import InboundCall
from gateway.config import OwnershipConfig
from gateway.store.base import Tx
from gateway.sync.offers import KnownOffers
from mappings.loader import Mapping as Vocabulary
from schemas.errors import RecordInvalidError


def unfit(vocabulary: Vocabulary, portal: str, ownership: OwnershipConfig, call: InboundCall) -> tuple[str, str]:
    """(code, reason) why what a portal of `births` tells cannot be read, or lacks what no dossier is made without.

    The reason names fields, never values. A part (a withdrawal, a payment) need not say what its dossier said.
    """
    if portal not in ownership.births:
        return "", ""
    try:
        for name, wire in call.record.parts.items():
            message = vocabulary.messages.get(name)
            if message is None:
                return "fields", f"the mapping has no message '{name}'"
            said = message.normalise(wire).values
            if call.record.partial:
                continue
            if lacking := message.lacking(said):
                return "missing", f"empty: {', '.join(lacking)}"
            if call.agency and not said.get("handling_agency", {}).get("agency_code"):
                return "agency", "its agency is named, and the mapping does not read that field"
    except RecordInvalidError as error:
        return "fields", str(error)
    return "", ""


def wrong(tx: Tx, offers: KnownOffers, portal: str, ownership: OwnershipConfig, call: InboundCall) -> tuple[str, str]:
    """(code, reason) of the first thing that does not hold; two empty texts when all holds or nothing is known yet.

    The reason quotes nothing of the call: it is kept in plain, and a name may stand where a code should.
    A handler whose offers were never read is not asked: the call is taken, and its creation is owed.
    """
    if not call.procedure:
        return "", ""
    if not call.record.partial and portal not in ownership.births:
        return "births", "nobody is asked to make dossiers of this portal: name it in ownership.births"
    known = [found for one in ownership.handlers if (found := offers.of_procedure(tx, one, call.procedure)) is not None]
    if not known:
        return "", ""
    offered = [row for rows in known for row in rows]
    if not offered:
        return "procedure", "its procedure is not offered here"
    agencies = {row["agency"] for row in offered if row["agency"]}
    if len(agencies) > 1 and not call.agency and not call.record.partial:  # taken, it would wait for one for ever
        return "agency", "no agency is named, and several offer its procedure: set one for it"
    if call.agency and agencies and call.agency not in agencies:
        return "agency", "its agency does not offer its procedure"
    return "", ""
