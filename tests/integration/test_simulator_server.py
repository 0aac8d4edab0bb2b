"""The simulators' server on real sockets: HTTP as clients speak it, faults at the byte level, screens, clean stop."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

import pytest

from adapters.simulation import FAULT_KINDS, FaultPlan, Outage, Reply, Request, SimClock, Simulator, SimulatorServer
from schemas.clock import ManualClock


class Echo(Simulator):
    """Answers with what it was asked; a POST is an effect."""

    kind = "echo"
    faults_supported = FAULT_KINDS

    def __init__(self) -> None:
        super().__init__()
        self.dropped = 0

    def answer(self, request: Request) -> Reply:
        if request.path == "/defect":
            raise ZeroDivisionError
        if request.method == "POST":
            self.book.record("update", request.path, request.body.decode(), at=request.at, call=request.call)
        said = {"method": request.method, "path": request.path, "query": dict(request.query), "size": len(request.body)}
        return Reply.json(said | {"padding": "x" * 200})

    def fault_reply(self, fault: str, request: Request) -> Reply | None:
        return Reply.xml(b"<a xmlns='urn:other'/>") if fault == "wrong_namespace" else None

    def expire_sessions(self) -> None:
        self.dropped += 1

    def act(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        if verb == "greet":
            return {"hello": arguments["name"]}
        return super().act(verb, arguments)


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    plan = FaultPlan(delay_s=0.3, drip_s=0.4, drip_every_s=0.02)
    with SimulatorServer(Echo(), faults=plan) as server:
        yield server
        assert server.defects == []


def call(server: SimulatorServer, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=2)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def control(server: SimulatorServer, method: str, path: str, value: Any = None) -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", int(server.control_url.rsplit(":", 1)[1]), timeout=2)
    try:
        connection.request(method, f"/_sim/{path}", json.dumps(value) if value is not None else None)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def raw(server: SimulatorServer, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=2) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while part := sock.recv(65536):
            answer += part
    return answer


def test_one_connection_carries_many_calls(server: SimulatorServer) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=2)
    for number in range(5):
        connection.request("POST", f"/d/{number}?a=1&a=2&b=", b"x" * number)
        said = json.loads(connection.getresponse().read())
        assert (said["path"], said["query"], said["size"]) == (f"/d/{number}", {"a": ["1", "2"], "b": [""]}, number)
    connection.close()


def test_chunked_bodies_and_trailers_are_read(server: SimulatorServer) -> None:
    head = b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    answer = raw(server, head + b"5;x=y\r\nhello\r\n3\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n")
    assert b'"size":8' in answer


def test_head_has_a_length_and_no_body(server: SimulatorServer) -> None:
    answer = raw(server, b"HEAD /h HTTP/1.1\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Length: 2" in head
    assert body == b""


def test_requests_sent_in_one_packet_are_answered_in_order(server: SimulatorServer) -> None:
    first, second = (f"GET /{n} HTTP/1.1\r\n{end}\r\n".encode() for n, end in ((1, ""), (2, "Connection: close\r\n")))
    answer = raw(server, first + second)
    assert answer.index(b'"path":"/1"') < answer.index(b'"path":"/2"')


def test_a_client_that_asks_first_is_told_to_go_on(server: SimulatorServer) -> None:
    answer = raw(
        server, b"POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab"
    )
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"NONSENSE\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: two\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000,
    ],
)
def test_bytes_that_are_no_request_are_refused(server: SimulatorServer, request_bytes: bytes) -> None:
    assert raw(server, request_bytes).startswith(b"HTTP/1.1 400 ")


def test_an_encoded_path_is_decoded(server: SimulatorServer) -> None:
    assert json.loads(call(server, "GET", "/h%E1%BB%93%20s%C6%A1")[1])["path"] == "/hồ sơ"


def test_a_defect_of_a_simulator_is_answered_500_and_kept() -> None:
    with SimulatorServer(Echo()) as server:
        assert call(server, "GET", "/defect")[0] == 500
        assert [type(defect) for defect in server.defects] == [ZeroDivisionError]


def effects(server: SimulatorServer) -> int:
    return len(server.simulator.book.effects())


def test_reset_before_does_nothing_and_reset_after_does_all(server: SimulatorServer) -> None:
    for fault, done in (("reset_before", 0), ("reset_after", 1)):
        server.faults.script(fault)
        with pytest.raises(ConnectionResetError):
            call(server, "POST", "/x", b"body")
        assert effects(server) == done
    assert [(entry["fault"], entry["answer"], entry["body"]) for entry in server.simulator.book.calls()] == [
        ("reset_before", "cut", "body"),
        ("reset_after", "cut", "body"),
    ]


def test_truncate_promises_more_than_it_sends(server: SimulatorServer) -> None:
    server.faults.script("truncate")
    head, _, body = raw(server, b"GET /t HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert 0 < len(body) < length


def test_drip_never_pauses_long_and_takes_long(server: SimulatorServer) -> None:
    server.faults.script("drip")
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.2) as sock:
        sock.sendall(b"GET /d HTTP/1.1\r\n\r\n")
        began, size = time.monotonic(), 0
        while part := sock.recv(100):
            size += len(part)
        assert time.monotonic() - began > 0.3
        assert size > 200


def test_delay_answers_whole_and_late(server: SimulatorServer) -> None:
    server.faults.script("delay")
    began = time.monotonic()
    assert call(server, "POST", "/x")[0] == 200
    assert time.monotonic() - began > 0.25
    assert server.simulator.book.calls()[0]["answer"] == "late"


def test_too_many_names_the_wait_in_both_forms(server: SimulatorServer) -> None:
    answers = []
    for _ in range(2):
        server.faults.script("too_many_429")
        answers.append(raw(server, b"POST /x HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    assert all(answer.startswith(b"HTTP/1.1 429 Too Many Requests") for answer in answers)
    waits = [answer.split(b"Retry-After: ")[1].split(b"\r\n")[0] for answer in answers]
    assert waits[0] == b"1"
    assert waits[1].endswith(b"GMT")
    assert effects(server) == 0


def test_pages_and_noise_come_with_and_without_the_effect(server: SimulatorServer) -> None:
    for number, (fault, before) in enumerate((("html_200", True), ("garbage", True), ("html_200", False))):
        server.faults.script(fault, before=before)
        status, body = call(server, "POST", "/x")
        assert status == 200
        assert b'"path"' not in body
        assert effects(server) == max(0, number - 1)


def test_faults_of_the_protocol_are_the_simulators_own(server: SimulatorServer) -> None:
    server.faults.script("wrong_namespace")
    assert call(server, "POST", "/x") == (200, b"<a xmlns='urn:other'/>")
    server.faults.script("expired_session")
    assert call(server, "POST", "/x")[0] == 200
    assert server.simulator.dropped == 1  # type: ignore[attr-defined]


def test_a_refusal_closes_the_door_for_a_moment() -> None:
    with SimulatorServer(Echo(), faults=FaultPlan(refuse_s=0.2)) as server:
        server.faults.script("refuse")
        assert call(server, "POST", "/x")[0] == 200
        with pytest.raises(ConnectionRefusedError):
            call(server, "POST", "/x")
        time.sleep(0.25)
        assert call(server, "POST", "/x")[0] == 200
        assert effects(server) == 2


def test_an_outage_closes_idle_connections_and_the_officers_still_get_in() -> None:
    plan = FaultPlan(outage=Outage(after_calls=1, seconds=30))
    with SimulatorServer(Echo(), faults=plan) as server:
        idle = socket.create_connection(("127.0.0.1", server.port), timeout=2)
        idle.sendall(b"GET /1 HTTP/1.1\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200")
        assert call(server, "GET", "/2")[0] == 200
        assert idle.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            call(server, "GET", "/3")
        assert control(server, "GET", "faults")[1]["down"] is True
        assert control(server, "POST", "faults", {"stop": True})[0] == 200
        assert call(server, "GET", "/4")[0] == 200
        idle.close()


def test_a_request_that_crosses_the_goodbye_does_nothing_and_is_in_the_book() -> None:
    with SimulatorServer(Echo()) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=2) as sock:
            sock.sendall(b"GET /1 HTTP/1.1\r\n\r\n")
            sock.recv(65536)
            server.go_down(30)
            sock.sendall(b"POST /2 HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody")
            assert sock.recv(65536) == b""
            time.sleep(0.05)
        assert effects(server) == 0
        (entry,) = server.simulator.book.calls()
        assert (entry["fault"], entry["answer"], entry["body"]) == ("farewell", "cut", "body")


def test_no_call_is_lost_unseen_while_the_door_opens_and_shuts() -> None:
    """A caller that got through to the socket finds its call in the book; all others were refused."""
    with SimulatorServer(Echo()) as server:
        stop, results = threading.Event(), []

        def caller() -> None:
            while not stop.is_set():
                try:
                    results.append(call(server, "POST", "/x")[0])
                except ConnectionRefusedError:
                    results.append(0)

        threads = [threading.Thread(target=caller) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(40):
            server.go_down(0.005)
            time.sleep(0.01)
        stop.set()
        for thread in threads:
            thread.join()
        assert set(results) == {0, 200}
        assert effects(server) == results.count(200)


def test_an_answer_nobody_waited_for_is_told_in_the_book(server: SimulatorServer) -> None:
    server.faults.script("delay")
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=2)
    sock.sendall(b"POST /x HTTP/1.1\r\nContent-Length: 1\r\n\r\nb")
    time.sleep(0.05)
    sock.close()
    time.sleep(0.5)
    assert server.simulator.book.calls()[0]["answer"] in ("cut", "late")
    assert effects(server) == 1


def test_officers_paths_are_never_hurt_and_not_counted(server: SimulatorServer) -> None:
    server.faults.change({"rate": 1.0, "kinds": ["reset_before"]})
    assert control(server, "POST", "act/greet", {"name": "An"}) == (200, {"hello": "An"})
    assert control(server, "GET", "book")[1]["effects"] == []
    assert call(server, "GET", "/_sim/records") == (200, b"{}")
    assert control(server, "GET", "faults")[1]["calls"] == 0


def test_officers_mistakes_are_told(server: SimulatorServer) -> None:
    assert control(server, "GET", "nowhere")[0] == 404
    assert control(server, "POST", "act/dance", {})[0] == 404
    assert control(server, "POST", "nowhere", {})[0] == 404
    assert control(server, "POST", "faults", {"kinds": ["flood"]})[0] == 400
    assert control(server, "POST", "faults", ["no object"])[0] == 400


def test_the_fault_plan_is_set_over_http(server: SimulatorServer) -> None:
    control(server, "POST", "faults", {"next": [{"fault": "html_200", "on": "write", "before": True}]})
    assert call(server, "POST", "/x")[1].startswith(b"<!DOCTYPE html>")
    assert control(server, "GET", "faults")[1]["counts"] == {"html_200": 1}


def test_dates_are_the_portals_own() -> None:
    clock = SimClock(offset_s=-86400, source=ManualClock(datetime(2026, 11, 2, 1, 0, tzinfo=UTC)))
    with SimulatorServer(Echo(), clock=clock) as server:
        assert b"Date: Sun, 01 Nov 2026 01:00:00 GMT" in raw(server, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")


def test_it_stops_within_a_second_with_connections_open_and_a_call_under_way() -> None:
    server = SimulatorServer(Echo(), faults=FaultPlan(delay_s=30)).start()
    idle = socket.create_connection(("127.0.0.1", server.port))
    waiting = socket.create_connection(("127.0.0.1", server.port))
    server.faults.script("delay")
    waiting.sendall(b"GET / HTTP/1.1\r\n\r\n")
    time.sleep(0.05)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
    for sock in (idle, waiting):
        sock.close()


def test_it_is_fast_enough_to_be_no_bottleneck() -> None:
    """2,500 calls a second are asked for; a busy box gets some room."""
    data = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n" + b"x" * 100
    with SimulatorServer(Echo()) as server:

        def calls() -> None:
            with socket.create_connection(("127.0.0.1", server.port)) as sock:
                for _ in range(250):
                    sock.sendall(data)
                    assert sock.recv(65536).endswith(b"}")

        threads = [threading.Thread(target=calls) for _ in range(8)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert effects(server) == 2000
        assert 2000 / (time.monotonic() - began) > 1000
