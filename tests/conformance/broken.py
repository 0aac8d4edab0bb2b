"""Adapters that each break one promise, as somebody in a hurry would write them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import orjson

from adapters.base import Cursor, Delivery, FileStream, Outcome, OutcomeKind, Page, Presence, Probe, RawRecord
from adapters.http import HttpReply, outcome_of
from schemas.errors import PortalContractError, PortalError, PortalUnavailableError

from .toy import PASSWORD, ToyAdapter


class DeliveredOnAny200(ToyAdapter):
    """Takes status 200 for a yes, web page or not."""

    def call(self, method: str, path: str, token: str, **more: Any) -> HttpReply:
        self.context.budget.take()
        return self.http.request(method, path, headers={"Authorization": token}, **more)

    def judge(self, reply: HttpReply) -> Outcome:
        return Outcome(OutcomeKind.DELIVERED, "200", proof="status 200", answer=reply.body)


class DeliveredByWord(ToyAdapter):
    """Looks for the word of success anywhere; a maintenance page holds it too."""

    def judge(self, reply: HttpReply) -> Outcome:
        kind = OutcomeKind.DELIVERED if "thành công" in reply.body.decode("utf-8", "replace") else OutcomeKind.REFUSED
        return Outcome(kind, "word", proof="thành công", duplicate=b"409" in reply.body, answer=reply.body)


class CursorSkips(ToyAdapter):
    """Its cursor stands one record too far."""

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        for page in super().pull(cursor):
            yield Page(page.records, str(int(page.next_cursor or 0) + 1))


class NewestFirst(ToyAdapter):
    """Gives each page backwards."""

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        for page in super().pull(cursor):
            yield Page(page.records[::-1], page.next_cursor)


class EndsQuietly(ToyAdapter):
    """Takes a failed read for the end of the list."""

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        try:
            yield from super().pull(cursor)
        except PortalError:
            return


class LostAnswerIsRefused(ToyAdapter):
    """Calls every failure a refusal."""

    def push(self, delivery: Delivery) -> Outcome:
        outcome = super().push(delivery)
        if outcome.kind is OutcomeKind.UNKNOWN:
            return Outcome(OutcomeKind.REFUSED, outcome.reason)
        return outcome


class LostAnswerIsRetry(ToyAdapter):
    """Calls every failure worth a repeat."""

    def push(self, delivery: Delivery) -> Outcome:
        outcome = super().push(delivery)
        if outcome.kind is OutcomeKind.UNKNOWN:
            return Outcome(OutcomeKind.RETRY, outcome.reason)
        return outcome


class RetriesInsidePush(ToyAdapter):
    """Repeats a write whose answer was lost, inside one attempt."""

    def push(self, delivery: Delivery) -> Outcome:
        outcome = super().push(delivery)
        return super().push(delivery) if outcome.kind is OutcomeKind.UNKNOWN else outcome


class SecretInError(ToyAdapter):
    """Explains failures with the request that failed."""

    def push(self, delivery: Delivery) -> Outcome:
        outcome = super().push(delivery)
        if outcome.kind is OutcomeKind.DELIVERED:
            return outcome
        return Outcome(outcome.kind, f"{outcome.reason}: {delivery.body.decode()}", not_before_s=outcome.not_before_s)


class SecretInTraceback(ToyAdapter):
    """Lets the library's error, with the address and its query, stand behind its own."""

    def ping(self) -> datetime | None:
        with httpx.Client(base_url=self.base_url, trust_env=False, timeout=1.0) as client:
            try:
                answer = client.get("/records", params={"password": PASSWORD})
                answer.raise_for_status()
            except httpx.HTTPStatusError as error:
                raise PortalUnavailableError(self.context.portal, "no answer") from error
            except httpx.ConnectError:
                raise PortalUnavailableError(self.context.portal, "not opened", sent=False) from None
            except httpx.HTTPError:
                raise PortalUnavailableError(self.context.portal, "no answer") from None
        return None


class IgnoresSendBy(ToyAdapter):
    """Sends although its lease has run out."""

    def post(self, delivery: Delivery) -> HttpReply:
        return self.with_session(
            lambda token: self.call("POST", delivery.operation, token, content=self.body(delivery))
        )


class ManglesUnicode(ToyAdapter):
    """Writes what Latin-1 can hold."""

    def body(self, delivery: Delivery) -> bytes:
        return delivery.body.decode().encode("latin-1", "replace")


class ReadsLatin1(ToyAdapter):
    """Reads every answer as Latin-1."""

    def record(self, row: Any, began: datetime) -> RawRecord:
        mangled = orjson.loads(orjson.dumps(row).decode("latin-1"))
        return super().record(mangled, began)


