"""Whatever comes in over a socket: bounded in size, time and memory, and never a 500."""

import gc
import gzip
import random
import resource
import socket
import struct
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.integration.server.conftest import Echo, Raw, Serve, Served, parsed, together, until

PUSH = "/in/national/nhanhsdvcqg"
HEAD = f"POST {PUSH} HTTP/1.1\r\nhost: x\r\n"
NEVER = {500, 501, 502}


def test_a_body_announced_as_too_large_is_refused_unread(serve: Serve) -> None:
    served = serve({"max_body_bytes": 10_000})
    with served.raw() as raw:
        raw.say(f"{HEAD}content-length: 10001\r\n\r\n".encode())
        status, _, body = parsed(raw.hear(2))
    assert (status, body) == (413, b"413 Request Entity Too Large\n")
    assert served.ask(f"POST {PUSH}", b"x" * 10_000)[0] == 200


def test_a_body_that_is_larger_than_allowed_is_refused_while_it_comes(serve: Serve) -> None:
    served = serve({"max_body_bytes": 10_000})
    with served.raw() as raw:
        raw.say(f"{HEAD}transfer-encoding: chunked\r\n\r\n".encode())
        for _ in range(20):
            raw.say(b"400\r\n" + b"x" * 1024 + b"\r\n")
        assert parsed(raw.hear(2))[0] == 413
    assert served.calls == []


def test_a_caller_who_sends_on_after_a_refusal_is_heard_out_and_then_cut_off(serve: Serve) -> None:
    """So that he can read why; but not for ever."""
    served = serve({"max_body_bytes": 1024}, head_s=0.5)
    with served.raw() as raw:
        raw.say(f"{HEAD}content-length: 300000\r\n\r\n".encode() + b"x" * 300_000)
        assert parsed(raw.hear(2))[0] == 413
        raw.say(f"{HEAD}content-length: 2\r\n\r\n{{}}".encode())
        assert parsed(raw.hear(2))[0] == 200, "the connection goes on when all was sent"
    with served.raw() as raw:
        raw.say(f"{HEAD}content-length: 300000\r\n\r\n".encode())
        assert parsed(raw.hear(2))[0] == 413
        begun = time.monotonic()
        while time.monotonic() - begun < 5:
            try:
                raw.sock.sendall(b"x")
            except OSError:
                break
            time.sleep(0.05)
        assert time.monotonic() - begun < 2


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity", "GZIP"])
def test_compressed_bodies_are_refused_and_never_unpacked(serve: Serve, encoding: str) -> None:
    served = serve()
    assert served.ask(f"POST {PUSH}", gzip.compress(b"0" * 1_000_000), Content_Encoding=encoding)[0] == 415
    assert served.calls == []
    assert served.ask(f"POST {PUSH}", b"{}", Content_Encoding="identity")[0] == 200


def test_a_slow_body_ends_in_time(serve: Serve) -> None:
    served = serve(body_s=0.4, head_s=0.4)
    with served.raw() as raw:
        raw.say(f"{HEAD}content-length: 100\r\n\r\n".encode())
        begun = time.monotonic()
        for _ in range(3):
            raw.say(b"x")
            time.sleep(0.05)
        assert parsed(raw.hear(3))[0] == 408
        assert time.monotonic() - begun < 2
    assert served.calls == []


def test_a_slow_head_ends_in_time_whatever_came_before_it_on_the_connection(serve: Serve) -> None:
    served = serve(head_s=0.4)
    whole = f"{HEAD}content-length: 2\r\n\r\n{{}}".encode()
    for before in (b"", whole):
        with served.raw() as raw:
            if before:
                raw.say(before)
                assert parsed(raw.hear())[0] == 200
            begun = time.monotonic()
            for letter in HEAD * 10:
                try:
                    raw.sock.sendall(letter.encode())
                except OSError:
                    break
                time.sleep(0.02)
            assert time.monotonic() - begun < 2


def test_a_flock_of_silent_connections_leaves_room_for_others(serve: Serve) -> None:
    served = serve(connections=40, head_s=30)
    held = [socket.create_connection(served.address, 5) for _ in range(30)]
    try:
        until(lambda: sum(not _closed(one) for one in held) == 10)  # a quarter for one address
        next(one for one in held if not _closed(one)).close()
        until(lambda: served.ask("GET /health")[0] == 200)
    finally:
        for one in held:
            one.close()


