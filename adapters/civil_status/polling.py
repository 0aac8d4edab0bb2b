"""Asks the ministry for dossiers in batches and halves a batch that fails, down to single calls (R13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from adapters.base import JsonValue
from adapters.civil_status.options import ErrorMeaning, Options
from adapters.civil_status.outcomes import back_end_failed, excerpt_of
from adapters.civil_status.rows import PollFailedError, answered
from adapters.civil_status.wire import BadJsonError, Verdict
from schemas.clock import Clock
from schemas.errors import (
    PortalAuthError,
    PortalContractError,
    PortalError,
    PortalRefusedError,
    PortalUnavailableError,
)

RECORD_NOT_FOUND = "201"
WRONG_PROVINCE = "108"
Ask = Callable[[list[str], str], JsonValue]


@dataclass(frozen=True, slots=True)
class Row:
    """One dossier as the ministry shows it; `read_at` is the instant its call began."""

    content: dict[str, JsonValue]
    module: str
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Findings:
    """What a batch came to; a number in none of these was left out by the ministry, which says nothing (R04)."""

    rows: dict[str, Row] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    failed: dict[str, PortalError] = field(default_factory=dict)

    def add(self, other: Findings) -> None:
        """Take in what another call found."""
        self.rows.update(other.rows)
        self.unreadable.update(other.unreadable)
        self.absent.update(other.absent)
        self.failed.update(other.failed)

    def settles(self, number: str) -> bool:
        """Whether the ministry showed this dossier."""
        return number in self.rows or number in self.unreadable


class Poller:
    """Polls for one portal."""

    def __init__(self, portal: str, options: Options, clock: Clock, ask: Ask) -> None:
        self._portal = portal
        self._options = options
        self._clock = clock
        self._ask = ask

    def find(self, numbers: list[str], module: str) -> Findings:
        """Ask for `numbers`; with an empty `module` every known one in turn, until each number was answered.

        Raises:
            PortalError: Nothing about single dossiers: the portal is not there, or refuses us altogether.
        """
        modules = (module,) if module else self._options.module_names
        found = Findings()
        for name in modules:
            left = [number for number in numbers if not found.settles(number)]
            if left:
                found.add(self._halving(left, name))
        for number in numbers:
            if found.settles(number):
                found.failed.pop(number, None)
        return found

    def _halving(self, numbers: list[str], module: str) -> Findings:
        read_at = self._clock.now()
        try:
            answer = answered(self._ask(numbers, module), numbers)
        except PollFailedError as no:
            failure = self._failure(no.verdict)
            if no.verdict.code == RECORD_NOT_FOUND and len(numbers) == 1:
                return Findings(absent=set(numbers))
        except BadJsonError as problem:
            failure = PortalContractError(self._portal, f"poll: {problem}")
        except PortalError as error:
            failure = error
        else:
            rows = {number: Row(content, module, read_at) for number, content in answer.rows.items()}
            return Findings(rows=rows, unreadable=dict(answer.unreadable))
        if _concerns_all(failure):
            raise failure
        if len(numbers) == 1:
            return Findings(failed={numbers[0]: failure})
        middle = len(numbers) // 2
        found = self._halving(numbers[:middle], module)
        found.add(self._halving(numbers[middle:], module))
        return found

    def _failure(self, verdict: Verdict) -> PortalError:
        """The error behind a parsed no to a poll."""
        code, excerpt = verdict.code, excerpt_of(verdict)
        if self._options.meaning_of(code) is ErrorMeaning.AUTH:
            return PortalAuthError(self._portal, "the ministry does not accept our login", code=code, excerpt=excerpt)
        if back_end_failed(verdict):
            return PortalUnavailableError(
                self._portal, "the system behind the facade failed", code=code or "soap", excerpt=excerpt
            )
        return PortalRefusedError(self._portal, "the poll was refused", code=code, excerpt=excerpt)


def _concerns_all(error: PortalError) -> bool:
    """Whether asking for fewer dossiers cannot help: no connection, too many calls, no login, not our province."""
    if isinstance(error, PortalAuthError):
        return True
    if isinstance(error, PortalUnavailableError):
        return not error.code and (error.status is None or error.status in (429, 503))
    return error.code == WRONG_PROVINCE
