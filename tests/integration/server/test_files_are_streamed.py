"""Files in answers: part by part as the caller takes them, never whole in memory, and not at all where nobody takes."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

import gateway.server.protocol as protocol_module
from adapters.receiving import HeldFile, InboundReply, InboundRequest, Receiver
from gateway.vault import SealError
from tests.integration.server.conftest import Echo, Serve, Served, until

PART = 64 * 1024
PATH = "/in/national/nhanhsdvcqg"


@dataclass
class Shelf:
    """A file of many parts that counts what is read of it; `breaks_at` is a part that cannot be read."""

    parts: int
    breaks_at: int = -1
    opened: int = 0
    read: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def open(self) -> Iterator[bytes]:
        self.opened += 1
        try:
            for number in range(self.parts):
                if number == self.breaks_at:
                    raise SealError("damaged")
                self.read += 1
                yield bytes([number % 256]) * PART
        finally:
            self.closed.set()

    def answer(self, _portal: str, _receiver: Receiver, _request: InboundRequest) -> InboundReply:
        return InboundReply(b"", "application/pdf", 200, {"X-Kept": "yes"}, HeldFile(self.parts * PART, self.open))


def served(serve: Serve, shelf: Shelf) -> Served:
    return serve(receive=shelf.answer, receivers=(Echo(methods=("GET",)),))


def test_a_file_arrives_whole_with_its_length(serve: Serve) -> None:
    shelf = Shelf(40)
    status, headers, body = served(serve, shelf).ask(f"GET {PATH}")
    assert (status, headers["content-length"], headers["content-type"]) == (200, str(40 * PART), "application/pdf")
    assert (headers["x-kept"], headers["x-content-type-options"]) == ("yes", "nosniff")
    assert body == b"".join(bytes([number]) * PART for number in range(40))
    assert shelf.closed.wait(5)


def test_the_head_of_a_file_is_told_without_opening_it(serve: Serve) -> None:
    shelf = Shelf(40)
    status, headers, body = served(serve, shelf).ask(f"HEAD {PATH}")
    assert (status, headers["content-length"], body) == (200, str(40 * PART), b"")
    assert shelf.opened == 0


def test_a_file_is_read_no_faster_than_it_is_taken_and_no_further_than_the_caller_stays(serve: Serve) -> None:
    """256 MiB of which somebody takes a little: what is read stays in proportion, and ends when he goes."""
    shelf = Shelf(4096)
    with served(serve, shelf).raw() as raw:
        raw.say(f"GET {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode())
        assert raw.sock.recv(100_000)
        until(lambda: shelf.read > 1)
        assert not shelf.closed.wait(0.5)
        assert shelf.read < 400, "what the sockets hold, and a few parts more"
    assert shelf.closed.wait(5)
    assert shelf.read < 800


def test_a_file_that_breaks_on_the_way_ends_before_its_length(serve: Serve, logged: io.BytesIO) -> None:
    shelf = Shelf(40, breaks_at=20)
    here = served(serve, shelf)
    status, headers, body = here.ask(f"GET {PATH}")
    assert (status, headers["content-length"]) == (200, str(40 * PART))
    assert len(body) <= 20 * PART, "nobody takes it for whole"
    until(lambda: b"call_failed" in logged.getvalue())
    assert here.ask("GET /health")[0] == 200


def test_a_file_that_is_gone_when_it_is_opened_is_no_success(serve: Serve) -> None:
    assert served(serve, Shelf(3, breaks_at=0)).ask(f"GET {PATH}")[0] == 503


def test_who_stops_taking_is_cut_off_in_the_end(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol_module, "TAKES_ANSWER_S", 0.3)
    shelf = Shelf(4096)
    with served(serve, shelf).raw() as raw:
        raw.say(f"GET {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode())
        assert shelf.closed.wait(10)
        assert shelf.read < 800
