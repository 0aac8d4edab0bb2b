"""What one kind's simulator is: the real protocol, officers' verbs, and screens."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import orjson

from adapters.simulation.book import Book
from adapters.simulation.clock import SimClock
from adapters.simulation.faults import GENERAL_FAULTS

CallKind = str
"""What a call is to fault plan and book: `read`, `file` (a download), `login`, `ping`, or a sort of write: `write`,
`progress`, ..."""

_EMPTY: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it arrived.

    `path` is percent-decoded and has no query; `query` keeps blank values; header names are lower-case; `body` is
    de-chunked; `at` is the portal's own time; `call` numbers the portal's calls from 1 (0 for `/_sim/`).
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    call: int = 0

    def json(self) -> Any:
        """The body as JSON. Raises `orjson.JSONDecodeError`."""
        return orjson.loads(self.body)

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return (self.query.get(name) or [default])[0]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. Content-Type, Content-Length, Date and Connection are added by the server."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    content_type: str = "application/json;charset=UTF-8"

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] = _EMPTY) -> Reply:
        """A JSON answer."""
        return cls(status, orjson.dumps(value), headers)

    @classmethod
    def xml(cls, body: bytes, status: int = 200, headers: Mapping[str, str] = _EMPTY) -> Reply:
        """A SOAP 1.1 answer."""
        return cls(status, body, headers, "text/xml; charset=utf-8")

    @classmethod
    def text(cls, text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> Reply:
        """A text answer."""
        return cls(status, text.encode(), _EMPTY, content_type)


class Simulator(ABC):
    """One portal of one kind.

    Calls come from many threads at once: guard state with `self.lock`. Write every effect into `self.book`
    (`self.book.record("update", key, content, at=request.at, call=request.call)`) in the same locked block.
    """

    kind: ClassVar[str] = ""
    faults_supported: tuple[str, ...] = GENERAL_FAULTS
    """Fault kinds that fit this protocol; add `wrong_namespace` or `expired_session` where `fault_reply` makes them."""

    def __init__(self, clock: SimClock | None = None) -> None:
        self.lock = threading.RLock()
        self.clock = clock or SimClock()
        self.book = Book()

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Answer as the real portal does."""

    def describe(self, request: Request) -> CallKind:
        """Say what sort of call this is. Anything but `read`, `file`, `login` and `ping` counts as a write."""
        return "read" if request.method in ("GET", "HEAD") else "write"

    def fault_reply(self, fault: str, request: Request) -> Reply | None:  # noqa: ARG002 - for kinds to override
        """Answer with a fault of this protocol's own shape, or None for the ordinary answer.

        `wrong_namespace`: do the work, then answer in a namespace the contract does not name.
        `expired_session`: called after `expire_sessions`; None lets `answer` speak.
        """
        return None

    def expire_sessions(self) -> None:  # noqa: B027 - a portal without sessions has none to drop
        """Forget every session, as a portal does overnight."""

    def screen(self, path: str, query: Mapping[str, list[str]]) -> Any:  # noqa: ARG002 - for kinds to override
        """What a person at this portal sees, as JSON; None is answered with 404.

        `path` is what follows `/_sim/`. The book, calls and records are here; kinds add their own and then ask this.
        """
        match path:
            case "book":
                return {"kind": self.kind, "duplicates": self.book.duplicates, "effects": self.book.effects()}
            case "calls":
                return self.book.calls()
            case "records":
                return self.book.records()
        return None

    def act(self, verb: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ARG002 - for kinds to override
        """Officers' work and seeding (POST /_sim/act/VERB): not the portal's protocol. Unknown verb: LookupError."""
        raise LookupError(verb)