class ProbeAlwaysPresent(ToyAdapter):
    """Believes that what was sent is there."""

    def probe(self, delivery: Delivery) -> Probe:
        return Probe(Presence.PRESENT, "surely", self.context.clock.now())


class ProbeKnowsOnlyPresence(ToyAdapter):
    """Declares a content probe and asks only whether the record is there."""

    def shows(self, found: RawRecord, delivery: Delivery) -> bool:
        return True


class FailedProbeIsAbsent(ToyAdapter):
    """Takes a question that failed for a no."""

    def probe(self, delivery: Delivery) -> Probe:
        try:
            return super().probe(delivery)
        except PortalError:
            return Probe(Presence.ABSENT, "no answer", self.context.clock.now())


class ForgetsRetryAfter(ToyAdapter):
    """Knows that 429 did nothing, and forgets when to come back."""

    def push(self, delivery: Delivery) -> Outcome:
        outcome = super().push(delivery)
        return outcome if outcome.not_before_s is None else Outcome(outcome.kind, outcome.reason)


class EmptyRecordForUnknown(ToyAdapter):
    """Gives an empty record for an id the portal does not hold."""

    def fetch(self, external_id: str) -> RawRecord | None:
        return super().fetch(external_id) or RawRecord(external_id, {"dossier": {}}, b"{}", self.context.clock.now())


class FailedFetchIsAbsent(ToyAdapter):
    """Takes a failed read for absence."""

    def fetch(self, external_id: str) -> RawRecord | None:
        try:
            return super().fetch(external_id)
        except PortalError:
            return None


class PushRaises(ToyAdapter):
    """Lets errors escape from push."""

    def push(self, delivery: Delivery) -> Outcome:
        return self.judge(self.post(delivery))


class DuplicateUntold(ToyAdapter):
    """Does not tell a duplicate from any other refusal."""

    def judge(self, reply: HttpReply) -> Outcome:
        outcome = super().judge(reply)
        return Outcome(outcome.kind, outcome.reason, outcome.code, proof=outcome.proof, answer=outcome.answer)


class NotOpenedIsUnknown(ToyAdapter):
    """Does not ask whether the first byte had left."""

    def push(self, delivery: Delivery) -> Outcome:
        try:
            return self.judge(self.post(delivery))
        except PortalError as error:
            error.sent = True
            return outcome_of(error)


class EmptyCatalogueIsAnError(ToyAdapter):
    """Refuses to give an empty list as it is."""

    def rows(self, reply: HttpReply) -> list[Any]:
        if not (rows := super().rows(reply)) and reply.body == b"[]":
            raise PortalContractError(self.context.portal, "an empty list")
        return rows

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        try:
            yield from super().pull(cursor)
        except PortalContractError as error:
            if error.reason != "an empty list":
                raise


class SharesOneBuffer(ToyAdapter):
    """Keeps the request of the moment in itself, so that threads send each other's."""

    def push(self, delivery: Delivery) -> Outcome:
        self.moment = delivery
        self.context.clock.sleep(0.002)
        return super().push(self.moment)


class DropsAFile(ToyAdapter):
    """Sends the first file and forgets the rest."""

    def body(self, delivery: Delivery) -> bytes:
        sent = orjson.loads(super().body(delivery))
        return orjson.dumps(sent | {"papers": sent["papers"][:1]} if "papers" in sent else sent)


class ReadsFilesAsText(ToyAdapter):
    """Takes a file for a text and changes the ends of its lines."""

    def stored(self, reference: str) -> bytes:
        return super().stored(reference).replace(b"\r\n", b"\n")


class StripsNames(ToyAdapter):
    """Writes file names in the letters that every system has."""

    def paper(self, row: dict[str, str]) -> dict[str, str]:
        return super().paper({**row, "name": row["name"].encode("ascii", "ignore").decode()})


class StampsEachAttempt(ToyAdapter):
    """Puts the moment of sending beside each file, so that no repeat is equal."""

    def body(self, delivery: Delivery) -> bytes:
        sent = orjson.loads(super().body(delivery))
        return orjson.dumps(sent | {"at": self.context.clock.now()} if "papers" in sent else sent)


class LeavesOutWhatIsMissing(ToyAdapter):
    """Sends what files it can find and says nothing of the others."""

    def stored(self, reference: str) -> bytes:
        try:
            return super().stored(reference)
        except LookupError:
            return b""


class TakesAnyAnswerForAFile(ToyAdapter):
    """Opens a file as whatever comes: a web page, or a part of it."""

    def open_file(self, ref: str) -> FileStream:
        token = self.context.sessions.get_or_refresh(self.log_in)
        reply = self.http.request("GET", f"file/{ref}", headers={"Authorization": token})
        return FileStream(io.BytesIO(reply.body), reply.media_type, len(reply.body))
