"""Reading ahead: several things are asked for at once, and handed over in the order they were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2
"""How many things each thread may be ahead of who takes them: a sweep that ends early has asked for few in vain."""


def in_order(work: Callable[[Item], Result], items: Sequence[Item], threads: int, *, name: str) -> Generator[Result]:
    """The results of `work` for each item, in the items' order, with `threads` of them under way at once.

    What `work` raises is raised when its turn comes: all before it has been handed over, and nothing new is begun. Each
    call runs in a copy of the caller's context. Close the iterator, or take all of it: then no thread is left.
    """
    if threads == 1 or len(items) < 2:
        yield from map(work, items)
        return
    context, rest = copy_context(), iter(items)
    under_way: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(min(threads, len(items)), thread_name_prefix=name) as pool:
        try:
            for item in islice(rest, AHEAD * threads):
                under_way.append(pool.submit(context.copy().run, work, item))
            while under_way:
                result = under_way.popleft().result()
                for item in islice(rest, 1):
                    under_way.append(pool.submit(context.copy().run, work, item))
                yield result
        finally:
            for one in under_way:
                one.cancel()
