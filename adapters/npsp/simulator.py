"""A national portal to rehearse against: login, sessions, the services, and the two facades seen in front of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from adapters.base import JsonValue
from adapters.npsp import catalogue
from adapters.npsp.caller import links
from adapters.npsp.caller.caller import Caller
from adapters.npsp.contract import contract, problems
from adapters.npsp.desk import Desk
from adapters.npsp.holdings import Holdings, Verdict, addresses
from adapters.npsp.spelling import in_message, listed, written
from adapters.npsp.switches import Switches
from adapters.simulation import GENERAL_FAULTS, CallKind, Reply, Request, SimClock, Simulator, fetched

_SYNC, _PROGRESS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
_STORED_AS_IT_COMES = ("DongBoDanhGia", "DongBoHoiDap", "DongBoKetQuaHoiDapGuiTuDVCQG", "DongBoTrangThaiHoSo")
_EMPTY_LISTS = ("LayDanhMuc", "LayDanhSachHoiDap", "LayNoiDungTraLoi", "TraCuuTechID")


class NpspSimulator(Simulator):
    """The national portal. `switches` are its oddities; `holdings` what it holds."""

    kind = "npsp"
    faults_supported = (*GENERAL_FAULTS, "expired_session")

    def __init__(self, switches: Switches | None = None, clock: SimClock | None = None) -> None:
        super().__init__(clock)
        self.switches = switches or Switches()
        self.holdings = Holdings(self.switches, self.book)
        self.desk = Desk(self.switches, self.clock)
        self.hidden: set[str] = set()
        self.caller = Caller(self._online)

    def answer(self, request: Request) -> Reply:
        """Answer one call of the protocol, or serve a file of a citizen's."""
        if (file := links.served(request)) is not None:
            return file
        with self.lock:
            self.desk.clock = self.clock
            if (facade := self._facade(request)) is not None:
                return facade
            path = self._inner_path(request.path)
            services = (self.switches.share_path, self.switches.integration_path)
            if path not in (self.switches.login_path, *services):
                return Reply.text("Not Found", 404)
            if not self._arrived(request):
                text = "Không xác định được đích: dstcode không hợp lệ"
                return written(self.switches, "", self.switches.failure_code, text)
            return self._service(request) if path in services else self.desk.log_in(request.body)

    def describe(self, request: Request) -> CallKind:
        """`login`, `read`, `write` (insert, update) or `progress`."""
        if request.method == "GET":
            return "read"
        path = self._inner_path(request.path)
        facade = self.switches.facade
        if path == self.switches.login_path:
            return "login"
        if path == facade.progress or path.endswith(_PROGRESS):
            return "progress"
        if path not in (self.switches.share_path, self.switches.integration_path):
            return "write"
        service = _field(_json(request.body), "service")
        if service == _PROGRESS:
            return "progress"
        return "write" if str(service).startswith("DongBo") else "read"

    def expire_sessions(self) -> None:
        """Forget every session."""
        with self.lock:
            self.desk.expire()

    def screen(self, path: str, query: Mapping[str, list[str]]) -> Any:
        """`logins`, `progress`, `progress/MAHOSO`, `dates`, `record/MAHOSO`, `answers`, `answers/problems`, `calling`,
        `files`, `files/MAHOSO`.

        Beside them the screens of every simulator.
        """
        name, _, code = path.partition("/")
        match path:
            case "answers":
                return self.caller.answers.all()
            case "answers/problems":
                return self.caller.answers.problems()
            case "calling":
                return self.caller.calling()
        with self.lock:
            held = self.holdings.dossiers
            match name:
                case "logins":
                    return {"accepted": self.desk.accepted, "refused": self.desk.refused, "locked": self.desk.locked}
                case "progress":
                    rows = {number: one.progress for number, one in held.items() if one.progress or number == code}
                    return rows.get(code) if code else rows
                case "files":
                    files = {number: one.fetched for number, one in held.items() if one.fetched}
                    return files.get(code) if code else files
                case "dates":
                    return {number: one.dates for number, one in held.items()}
                case "record":
                    return self.book.records().get(code)
        return super().screen(path, query)

    def act(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        """Seeding, what others do at the portal, and what it tells the province; see the README for the verbs."""
        if verb == "fetch_files":
            return self._fetch_files(arguments)
        if verb in Caller.verbs:  # real calls to the outside, so without the lock
            return self.caller.act(verb, arguments)
        now = self.clock.now()
        with self.lock:
            match verb:
                case "seed_dossier":
                    self.holdings.seed(arguments["content"], arguments.get("progress", ()), now)
                case "set_status":
                    held = self.holdings.dossiers[arguments["MaHoSo"]]
                    self.holdings.keep(held.content | {"TrangThaiHoSo": arguments["status"]}, "rival", now)
                case "forget_dossier":
                    self.holdings.dossiers.pop(arguments["MaHoSo"])
                case "expire_sessions":
                    self.desk.expire()
                case "change_password":
                    self.desk.password = str(arguments["password"])
                    self.desk.expire()
                case "hide_procedures":
                    self.hidden = set(arguments.get("codes", [row["MATTHC"] for row in catalogue.procedures()]))
                case _:
                    return super().act(verb, arguments)
        return {"done": verb}

    def _fetch_files(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Follow every address that dossiers show, as a citizen would; real calls, so without the lock."""
        wanted = arguments.get("MaHoSo")
        with self.lock:
            found = [
                (number, paper)
                for number, held in self.holdings.dossiers.items()
                if wanted in (None, number)
                for paper in addresses(held.content)
            ]
        patience_s = float(arguments.get("patience_s", 10))
        came: dict[str, list[dict[str, Any]]] = {}
        for number, paper in found:
            came.setdefault(number, []).append(paper | fetched(paper["url"], patience_s=patience_s))
        with self.lock:
            for number, files in came.items():
                self.holdings.took(number, files, self.clock.now())
        return {number: [file["status"] for file in files] for number, files in came.items()}

    def _online(self, content: dict[str, Any], by: str) -> None:
        """A citizen's own doing: a dossier submitted here, or taken back."""
        with self.lock:
            held = self.holdings.dossiers.get(content["MaHoSo"])
            shown = held.content | {"TrangThaiHoSo": content["TrangThaiHoSo"]} if held else content
            self.holdings.keep(shown, by, self.clock.now())

    def _inner_path(self, path: str) -> str:
        """The path at the portal, without the adapter's own part."""
        bare = path.strip("/")
        for prefix in self.switches.adapter_paths:
            if prefix and bare.startswith(f"{prefix}/"):
                return bare[len(prefix) + 1 :]
        return bare if "" in self.switches.adapter_paths else ""

    def _facade(self, request: Request) -> Reply | None:
        path, facade = request.path.strip("/"), self.switches.facade
        folder, _, name = path.rpartition("/")
        if request.method == "GET" and folder == facade.read:
            return in_message(self._read(name, {key: values[0] for key, values in request.query.items()}))
        operation = {facade.insert: "insert", facade.update: "update", facade.progress: "progress"}.get(path)
        if operation is None and folder == facade.bare_array:
            operation = _operation(name, request.first("isUpdating"))
        if request.method != "POST" or operation is None:
            return None
        return self._write(operation, _json(request.body), request)

    def _service(self, request: Request) -> Reply:
        body = _json(request.body)
        if refusal := self._turned_away(body):
            return refusal
        service = body["service"]
        if service in _STORED_AS_IT_COMES:
            self.book.record(service, str(body["madonvi"]), body.get("data"), at=request.at, call=request.call)
            return written(self.switches, service, 0, f"Cập nhật {self.switches.success_text}")
        operation = _operation(service, str(body.get("isUpdating")))
        if operation is not None:
            return self._write(operation, body.get("data"), request)
        return self._read(service, body)

    def _turned_away(self, body: JsonValue) -> Reply | None:
        failure = self.switches.failure_code
        if broken := next(problems(body, contract("envelope")), None):
            return written(self.switches, "", failure, f"Yêu cầu không hợp lệ: {broken}")
        if not self.desk.knows(body["session"]):
            return written(self.switches, "", self.switches.expiry_code, self.switches.expiry_text)
        if self.switches.agencies and body["madonvi"] not in self.switches.agencies:
            return written(self.switches, "", failure, "Đơn vị không có quyền")
        return None

    def _arrived(self, request: Request) -> bool:
        """Whether `dstcode` stands where it must; raw, encoded twice and nameless forms are read too (case 26)."""
        wanted = self.switches.dstcode
        named = request.first("dstcode")
        bare = [name for name, values in request.query.items() if not values[0]]
        in_query = wanted in {unquote(text) for text in (named, *bare)}
        in_header = request.headers.get("dstcode") == wanted
        wrong = bool(named) and unquote(named) != wanted
        places = {"any": not wrong, "query": in_query, "header": in_header, "both": in_query and in_header}
        return places[self.switches.destination]

    def _write(self, operation: str, data: JsonValue, request: Request) -> Reply:
        take = {"insert": self.holdings.insert, "update": self.holdings.update}.get(operation, self.holdings.append)
        verdict: Verdict = take(data, request.at, request.call)
        return written(self.switches, operation, verdict.code, verdict.text)

    def _read(self, service: str, parameters: Mapping[str, JsonValue]) -> Reply:
        match service:
            case "TraCuuHoSo":
                return listed(self.switches, self.holdings.look_up(str(_field(parameters, "mahoso"))))
            case "LayDanhMucCoQuan":
                return listed(self.switches, catalogue.agencies())
            case "LayDanhMucLinhVuc":
                return listed(self.switches, catalogue.sectors())
            case "LayDanhSachTTHC" | "LayDanhSachTTHCDonVi":
                rows = [row for row in catalogue.procedures() if row["MATTHC"] not in self.hidden]
                return listed(self.switches, rows)
            case "LayThuTuc":
                return listed(self.switches, catalogue.procedure(str(_field(parameters, "maTTHC"))))
        if service.startswith(_EMPTY_LISTS):
            return listed(self.switches, [])
        return written(self.switches, "", self.switches.failure_code, "Dịch vụ không tồn tại")


def _operation(service: str, updating: str) -> str | None:
    if service == _SYNC:
        return {"True": "update", "False": "insert"}.get(updating, "insert")
    return "progress" if service == _PROGRESS else None


def _json(body: bytes) -> JsonValue:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _field(body: JsonValue, name: str) -> JsonValue:
    """A parameter under its name in any case; the portal's own clients spell them differently (case 8)."""
    if not isinstance(body, Mapping):
        return None
    return next((value for key, value in body.items() if key.casefold() == name.casefold()), None)


def build(options: Mapping[str, Any]) -> NpspSimulator:
    """A simulator with these switches (see `Switches`)."""
    return NpspSimulator(Switches.model_validate(dict(options)))
