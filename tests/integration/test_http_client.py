"""HTTP failures become portal errors that say whether a byte had left: every fault, over real sockets."""

from __future__ import annotations

import gzip
import hashlib
import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.base import SENT, OutcomeKind
from adapters.http import HttpClient, nothing_sent_yet, outcome_of, retry_after_s
from adapters.simulation import FaultPlan, Reply, Request, Simulator, SimulatorServer
from adapters.transport import Timeouts
from schemas.clock import ManualClock
from schemas.errors import (
    PortalAuthError,
    PortalContractError,
    PortalError,
    PortalRefusedError,
    PortalUnavailableError,
)

NOON = datetime(2026, 11, 2, 5, 0, tzinfo=UTC)
JSON = ("application/json",)


class Portal(Simulator):
    """Answers by path: `/status/N`, `/gzip`, `/big`, `/redirect`, `/cookie`, anything else as an echo."""

    kind = "portal"

    def answer(self, request: Request) -> Reply:
        self.book.record("update", request.path, request.body.decode("latin-1"), at=request.at, call=request.call)
        first, _, rest = request.path.removeprefix("/").partition("/")
        match first:
            case "status":
                return Reply.text("<html>secret-in-body</html>", int(rest))
            case "gzip":
                return Reply(200, gzip.compress(b"x" * 500_000), {"Content-Encoding": "gzip"})
            case "big":
                return Reply(200, b"x" * 2_000_000)
            case "bad_gzip":
                return Reply(200, b"no gzip", {"Content-Encoding": "gzip"})
            case "redirect":
                return Reply(302, b"", {"Location": "/elsewhere"})
            case "html":
                return Reply.text("\ufeff \n<!DOCTYPE html><html></html>", content_type="application/json")
            case "cookie":
                return Reply(200, b"{}", {"Set-Cookie": "JSESSIONID=1; Path=/"})
        return Reply.json({"headers": dict(request.headers), "query": dict(request.query), "size": len(request.body)})


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    plan = FaultPlan(delay_s=0.4, drip_s=1.0, drip_every_s=0.02)
    with SimulatorServer(Portal(), faults=plan) as server:
        yield server
        assert server.defects == []


@pytest.fixture
def client(server: SimulatorServer) -> Iterator[HttpClient]:
    client = HttpClient("moc", server.url, deadline_s=0.25)
    yield client
    client.close()


def effects(server: SimulatorServer) -> int:
    return len(server.simulator.book.effects())


def failure(call: Callable[[], object]) -> PortalError:
    with pytest.raises(PortalError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    ("fault", "error", "sent", "done"),
    [
        ("reset_before", PortalUnavailableError, True, 0),
        ("reset_after", PortalUnavailableError, True, 1),
        ("delay", PortalUnavailableError, True, 1),
        ("drip", PortalUnavailableError, True, 1),
        ("truncate", PortalUnavailableError, True, 1),
        ("too_many_429", PortalUnavailableError, False, 0),
        ("unavailable_503", PortalUnavailableError, True, 0),
        ("html_200", PortalContractError, True, None),
    ],
)
@pytest.mark.parametrize("reused", [False, True], ids=["new_connection", "kept_alive"])
def test_each_fault_becomes_its_error(
    server: SimulatorServer,
    client: HttpClient,
    fault: str,
    error: type[PortalError],
    sent: bool,
    done: int | None,
    reused: bool,
) -> None:
    if reused:
        client.request("POST", "/warm", json={})
    before = effects(server)
    server.faults.script(fault)
    raised = failure(lambda: client.request("POST", "/x", json={"a": 1}, accept=JSON))
    assert (type(raised), raised.sent) == (error, sent)
    assert done is None or effects(server) - before == done
    assert outcome_of(raised).kind is (OutcomeKind.UNKNOWN if sent else OutcomeKind.RETRY)


def test_garbage_and_an_empty_body_are_no_json(server: SimulatorServer, client: HttpClient) -> None:
    for fault, reason in (("garbage", "the answer is not JSON"), ("empty_200", "the answer is empty")):
        server.faults.script(fault)
        reply = client.request("POST", "/x", accept=JSON)
        assert failure(reply.json).reason == reason