def _closed(sock: socket.socket) -> bool:
    if sock.fileno() < 0:
        return True
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize(
    ("raw_bytes", "statuses"),
    [
        (f"{HEAD}content-length: 5\r\n\r\nabcdefgh".encode(), {200}),
        (f"{HEAD}content-length: -1\r\n\r\n".encode(), {400}),
        (f"{HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\nabc".encode(), {400}),
        (f"{HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n".encode(), {200, 400}),
        (f"{HEAD}transfer-encoding: gzip\r\n\r\n".encode(), {400}),
        (f"{HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n".encode(), {0, 400, 408}),
        (f"{HEAD}content-length: {'9' * 5000}\r\n\r\n".encode(), {400, 413}),
        (f"{HEAD}x: {'y' * 70_000}\r\n\r\n".encode(), {400, 431}),
        (f"{HEAD}{''.join(f'x{n}: y{chr(13)}{chr(10)}' for n in range(150))}\r\n".encode(), {431}),
        (f"POST {PUSH}?{'a' * 9000} HTTP/1.1\r\nhost: x\r\n\r\n".encode(), {414}),
        (f"POST {PUSH}?{'a=1&' * 1500} HTTP/1.1\r\nhost: x\r\n\r\n".encode(), {414}),
        (b"POST " + PUSH.encode() + b"?\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n", {400}),
        (f"POST {PUSH}?%ff=%zz&%00 HTTP/1.1\r\nhost: x\r\n\r\n".encode(), {200}),
        (b"POST /in/national/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n", {404}),
        (b"POST /in/national/..%2fnhanhsdvcqg HTTP/1.1\r\nhost: x\r\n\r\n", {404}),
        (b"POST http://elsewhere.example.invalid/ HTTP/1.1\r\nhost: x\r\n\r\n", {404}),
        (b"CONNECT elsewhere.example.invalid:443 HTTP/1.1\r\nhost: x\r\n\r\n", {404}),
        (b"GET / HTTP/9.9\r\n\r\n", {0, 400, 404}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {0, 400}),
        (b"\r\n\r\n\r\n", {0, 400}),
        (f"{HEAD}upgrade: websocket\r\nconnection: upgrade\r\ncontent-length: 0\r\n\r\n".encode(), {200}),
        (f"BREW {PUSH} HTTP/1.1\r\nhost: x\r\n\r\n".encode(), {405}),
        (b"POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}", {405}),
    ],
    ids=range(23),
)
def test_odd_bytes_get_a_plain_no(serve: Serve, raw_bytes: bytes, statuses: set[int]) -> None:
    served = serve(head_s=0.5, body_s=0.5)
    with served.raw() as raw:
        raw.say(raw_bytes)
        answer = raw.hear(3)
    assert (parsed(answer)[0] if answer else 0) in statuses
    assert len(answer) < 1000
    assert served.ask(f"POST {PUSH}", b"{}")[0] == 200


def test_bodies_under_way_share_one_room_and_give_it_back(serve: Serve) -> None:
    served = serve({"max_body_bytes": 60_000}, held_bytes=100_000)
    with served.raw() as one, served.raw() as two:
        for raw in (one, two):
            raw.say(f"{HEAD}content-length: 60000\r\n\r\n".encode() + b"x" * 59_000)
            time.sleep(0.2)
        assert parsed(two.hear(3))[0] == 503
        one.say(b"x" * 1000)
        assert parsed(one.hear(3))[0] == 200
    assert served.ask(f"POST {PUSH}", b"x" * 60_000)[0] == 200


def test_callers_who_hang_up_leave_nothing_behind(serve: Serve) -> None:
    served = serve({"burst": 1000}, held_bytes=200_000, max_body_bytes=100_000)
    for _ in range(50):
        with served.raw() as raw:
            raw.say(f"{HEAD}content-length: 90000\r\n\r\n".encode() + b"x" * 50_000)
            raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    until(lambda: served.ask(f"POST {PUSH}", b"x" * 90_000)[0] == 200)
    assert len(served.calls) == 1


def test_memory_stays_flat_over_thousands_of_bodies_that_are_too_large(serve: Serve) -> None:
    """Half of them announced, half found out; 200 KB each."""
    served = serve({"max_body_bytes": 100_000, "burst": 10_000, "calls_per_s": 10_000})
    announced = f"{HEAD}content-length: 200000\r\n\r\n".encode()
    chunked = f"{HEAD}transfer-encoding: chunked\r\n\r\n".encode() + b"30d40\r\n" + b"x" * 200_000 + b"\r\n0\r\n\r\n"

    def oversize(count: int) -> None:
        with served.raw() as raw:
            for number in range(count):
                raw.say(chunked if number % 2 else announced + b"x" * 200_000)
                assert parsed(raw.hear())[0] == 413

    oversize(200)
    gc.collect()
    before = _resident_kib()
    together(4, lambda _: oversize(500))
    gc.collect()
    assert _resident_kib() - before < 20_000, "KiB"
    assert served.calls == []


