"""The book: every effect a portal saw, and how each call that may write was answered.

The oracle of a demo reads nothing else, so the book says what happened and never what was meant.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from datetime import datetime
from typing import Any

import orjson

_BODY_LIMIT = 64 * 1024


class Book:
    """Append-only effects, the present records by key, and the calls that were not plain reads.

    An effect is `{"n", "at", "effect", "key", "content", "call"}`: its number from 1, the portal's own time, what was
    done (create, update, progress, action, declare, ...), the record's key, the content as written, and the number of
    the call that did it (0: an officer). A call is `{"call", "kind", "method", "path", "fault", "answer", "began_s",
    "ended_s", "body"}` with `answer` one of whole, late, cut, unreadable, unavailable; its times are the machine's,
    in seconds since 1970, so that they can be compared with the instant a process was killed; `body` is kept only
    where the answer was not whole.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._effects: list[bytes] = []
        self._keys: Counter[tuple[str, str]] = Counter()
        self._doubles: Counter[bytes] = Counter()
        self._calls: dict[int, dict[str, Any]] = {}
        self._records: dict[str, bytes] = {}

    def record(self, effect: str, key: str, content: Any, *, at: datetime, call: int = 0) -> int:
        """Write one effect and give its number. `content` is frozen as it is now."""
        frozen = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        with self._lock:
            number = len(self._effects) + 1
            entry = {
                "n": number,
                "at": at,
                "effect": effect,
                "key": key,
                "call": call,
                "content": orjson.Fragment(frozen),
            }
            self._effects.append(orjson.dumps(entry))
            self._keys[effect, key] += 1
            self._doubles[_fingerprint(effect, key, frozen)] += 1
            return number

    def put(self, key: str, state: Any) -> None:
        """Keep the present state of a record, for the screen `/_sim/records`."""
        frozen = orjson.dumps(state)
        with self._lock:
            self._records[key] = frozen

    def count(self, key: str, effect: str | None = None) -> int:
        """How many effects this record had, of one sort or of all."""
        with self._lock:
            if effect is not None:
                return self._keys[effect, key]
            return sum(times for (_, known), times in self._keys.items() if known == key)

    def effects(self, since: int = 0, *, key: str | None = None) -> list[dict[str, Any]]:
        """Effects after number `since`, oldest first."""
        with self._lock:
            chosen = self._effects[since:]
        entries = [orjson.loads(entry) for entry in chosen]
        return entries if key is None else [entry for entry in entries if entry["key"] == key]

    def records(self) -> dict[str, Any]:
        """The present state of every record that was put."""
        with self._lock:
            held = dict(self._records)
        return {key: orjson.loads(state) for key, state in held.items()}

    @property
    def duplicates(self) -> int:
        """How many effects repeat an earlier one: same effect, key and content."""
        with self._lock:
            return sum(times - 1 for times in self._doubles.values())

    def begin_call(self, call: int, *, kind: str, method: str, path: str, fault: str | None, began_s: float) -> None:
        """Note a call before it is answered, so that one in flight at the end is seen."""
        entry = {"call": call, "kind": kind, "method": method, "path": path, "fault": fault}
        with self._lock:
            self._calls[call] = entry | {"answer": "cut", "began_s": began_s, "ended_s": None, "body": None}

    def end_call(self, call: int, answer: str, *, ended_s: float | None = None, body: bytes = b"") -> None:
        """Say how a call was answered; a later word replaces an earlier one (an answer that nobody read)."""
        with self._lock:
            if (entry := self._calls.get(call)) is None:
                return
            entry["answer"] = answer
            entry["ended_s"] = ended_s if ended_s is not None else entry["ended_s"]
            if answer != "whole" and body:
                entry["body"] = body[:_BODY_LIMIT].decode("utf-8", "replace")

    def calls(self) -> list[dict[str, Any]]:
        """The calls noted, in their order."""
        with self._lock:
            return [dict(entry) for _, entry in sorted(self._calls.items())]


def _fingerprint(effect: str, key: str, content: bytes) -> bytes:
    return hashlib.blake2b(b"\x00".join((effect.encode(), key.encode(), content)), digest_size=16).digest()
