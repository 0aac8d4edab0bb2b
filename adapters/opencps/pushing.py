"""Sending: acts, copies, numbers and dates, dossiers born at the national portal with their files."""

from __future__ import annotations

from dataclasses import replace

import orjson

from adapters.base import Delivery, Outcome, OutcomeKind
from adapters.http import outcome_of
from adapters.opencps import operations as op
from adapters.opencps import rows as wire
from adapters.opencps.calls import Calls, part
from adapters.opencps.content import differing
from adapters.opencps.options import Options
from adapters.opencps.outcomes import judge, said_of
from adapters.opencps.reading import Reader
from adapters.opencps.uploads import UNREADABLE, Uploads
from schemas.errors import PortalError, StoreError

_OURS_ELSEWHERE = "ignored: the portal handles this dossier itself and shows something else"


class Pusher:
    """Writes of one portal. No judgement of its own: an act that the portal does not allow comes back as refused."""

    def __init__(self, calls: Calls, reader: Reader, options: Options) -> None:
        self._calls = calls
        self._reader = reader
        self._options = options
        self._uploads = Uploads(calls, reader, options)

    def push(self, delivery: Delivery) -> Outcome:
        """Send one delivery; never raises for anything the portal did."""
        try:
            form, papers = op.form_of(delivery, self._options), op.papers_of(delivery)
        except (ValueError, orjson.JSONDecodeError) as error:
            return Outcome(OutcomeKind.REFUSED, f"cannot be sent: {error}", final=True)
        try:
            lost = self._uploads.unkept(papers)
        except (OSError, StoreError):
            return Outcome(OutcomeKind.RETRY, f"not sent: {UNREADABLE}")
        if lost:
            return Outcome(OutcomeKind.REFUSED, f"cannot be sent: {lost} of its files are not kept here", final=True)
        match delivery.operation:
            case "action":
                return self._with_files(delivery, form, papers, self._options.result_part)
            case "confirm_payment":
                return self._act(delivery, form)
            case "supplement":
                return self._with_files(delivery, form, papers, self._options.file_part)
            case "publish":
                return self._publish(delivery, form)
            case "inform":
                return self._inform(delivery, form)
            case "create":
                return self._create(delivery, form, papers)
        return Outcome(OutcomeKind.REFUSED, f"no operation {delivery.operation}", final=True)

    def _act(self, delivery: Delivery, form: dict[str, str]) -> Outcome:
        """POST /dossiers/{id}/actions; 405 also says "no such dossier", so the other spelling of the key is tried."""
        if not delivery.external_id:
            return Outcome(OutcomeKind.REFUSED, "the dossier has no record at this portal", final=True)
        try:
            form = form | {"actionCode": self._code(delivery, form)}
        except PortalError as error:
            error.sent = False
            return outcome_of(error)
        outcome = self._send(
            delivery, "POST", f"/dossiers/{part(delivery.external_id)}/actions", form, "dossierActionId"
        )
        if outcome.not_allowed and (shown := self._spelled_otherwise(delivery.external_id)):
            outcome = self._send(delivery, "POST", f"/dossiers/{part(shown)}/actions", form, "dossierActionId")
        return replace(outcome, external_id=delivery.external_id)

    def _code(self, delivery: Delivery, form: dict[str, str]) -> str:
        """The action of this portal: where several stand for one status, the first that is allowed now."""
        codes = op.candidates(form, self._options)
        if len(codes) == 1 or (detail := self._reader.present(delivery.external_id)) is None:
            return codes[0]
        allowed = self._reader.next_actions(detail)
        return next((code for code in codes if code in allowed), codes[0])

    def _spelled_otherwise(self, external_id: str) -> str:
        """How the portal spells the key now, if not as we know it; "" when it does, or cannot be asked."""
        try:
            found = self._reader.present(external_id)
        except PortalError:
            return ""
        shown = str((found or {}).get("referenceUid") or "")
        return shown if shown and shown != external_id else ""

    def _publish(self, delivery: Delivery, form: dict[str, str]) -> Outcome:
        """POST /dossiers/publish, then read back: 200 is also the answer of an update that was ignored."""
        outcome = self._send(delivery, "POST", "/dossiers/publish", form, "dossierId")
        key = form.get("referenceUid") or delivery.external_id
        return self._read_back(outcome, delivery, form, key)

    def _inform(self, delivery: Delivery, form: dict[str, str]) -> Outcome:
        """PUT /dossiers/inform/{id}: number and dates; an unknown dossier is answered by 200 and an empty object."""
        path = f"/dossiers/inform/{part(delivery.external_id)}"
        return self._read_back(
            self._send(delivery, "PUT", path, form, "dossierId"), delivery, form, delivery.external_id
        )

    def _read_back(self, outcome: Outcome, delivery: Delivery, form: dict[str, str], key: str) -> Outcome:
        """Delivered only if the portal now shows what was sent."""
        if outcome.kind is not OutcomeKind.DELIVERED:
            return outcome
        try:
            detail = self._reader.present(key)
        except PortalError as error:
            return replace(outcome, kind=OutcomeKind.UNKNOWN, reason=f"not read back: {error.reason}", proof="")
        if detail is None:
            return replace(outcome, kind=OutcomeKind.UNKNOWN, reason="answered 200, but it is not there", proof="")
        if others := differing(form, detail, delivery.operation):
            reason = f"{_OURS_ELSEWHERE} ({', '.join(others)})"
            return replace(outcome, kind=OutcomeKind.REFUSED, reason=reason, final=True, proof="")
        return replace(outcome, proof="read back equal", external_id=key, number=str(detail.get("dossierNo") or ""))

    def _with_files(
        self, delivery: Delivery, form: dict[str, str], papers: tuple[op.Paper, ...], part_no: str
    ) -> Outcome:
        """Further papers or results first, each once, then the act: one that fails before the act has done nothing."""
        if not delivery.external_id:
            return Outcome(OutcomeKind.REFUSED, "the dossier has no record at this portal", final=True)
        try:
            self._uploads.attach(delivery.external_id, papers, delivery.planned_at, part_no)
        except LookupError:
            return Outcome(OutcomeKind.REFUSED, "cannot be sent: one of its files is not kept here", final=True)
        except PortalError as error:
            error.sent = False
            return outcome_of(error)
        return self._act(delivery, form)

    def _create(self, delivery: Delivery, form: dict[str, str], papers: tuple[op.Paper, ...]) -> Outcome:
        """The dossier, then its files; with a file missing its outcome is unknown, and the probe ends it."""
        outcome = self._born(delivery, form)
        if outcome.kind is not OutcomeKind.DELIVERED or not papers:
            return outcome
        try:
            self._uploads.attach(form["referenceUid"], papers, delivery.planned_at)
        except (PortalError, LookupError) as error:
            why = error.reason if isinstance(error, PortalError) else "one is not kept here any more"
            reason = f"created, but not all of its files are there: {why}"
            return replace(outcome, kind=OutcomeKind.UNKNOWN, reason=reason, proof="")
        return replace(outcome, proof=f"{outcome.proof}, {len(papers)} files attached")

    def _born(self, delivery: Delivery, form: dict[str, str]) -> Outcome:
        """POST /dossiers once: a repeat would move the legal dates, so it is never sent when the key is there."""
        uid = form["referenceUid"]
        try:
            there = self._reader.present(uid)
        except PortalError as error:
            error.sent = False
            return outcome_of(error)
        if there is not None:
            number = str(there.get("dossierNo") or "")
            proof = "its reference, which only we make, is there"
            return Outcome(OutcomeKind.DELIVERED, "was created before", proof=proof, external_id=uid, number=number)
        outcome = self._send(delivery, "POST", "/dossiers", form, "dossierId")
        said = (said_of(outcome.answer) or {}) if outcome.kind is OutcomeKind.DELIVERED else {}
        if said and wire.plain_uid(str(said.get("referenceUid") or "")) != wire.plain_uid(uid):
            return replace(outcome, kind=OutcomeKind.UNKNOWN, reason="200, but for another dossier", proof="")
        return replace(outcome, external_id=uid, number=str(said.get("dossierNo") or ""))

    def _send(self, delivery: Delivery, method: str, path: str, form: dict[str, str], proof_key: str) -> Outcome:
        try:
            reply = self._calls.send(method, path, form=form, send_by=delivery.send_by)
        except PortalError as error:
            return outcome_of(error)
        return judge(reply, proof_key, self._calls, self._options)
