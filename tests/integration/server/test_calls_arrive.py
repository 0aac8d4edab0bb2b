"""A call on a real socket reaches its receiver whole, or is refused shortly and plainly."""

import io
import json
import re
import threading
import time

import pytest

from adapters.receiving import InboundReply, InboundRequest, Receiver
from gateway.server.http import HttpServer, ListenError
from tests.integration.server.conftest import Echo, Serve, echo, parsed, settings, together, until


def test_a_call_reaches_its_receiver_with_everything_it_brought(serve: Serve) -> None:
    served = serve({"secret": "${SECRET}"}, secret="a-secret-word-of-the-path")
    status, headers, body = served.ask(
        "POST /in/national/a-secret-word-of-the-path/nhanhsdvcqg/rest/of%20it?wsdl&a=1&a=2&b=%C4%91",
        "hồ sơ".encode(),
        Content_Type="text/xml; charset=utf-8",
        SOAPAction='"urn:push"',
    )
    assert (status, body) == (200, b"answered:POST:rest/of it:8")
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert "server" not in headers
    (call,) = served.calls
    assert (call.method, call.path, call.body.decode()) == ("POST", "rest/of it", "hồ sơ")
    assert call.query == {"wsdl": "", "a": "1", "b": "đ"}
    assert call.headers["soapaction"] == '"urn:push"'
    assert call.base_url == f"{served.http.url}/in/national/a-secret-word-of-the-path/nhanhsdvcqg"
    assert call.caller == "national"
    assert call.at.utcoffset() is not None


def test_a_portal_with_an_address_of_its_own_finds_us_there_too(serve: Serve) -> None:
    served = serve({"at": ["/XrdAdapter/RestService/forward"]}, public_url="https://lgsp.example.invalid/x/")
    assert served.ask("POST /XrdAdapter/RestService/forward/nhanhsdvcqg", b"{}")[0] == 200
    assert served.ask("POST /XrdAdapter//RestService/forward/nhanhsdvcqg/", b"{}")[0] == 200
    assert served.ask("POST /in/national/nhanhsdvcqg", b"{}")[0] == 200
    assert served.ask("POST /XrdAdapter/RestService/forward/other", b"{}")[0] == 404
    assert [call.base_url for call in served.calls[::2]] == [
        "https://lgsp.example.invalid/x/XrdAdapter/RestService/forward/nhanhsdvcqg",
        "https://lgsp.example.invalid/x/in/national/nhanhsdvcqg",
    ]


def test_the_longest_address_wins_and_a_receiver_may_stand_at_the_prefix_itself(serve: Serve) -> None:
    receivers = (Echo("root", ("",)), Echo("files", ("files",), ("GET",)), Echo("old", ("files/old",), ("GET",)))
    served = serve({"at": ["/forward"]}, receivers=receivers)
    assert served.ask("POST /forward")[2] == b"answered:POST::0"
    assert served.ask("POST /in/national/x")[2] == b"answered:POST:x:0"
    assert served.ask("GET /in/national/files/7")[2] == b"answered:GET:7:0"
    assert served.ask("GET /in/national/files/old/7")[2] == b"answered:GET:7:0"


def test_verbs_that_a_receiver_does_not_take_are_named(serve: Serve) -> None:
    served = serve(receivers=(Echo(), Echo("file", ("file",), ("GET",))))
    assert served.ask("GET /in/national/nhanhsdvcqg")[:2][0] == 405
    assert served.ask("PUT /in/national/nhanhsdvcqg", b"{}")[1]["allow"] == "POST, OPTIONS"
    status, headers, body = served.ask("OPTIONS /in/national/file")
    assert (status, headers["allow"], body) == (204, "GET, HEAD, OPTIONS", b"")
    status, headers, body = served.ask("HEAD /in/national/file")
    assert (status, headers["content-length"], body) == (200, "15", b"")
    assert [call.method for call in served.calls] == ["GET"]


@pytest.mark.parametrize("path", ["/", "/in", "/in/other/nhanhsdvcqg", "/in/national", "/docs", "/openapi.json", "*"])
def test_other_addresses_do_not_exist(serve: Serve, path: str) -> None:
    status, _, body = serve().ask(f"POST {path}", b"{}")
    assert (status, body) == (404, b"404 Not Found\n")


def test_it_says_whether_it_lives_and_whether_a_call_could_be_stored(serve: Serve) -> None:
    well = [True]
    served = serve(ready=lambda: well[0])
    assert [served.ask(f"GET {path}")[0] for path in ("/health", "/ready")] == [200, 200]
    assert served.ask("HEAD /ready")[0] == 200
    well[0] = False
    assert [served.ask(f"GET {path}")[0] for path in ("/health", "/ready")] == [200, 503]


def test_a_hundred_callers_at_once_are_all_answered(serve: Serve) -> None:
    served = serve({"burst": 1000}, threads=8)  # with their queues: more than a hundred places
    answers = together(100, lambda number: served.ask("POST /in/national/nhanhsdvcqg", b"x" * number))
    assert [body for _, _, body in answers] == [f"answered:POST::{number}".encode() for number in range(100)]


