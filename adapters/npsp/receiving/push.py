"""A dossier submitted at the national portal is pushed to the province, and later its supplement or withdrawal.

Answers: 0 for a number never heard of, 1 for one that is stored already (the same content or another), -1 for all that
could not be taken (npsp.md 3.7). Nothing is asked of the portal meanwhile (section 6, case 19).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.base import RawRecord
from adapters.npsp.contract import contract
from adapters.npsp.receiving import content
from adapters.npsp.receiving.answers import Door, answer, said_no
from adapters.npsp.receiving.body import Fields, Told, UnreadableBodyError, named_as, opened, plain, text_of
from adapters.npsp.receiving.files import LISTED, take_files
from adapters.npsp.receiving.options import PushOptions
from adapters.receiving import InboundCall, InboundReply, InboundRequest, Question, Reception, Unreadable, Verdict

ENDPOINTS = ("push", "promotion")
"""A number is one dossier at whichever it is told."""
_TAKEN = "Đã tiếp nhận hồ sơ"
_KNOWN = "Hồ sơ đã có trong hệ thống"
_LATER = "Hệ thống đang bận, vui lòng gửi lại"
_REFUSED = "Không tiếp nhận hồ sơ"


@dataclass(frozen=True, slots=True)
class PushReceiver:
    """One endpoint that takes dossiers of one shape. The key is the national number, so its versions lie together."""

    name: str
    options: PushOptions
    door: Door
    methods: tuple[str, ...] = ("POST",)
    repeats_first_answer: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it listens."""
        return self.door.options.behind_prefixes(self.options.paths)

    @property
    def patience_s(self) -> float:
        """How long the portal waits."""
        return self.door.options.patience_s

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        """Take one push apart; never raises for what the portal sent."""
        if away := self.door.turned_away(request):
            return away
        try:
            return self._call(request, opened(request.body, self.options.envelope))
        except UnreadableBodyError as error:
            return Unreadable(error.reason, error.code)

    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:  # noqa: ARG002 - the protocol's
        """0 once, then 1; -1 for what was not stored."""
        match reception.verdict:
            case Verdict.NEW:
                return answer(0, _TAKEN)
            case Verdict.REPEATED | Verdict.CHANGED:
                return answer(1, _KNOWN)
            case Verdict.BUSY:
                return answer(-1, _LATER)
        return said_no(_REFUSED, reception.code)

    def _call(self, request: InboundRequest, told: Told) -> InboundCall:
        options = self.options
        fields = content.without_ours(told.fields)
        number = content.number_of(fields, options)
        kind = content.kind_of(fields, told, options)
        papers = take_files(fields, number, options)
        if papers.rows:
            fields[LISTED] = list(papers.rows)
        part: Fields = named_as(plain(fields), contract(options.contract))
        content.check(part, kind, options)
        digest = content.digest_of(part, kind, options)
        part |= {name: value for name, value in options.adds.items() if name not in part}
        agency = content.give_agency(part, options)
        part[content.EVENT] = content.event_of(part, kind, digest, options)
        message = content.message_of(part, options)
        record = RawRecord(number, {message: part}, request.body, request.at, partial=kind != "submission")
        changed = None
        if kind == "submission":  # under a known number it is a supplement, whatever it calls itself
            event = content.event_of(part, "supplement", digest, options)
            changed = replace(record, parts={message: part | {content.EVENT: event}})
        return InboundCall(
            number,
            digest,
            record,
            text_of(part, options.procedure),
            agency,
            papers.files,
            changed=changed,
            also_told_at=tuple(name for name in ENDPOINTS if name != self.name),
        )
