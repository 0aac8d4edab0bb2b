"""What an answer means for the message it answers.

- 99 with `ReceiveDate`, about our dossier: delivered, which says received and nothing more.
- 22 with `Reject`: refused. Naming our own message id, it is the attested shape of a validation error on a first
  attempt; on a repeat it may be the failed insert of a message that is already there, so the outcome is unknown (Q06).
- An empty string: the ministry failed while working; unknown.
- Anything else breaks the contract: unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from adapters.base import Delivery, Outcome, OutcomeKind
from adapters.http import outcome_of
from adapters.nsw.envelope import RECEIVED, REFUSED, Message, Subject
from adapters.redaction import without
from adapters.soap import SoapReply
from adapters.xml import Limits, parse
from schemas.errors import PortalError, PortalRefusedError, RecordInvalidError

_REASON_LIMIT = 200
_KEPT = frozenset({"DossierCode", "ProcedureCode"})
_LONG_NUMBER = re.compile(r"\d{6,}")
_LIMITS = Limits(max_elements=500, max_depth=16)


def judged(delivery: Delivery, subject: Subject, reply: SoapReply, opened: Callable[[str, Limits], Message]) -> Outcome:
    """Classify the string the ministry returned; `opened` reads it as this partner's messages are to be read.

    Also what is uncertain carries the dossier's key: we wrote it there, and a call-back will name it.
    """
    outcome = _judged(delivery, subject, reply, opened)
    return outcome if outcome.kind is OutcomeKind.REFUSED else replace(outcome, external_id=subject.dossier_key)


def _judged(
    delivery: Delivery, subject: Subject, reply: SoapReply, opened: Callable[[str, Limits], Message]
) -> Outcome:
    answer = reply.answer
    if not reply.text.strip():
        return Outcome(OutcomeKind.UNKNOWN, "empty answer: the ministry failed while working", answer=answer)
    try:
        message = opened(reply.text, _LIMITS)
    except RecordInvalidError as error:
        return Outcome(OutcomeKind.UNKNOWN, f"contract broken: {error.reason}", answer=answer)
    named = message.text("Reject/RejectCode").casefold()
    own = message.subject.function == REFUSED and named == delivery.key_uuid.casefold()
    if not own and message.subject.dossier_key != subject.dossier_key:
        return Outcome(OutcomeKind.UNKNOWN, "contract broken: an answer about another dossier", answer=answer)
    if message.subject.function == RECEIVED and message.content.find("ReceiveDate") is not None:
        proof = "; ".join((f"function={RECEIVED} ReceiveDate", *message.oddities))
        said = "received by the ministry"
        return Outcome(OutcomeKind.DELIVERED, said, code=RECEIVED, proof=proof, answer=answer, signed=message.signed)
    if message.subject.function == REFUSED and message.content.find("Reject") is not None:
        return _refused(message, delivery, answer, perhaps_there=own and delivery.attempt > 1)
    return Outcome(
        OutcomeKind.UNKNOWN,
        "contract broken: neither an acknowledgement nor a refusal",
        code=message.subject.function,
        answer=answer,
    )


def failed(delivery: Delivery, subject: Subject, error: PortalError, answer: bytes) -> Outcome:
    """What a call came to that ended in a portal error; a fault that blames our message will not change its mind."""
    final = isinstance(error, PortalRefusedError) and bool(error.code)
    outcome = outcome_of(error)
    key = subject.dossier_key if outcome.kind is OutcomeKind.UNKNOWN else ""
    return replace(outcome, excerpt=_shown(error.excerpt, delivery), final=final, external_id=key, answer=answer)


def _refused(message: Message, delivery: Delivery, answer: bytes, *, perhaps_there: bool) -> Outcome:
    """A refusal; with our own id on a repeat, the failed insert of a message that may already be there."""
    text = _shown(message.text("Reject/RejectDesc"), delivery)
    if perhaps_there:
        reason = "possibly already received: refused naming our own message"
        return Outcome(OutcomeKind.UNKNOWN, reason, code=REFUSED, excerpt=text, duplicate=True, answer=answer)
    reason = "refused by the ministry" if text else "refused by the ministry without a reason"
    return Outcome(
        OutcomeKind.REFUSED, reason, code=REFUSED, excerpt=text, final=True, answer=answer, signed=message.signed
    )


def _shown(text: str, delivery: Delivery) -> str:
    """The ministry's words, cut, in one line; what we sent and long numbers are masked: they may be somebody's."""
    if not text:
        return ""
    sent = [(part.text or "") for part in parse(delivery.body).iter() if part.tag not in _KEPT]
    return _LONG_NUMBER.sub("…", without(" ".join(text.split()), sent))[:_REASON_LIMIT]
