"""Promises about reading: order, resuming, absence, lists as they are, and failures that are never taken for news."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.base import RawRecord
from adapters.conformance.bench import Bench
from adapters.conformance.checks import (
    DECOMPOSED,
    VIETNAMESE,
    ConformanceError,
    attempt,
    declared_missing,
    expect,
    ids,
    is_record,
    promise,
    read_all,
    texts,
    warm,
)
from schemas.errors import PortalContractError, PortalError, PortalUnavailableError

READ_FAULTS = (
    "reset_before",
    "reset_after",
    "delay",
    "drip",
    "truncate",
    "html_200",
    "empty_200",
    "garbage",
    "too_many_429",
    "unavailable_503",
    "wrong_namespace",
)


class ReadPromises:
    """Checks of `pull`, `fetch`, `catalogue` and `ping`; each takes a fresh bench."""

    @promise
    def test_pages_come_oldest_first(self, bench: Bench) -> None:
        """Where the source has an order, records come in it, each once, and page after page."""
        if not _can_pull(bench):
            return
        made = bench.seed(7)
        got = ids(read_all(bench))
        if bench.ordered:
            expect(got == made, f"pages are not oldest first, or not each record once: made {made}, got {got}")
        else:
            expect(sorted(set(got)) == sorted(made), f"a pull did not show every record: made {made}, got {got}")

    @promise
    def test_resuming_from_any_cursor_skips_nothing(self, bench: Bench) -> None:
        """After any page the pull may be taken up again: what was not read before comes now, new records too."""
        if not _can_pull(bench):
            return
        made = bench.seed(7)
        pages = read_all(bench)
        for number, page in enumerate(pages):
            before = set(ids(pages[: number + 1]))
            rest = set(ids(read_all(bench, page.next_cursor)))
            expect(before | rest >= set(made), f"resuming after page {number + 1} skipped {set(made) - before - rest}")
        later = bench.seed(2)
        news = set(ids(read_all(bench, pages[-1].next_cursor if pages else None)))
        expect(news >= set(later), f"records made after a pull never came: {set(later) - news}")

    @promise
    def test_an_abandoned_pull_can_be_taken_up_again(self, bench: Bench) -> None:
        """Stopping in the middle of a pull loses nothing, and the adapter stays usable."""
        if not _can_pull(bench):
            return
        made = bench.seed(7)
        first = next(iter(bench.adapter.pull(None)))
        rest = read_all(bench, first.next_cursor)
        expect(set(ids([first, *rest])) >= set(made), "an abandoned pull lost records")

    @promise
    def test_an_unknown_id_is_absent(self, bench: Bench) -> None:
        """`fetch` gives None for what the portal does not hold and the record for what it holds."""
        if not _can_fetch(bench):
            return
        (known,) = bench.seed(1)
        expect(is_record(bench.adapter.fetch(known), known), "fetch did not give a record the portal holds")
        expect(bench.adapter.fetch(bench.unknown_id()) is None, "fetch gave something for an id the portal lacks")

    @promise
    def test_a_failed_read_is_an_error_and_never_absence(self, bench: Bench) -> None:
        """Whatever breaks on the way, `fetch` gives the record or a portal error: never None, never an empty one."""
        if not _can_fetch(bench):
            return
        (known,) = bench.seed(1)
        _expect_record_or_error(bench, lambda: bench.adapter.fetch(known), lambda got: is_record(got, known))

    @promise
    def test_a_failed_pull_is_an_error_and_never_an_end(self, bench: Bench) -> None:
        """Whatever breaks on the way, a pull gives every record or raises: a broken answer is no empty page."""
        if not _can_pull(bench):
            return
        made = set(bench.seed(3))
        _expect_record_or_error(bench, lambda: read_all(bench), lambda pages: set(ids(pages)) >= made)

    @promise
    def test_text_read_is_the_portals_own(self, bench: Bench) -> None:
        """Vietnamese letters, composed and decomposed, and signs that wires escape arrive letter for letter."""
        if not (_can_fetch(bench) or _can_pull(bench)):
            return
        for text in (VIETNAMESE, DECOMPOSED):
            (made,) = bench.seed(1, text=text)
            found = [part for record in _records(bench, made) for part in texts(list(record.parts.values()))]
            expect(any(text in part for part in found), f"text did not survive reading: {text!r}")

    @promise
    def test_a_catalogue_is_given_as_it_is(self, bench: Bench) -> None:
        """A list comes whole with a version; an empty one comes empty and is not an error."""
        names = bench.adapter.abilities.catalogues
        if not names:
            declared_missing(bench, "catalogue")
        for name in names:
            before = bench.adapter.catalogue(name)
            expect(before.name == name and bool(before.version), f"catalogue {name} has no name or version")
            expect(before.version == bench.adapter.catalogue(name).version, f"{name}: equal lists, two versions")
            if bench.empty_catalogue(name):
                emptied = attempt(lambda name=name: bench.adapter.catalogue(name))  # type: ignore[misc]
                given = not isinstance(emptied, PortalError) and emptied.rows == ()
                expect(given, f"an emptied catalogue {name} was not given empty")

    @promise
    def test_a_ping_changes_nothing_and_fails_as_a_portal_error(self, bench: Bench) -> None:
        """A harmless call: it answers at a healthy portal and raises what a breaker understands at a broken one."""
        moment = bench.adapter.ping()
        expect(moment is None or moment.tzinfo is not None, "the portal's clock has no time zone")
        bench.go_down()
        error = attempt(bench.adapter.ping)
        bench.come_up()
        opened = not isinstance(error, PortalUnavailableError) or error.sent
        expect(not opened, f"a ping at a portal that is down gave {type(error).__name__}, not known as not sent")

    @promise
    def test_a_portal_that_is_down_is_unavailable(self, bench: Bench) -> None:
        """Reads at a closed door raise PortalUnavailableError; afterwards the same adapter works again."""
        if not _can_fetch(bench):
            return
        (known,) = bench.seed(1)
        warm(bench)
        bench.go_down()
        error = attempt(lambda: bench.adapter.fetch(known))
        bench.come_up()
        expect(isinstance(error, PortalUnavailableError), f"a closed door became {type(error).__name__}")
        expect(is_record(bench.adapter.fetch(known), known), "the adapter did not recover after an outage")


def _can_pull(bench: Bench) -> bool:
    able = bench.adapter.abilities.pulls or bench.adapter.abilities.polls
    if not able:
        declared_missing(bench, "pull")
    return able


def _can_fetch(bench: Bench) -> bool:
    if not bench.adapter.abilities.fetches:
        declared_missing(bench, "fetch")
    return bench.adapter.abilities.fetches


def _records(bench: Bench, external_id: str) -> list[RawRecord]:
    if bench.adapter.abilities.fetches and (record := bench.adapter.fetch(external_id)) is not None:
        return [record]
    pulled = [record for page in read_all(bench) for record in page.records]
    return [record for record in pulled if isinstance(record, RawRecord) and record.external_id == external_id]


def _expect_record_or_error(bench: Bench, read: Callable[[], Any], whole: Callable[[Any], bool]) -> None:
    warm(bench)
    for fault in READ_FAULTS:
        if not bench.hurt(fault):
            continue
        result = attempt(read)
        if isinstance(result, PortalError):
            right = isinstance(result, PortalUnavailableError | PortalContractError)
            expect(right, f"{fault}: a read raised {type(result).__name__}, which says something else")
            if fault == "too_many_429":
                expect(result.retry_after_s is not None, "429: the read's error does not say when to come back")
        else:
            expect(whole(result), f"{fault}: a broken answer was taken for news: {type(result).__name__}")
        _recover(read)


def _recover(read: Callable[[], Any]) -> None:
    """After a fault the next reads work again; a kept-alive connection or a shut door may cost one more."""
    for _ in range(3):
        if not isinstance(attempt(read), PortalError):
            return
    raise ConformanceError("the adapter did not recover after one fault")
