"""The simulated ministry calls back: its outbox, the faults of its line, and every acknowledgement it was given.

Plain sockets of the standard library, so that no code of ours stands on both ends of the wire.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import re
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit
from xml.sax.saxutils import escape

from pydantic import Field

from schemas.settings import Section

LineFault = Literal["", "cut", "deaf", "twice", "cdata", "wrong_action", "no_action"]
"""What happens to one call: sent by half; sent, and the answer not read; sent twice at once; spelled as CDATA; a
SOAPAction of another operation, or none."""

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_RESULT = re.compile(r"Result>(.*)</[A-Za-z]+Result>", re.DOTALL)
_FUNCTION = re.compile(r"&lt;function&gt;([0-9]+)&lt;")
_CODE = re.compile(r"&lt;RejectCode&gt;([^&]*)&lt;")
_OPERATIONS = ("Receive", "ReceiveResultFromMT", "ReceiveFromInland")


class CallBacks(Section):
    """How this ministry calls back.

    url: where; "" never calls. script: functions called back one after another for each new dossier; `05` and `10` wait
    until that was declared. early: the first of them before the declaration is answered. order: `reversed` sends what
    waits newest first. copies: how often each is sent besides. faults: of the line, by turns, one for each call.
    resend_every_s, resends: after anything but a 99. same_second: all messages of a dossier carry one time.
    """

    url: Annotated[str, Field(pattern=r"^(https?://[^\s?#]+)?$")] = ""
    operation: Literal["Receive", "ReceiveResultFromMT", "ReceiveFromInland"] = "ReceiveResultFromMT"
    namespace: str = "http://tempuri.org/"
    script: tuple[Annotated[str, Field(pattern="^[0-9]{2}$")], ...] = ()
    reason: str = "theo quy định"
    early: bool = False
    order: Literal["sent", "reversed"] = "sent"
    copies: Annotated[int, Field(ge=0, le=100)] = 0
    faults: tuple[LineFault, ...] = ()
    resend_every_s: float = 0.9
    resends: Annotated[int, Field(ge=0, le=1000)] = 5
    same_second: bool = False


@dataclass(slots=True)
class CallBack:
    """One message on its way out, with every attempt: `{at, fault, status, function, named, answer}`."""

    message_id: str
    key: str
    function: str
    operation: str
    text: str
    made_at: datetime
    reason: str = ""
    attempts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        """Whether a 99 was read."""
        return any(attempt["function"] == "99" for attempt in self.attempts)

    def shown(self) -> dict[str, Any]:
        """As the screen `callbacks` tells it: of the content only its digest and the words for the applicant."""
        return {
            "message_id": self.message_id,
            "key": self.key,
            "function": self.function,
            "operation": self.operation,
            "at": self.made_at,
            "reason": self.reason,
            "digest": hashlib.sha256(self.text.encode()).hexdigest(),
            "acknowledged": self.acknowledged,
            "attempts": list(self.attempts),
        }


class Outbox:
    """Sends call-backs from one thread that lives as long as something waits. Thread-safe."""

    def __init__(self, settings: Callable[[], CallBacks], now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._lock = threading.Lock()
        self._waiting: deque[CallBack] = deque()
        self._all: list[CallBack] = []
        self._thread: threading.Thread | None = None
        self._calls = 0
        self._pause = threading.Event()

    def add(self, call: CallBack, *, start: bool = True) -> None:
        """Put a message into the outbox; without `start` it waits for `start`."""
        with self._lock:
            self._waiting.append(call)
            self._all.append(call)
        if start:
            self.start()

    def start(self) -> None:
        """Send what waits, in the background."""
        with self._lock:
            if self._waiting and self._thread is None and self._settings().url:
                self._thread = threading.Thread(target=self._run, name="ministry-outbox", daemon=True)
                self._thread.start()

    def send_now(self, call: CallBack, *, once: bool = False) -> None:
        """Send one message in this thread, and each copy; unless `once`, what got no 99 then waits with the others."""
        with self._lock:
            self._all.append(call)
        for _ in range(self._settings().copies + 1):
            self._attempt(call)
        with self._lock:
            if not (once or call.acknowledged):
                self._waiting.append(call)

    def shown(self) -> list[dict[str, Any]]:
        """Every message with its attempts, oldest first."""
        with self._lock:
            return [call.shown() for call in self._all]

    def _run(self) -> None:
        while (call := self._next()) is not None:
            settings = self._settings()
            for number in range(settings.resends + 1):
                self._attempt(call)
                if call.acknowledged:
                    break
                if number < settings.resends:
                    self._pause.wait(settings.resend_every_s)
            for _ in range(settings.copies):
                self._attempt(call)

    def _next(self) -> CallBack | None:
        with self._lock:
            if not self._waiting:
                self._thread = None
                return None
            return self._waiting.pop() if self._settings().order == "reversed" else self._waiting.popleft()

    def _attempt(self, call: CallBack) -> None:
        settings = self._settings()
        with self._lock:
            fault = settings.faults[self._calls % len(settings.faults)] if settings.faults else ""
            self._calls += 1
        if fault == "twice":
            with ThreadPoolExecutor(2) as both:
                list(both.map(lambda _: self._once(call, settings, fault), range(2)))
        else:
            self._once(call, settings, fault)

    def _once(self, call: CallBack, settings: CallBacks, fault: LineFault) -> None:
        at = self._now()
        try:
            status, answer = _sent(settings, call, fault)
        except (OSError, http.client.HTTPException) as error:
            status, answer = 0, type(error).__name__
        found, named = _FUNCTION.search(answer), _CODE.search(answer)
        result = _RESULT.search(answer)
        attempt = {
            "at": at,
            "fault": fault,
            "status": status,
            "function": found[1] if found else "",
            "named": named[1] if named else "",
            "empty": result is not None and not result[1],
            "answer": hashlib.sha256(answer.encode()).hexdigest(),
        }
        with self._lock:
            call.attempts.append(attempt)


def _sent(settings: CallBacks, call: CallBack, fault: LineFault) -> tuple[int, str]:
    """One call over a connection of its own; status 0 where no answer was read."""
    where = urlsplit(settings.url)
    inside = f"<![CDATA[{call.text}]]>" if fault == "cdata" else escape(call.text)
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{_ENVELOPE}"><s:Body>'
        f'<{call.operation} xmlns="{settings.namespace}"><XMLData>{inside}</XMLData></{call.operation}>'
        "</s:Body></s:Envelope>"
    ).encode()
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    if fault != "no_action":
        named = next(one for one in _OPERATIONS if one != call.operation) if fault == "wrong_action" else call.operation
        headers["SOAPAction"] = f'"{settings.namespace.rstrip("/")}/IMTService/{named}"'
    connection = _connection(where)
    with contextlib.closing(connection):
        if fault == "cut":
            connection.request("POST", where.path, body[: len(body) // 2], headers | {"Content-Length": str(len(body))})
            return 0, ""
        connection.request("POST", where.path, body, headers)
        if fault == "deaf":
            return 0, ""
        reply = connection.getresponse()
        return reply.status, reply.read().decode("utf-8", "replace")


def _connection(where: SplitResult) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    return kind(where.hostname or "", where.port, timeout=10)
