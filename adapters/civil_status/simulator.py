"""A ministry of justice that takes civil-status dossiers and answers polls: the real JSON exchange over HTTP.

Its attested poverty is kept: no list of dossiers, no acknowledgement of a fetched result, no call-back. Rules and
their origin: ministry.md 10.3.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from adapters.civil_status.front_door import (
    AUTHEN_ERROR,
    BAD_DATA,
    BAD_TYPE,
    NOT_FOUND,
    UNKNOWN_PROVINCE,
    credentials,
    refusal,
)
from adapters.civil_status.registry_office import (
    PROCESSING,
    SUPPLEMENT,
    Held,
    office_step,
    papers_of,
    row_of,
    take_due_steps,
)
from adapters.civil_status.switches import Switches, changed, written_time
from adapters.simulation import GENERAL_FAULTS, Reply, Request, SimClock, Simulator

TOKEN, PUSH, POLL = "/token", "/NhanDKHT", "/LayKetQua"
SOAP_FAULT = "client received soap fault from server"


class CivilStatusSimulator(Simulator):
    """One ministry of kind `civil_status`."""

    kind = "civil_status"
    faults_supported = (*GENERAL_FAULTS, "expired_session")

    def __init__(self, switches: Switches, clock: SimClock | None = None) -> None:
        super().__init__(clock)
        self.switches = switches
        self._dossiers: dict[str, Held] = {}
        self._tokens: dict[str, datetime] = {}
        self._bad: set[str] = set()
        self._soap_faults: list[bool] = []

    def describe(self, request: Request) -> str:
        """The token is a login, a poll a read, a push a write."""
        return {TOKEN: "login", POLL: "read", PUSH: "write"}.get(request.path, "ping")

    def answer(self, request: Request) -> Reply:
        """Answer as the ministry's platform does."""
        if request.path not in (TOKEN, PUSH, POLL) or request.method != "POST":
            return Reply.text("<html><body>404</body></html>", 404, "text/html; charset=utf-8")
        with self.lock:
            if request.path == TOKEN:
                return self._token(request)
            if not self._logged_in(request):
                return self._no_login()
            return self._push(request) if request.path == PUSH else self._poll(request)

    def expire_sessions(self) -> None:
        """Forget every token."""
        with self.lock:
            self._tokens.clear()

    def screen(self, path: str, query: Mapping[str, list[str]]) -> Any:
        """`dossiers`: what the officers see; `switches`: how this ministry behaves."""
        with self.lock:
            self._work(self.clock.now())
            if path == "dossiers":
                return [held.shown() for held in self._dossiers.values()]
            if path == "switches":
                return self.switches.model_dump(mode="json")
        return super().screen(path, query)

    def act(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        """Officers: advance, supplement, refuse, complete, set_state (number, note). Seeding: create. Rehearsal:
        switch (settings), spoil (number), soap_fault (calls, after_effect), expire_tokens.
        """
        now = self.clock.now()
        with self.lock:
            self._work(now)
            match verb:
                case "create":
                    return self._create(arguments, now).shown()
                case "switch":
                    self.switches = changed(self.switches, dict(arguments))
                    return self.switches.model_dump(mode="json")
                case "spoil":
                    self._bad.add(str(arguments["number"]))
                    return sorted(self._bad)
                case "soap_fault":
                    self._soap_faults += [bool(arguments.get("after_effect"))] * int(arguments.get("calls", 1))
                    return len(self._soap_faults)
                case "expire_tokens":
                    self.expire_sessions()
                    return None
            held = self._dossiers[str(arguments["number"])]
            self._note_step(held, office_step(held, verb, arguments, now), now)
            return held.shown()

    def _token(self, request: Request) -> Reply:
        if self.switches.client_id and credentials(request) != (self.switches.client_id, self.switches.client_secret):
            return Reply.json({"error": "invalid_client"}, 401)
        token = secrets.token_hex(16)
        lifetime_s = self.switches.token_lifetime_s
        self._tokens[token] = request.at + timedelta(seconds=lifetime_s)
        return Reply.json({"access_token": token, "scope": "default", "token_type": "Bearer", "expires_in": lifetime_s})

    def _logged_in(self, request: Request) -> bool:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self._tokens.get(token, datetime.min.replace(tzinfo=request.at.tzinfo)) > request.at

    def _no_login(self) -> Reply:
        match self.switches.auth_reply:
            case "html":
                return Reply.text("<html><body>Phiên làm việc hết hạn</body></html>", 401, "text/html; charset=utf-8")
            case "forbidden":
                return Reply.text("<html><body>Forbidden</body></html>", 403, "text/html; charset=utf-8")
            case "code":
                return Reply.json(
                    {
                        "status": "0",
                        "statusDescription": "",
                        "errorCode": AUTHEN_ERROR,
                        "errorDescription": "AUTHEN_ERROR",
                    }
                )
        return Reply.json({"error": "invalid_token"}, 401)

    def _push(self, request: Request) -> Reply:
        fails_after = self._soap_faults.pop(0) if self._soap_faults else None
        if fails_after is False:
            return self._said("0", "", SOAP_FAULT)
        reply = self._taken(request)
        return self._said("0", "", SOAP_FAULT) if fails_after else reply

    def _taken(self, request: Request) -> Reply:
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return self._said("0", BAD_DATA, "DATA_INCORRECT")
        if code := refusal(body, self.switches):
            return self._said("0", *code)
        try:
            body["fileDinhKem"] = papers_of(body)
        except (ValueError, TypeError):
            return self._said("0", BAD_TYPE, "DATA_TYPE_INVALID")
        number = body["maHoSoMCDT"]
        if (held := self._dossiers.get(number)) is not None:
            return self._again(held, body, request)
        held = Held(number, body.get("maHoSoLT") or "", str(body["maDonVi"]), body["module"], request.at)
        held.papers = body["fileDinhKem"]
        self._dossiers[number] = held
        self.book.record("declare", number, body, at=request.at, call=request.call)
        self.book.put(number, held.shown())
        return self._said("1", "", "Tiếp nhận hồ sơ thành công")

    def _again(self, held: Held, body: dict[str, Any], request: Request) -> Reply:
        self._work(request.at)
        if self.switches.supplements and held.state == SUPPLEMENT:
            held.pushes += 1
            held.papers = held.papers + [paper for paper in body["fileDinhKem"] if paper not in held.papers]
            self.book.record("supplement", held.number, body, at=request.at, call=request.call)
            held.move(PROCESSING, request.at)
            held.due_steps += bool(self.switches.script)
            self._note_step(held, held.state, request.at)
            return self._said("1", "", "Tiếp nhận bổ sung thành công")
        held.refused_repeats += 1
        self.book.put(held.number, held.shown())
        return self._said("0", "", self.switches.duplicate_words)

    def _said(self, status: str, code: str, text: str) -> Reply:
        ok = status == "1"
        reply: dict[str, Any] = {
            "status": {"text": status, "int": int(status), "bool": ok}.get(self.switches.status_form),
            "statusDescription": self._spelt(text) if ok else "",
            "errorCode": code,
            "errorDescription": "" if ok else self._spelt(text),
        }
        if self.switches.status_form == "missing":
            del reply["status"]
        return Reply.json(reply, 200 if ok else self.switches.business_status)

    def _spelt(self, text: str) -> str:
        text = text.upper() if "upper" in self.switches.text_form else text
        return unicodedata.normalize("NFD", text) if "nfd" in self.switches.text_form else text

    def _poll(self, request: Request) -> Reply:
        if self._soap_faults:
            self._soap_faults.pop(0)
            return self._poll_refused("", SOAP_FAULT)
        try:
            body = orjson.loads(request.body)
            numbers, module = list(body["maDinhDanhHoSo"]), body["module"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return self._poll_refused(BAD_DATA, "DATA_INCORRECT")
        if body.get("maTinh") != self.switches.province_code:
            return self._poll_refused(UNKNOWN_PROVINCE, "PROVINCE_ID_INCORRECT")
        if module not in self.switches.modules and self.switches.unknown_module == "refuse":
            return self._poll_refused(BAD_TYPE, "DATA_TYPE_INVALID")
        if self.switches.batch_limit and len(numbers) > self.switches.batch_limit:
            return self._poll_refused(BAD_DATA, "DATA_INCORRECT")
        if self._bad.intersection(numbers):
            return self._poll_refused(BAD_DATA, "DATA_INCORRECT")
        self._work(request.at)
        found = [self._dossiers[n] for n in numbers if n in self._dossiers and self._dossiers[n].module == module]
        if len(found) < len(numbers) and not self.switches.omit_unknown:
            return self._poll_refused(NOT_FOUND, "RECORD_NOT_FOUND")
        return self._polled(self._with_quirks([row_of(held, self.switches) for held in found], numbers))

    def _with_quirks(self, rows: list[dict[str, Any]], numbers: list[str]) -> list[dict[str, Any]]:
        """Rows as a careless ministry gives them: foreign ones among them, and each twice (R04)."""
        if self.switches.foreign_rows:
            others = [held for held in self._dossiers.values() if held.number not in numbers]
            rows = [row_of(held, self.switches) for held in others[:2]] + rows
        older = written_time(self.clock.now() - timedelta(days=400), "dmy_hms")
        match self.switches.repeat_rows:
            case "same":
                return rows + rows
            case "older_last":
                return rows + [row | {"trangThai": "1", "thoiGianThucHien": older} for row in rows]
            case "newer_last":
                return [row | {"trangThai": "1", "thoiGianThucHien": older} for row in rows] + rows
            case "no_time":
                return [row | {"trangThai": "1", "thoiGianThucHien": None, "ghiChu": "cũ"} for row in rows] + rows
        return rows

    def _polled(self, rows: list[dict[str, Any]]) -> Reply:
        value: Any = rows
        if self.switches.nesting == "xml":
            value = "<danhSach/>"
        else:
            for _ in range(self.switches.nesting):
                value = orjson.dumps(value).decode()
        body = orjson.dumps({"status": 1, "statusDescription": "", "value": value})
        match self.switches.spoil:
            case "doubled_key":
                body = body.replace(b'{"status":1,', b'{"status":1,"status":0,', 1)
            case "nan":
                body = body.replace(b'{"status":1,', b'{"status":NaN,', 1)
        return Reply(200, body)

    def _poll_refused(self, code: str, text: str) -> Reply:
        reply = {"status": 0, "statusDescription": self._spelt(text), "errorCode": code, "value": None}
        return Reply.json(reply, self.switches.business_status)

    def _create(self, arguments: Mapping[str, Any], now: datetime) -> Held:
        """A dossier that stood here before anybody's gateway: in no book."""
        number = str(arguments["number"])
        module = str(arguments.get("module", self.switches.modules[0]))
        held = Held(number, str(arguments.get("national_number", "")), str(arguments.get("unit", "")), module, now)
        held.seeded = True
        if state := arguments.get("state"):
            held.move(str(state), now, str(arguments.get("note", "")))
        self._dossiers[number] = held
        self.book.put(number, held.shown())
        return held

    def _work(self, now: datetime) -> None:
        """Let the automatic script take every step that is due."""
        if self.switches.script is None:
            return
        for held in self._dossiers.values():
            if not held.seeded:
                for state in take_due_steps(held, self.switches.script, now):
                    self._note_step(held, state, held.at or now)

    def _note_step(self, held: Held, state: str, at: datetime) -> None:
        self.book.record("status", held.number, {"state": state, "step": len(held.states)}, at=at)
        self.book.put(held.number, held.shown())


def build(options: Mapping[str, Any]) -> CivilStatusSimulator:
    """Build from plain options (see `Switches`); `clock` may hold a SimClock."""
    settings = dict(options)
    clock = settings.pop("clock", None)
    return CivilStatusSimulator(Switches.model_validate(settings), clock)
