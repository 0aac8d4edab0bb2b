"""What the suite's checks are made of."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar

from adapters.base import Delivery, DeliveryClass, Operation, Outcome, OutcomeKind, Page, RawRecord
from adapters.conformance.bench import Bench
from schemas.errors import PortalError

VIETNAMESE = "Nguyễn Thị Đặng — thử & nghiệm; 50% + <b>ghi chú</b> \"tiếng Việt\" ờ ợ ụ ỹ 'x'"
"""Composed letters and every sign that some wire escapes."""

DECOMPOSED = "Hồ sơ đã tiếp nhận"
"""The same kind of text with its marks apart (NFD), as some portals' clients write it."""

NOT_DONE: list[str] = []
"""What was not checked in this run and why: missing abilities and exemptions, for a test run's summary."""

S = TypeVar("S")
T = TypeVar("T")


class ConformanceError(AssertionError):
    """An adapter broke a promise; the text says which and how."""


def expect(held: bool, promise: str) -> None:
    """Raise ConformanceError unless the promise held."""
    if not held:
        raise ConformanceError(promise)


def declared_missing(bench: Bench, ability: str) -> None:
    """Say visibly that a check has nothing to check because the kind declares that it cannot do this."""
    _say(f"{bench.kind}: declared missing: {ability}")


def exempt(bench: Bench, check: str) -> bool:
    """Whether this kind is exempt from a check; says so."""
    if (reason := bench.exempt.get(check)) is None:
        return False
    _say(f"{bench.kind}: exempt from {check}: {reason}")
    return True


def promise(check: Callable[[S, Bench], None]) -> Callable[[S, Bench], None]:
    """Mark a check of the suite: it runs unless the kind is exempt from it."""

    @wraps(check)
    def run(suite: S, bench: Bench) -> None:
        if not exempt(bench, check.__name__):
            check(suite, bench)

    return run


def _say(line: str) -> None:
    if line not in NOT_DONE:
        NOT_DONE.append(line)
    sys.stdout.write(line + "\n")


def operations(bench: Bench) -> list[Operation]:
    """The operations declared, in a fixed order."""
    return [operation for _, operation in sorted(bench.adapter.abilities.operations.items())]


def attempt(call: Callable[[], T]) -> T | PortalError:
    """The call's result or its portal error; any other error escapes, for it is a defect."""
    try:
        return call()
    except PortalError as error:
        return error


def push(bench: Bench, delivery: Delivery) -> Outcome:
    """Push; a portal error that escapes breaks the promise that every write comes back as an outcome."""
    outcome = attempt(lambda: bench.adapter.push(delivery))
    if isinstance(outcome, PortalError):
        raise ConformanceError(f"push raised {type(outcome).__name__} instead of giving an outcome")
    return outcome


def delivered(bench: Bench, delivery: Delivery) -> Outcome:
    """Push at a healthy portal, which must deliver."""
    outcome = push(bench, delivery)
    expect(
        outcome.kind is OutcomeKind.DELIVERED,
        f"{delivery.operation}: a healthy portal's yes became {outcome.kind}: {outcome.reason} {outcome.excerpt}",
    )
    return outcome


def warm(bench: Bench) -> None:
    """Let the adapter log in, so that a fault meets the call it is meant for."""
    attempt(bench.adapter.ping)


def read_all(bench: Bench, cursor: str | None = None) -> list[Page]:
    """Every page from a cursor on."""
    return list(bench.adapter.pull(cursor))


def ids(pages: list[Page]) -> list[str]:
    """External ids of the records in pages, in the order given."""
    return [record.external_id for page in pages for record in page.records]


def texts(value: Any) -> Iterator[str]:
    """Every text inside a wire value; bytes count as text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts(part)


def words_of(result: PortalError | Outcome) -> str:
    """Everything of an error or an outcome that may be logged or shown, the traceback among it."""
    if isinstance(result, Outcome):
        return f"{result.reason} {result.code} {result.excerpt} {result.proof}"
    shown = "".join(traceback.format_exception(result))
    return " ".join((str(result), repr(result), result.reason, result.code, result.excerpt, shown))


def no_single_effect(operation: Operation) -> bool:
    """Whether the book may show a repeat of this operation twice: whole replacements are no doubles."""
    return operation.klass is DeliveryClass.SNAPSHOT


def is_record(result: object, external_id: str) -> bool:
    """Whether a fetch gave the record asked for."""
    return isinstance(result, RawRecord) and result.external_id == external_id