def test_a_closed_door_is_known_not_to_have_sent(server: SimulatorServer, client: HttpClient) -> None:
    client.request("GET", "/warm")
    server.go_down(30)
    for _ in range(3):
        raised = failure(lambda: client.request("POST", "/x", json={}))
        assert (type(raised), raised.sent, raised.reason) == (
            PortalUnavailableError,
            False,
            "the connection could not be opened",
        )
    server.come_up()
    assert client.request("POST", "/x", json={}).status == 200


def test_a_name_that_does_not_resolve_is_known_not_to_have_sent() -> None:
    client = HttpClient("moc", "http://portal.invalid", deadline_s=2)
    assert failure(lambda: client.request("POST", "/x")).sent is False
    client.close()


def test_a_full_pool_is_known_not_to_have_sent(server: SimulatorServer) -> None:
    client = HttpClient("moc", server.url, Timeouts(pool_s=0.05), pool_size=1, deadline_s=2)
    server.faults.script("delay")
    thread = threading.Thread(target=lambda: client.request("GET", "/slow"))
    thread.start()
    time.sleep(0.1)
    assert failure(lambda: client.request("POST", "/x")).sent is False
    thread.join()
    assert effects(server) == 1
    client.close()


def test_as_many_threads_as_a_portal_may_have_call_at_once() -> None:
    """The default has room for `workers`, `readers` and jobs together: nobody waits for another's connection."""
    together = threading.Barrier(48)

    class Slow(Portal):
        def answer(self, request: Request) -> Reply:
            together.wait(10)
            return super().answer(request)

    with SimulatorServer(Slow()) as server, ThreadPoolExecutor(48) as threads:
        client = HttpClient("moc", server.url)
        replies = list(threads.map(lambda n: client.request("GET", f"/n{n}"), range(48)))
        client.close()
    assert [reply.status for reply in replies] == [200] * 48


def test_a_connection_is_never_used_for_another_place(server: SimulatorServer) -> None:
    with SimulatorServer(Portal()) as other:
        client = HttpClient("moc", server.url, pool_size=1)
        for _ in range(3):
            for place in (server, other):
                asked = client.request("GET", f"{place.url}/echo").json()["headers"]
                assert asked["host"] == place.url.removeprefix("http://")
        client.close()


def test_what_was_left_unread_is_no_answer_to_the_next_call(server: SimulatorServer) -> None:
    client = HttpClient("moc", server.url, pool_size=1, max_body_bytes=100_000)
    for _ in range(3):
        with pytest.raises(PortalContractError):
            client.request("GET", "/big")
        assert client.request("GET", "/echo", json={"a": 1}).json()["size"] == 7
    client.close()


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/a", "http://[", "http://a b/", "http://127.0.0.1:x/"])
def test_only_http_is_spoken_and_a_portals_bad_link_is_its_mistake(client: HttpClient, address: str) -> None:
    for ask in (lambda: client.request("GET", address), lambda: client.open(address)):
        with pytest.raises(PortalError) as raised:
            ask()
        assert not raised.value.sent