def test_one_connection_carries_many_calls(serve: Serve) -> None:
    served = serve()
    with served.raw() as raw:
        for size in (1, 2, 3):
            raw.say(b"POST /in/national/nhanhsdvcqg HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size)
            raw.say(b"x" * size)
            assert parsed(raw.hear())[2] == b"answered:POST::%d" % size


def test_an_answer_is_not_held_back_until_more_is_to_be_sent(serve: Serve) -> None:
    """Head and body leave in two pieces; the second once waited for the caller's late acknowledgement, 40 ms."""
    served = serve({"burst": 1000})
    times = []
    with served.raw() as raw:
        for _ in range(21):
            begun = time.monotonic()
            raw.say(b"POST /in/national/nhanhsdvcqg HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx")
            assert parsed(raw.hear())[0] == 200
            times.append(time.monotonic() - begun)
    assert sorted(times)[10] < 0.03


def test_a_caller_who_asks_before_sending_is_told_to_go_on_only_when_he_may(serve: Serve) -> None:
    served = serve({"max_body_bytes": 1024})
    head = b"POST /in/national/nhanhsdvcqg HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n"
    with served.raw() as raw:
        raw.say(head % 3)
        assert raw.sock.recv(100).startswith(b"HTTP/1.1 100")
        raw.say(b"abc")
        assert parsed(raw.hear())[2] == b"answered:POST::3"
    with served.raw() as raw:
        raw.say(head % 5000)
        assert parsed(raw.hear())[0] == 413


def test_a_slow_receiver_holds_up_no_other_and_its_callers_are_told_to_come_again(serve: Serve) -> None:
    free = threading.Event()

    def stuck(portal: str, receiver: Receiver, request: InboundRequest) -> InboundReply:
        if receiver.name == "slow":
            free.wait(30)
        return echo(portal, receiver, request)

    receivers = (Echo("slow", ("slow",), patience_s=0.3), Echo())
    served = serve({"burst": 1000}, receive=stuck, receivers=receivers, threads=2)
    begun = time.monotonic()
    slow = together(60, lambda _: served.ask("POST /in/national/slow", b"x"))
    assert {status for status, _, _ in slow} == {503}
    assert all(headers["retry-after"] for _, headers, _ in slow)
    assert time.monotonic() - begun < 5
    assert served.ask("POST /in/national/nhanhsdvcqg", b"x")[0] == 200
    free.set()
    until(lambda: served.ask("POST /in/national/slow", b"x")[0] == 200)
    assert sum(call.path == "" for call in served.calls) < 60, "what no thread had begun is not done later"


def test_a_mistake_of_ours_tells_the_caller_nothing_and_asks_him_to_come_again(
    serve: Serve, logged: io.BytesIO
) -> None:
    def broken(portal: str, receiver: Receiver, request: InboundRequest) -> InboundReply:
        raise RuntimeError("CÔNG DÂN THỬ NGHIỆM 01")

    status, _, body = serve(receive=broken).ask("POST /in/national/nhanhsdvcqg", b"{}")
    assert (status, body) == (503, b"503 Service Unavailable\n")
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["call_failed", "call_answered"]
    assert lines[0]["error"] == "RuntimeError"
    assert "THỬ NGHIỆM" not in logged.getvalue().decode()


def test_a_mistake_behind_the_entrance_is_logged_too(serve: Serve, logged: io.BytesIO) -> None:
    def broken() -> bool:
        raise RuntimeError("CÔNG DÂN THỬ NGHIỆM 01")

    assert serve(ready=broken).ask("GET /ready")[0] == 500
    until(lambda: logged.getvalue().endswith(b"\n"))
    (line,) = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert (line["event"], line["error"]) == ("call_failed", "RuntimeError")
    assert "THỬ NGHIỆM" not in logged.getvalue().decode()


def test_an_answer_cannot_smuggle_headers(serve: Serve) -> None:
    def odd(portal: str, receiver: Receiver, request: InboundRequest) -> InboundReply:
        return InboundReply(b"x", "text/plain", headers={"X-Note": "a\r\nset-cookie: đ"})

    status, headers, _ = serve(receive=odd).ask("POST /in/national/nhanhsdvcqg", b"{}")
    assert (status, headers["x-note"]) == (200, "a  set-cookie: ?")
    assert "set-cookie" not in headers


def test_calls_under_way_are_answered_before_it_stops(serve: Serve) -> None:
    begun, answers = threading.Event(), []

    def slow(portal: str, receiver: Receiver, request: InboundRequest) -> InboundReply:
        begun.set()
        time.sleep(0.4)
        return echo(portal, receiver, request)

    served = serve(receive=slow)
    caller = threading.Thread(target=lambda: answers.append(served.ask("POST /in/national/nhanhsdvcqg", b"x")))
    caller.start()
    assert begun.wait(5)
    with served.raw():  # an idle connection does not hold up the stop
        started = time.monotonic()
        served.http.stop()
        assert time.monotonic() - started < 3
    caller.join()
    assert [status for status, _, _ in answers] == [200]
    with pytest.raises(OSError, match="refused"):
        served.ask("GET /health")


def test_a_port_in_use_is_said_with_what_to_do(serve: Serve) -> None:
    host, port = serve().address
    config = settings({}, listen=f"{host}:{port}").server
    assert config is not None
    with pytest.raises(ListenError, match=re.escape(f"{host}:{port} is in use")):
        HttpServer(config)
