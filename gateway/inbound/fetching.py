"""Files that come with a call: all of them on disk before success is said, or none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import datetime
from functools import partial

from adapters.base import FileStream
from adapters.receiving import InboundCall, InboundFile
from gateway.config import StoreConfig
from gateway.inbound.files import FileStore, Held
from gateway.store.rows import FileRow
from gateway.sync.portal import Portal
from schemas.errors import PortalError, RecordInvalidError

AT_ONCE = 4
"""Links of one call that are fetched side by side: its portal waits, and is not to be flooded either."""


class _NotWantedError(Exception):
    """Another file of the call has failed."""


def keep_files(files: FileStore, portal: Portal, call: InboundCall, at: datetime, terms: StoreConfig) -> list[FileRow]:
    """Put every file of a call on disk, or none; rows in the order of the files.

    Raises:
        RecordInvalidError: One cannot be had, or is nothing that a dossier may hold.
        StoreError: The disk does not take them.
    """
    ended = threading.Event()
    held: list[Held] = []

    def once(file: InboundFile) -> Held:
        chunks = _chunks(portal, file, ended)
        cap = terms.file_mib * 1024 * 1024
        return files.hold(
            portal.name, call.key, file.ref, file.name, chunks, cap=cap, at=at.timestamp(), days=terms.file_days
        )

    def hold(file: InboundFile) -> Held:
        made = once(file) if file.content is not None else files.believed(file.name, partial(once, file))
        held.append(made)
        return made

    links = sum(file.content is None for file in call.files)
    try:
        ordered = _side_by_side(call, hold, ended) if links > 1 else [hold(file) for file in call.files]
    except PortalError as error:
        files.let_go(held)
        raise RecordInvalidError(f"a file cannot be fetched: {error.reason}") from None
    except BaseException:
        files.let_go(held)
        raise
    return files.place(ordered)


def _side_by_side(call: InboundCall, hold: Callable[[InboundFile], Held], ended: threading.Event) -> list[Held]:
    """Hold all, in order; when one fails the others are given up, and its error is raised."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch") as pool:
        pending = [pool.submit(hold, file) for file in call.files]
        if wait(pending, return_when=FIRST_EXCEPTION).not_done:
            ended.set()
        for one in pending:
            one.cancel()
    failed = [error for one in pending if not one.cancelled() and (error := one.exception()) is not None]
    if failed:
        raise next((error for error in failed if not isinstance(error, _NotWantedError)), failed[0])
    return [one.result() for one in pending]


def _chunks(portal: Portal, file: InboundFile, ended: threading.Event) -> Iterator[bytes]:
    if file.content is not None:
        yield file.content
        return
    opened: FileStream = portal.adapter.open_file(file.url)
    with opened.stream as stream:
        while chunk := stream.read(65536):
            if ended.is_set():
                raise _NotWantedError
            yield chunk