@pytest.mark.parametrize("moment", ["has_expired", "_connect"])
def test_a_client_closed_just_before_a_call_has_sent_nothing(
    server: SimulatorServer, client: HttpClient, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopping closes the adapters, perhaps between the look at a connection and its use."""
    if moment == "has_expired":
        client.request("GET", "/echo")
    before, plain = effects(server), getattr(httpcore.HTTPConnection, moment)

    def and_close(self: httpcore.HTTPConnection, *given: object) -> object:
        found = plain(self, *given)
        if moment == "_connect":
            monkeypatch.setattr(httpcore.HTTP11Connection, "handle_request", closed_first)
        else:
            client.close()
        return found

    def closed_first(self: httpcore.HTTP11Connection, request: httpcore.Request) -> httpcore.Response:
        monkeypatch.undo()
        client.close()
        return self.handle_request(request)

    monkeypatch.setattr(httpcore.HTTPConnection, moment, and_close)
    raised = failure(lambda: client.request("POST", "/x"))
    assert (type(raised), raised.sent) == (PortalUnavailableError, False)
    assert effects(server) == before


def test_send_by_is_checked_before_the_first_byte(server: SimulatorServer) -> None:
    clock = ManualClock(NOON)
    client = HttpClient("moc", server.url, clock=clock)
    clock.advance(10)
    assert client.request("POST", "/x", send_by=10.0).status == 200
    clock.advance(1)
    raised = failure(lambda: client.request("POST", "/x", send_by=10.0))
    assert (raised.sent, raised.reason) == (False, "the time to send had passed")
    assert effects(server) == 1
    assert client.request("POST", "/x").status == 200
    client.close()


def test_send_by_is_checked_after_the_wait_for_a_connection(server: SimulatorServer) -> None:
    client = HttpClient("moc", server.url, pool_size=1, deadline_s=2)
    server.faults.script("delay")
    thread = threading.Thread(target=lambda: client.request("GET", "/slow"))
    thread.start()
    time.sleep(0.1)
    raised = failure(lambda: client.request("POST", "/x", send_by=time.monotonic() + 0.1))
    assert raised.reason == "the time to send had passed"
    thread.join()
    assert [entry["key"] for entry in server.simulator.book.effects()] == ["/slow"]
    client.close()


def test_a_dripped_head_meets_the_deadline_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.recv(65536)
                try:
                    for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 400:
                        sock.sendall(bytes([letter]))
                        time.sleep(0.01)
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        client = HttpClient("moc", f"http://127.0.0.1:{listener.getsockname()[1]}")
        began = time.monotonic()
        raised = failure(lambda: client.request("GET", "/", deadline_s=0.3))
        assert (raised.reason, raised.sent) == ("time-out", True)
        assert time.monotonic() - began < 0.6
        client.close()
        thread.join()


def test_a_dead_kept_alive_connection_costs_a_harmless_call_nothing(
    server: SimulatorServer, client: HttpClient
) -> None:
    client.request("GET", "/warm")
    server.faults.script("reset_before")
    assert client.request("GET", "/x", idempotent=True).status == 200
    server.faults.script("reset_before")
    assert failure(lambda: client.request("POST", "/x")).sent is True


def test_a_harmless_call_is_not_repeated_after_a_time_out(server: SimulatorServer, client: HttpClient) -> None:
    client.request("GET", "/warm")
    server.faults.script("delay")
    assert failure(lambda: client.request("GET", "/x", idempotent=True)).reason == "time-out"
    assert effects(server) == 2


@pytest.mark.parametrize("status", [200, 203, 400, 401, 403, 404, 405])
def test_statuses_that_a_kind_judges_come_back(client: HttpClient, status: int) -> None:
    assert client.request("GET", f"/status/{status}").status == status


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_failing_portal_is_unavailable_and_maybe_sent(client: HttpClient, status: int) -> None:
    raised = failure(lambda: client.request("POST", f"/status/{status}"))
    assert (type(raised), raised.status, raised.sent) == (PortalUnavailableError, status, True)


def test_a_fault_of_soap_comes_back_where_it_is_asked_for(client: HttpClient) -> None:
    assert client.request("POST", "/status/500", returns=(500,)).body == b"<html>secret-in-body</html>"


def test_a_redirect_breaks_the_contract(client: HttpClient) -> None:
    assert type(failure(lambda: client.request("GET", "/redirect"))) is PortalContractError


def test_a_web_page_dressed_as_json_is_seen(client: HttpClient) -> None:
    assert type(failure(lambda: client.request("GET", "/html", accept=JSON))) is PortalContractError
    assert client.request("GET", "/html", accept=("text/html",)).status == 200
    assert client.request("GET", "/html").status == 200


def test_the_cap_counts_decompressed_bytes(server: SimulatorServer) -> None:
    client = HttpClient("moc", server.url, max_body_bytes=400_000)
    assert failure(lambda: client.request("GET", "/gzip")).reason == "the answer is longer than 400000 bytes"
    assert len(client.request("GET", "/gzip", max_body_bytes=500_000).body) == 500_000
    assert type(failure(lambda: client.request("GET", "/bad_gzip"))) is PortalContractError
    client.close()


def test_no_cookie_is_kept_and_no_proxy_used(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    client.request("GET", "/cookie")
    assert "cookie" not in client.request("GET", "/x").json()["headers"]


def test_nothing_personal_or_secret_is_in_errors_or_logs(
    server: SimulatorServer, client: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "bi-mat-0001"
    with caplog.at_level(logging.DEBUG):
        for fault in ("reset_after", "delay", "truncate", "html_200", "unavailable_503", "too_many_429"):
            server.faults.script(fault)
            raised = failure(
                lambda: client.request(
                    "POST", f"/{secret}", params={"q": secret}, headers={"T": secret}, json=[secret], accept=JSON
                )
            )
            shown = "".join(traceback.format_exception(raised))
            assert secret not in shown + repr(raised) + raised.excerpt
            assert "127.0.0.1" not in shown
        assert secret not in repr(client.request("POST", "/x", headers={"T": secret}, json=[secret]))
    assert secret not in caplog.text


def test_the_digest_of_what_was_sent_is_kept_for_the_receipt(client: HttpClient) -> None:
    """Of a write whose body is whole; one that is made while it is sent has none, and a read sends nothing."""
    SENT.set("")
    client.request("GET", "/echo")
    client.request("POST", "/echo", data={"a": "b"}, files={"f": ("a.txt", b"abc")})
    assert SENT.get() == ""
    client.request("POST", "/echo", data={"hoTen": "Nguyễn"})
    assert SENT.get() == hashlib.sha256(b"hoTen=Nguy%E1%BB%85n").hexdigest()
    client.request("PUT", "/echo", content=b"<a/>")
    assert SENT.get() == hashlib.sha256(b"<a/>").hexdigest()


def test_text_goes_both_ways_untouched(server: SimulatorServer, client: HttpClient) -> None:
    text = "Hồ sơ Đặng & + ; < %"
    said = client.request("POST", "/x", params={"q": text}, json={"t": text}).json()
    assert said["query"] == {"q": [text]}
    assert text in server.simulator.book.effects()[-1]["content"].encode("latin-1").decode()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Mon, 02 Nov 2026 05:00:30 GMT", 30.0),
        ("Mon, 02 Nov 2026 04:59:00 GMT", 0.0),
        ("999999999", 86_400.0),
        ("soon", None),
        ("-5", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms(header: str | None, expected: float | None) -> None:
    assert retry_after_s(header, NOON) == expected


def test_a_date_in_retry_after_is_read_by_the_portals_own_clock(client: HttpClient, server: SimulatorServer) -> None:
    server.simulator.clock.offset_s = -3600
    for expected in (1.0, 1.0):
        server.faults.script("too_many_429")
        raised = failure(lambda: client.request("POST", "/x"))
        assert raised.retry_after_s is not None
        assert 0 < raised.retry_after_s <= expected


def test_outcomes_follow_what_is_known() -> None:
    table = {
        PortalUnavailableError("p", "r", sent=False, retry_after_s=3): (OutcomeKind.RETRY, False),
        PortalUnavailableError("p", "r"): (OutcomeKind.UNKNOWN, False),
        PortalContractError("p", "r"): (OutcomeKind.UNKNOWN, False),
        PortalContractError("p", "r", sent=False): (OutcomeKind.RETRY, False),
        PortalRefusedError("p", "r", code="7"): (OutcomeKind.REFUSED, False),
        PortalAuthError("p", "r"): (OutcomeKind.REFUSED, True),
    }
    assert {error: (outcome_of(error).kind, outcome_of(error).auth) for error in table} == table
    assert outcome_of(next(iter(table))).not_before_s == 3


def test_a_failed_login_has_sent_nothing() -> None:
    with pytest.raises(PortalUnavailableError) as caught, nothing_sent_yet():
        raise PortalUnavailableError("p", "time-out")
    assert caught.value.sent is False


def certificate(folder: Path) -> tuple[str, str]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_a_certificate_nobody_vouches_for_is_not_sent_to_and_a_named_one_is(tmp_path: Path) -> None:
    authorities, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authorities, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                sock, _ = listener.accept()
                try:
                    with context.wrap_socket(sock, server_side=True) as secure:
                        secure.recv(65536)
                        secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                except OSError:
                    sock.close()

        thread = threading.Thread(target=serve)
        thread.start()
        base_url = f"https://localhost:{listener.getsockname()[1]}"
        stranger, friend = HttpClient("moc", base_url), HttpClient("moc", base_url, verify=authorities)
        assert failure(lambda: stranger.request("POST", "/x", json={})).sent is False
        assert friend.request("POST", "/x", json={}).json() == {}
        thread.join()
        stranger.close()
        friend.close()
