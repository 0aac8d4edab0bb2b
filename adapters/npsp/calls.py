"""Shape calls: the portal's own envelope, or one of the two facades seen in front of it (npsp.md 1.1, 3.0, 3.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from adapters.npsp.options import Options

JSON_HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Charset": "utf-8"}
SYNC = "DongBoHoSoMC"
PROGRESS = "CapNhatTienDoHoSoMC"
LOOK_UP = "TraCuuHoSo"
SHARED = ("LayDanhMuc", "LayDanhSachTTHC", "TraCuuTechID")
"""How the names of services on the share path begin; all others are on the integration path (npsp.md 1.2)."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call, ready to send. `target` is the path with its query."""

    method: str
    target: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: JSON_HEADERS)


@dataclass(frozen=True, slots=True)
class Calls:
    """Shapes every call of one portal entry; `agency` is the caller's own code (`madonvi`)."""

    options: Options
    agency: str

    def login(self, username: str, password: str) -> Call:
        """The login call."""
        return self._post(self.options.login_path, {"username": username, "password": password})

    def read(self, service: str, parameters: Mapping[str, str], session: str) -> Call:
        """A read of one service; facades carry no session."""
        if self.options.form == "get_wrapped":
            path = f"{self.options.facade.read}/{service}"
            return Call("GET", _with_query(path, _query(parameters)), headers={"Accept": "application/json"})
        body = {"session": session, "madonvi": self.agency, "service": service, **parameters}
        path = self.options.share_path if service.startswith(SHARED) else self.options.integration_path
        return self._post(path, body)

    def write(self, operation: str, data: bytes, session: str) -> Call:
        """A write; `data` is the JSON array of records as frozen, and goes out byte for byte."""
        updating = {"insert": "False", "update": "True"}.get(operation)
        service = SYNC if updating else PROGRESS
        if self.options.form == "get_wrapped":
            paths = self.options.facade
            path = {"insert": paths.insert, "update": paths.update}.get(operation, paths.progress)
            return Call("POST", path, data)
        if self.options.form == "bare_array":
            parameters = {"MaDinhDanhDV": self.agency} | ({"isUpdating": updating} if updating else {})
            return Call("POST", _with_query(f"{self.options.facade.bare_array}/{service}", _query(parameters)), data)
        body = {"session": session, "madonvi": self.agency, "service": service}
        if updating:
            body["isUpdating"] = updating
        return self._post(self.options.integration_path, {**body, "data": orjson.Fragment(data)})

    def _post(self, path: str, body: Mapping[str, object]) -> Call:
        options = self.options
        target = "/".join(part for part in (options.adapter_path.strip("/"), path.strip("/")) if part)
        headers = dict(JSON_HEADERS)
        parameters: dict[str, str] = {}
        if options.destination in ("query", "both"):
            parameters["dstcode"] = options.dstcode
            if options.provider_url:
                parameters["providerurl"] = options.provider_url
        if options.destination in ("header", "both"):
            headers["dstcode"] = options.dstcode
        query = _query(parameters, safe=":" if options.raw_colons else "")
        return Call("POST", _with_query(target, query), orjson.dumps(body), headers)


def _query(parameters: Mapping[str, str], safe: str = "") -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe=safe)}" for name, value in parameters.items())


def _with_query(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
