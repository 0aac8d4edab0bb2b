"""What a ministry reports of its stage, as a call like those of other portals (T5): stored, answered, then taken in.

The interface has checked who reports, about which item, and every field; here the report becomes a record. It has no
address of its own: only the interface gives it requests.
"""

from __future__ import annotations

import hashlib
import uuid
from base64 import b64decode

import orjson

from adapters.base import JsonValue, RawRecord
from adapters.inbox.problems import MEDIA_TYPE, PROBLEMS, body_of
from adapters.receiving import (
    InboundCall,
    InboundFile,
    InboundReply,
    InboundRequest,
    Question,
    Reception,
    Unreadable,
    Verdict,
)

NAME = "report"
_SPACE = uuid.UUID("0b8c5c1e-5d0c-5a57-9c0e-2f1a7d6e4b90")
_COME_AGAIN_S = "5"


def report_id(external_id: str, key: str) -> str:
    """The id of a report: the same dossier and Idempotency-Key give the same one, and it tells neither."""
    return str(uuid.uuid5(_SPACE, f"{external_id}\x00{key}"))


def request_body(external_id: str, key: str, report: dict[str, JsonValue]) -> bytes:
    """A report as it is stored: equal reports give equal bytes."""
    told = {**report, "dossier": external_id, "report_id": report_id(external_id, key)}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


class ReportReceiver:
    """Takes one report apart. Stateless."""

    name = NAME
    paths: tuple[str, ...] = ()
    methods = ("POST",)
    repeats_first_answer = True
    patience_s = 30.0

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        """The record of a report; its result files apart."""
        try:
            told = orjson.loads(request.body)
            external_id, number = str(told.pop("dossier")), str(told["report_id"])
            files = tuple(_file(result) for result in told.get("results", ()) if "content" in result)
        except (KeyError, AttributeError, TypeError, ValueError):
            return Unreadable("the report cannot be taken apart")
        record = RawRecord(external_id, {"report": told}, request.body, request.at, partial=True)
        return InboundCall(number, hashlib.sha256(request.body).hexdigest(), record, files=files)

    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:
        """Say what became of it; a repeat gets the first answer again."""
        if reception.verdict in (Verdict.NEW, Verdict.CHANGED, Verdict.REPEATED):
            said = {
                "report_id": str(orjson.loads(request.body)["report_id"]),
                "result": "corrected" if reception.verdict is Verdict.CHANGED else "taken",
                "received_at": reception.at.isoformat(timespec="milliseconds"),
            }
            return InboundReply(orjson.dumps(said), "application/json", 202)
        code = {Verdict.BUSY: "come_again", Verdict.REFUSED: "file_not_valid"}.get(reception.verdict, "malformed")
        headers = {"Retry-After": _COME_AGAIN_S} if code == "come_again" else {}
        status = PROBLEMS[code].status
        return InboundReply(body_of(code, reception.reason), MEDIA_TYPE, status, headers)


def _file(result: dict[str, JsonValue]) -> InboundFile:
    """A result's file; its content leaves the record, which speaks of it by `reference`."""
    content = b64decode(result.pop("content"), validate=True)
    result["sha256"] = hashlib.sha256(content).hexdigest()
    result["size"] = len(content)
    result["reference"] = result["sha256"]
    return InboundFile(result["reference"], str(result["name"]), content, media_type=str(result.get("media_type", "")))
