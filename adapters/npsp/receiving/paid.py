"""The citizen has paid at the national payment platform (npsp.md 3.6a): 1 is "received", also for a repeat; -1 is not.

A notice is a message about a dossier: its fee is paid, once per notice code, whoever repeats it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.base import JsonValue, RawRecord
from adapters.npsp.receiving.answers import Door, answer, said_no
from adapters.npsp.receiving.body import Fields, UnreadableBodyError, opened, text_of
from adapters.npsp.receiving.content import EVENT, LONGEST_NUMBER
from adapters.npsp.receiving.options import PaidOptions
from adapters.npsp.receiving.times import is_readable
from adapters.receiving import InboundCall, InboundReply, InboundRequest, Question, Reception, Unreadable, Verdict
from schemas.canonical import digest

_TIME = 14
"""Digits of time behind the dossier number in a `MaTraCuuTT`."""
_RECEIVED = "Đã nhận thông báo thanh toán"
_NOT = "Không nhận thông báo thanh toán"


@dataclass(frozen=True, slots=True)
class PaidReceiver:
    """The payment notice; its key is the number and the notice code, so two payments of a dossier are two calls."""

    options: PaidOptions
    door: Door
    name: str = "paid"
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
        """Take one notice apart; never raises for what the portal sent."""
        if away := self.door.turned_away(request):
            return away
        try:
            return self._call(request, opened(request.body, "either").fields)
        except UnreadableBodyError as error:
            return Unreadable(error.reason, error.code)

    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:  # noqa: ARG002 - the protocol's
        """1 for what is stored, whenever and however often it was said; -1 for the rest."""
        if reception.verdict in (Verdict.NEW, Verdict.REPEATED, Verdict.CHANGED):
            return answer(1, _RECEIVED)
        return said_no(_NOT, reception.code)

    def _call(self, request: InboundRequest, fields: Fields) -> InboundCall:
        options = self.options
        look_up, notice = text_of(fields, options.look_up), text_of(fields, options.notice)
        number = text_of(fields, options.number) or _number_in(look_up)
        if not number or len(number) > LONGEST_NUMBER or not number.isprintable():
            raise UnreadableBodyError("number", "no usable dossier number")
        code = notice or look_up
        if not code:
            raise UnreadableBodyError("missing", "a notice without a code of its own")
        part = self._part(fields, number, code)
        record = RawRecord(number, {"payment": part}, request.body, request.at, partial=True)
        return InboundCall(f"{number}/{code}", digest(part), record)

    def _part(self, fields: Fields, number: str, code: str) -> Fields:
        """The notice under names of ours: the wire's own are settings.

        Raises:
            UnreadableBodyError: Not paid, no amount, a receipt's address that is none, an unreadable time.
        """
        options = self.options
        if text_of(fields, options.paid).casefold() not in {word.casefold() for word in options.paid_words}:
            raise UnreadableBodyError("unpaid", "the notice does not say that it was paid")
        amount = text_of(fields, options.amount).removesuffix(".0")
        if not amount.isascii() or not amount.isdigit() or not 0 < int(amount[:19]) < 10**15:
            raise UnreadableBodyError("fields", "the amount is no whole number of đồng")
        address, at = text_of(fields, options.receipt_url), text_of(fields, options.paid_at)
        if address and not address.lower().startswith(("http://", "https://")):
            raise UnreadableBodyError("address", "the receipt's address is not a web address")
        if at and not is_readable(at):
            raise UnreadableBodyError("fields", "the time of payment is unreadable")
        told: dict[str, JsonValue] = {
            "MaHoSo": number,
            "SoTien": amount,
            "SoBienLai": text_of(fields, options.receipt_number),
            "BienLai": f"{options.receipt_via}{address}" if address else "",
            "DonViThu": text_of(fields, options.collector),
            EVENT: _event(code, at, amount, text_of(fields, options.receipt_number)),
        }
        return {name: value for name, value in told.items() if value != ""}


def _event(code: str, at: str, amount: str, receipt: str) -> Mapping[str, str]:
    note = f"Đã thanh toán trực tuyến {amount} đồng" + (f", biên lai {receipt}" if receipt else "")
    return {"Ma": f"payment:{code}", "Loai": "payment", "NoiDung": note} | ({"ThoiDiem": at} if at else {})


def _number_in(look_up: str) -> str:
    """The dossier number of our own look-up code: what stands before its 14 digits of time."""
    time = look_up[-_TIME:]
    return look_up[:-_TIME] if len(look_up) > _TIME and time.isascii() and time.isdigit() else ""
