"""A provincial portal to rehearse against: REST over one database, a search index behind it, officers at desks."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from adapters.opencps.simulated import rest, screens
from adapters.opencps.simulated.desk import Caller, Desk
from adapters.opencps.simulated.officers import STATUS_VERBS, Officers
from adapters.opencps.simulated.shelf import Shelf
from adapters.opencps.simulated.switches import Account, Switches
from adapters.simulation import CallKind, Reply, Request, SimClock, Simulator

_OPEN_TO_GUESTS = re.compile(r"/dossiers|/dossierlogs|/dossiersyncs").fullmatch
_DOWNLOAD = re.compile(r".*/files/[^/]+").fullmatch


class OpencpsSimulator(Simulator):
    """The provincial portal. `switches` are its oddities, `shelf` its database, `desk` what it does to dossiers."""

    kind = "opencps"

    def __init__(self, switches: Switches | None = None, clock: SimClock | None = None) -> None:
        super().__init__(clock)
        self.switches = switches or Switches()
        self.accounts: dict[str, Account] = dict(self.switches.accounts)
        self.shelf = Shelf(self.switches)
        self.desk = Desk(self.shelf, self.book, self._visible)
        self.officers = Officers(self.shelf, self.desk, self._now)
        self.logins_refused = 0
        self._rest = rest.Rest(self.shelf, self.desk)

    def _now(self) -> datetime:
        return self.clock.now()

    def _visible(self) -> float:
        return self.clock.monotonic() + self.switches.index_lag_s

    def answer(self, request: Request) -> Reply:
        """Answer one call of the protocol."""
        with self.lock:
            path = self._inner_path(request.path)
            if path is None:
                return Reply.text("<html><body>Not Found</body></html>", 404, "text/html; charset=utf-8")
            self.shelf.index.refresh(self.clock.monotonic())
            account = self._account(request)
            if account is None and not (request.method == "GET" and _OPEN_TO_GUESTS(path)):
                return rest.refused(203)
            guest = account is None
            name = account.full_name if account else ""
            caller = Caller(name, account.user_id if account else 0, request.at, request.call,
                            employee=bool(account and account.employee))  # fmt: skip
            if guest and not self.switches.guests_see_list:
                return Reply.json({"total": 0, "data": []})
            return self._rest.answer(path, request, caller, account or Account())

    def _inner_path(self, path: str) -> str | None:
        for base in sorted(self.switches.base_paths, key=len, reverse=True):
            if path.startswith(f"{base}/"):
                return path[len(base) :]
        return None

    def _account(self, request: Request) -> Account | None:
        scheme, _, word = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(word).decode().partition(":")
            except ValueError:
                return None
            account = self.accounts.get(user)
            if account is not None and account.password == password:
                return account
            self.logins_refused += 1
        if scheme.lower() == "bearer":
            return next((account for account in self.accounts.values() if account.password == word), None)
        return None

    def describe(self, request: Request) -> CallKind:
        """`read`, `file` (a download), `action` (a status change) or `write`."""
        if request.method in ("GET", "HEAD"):
            return "file" if _DOWNLOAD(request.path) else "read"
        return "action" if request.path.endswith("/actions") else "write"

    def screen(self, path: str, query: Mapping[str, list[str]]) -> Any:
        """`records`, `history`, `history/UID`, `effects`, `files`, `files/UID`, `legal`, `logins`.

        Beside them the screens of every simulator.
        """
        with self.lock:
            name, _, key = path.partition("/")
            match name:
                case "records":
                    return screens.records(self.shelf)
                case "history":
                    return screens.history(self.shelf, key)
                case "effects":
                    return screens.effects(self.book)
                case "files":
                    return screens.files(self.shelf, key)
                case "legal":
                    return screens.legal(self.shelf)
                case "logins":
                    return {"refused": self.logins_refused}
        return super().screen(path, query)

    def act(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        """Officers' verbs (see the kind's README); ValueError where the portal would not let them."""
        with self.lock:
            if verb in STATUS_VERBS:
                return self.officers.lead(STATUS_VERBS[verb], arguments)
            work: dict[str, Callable[[Mapping[str, Any]], Any]] = {
                "create_dossier": self.officers.create_dossier,
                "do_action": self.officers.do_action,
                "rollback": self.officers.rollback,
                "goto": self.officers.go_to,
                "remove": self.officers.remove,
                "delete": self.officers.delete,
                "amend": self.officers.amend,
                "link": self.officers.link,
                "add_file": self.officers.add_file,
                "spoil_file": self.officers.spoil_file,
                "remove_file": self.officers.remove_file,
                "seed_many": self.officers.seed_many,
                "change_password": self._change_password,
                "index_down": self._index_down,
                "clock": self._move_clock,
            }
            return work[verb](arguments)

    def _change_password(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """`password`, `username` (default: the first account)."""
        user = arguments.get("username") or next(iter(self.accounts))
        self.accounts[user] = self.accounts[user].model_copy(update={"password": str(arguments["password"])})
        return {"username": user}

    def _index_down(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """`down` true or false: while down, every list is HTTP 403 without a description."""
        self.shelf.index_down = bool(arguments.get("down", True))
        return {"down": self.shelf.index_down}

    def _move_clock(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """`hours` to move the portal's own clock by."""
        self.clock.offset_s += timedelta(hours=float(arguments["hours"])).total_seconds()
        return {"now": self.clock.now().isoformat()}


def build(options: Mapping[str, Any], clock: SimClock | None = None) -> OpencpsSimulator:
    """A simulator with the switches of `options` (see `Switches`).

    Raises:
        pydantic.ValidationError: A switch is unknown or wrong.
    """
    return OpencpsSimulator(Switches.model_validate(orjson.loads(orjson.dumps(dict(options)))), clock)
