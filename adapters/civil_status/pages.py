"""From what a batch of polls came to, to a page: records, what is unchanged, and what a person must be told. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from adapters.base import Page, RawRecord, UnreadableRecord
from adapters.civil_status.options import Options
from adapters.civil_status.place import Key, Place
from adapters.civil_status.polling import Findings, Row
from adapters.civil_status.rows import ResultMissingError, digest_of, state_part
from adapters.civil_status.wire import text_of


def page_of(
    batch: Sequence[Key],
    found: Findings,
    place: Place,
    held: Mapping[str, str],
    options: Options,
    *,
    now: datetime,
    total: int,
) -> tuple[Page, Place]:
    """The page of one batch, and the place with its counts; `held` are the digests of the last stored readings."""
    records: list[RawRecord | UnreadableRecord] = []
    seen: list[str] = []
    for _, number in batch:
        if (row := found.rows.get(number)) and held.get(number) == digest_of(row.content):
            seen.append(number)
            place = place.answered(number)
            continue
        record, place = _weighed(number, found, place, options, now)
        if record is not None:
            records.append(record)
    return Page(tuple(records), place.written(), seen=tuple(seen), total=total), place


def record_of(number: str, row: Row, options: Options) -> RawRecord:
    """A readable row as a record.

    Raises:
        ResultMissingError: Its state promises a result that cannot be read (R06).
    """
    part, digest = state_part(row.content, row.module, options), digest_of(row.content)
    return RawRecord(
        external_id=number,
        parts={"state": part},
        raw=orjson.dumps(row.content),
        read_at=row.read_at,
        list_digest=digest,
        guard={"state": text_of(part.get("trangThai")), "digest": digest},
    )


def _weighed(
    number: str, found: Findings, place: Place, options: Options, now: datetime
) -> tuple[RawRecord | UnreadableRecord | None, Place]:
    """A record to store, or None while there is nothing to say.

    A person is told once: at the first answer that cannot be read, and of a missing result or a dossier whose poll
    fails when patience is spent.
    """
    problem, raw = found.unreadable.get(number, ""), b""
    patience = 1 if problem else options.result_patience
    if row := found.rows.get(number):
        try:
            return record_of(number, row, options), place.answered(number)
        except ResultMissingError as missing:
            problem, raw = f"completed without a readable result: {missing}", orjson.dumps(row.content)
    elif failure := found.failed.get(number):
        problem = f"the poll for this dossier alone fails: {failure.reason}"
    if not problem:
        return None, place
    place = place.counted(number)
    if place.tries[number] != patience:
        return None, place
    return UnreadableRecord(number, raw, f"{problem} ({place.tries[number]} polls)", now), place