def _resident_kib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def test_nothing_that_was_cut_or_changed_on_the_way_yields_an_error_of_ours(serve: Serve) -> None:
    """Sound calls with bytes removed, doubled and exchanged, over and over: any answer but a 5xx of ours."""
    served = serve({"burst": 100_000, "calls_per_s": 100_000}, head_s=0.2, body_s=0.2)
    rng = random.Random(20261123)
    sound = [
        f"{HEAD}content-type: application/json\r\ncontent-length: 17\r\n\r\n".encode() + b'{"MaHoSo":"H99-1"}'[:17],
        f"{HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".encode(),
        f"GET {PUSH}?wsdl=1&a=%41 HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\r\n".encode(),
        f"HEAD {PUSH}/a/b HTTP/1.0\r\nconnection: keep-alive\r\n\r\n".encode(),
    ]
    seen = together(8, lambda _: [_status(served, _broken(rng, rng.choice(sound))) for _ in range(60)])
    statuses = {status for some in seen for status in some}
    assert statuses.isdisjoint(NEVER)
    assert {200, 400} <= statuses
    assert served.ask(f"POST {PUSH}", b"{}")[0] == 200


def _broken(rng: random.Random, sound: bytes) -> bytes:
    data = bytearray(sound)
    for _ in range(rng.randint(0, 4)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randint(1, 5)]
            case 2:
                data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 5)))
            case _:
                data[at:at] = data[max(0, at - 10) : at]
    return bytes(data)


def _status(served: Served, data: bytes) -> int:
    with served.raw() as raw:
        raw.say(data)
        raw.sock.shutdown(socket.SHUT_WR)
        answer = raw.hear(2)
        if answer.startswith(b"HTTP/1.1 100"):
            answer = answer.partition(b"\r\n\r\n")[2] + raw.hear(2)
    return parsed(answer)[0] if answer else 0


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=40)
TOKENS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~%/", max_size=60)


class TestEveryWellFormedCall:
    """One server for all examples."""

    served: Served

    @pytest.fixture(autouse=True)
    def one_server(self, serve: Serve) -> None:
        receivers = (Echo(methods=("GET", "POST")), Echo("root", ("",), ("POST",)))
        self.served = serve({"burst": 100_000, "calls_per_s": 100_000}, receivers=receivers)

    @examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "X"]),
        path=TOKENS,
        query=TOKENS,
        headers=st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), WORDS, max_size=8),
        body=st.binary(max_size=300),
    )
    def test_is_answered_and_never_with_an_error_of_ours(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> None:
        taken = {"content-length", "host", "connection", "transfer-encoding", "expect", "upgrade"}
        lines = [f"{method} /in/national/{path}?{query} HTTP/1.1", "host: x", f"content-length: {len(body)}"]
        lines += [f"{name}: {value.strip()}" for name, value in headers.items() if name not in taken]
        with self.served.raw() as raw:
            raw.say("\r\n".join([*lines, "connection: close"]).encode() + b"\r\n\r\n" + body)
            status = parsed(raw.hear())[0]
        assert status in {200, 204, 400, 404, 405, 414, 415}


def test_who_has_finished_sending_is_still_answered(serve: Serve) -> None:
    served = serve()
    with served.raw() as raw:
        raw.say(f"{HEAD}content-length: 2\r\n\r\n{{}}".encode())
        raw.sock.shutdown(socket.SHUT_WR)
        assert parsed(raw.hear())[0] == 200
        assert raw.hear(2) == b""
    with served.raw() as raw:
        raw.say(f"{HEAD}content-length: 200\r\n\r\n{{}}".encode())
        raw.sock.shutdown(socket.SHUT_WR)
        begun = time.monotonic()
        assert raw.hear(5) == b"", "half a call is no call"
        assert time.monotonic() - begun < 3
    assert len(served.calls) == 1


def test_a_pipeline_is_answered_in_order(serve: Serve) -> None:
    served = serve()
    with served.raw() as raw:
        raw.say(b"".join(f"{HEAD}content-length: {size}\r\n\r\n{'x' * size}".encode() for size in (1, 2, 3)))
        heard = b""
        until_all = time.monotonic() + 5
        while heard.count(b"answered:") < 3 and time.monotonic() < until_all:
            heard += _more(raw)
    assert [heard.index(f"answered:POST::{size}".encode()) for size in (1, 2, 3)] == sorted(
        heard.index(f"answered:POST::{size}".encode()) for size in (1, 2, 3)
    )


def _more(raw: Raw) -> bytes:
    raw.sock.settimeout(2)
    return raw.sock.recv(65536)


def test_a_body_with_two_lengths_is_refused_and_nothing_behind_it_is_heard(serve: Serve) -> None:
    """Behind a proxy that believes the other one, what follows would be said in another caller's name."""
    served = serve()
    smuggled = f"{HEAD}content-length: 2\r\n\r\n{{}}".encode()
    with served.raw() as raw:
        raw.say(f"{HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".encode() + smuggled)
        heard = raw.hear(2)
    assert parsed(heard)[0] == 400
    assert heard.count(b"HTTP/1.1 ") == 1
    assert served.calls == []
