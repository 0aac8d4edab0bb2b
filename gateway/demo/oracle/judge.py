"""Judging the books: what was due where, what is lost, doubled or invented, and whose legal dates moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.demo.oracle.acts import Acts
from gateway.demo.oracle.books import Books
from gateway.demo.oracle.calls import Calls
from gateway.demo.oracle.files import Files
from gateway.demo.oracle.mirror import Mirror
from gateway.demo.oracle.owner import new_owners
from gateway.demo.oracle.stages import Stages
from gateway.demo.oracle.verdict import Verdict

KILL_SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class Listed:
    """A delivery the gateway lists as waiting for a person.

    `dossier` is its number, `key` the message id of a declaration; `rows` are progress rows: number,
    status code, 14-digit time.
    """

    portal: str
    klass: str
    state: str
    dossier: str = ""
    key: str = ""
    rows: tuple[tuple[str, str, str], ...] = ()


class Oracle:
    """Judges books; `before` are the books of the moment the gateway went live, `forwarded` procedure -> ministry."""

    def __init__(self, before: Books, forwarded: Mapping[str, str]) -> None:
        self._old = frozenset(before.province_records)
        self._marks = {
            "province": len(before.province_effects),
            "national": len(before.national_effects),
            "transport": len(before.transport_effects),
            "justice": len(before.justice_effects),
        }
        self._forwarded = dict(forwarded)

    def judge(self, books: Books, listed: Iterable[Listed] = (), kills: Iterable[float] = ()) -> Verdict:
        """Compare the books with one another; what is `listed` as unproven may be absent."""
        verdict = Verdict()
        owners = new_owners(books, self._old)
        unproven = [one for one in listed if one.state == "unproven"]
        self._unproven(books, unproven, tuple(kills), verdict)
        made = {
            "province": self._made("province", books.province_effects),
            "national": self._made("national", books.national_effects),
            "transport": self._made("transport", books.transport_effects),
            "justice": self._made("justice", books.justice_effects),
        }
        rows = {row for one in unproven for row in one.rows}
        excused = {one.dossier for one in unproven if one.portal == "transport"}
        Mirror(owners, books.national_records, made["national"], rows, verdict).judge()
        Stages(owners, self._forwarded, made, excused, verdict).judge()
        Acts(owners, books, made["province"], verdict).judge()
        Calls(owners, books, verdict).judge()
        Files(owners, books, verdict).judge()
        return verdict

    def _made(self, portal: str, effects: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Effects of calls since the gateway went live."""
        return [effect for effect in effects[self._marks[portal] :] if effect["call"]]

    # what the gateway says it does not know
    def _unproven(self, books: Books, unproven: list[Listed], kills: tuple[float, ...], verdict: Verdict) -> None:
        """Only progress calls may end so, and declarations whose answer was cut, unreadable or never came."""
        for one in unproven:
            if (one.portal, one.klass) == ("national", "append"):
                continue
            if one.portal != "transport" or not self._in_doubt(books, one.key, kills):
                verdict.add("wrongly_unproven", one.portal, one.key, "the portal gave means to know")

    def _in_doubt(self, books: Books, message_id: str, kills: tuple[float, ...]) -> bool:
        calls = {
            number
            for held in books.transport_dossiers
            for line in held["declarations"]
            if line["message_id"] == message_id
            for number in line["calls"]
        }
        for call in books.transport_calls:
            if call["call"] in calls or message_id in (call["body"] or ""):
                ended = call["ended_s"] if call["ended_s"] is not None else float("inf")
                if call["answer"] != "whole" or any(call["began_s"] <= at <= ended + KILL_SLACK_S for at in kills):
                    return True
        return False
