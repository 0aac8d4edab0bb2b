"""Threads for the engine's work, which is synchronous: a few for each endpoint, and a short queue before them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from adapters.receiving import InboundReply
from gateway.server.refusal import busy

QUEUE_PER_THREAD = 16


class Workers:
    """The threads of one endpoint. Thread-safe."""

    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"in:{name}")
        self._most = threads * (1 + QUEUE_PER_THREAD)
        self._lock = threading.Lock()
        self._under_way = 0
        self._closed = False

    async def run(self, work: Callable[[], InboundReply], within_s: float) -> InboundReply:
        """Do the work in a thread.

        When time runs out before a thread was free nothing is done; when it was begun, it is brought to its end and
        its answer dropped: a caller who comes again is told then.

        Raises:
            RefusalError: 503, the queue is full, time ran out, or the endpoint was closed.
        """
        with self._lock:
            if self._closed:
                raise busy("stopping")
            if self._under_way >= self._most:
                raise busy("queue full")
            self._under_way += 1
            future = self._pool.submit(work)
        future.add_done_callback(self._leave)
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise busy("out of time") from None

    def _leave(self, _done: Future[InboundReply]) -> None:
        with self._lock:
            self._under_way -= 1

    def close(self) -> None:
        """Begin nothing more; what was begun is waited for."""
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
