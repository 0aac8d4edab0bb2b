"""Calls that a portal makes on us: what a receiver reads and says; storing and the first answer belong to the gateway.

The server hands a receiver one whole request, within the caps and from a caller it has let in. `read` takes it apart
and `reply` words the answer; both are pure, so the answer can be written in the transaction that stores the call (T5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from adapters.base import JsonValue, RawRecord


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """One HTTP call on us, whole.

    `path` is what follows the receiver's own path, without a leading slash. `query` holds the first value of each
    name, `headers` names in lower case. `base_url` is the public address of this receiver (for `?wsdl`). `caller` names
    whom the access rules have proved, "" where only the network vouches for him. `at` is the instant the call began.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    at: datetime
    base_url: str = ""
    caller: str = ""


@dataclass(frozen=True, slots=True)
class InboundFile:
    """A file that came with a call: its bytes, or an address to fetch them from (exactly one of the two).

    `ref` is how the record speaks of it, so that the stored copy can be put in its place. `media_type` is what the
    caller claims; the gateway looks at the bytes itself.
    """

    ref: str
    name: str = field(repr=False)
    content: bytes | None = field(default=None, repr=False)
    url: str = field(default="", repr=False)
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class InboundCall:
    """Something told to us, to be stored once.

    `key` names the thing told at this receiver (a national number, a message id) and `digest` its content, volatile
    parts left out: the same pair is a repeat, another digest under one key a new version. `record` is what the engine
    takes in afterwards, like a pulled one; its `raw` is sealed. `procedure` and `agency` are checked against the
    catalogue before success is said, where they are given. `files` are stored before success is said.
    `changed` is what the engine takes in instead where the key was known with other content, None where that makes no
    difference: a dossier pushed again with other content is its supplement.
    `also_told_at` names other receivers of the adapter at which the same key is the same thing.
    `change_alarm` is what a person is told when this key comes with other content, "" where that is an ordinary thing.
    """

    key: str
    digest: str
    record: RawRecord
    procedure: str = ""
    agency: str = ""
    files: tuple[InboundFile, ...] = ()
    change_alarm: str = ""
    changed: RawRecord | None = None
    also_told_at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A call that stores nothing: answered from what the gateway holds, or by the receiver alone.

    `name` is one the gateway knows (`fees_owed`, `file`), with `arguments`; "" when the receiver needs nothing.
    """

    name: str = ""
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A call that cannot be taken apart: answered as the protocol says no, its bytes kept with the reason.

    `code` names the reason for machines. `alarm` asks for a person (a forged signature, another partner's message).
    """

    reason: str
    code: str = "unreadable"
    alarm: bool = False


class Verdict(StrEnum):
    """What came of a call."""

    NEW = "new"
    REPEATED = "repeated"
    """Same key, same content: creates nothing."""
    CHANGED = "changed"
    """Same key, other content: stored as a new version."""
    REFUSED = "refused"
    """Readable, but something that can be checked here does not hold; judged afresh when it comes again."""
    UNREADABLE = "unreadable"
    ANSWERED = "answered"
    """A question; `Reception.found` holds what was found, None when nothing was."""
    BUSY = "busy"
    """It could not be stored now; the caller may come again."""


@dataclass(frozen=True, slots=True)
class Reception:
    """What came of a call, for wording its answer. `code` and `reason` say why not; `found` answers a question."""

    verdict: Verdict
    at: datetime
    reason: str = ""
    code: str = ""
    found: JsonValue = None


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file the gateway holds, for an answer: `size` bytes, which `open` gives part by part, from the start each time.

    Opening or going on may raise where the bytes are gone or damaged; what was read till then is not the file.
    """

    size: int
    open: Callable[[], Iterator[bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class InboundReply:
    """One answer; a `file` is sent instead of the `body`, and never stands in memory whole."""

    body: bytes = field(repr=False)
    media_type: str = "application/json; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    file: HeldFile | None = None


class Receiver(Protocol):
    """One endpoint of an adapter. Thread-safe and without state of its own."""

    @property
    def name(self) -> str:
        """Unique in its adapter; part of a stored call's identity."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it listens, below the portal's own inbound address, without slashes at the ends; from options."""

    @property
    def methods(self) -> tuple[str, ...]:
        """HTTP verbs it takes."""

    @property
    def repeats_first_answer(self) -> bool:
        """Whether a repeat gets the first answer byte for byte; else `reply` words it anew with `REPEATED`."""

    @property
    def patience_s(self) -> float:
        """How long the portal waits for an answer."""

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        """Take one call apart. Never raises for anything the caller sent."""

    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:
        """Word the answer. Pure: equal arguments give equal bytes."""


@runtime_checkable
class Receives(Protocol):
    """An adapter that can be called."""

    def receivers(self) -> tuple[Receiver, ...]:
        """Its endpoints."""
