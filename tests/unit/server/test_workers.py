"""The threads of one endpoint: few, with a short queue, and nobody waits longer than his patience."""

import asyncio
import threading

import pytest

from adapters.receiving import InboundReply
from gateway.server.refusal import RefusalError
from gateway.server.workers import QUEUE_PER_THREAD, Workers

REPLY = InboundReply(b"done")


def test_a_full_queue_refuses_at_once_and_is_free_again_afterwards() -> None:
    free, workers = threading.Event(), Workers("x", 1)

    def slow() -> InboundReply:
        free.wait(10)
        return REPLY

    async def scenario() -> None:
        waiting = [asyncio.create_task(workers.run(slow, 10)) for _ in range(1 + QUEUE_PER_THREAD)]
        await asyncio.sleep(0)
        with pytest.raises(RefusalError) as refused:
            await asyncio.wait_for(workers.run(slow, 10), 1)
        assert (refused.value.status, refused.value.reason) == (503, "queue full")
        free.set()
        assert await asyncio.gather(*waiting) == [REPLY] * len(waiting)
        assert await workers.run(slow, 10) == REPLY

    asyncio.run(scenario())
    workers.close()


def test_what_no_thread_had_begun_in_time_is_never_done() -> None:
    free, workers, done = threading.Event(), Workers("x", 1), []

    def first() -> InboundReply:
        free.wait(10)
        done.append("first")
        return REPLY

    def second() -> InboundReply:
        done.append("second")
        return REPLY

    async def scenario() -> None:
        begun = asyncio.create_task(workers.run(first, 0.1))
        await asyncio.sleep(0)
        for task in (begun, asyncio.create_task(workers.run(second, 0.05))):
            with pytest.raises(RefusalError) as refused:
                await task
            assert refused.value.reason == "out of time"

    asyncio.run(scenario())
    free.set()
    workers.close()
    assert done == ["first"], "what was begun is brought to its end"


def test_a_call_that_comes_after_the_end_is_asked_to_come_again() -> None:
    workers = Workers("x", 1)
    workers.close()

    async def scenario() -> None:
        with pytest.raises(RefusalError) as refused:
            await workers.run(lambda: REPLY, 1)
        assert (refused.value.status, refused.value.reason) == (503, "stopping")

    asyncio.run(scenario())
