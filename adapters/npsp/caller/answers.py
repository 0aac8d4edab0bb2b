"""Every answer the province gave, by dossier number: what an oracle reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Container
from typing import Any

import orjson

from adapters.npsp.caller.dialling import Heard

SILENCE = "silence"
UNREADABLE = "unreadable"


def understood(heard: Heard) -> int | str:
    """The `error_code` of a whole answer, else what came instead: `silence`, `unreadable`, or `http NNN`."""
    if heard.status is None:
        return SILENCE
    if heard.status != 200:
        return f"http {heard.status}"
    try:
        said = orjson.loads(heard.body)
    except orjson.JSONDecodeError:
        return UNREADABLE
    code = said.get("error_code") if isinstance(said, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else UNREADABLE


class AnswerBook:
    """Thread-safe. Entries come in the order of the answers: `{"what", "of", "said", "fault", "began_s", "ended_s"}`.

    `of` is what a push said: `submission`, `again`, `changed`, `supplement`, `withdrawal`. Times are the machine's, in
    seconds since 1970, so that they can be compared with the instant a process was killed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: dict[str, list[dict[str, Any]]] = {}

    def note(self, number: str, what: str, of: str, heard: Heard, fault: str) -> int | str:
        """Note one answer about a number; gives it as understood."""
        said = understood(heard)
        ended_s = time.time()
        entry = {
            "what": what,
            "of": of,
            "said": said,
            "fault": fault,
            "began_s": ended_s - heard.seconds,
            "ended_s": ended_s,
        }
        with self._lock:
            self._said.setdefault(number, []).append(entry)
        return said

    def all(self) -> dict[str, list[dict[str, Any]]]:
        """Number -> its answers."""
        with self._lock:
            return {number: list(entries) for number, entries in self._said.items()}

    def told(self, number: str, what: str = "push") -> list[int | str]:
        """The answers to one sort of call about a number."""
        with self._lock:
            return [entry["said"] for entry in self._said.get(number, ()) if entry["what"] == what]

    def problems(self, stored: Container[str] | None = None) -> list[str]:
        """What the protocol does not allow: two zeros, an answer that is neither 0 nor 1, or a yes for nothing stored.

        `stored`: the numbers that the province holds; None: not asked. An unanswered number is no problem by itself.
        """
        found: list[str] = []
        for number, entries in sorted(self.all().items()):
            pushes = [entry["said"] for entry in entries if entry["what"] == "push"]
            codes = [said for said in pushes if isinstance(said, int)]
            if codes.count(0) > 1:
                found.append(f"{number}: answered 0 {codes.count(0)} times")
            if others := sorted(
                {said for said in codes if said not in (0, 1)} | {said for said in pushes if said == UNREADABLE},
                key=str,
            ):
                found.append(f"{number}: answered {others}")
            if stored is not None and codes and number not in stored and any(said in (0, 1) for said in codes):
                found.append(f"{number}: answered yes, and nobody holds it")
        return found
