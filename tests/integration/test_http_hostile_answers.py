"""Answers no honest portal sends, over a bare socket: each ends as an error of ours, quickly and in little memory."""

from __future__ import annotations

import gzip
import resource
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from adapters.http import HttpClient
from schemas.errors import PortalContractError, PortalError, PortalUnavailableError

Serve = Callable[[bytes], HttpClient]
CAP = 1_000_000


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A client of a server that answers every call with the same bytes and hangs up."""
    doors: list[socket.socket] = []
    clients: list[HttpClient] = []

    def answer(door: socket.socket, answer: bytes) -> None:
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            with line, suppress(OSError):
                line.recv(65_536)
                line.sendall(answer)
                line.shutdown(socket.SHUT_WR)
                while line.recv(65_536):
                    pass  # closing on unread bytes would reset the line before the answer is read

    def build(raw: bytes) -> HttpClient:
        door = socket.create_server(("127.0.0.1", 0))
        doors.append(door)
        threading.Thread(target=answer, args=(door, raw), daemon=True).start()
        port = door.getsockname()[1]
        clients.append(HttpClient("moc", f"http://127.0.0.1:{port}", deadline_s=5.0, max_body_bytes=CAP))
        return clients[-1]

    yield build
    for client in clients:
        client.close()
    for door in doors:
        door.shutdown(socket.SHUT_RDWR)
        door.close()


def whole(body: bytes, *heads: bytes, version: bytes = b"1.1") -> bytes:
    lines = [b"HTTP/" + version + b" 200 OK", b"Content-Type: application/json", b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, *heads, b"", body])


def failure(client: HttpClient) -> PortalError:
    with pytest.raises(PortalError) as caught:
        client.request("POST", "/x", json={})
    return caught.value


def bomb(depth: int) -> bytes:
    """200 MB of nothing, packed `depth` times, made without ever holding it."""
    packer, nothing = zlib.compressobj(9, wbits=31), bytes(1_000_000)
    packed = b"".join([*(packer.compress(nothing) for _ in range(200)), packer.flush()])
    for _ in range(depth - 1):
        packed = gzip.compress(packed, 9)
    return packed


@pytest.mark.parametrize(("depth", "coding"), [(1, b"gzip"), (2, b"gzip, gzip"), (3, b"gzip,gzip,gzip")])
def test_a_body_packed_small_stays_small(serve: Serve, depth: int, coding: bytes) -> None:
    client = serve(whole(bomb(depth), b"Content-Encoding: " + coding))
    serve(whole(b"{}")).request("GET", "/warm")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert type(failure(client)) is PortalContractError
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000, "kilobytes"


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        (b"gzip", gzip.compress(b"{}")),
        (b"x-gzip", gzip.compress(b"{") + gzip.compress(b"}")),
        (b"deflate", zlib.compress(b"{}")),
        (b"deflate", zlib.compress(b"{}")[2:-4]),
        (b"identity", b"{}"),
    ],
    ids=["gzip", "two members", "deflate", "bare deflate", "identity"],
)
def test_packings_that_occur_are_read(serve: Serve, coding: bytes, packed: bytes) -> None:
    client = serve(whole(packed, b"Content-Encoding: " + coding))
    assert client.request("GET", "/x").json() == {}


@pytest.mark.parametrize(
    ("coding", "packed"),
    [(b"gzip", gzip.compress(b"{}")[:-9]), (b"gzip", b"{}"), (b"deflate", b"{}"), (b"br", b"{}"), (b"gzip, br", b"")],
    ids=["cut", "no gzip", "no deflate", "not asked for", "two codings"],
)
def test_a_packing_that_is_broken_or_was_not_asked_for_breaks_the_contract(
    serve: Serve, coding: bytes, packed: bytes
) -> None:
    raised = failure(serve(whole(packed, b"Content-Encoding: " + coding)))
    assert (type(raised), raised.sent) == (PortalContractError, True)


@pytest.mark.parametrize(
    "date",
    [
        b"Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        b"Fri, 31 Dec 9999 23:59:59 -0900",
        b"Mon, 1 Jan 2026 99999999999999999999:0:0 GMT",
        b"Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
        b"\xff\xfe",
    ],
)
def test_a_date_of_no_calendar_is_no_date(serve: Serve, date: bytes) -> None:
    reply = serve(whole(b"{}", b"Date: " + date, b"Retry-After: " + date)).request("GET", "/x")
    assert (reply.server_date, reply.retry_after_s) == (None, None)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nxx\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 500_000,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00" * 1000,
        b"",
    ],
)
def test_what_is_not_http_leaves_a_write_unknown(serve: Serve, raw: bytes) -> None:
    raised = failure(serve(raw))
    assert (type(raised), raised.sent) == (PortalUnavailableError, True)


def test_an_answer_of_the_first_http_without_a_length_is_read(serve: Serve) -> None:
    assert serve(b"HTTP/1.0 200 OK\r\n\r\n{}").request("GET", "/x").json() == {}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", [b"http://203.0.113.7/elsewhere", b"http://[broken", b"//x"])
def test_nobody_is_followed_elsewhere(serve: Serve, status: int, place: bytes) -> None:
    raised = failure(serve(b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, place)))
    assert (type(raised), raised.status) == (PortalContractError, status)


PAGE = b"<!doctype html><html><body>sign in</body></html>"


@pytest.mark.parametrize(
    "pieces",
    [[b"\r\n", PAGE], [PAGE[:2], PAGE[2:]], [b"\xef\xbb", b"\xbf \n", PAGE], [bytes([byte]) for byte in PAGE]],
)
def test_a_web_page_is_no_file_however_it_is_cut(serve: Serve, pieces: list[bytes]) -> None:
    """A sign-in page whose first piece is an empty line must not become a citizen's paper."""
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))
    client = serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    with pytest.raises(PortalContractError, match="web page"):
        client.open("/file", accept=("*/*",))


def test_the_beginning_of_a_file_is_read_on_and_not_twice(serve: Serve) -> None:
    pieces = [b"%PDF-1.7\n", b"", *(bytes([n % 251]) * 7_000 for n in range(30))]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"
    client = serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    reply, stream = client.open("/file", accept=("*/*",))
    with stream:
        assert len(reply.body) >= 64 * 1024
        assert stream.read() == b"".join(pieces)
