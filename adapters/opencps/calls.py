"""Calls to one provincial portal, and its error model: success is status 200 and the expected key (provincial.md 1.2).

203 is a failed login although it is a 2xx; 403 stands for every failure there is and never means "absent"; there is no
404, 409 or 429 of its own.
"""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO
from urllib.parse import quote

from adapters.base import PortalContext
from adapters.download import HttpStream
from adapters.http import HttpClient, HttpReply
from adapters.opencps.options import Options
from adapters.opencps.rows import JsonObject
from adapters.retry import retry_harmless
from adapters.transport import Timeouts
from schemas.errors import PortalAuthError, PortalContractError, PortalUnavailableError

NOBODY = "00000000-0000-0000-0000-000000000000"
"""A reference that no dossier has: asking for it tests the login and nothing else."""


class _Paid:
    """A budget for repeats of calls that each draw on the portal's own."""

    def take(self, calls: int = 1) -> None:
        """Nothing more to pay."""


_PAID = _Paid()


class Calls:
    """One portal's HTTP calls. Thread-safe.

    The secret is asked for at every call, so that a new password needs no restart. A password that was refused is not
    tried again for a while, so that nobody is locked out.
    """

    def __init__(self, context: PortalContext, options: Options) -> None:
        self.context = context
        self._options = options
        self._lock = threading.Lock()
        self._refused: tuple[str, float] | None = None
        self._tried = threading.local()
        timeout_s = options.timeout_s or context.call_timeout_s
        self._http = HttpClient(
            context.portal,
            options.root,
            Timeouts(read_s=timeout_s, write_s=timeout_s),
            verify=options.ca_file or True,
            clock=context.clock,
            deadline_s=timeout_s,
            max_body_bytes=options.max_body_bytes,
            headers={"Accept": "application/json", "groupId": str(options.group_id)},
        )

    def close(self) -> None:
        """Give back connections."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, BinaryIO, str]] | None = None,
        send_by: float | None = None,
        group_id: int | None = None,
        media: tuple[str, ...] = ("application/json",),
    ) -> HttpReply:
        """Make one call and give its answer, whatever its status below 500; `files` make its form multipart.

        Raises:
            PortalAuthError: This password was refused a moment ago; nothing was sent.
            PortalError: As `HttpClient.request` raises.
        """
        headers = self._admitted()
        if group_id is not None:
            headers["groupId"] = str(group_id)
        return self._http.request(
            method,
            self._options.root + path,
            params=params,
            headers=headers,
            data=form,
            files=files,
            idempotent=method == "GET",
            send_by=send_by,
            accept=media,
        )

    def open(self, path: str) -> tuple[HttpReply, HttpStream | io.BytesIO]:
        """Ask for a file and leave its bytes in the stream; the reply holds how they begin.

        Raises:
            PortalAuthError, PortalUnavailableError, PortalContractError: As `send`; a web page is no file.
        """
        return self._http.open(self._options.root + path, headers=self._admitted(), accept=("*/*",))

    def _admitted(self) -> dict[str, str]:
        """The header that lets a call in, paid for from the budget."""
        word, secret = self._authorisation()
        self._hold_off(secret)
        self._tried.secret = secret
        self.context.budget.take()
        self._hold_off(secret)  # another thread may have been refused while this one waited for its turn
        return {"Authorization": word}

    def read(self, path: str, *, params: Mapping[str, Any] | None = None, group_id: int | None = None) -> JsonObject:
        """Make one read and give its JSON object.

        Raises:
            PortalAuthError: 203 or 401.
            PortalUnavailableError: 403, which may be anything; no answer.
            PortalContractError: Anything but a JSON object with status 200.
        """
        return self.object_of(self._asked(path, params, group_id))

    def _asked(self, path: str, params: Mapping[str, Any] | None = None, group_id: int | None = None) -> HttpReply:
        """Ask, again where no usable answer came: asking is harmless. Gives a whole answer that holds an object."""

        def once() -> HttpReply:
            reply = self.send("GET", path, params=params, group_id=group_id)
            self.object_of(reply)
            return reply

        options = self._options
        return retry_harmless(
            once, clock=self.context.clock, budget=_PAID, attempts=options.read_tries, wait_s=options.read_wait_s
        )

    def object_of(self, reply: HttpReply) -> JsonObject:
        """The JSON object of a read's answer; raises as `read` does."""
        self.check(reply)
        value = reply.json()
        if not isinstance(value, dict):
            raise PortalContractError(self.context.portal, "the answer is no JSON object", status=reply.status)
        return value

    def check(self, reply: HttpReply) -> None:
        """Raise for a read's answer that is not a plain 200."""
        portal = self.context.portal
        if reply.status in (203, 401):
            self.refused()
            raise PortalAuthError(portal, "the portal does not accept our login", status=reply.status)
        if reply.status == 403:
            raise PortalUnavailableError(portal, "the portal answered 403, which stands for any failure", status=403)
        if reply.status != 200:
            raise PortalContractError(portal, f"the portal answered {reply.status}", status=reply.status)

    def prove_login(self) -> HttpReply:
        """Ask for a dossier that does not exist: only a caller who is signed in gets the empty answer.

        The list makes no such test: to a guest it shows fewer rows, which would look like dossiers that went.
        A dossier that we know is asked for first, because some portals answer 403 for one that is not there; but one
        that cannot be shown must not stand for the portal.
        """
        if known := self.context.known.any_record():
            try:
                return self._asked(f"/dossiers/{part(known)}")
            except (PortalUnavailableError, PortalContractError) as error:
                if error.status != 403 and not isinstance(error, PortalContractError):
                    raise
        return self._asked(f"/dossiers/{NOBODY}")

    def refused(self) -> None:
        """Remember that the password of this thread's last call was refused; it may have been replaced since."""
        secret: str = self._tried.secret
        until = self.context.clock.monotonic() + self._options.login_hold_off_s
        with self._lock:
            self._refused = (secret, until)

    def _hold_off(self, secret: str) -> None:
        with self._lock:
            refused = self._refused
        if refused is not None and refused[0] == secret and self.context.clock.monotonic() < refused[1]:
            raise PortalAuthError(
                self.context.portal, "this password was refused; it is not tried again yet", status=203, sent=False
            )

    def _authorisation(self) -> tuple[str, str]:
        """The header's value, and a digest that tells one secret from another."""
        options = self._options
        if options.token:
            word = f"Bearer {self.context.secret(options.token)}"
        else:
            secret = self.context.secret(options.password or "")
            word = "Basic " + base64.b64encode(f"{options.username}:{secret}".encode()).decode()
        return word, hashlib.sha256(word.encode()).hexdigest()


def part(key: str) -> str:
    """A key as one step of a path."""
    return quote(key, safe="")
