"""Certificates are renewed at night and taken back by day: new connections meet the files as they are now."""

from __future__ import annotations

import errno
import io
import json
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import gateway.server.http as http_module
from gateway.cli.tls_checks import tls_checks
from gateway.config import TlsConfig
from gateway.server.http import HttpServer
from gateway.server.tls import TlsFiles
from schemas.errors import ConfigError
from tests.integration.server.conftest import Raw, Serve, Served, parsed, settings, together, until
from tests.integration.server.test_who_may_call import PUSH, Authority, Holder, status_over_tls, tls

OFTEN = {"calls_per_s": 10_000, "burst": 10_000}


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "theirs")


def shown(served: Served) -> bytes:
    """The certificate that a new connection is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(served.address, 10) as sock, context.wrap_socket(sock) as over:
        return over.getpeercert(binary_form=True) or b""


def events(logged: io.BytesIO, name: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    return [line for line in lines if line["event"] == name]


def connected(served: Served, ours: Authority, holder: Holder | None = None) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(ours.root.certificate))
    if holder is not None:
        context.load_cert_chain(holder.certificate, holder.key)
    sock = socket.create_connection(served.address, 10)
    return context.wrap_socket(sock, server_hostname="gateway.example.invalid")


def asked(over: ssl.SSLSocket) -> int:
    raw = Raw(over)  # type: ignore[arg-type]
    raw.say(f"POST {PUSH} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}".encode())
    return parsed(raw.hear())[0]


def test_a_renewed_certificate_is_shown_without_a_restart_and_nobody_is_turned_away(
    serve: Serve, ours: Authority, logged: io.BytesIO
) -> None:
    files = tls(ours)
    served = serve(OFTEN, tls=files)
    first = shown(served)
    with connected(served, ours) as staying:
        assert asked(staying) == 200
        renewed = ours.holder("gateway")
        ends, statuses = time.monotonic() + 5, []
        while shown(served) == first:
            assert time.monotonic() < ends
            statuses.append(status_over_tls(served, ours))
        assert set(statuses) <= {200}
        assert shown(served) == renewed.der != first
        assert asked(staying) == 200, "who was connected stays so"
    assert status_over_tls(served, ours) == 200
    assert len(events(logged, "tls_reloaded")) == 1


def test_a_broken_new_file_keeps_the_old_one_and_is_said_once(
    serve: Serve, ours: Authority, logged: io.BytesIO
) -> None:
    files = tls(ours)
    served = serve(OFTEN, tls=files)
    first = shown(served)
    Path(files["certificate"]).write_text("half a certif")
    until(lambda: bool(events(logged, "tls_refused")))
    time.sleep(1.2)  # it is looked at again, and not said again
    assert len(events(logged, "tls_refused")) == 1
    assert (shown(served), status_over_tls(served, ours)) == (first, 200)
    renewed = ours.holder("gateway")
    until(lambda: shown(served) == renewed.der)


def test_a_certificate_without_its_key_waits_for_the_key(serve: Serve, ours: Authority, logged: io.BytesIO) -> None:
    """Who renews writes two files, one after the other."""
    files = tls(ours)
    served = serve(OFTEN, tls=files)
    first, old_key = shown(served), Path(files["key"]).read_bytes()
    renewed = ours.holder("gateway")
    new_key = renewed.key.read_bytes()
    renewed.key.write_bytes(old_key)
    until(lambda: bool(events(logged, "tls_refused")))
    assert shown(served) == first
    renewed.key.write_bytes(new_key)
    until(lambda: shown(served) == renewed.der)


def test_a_renewal_met_half_way_is_no_mistake(ours: Authority, logged: io.BytesIO) -> None:
    """A look between the two writes finds a certificate without its key: nobody is told, the pair comes together."""
    files = tls(ours)
    kept = TlsFiles(TlsConfig(**files))
    first, old_key = kept.now, Path(files["key"]).read_bytes()
    renewed = ours.holder("gateway")
    new_key = renewed.key.read_bytes()
    renewed.key.write_bytes(old_key)
    assert not kept.look()
    renewed.key.write_bytes(new_key)
    assert (kept.look(), kept.now) == (False, first)
    assert kept.look()
    assert kept.now is not first
    assert not kept.look()
    assert [len(events(logged, name)) for name in ("tls_refused", "tls_reloaded")] == [0, 1]


def test_whom_we_believe_changes_too(serve: Serve, ours: Authority, theirs: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    believed = tmp_path / "believed.pem"
    believed.write_bytes(theirs.root.certificate.read_bytes())
    served = serve(OFTEN, tls=tls(ours, believed))
    old, new = theirs.holder("npsp"), other.holder("npsp")
    assert (status_over_tls(served, ours, old), status_over_tls(served, ours, new)) == (200, 0)
    believed.write_bytes(other.root.certificate.read_bytes())
    until(lambda: status_over_tls(served, ours, new) == 200)
    assert status_over_tls(served, ours, old) == 0


def test_who_calls_at_the_very_moment_of_a_change_is_answered_and_not_forgotten(
    serve: Serve, ours: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accepted in one step of the loop, attached in the next: closing between the two left a caller waiting."""
    monkeypatch.setattr(http_module, "LOOK_EVERY_TICKS", 1)
    monkeypatch.setattr(TlsFiles, "look", lambda _self: True)
    served = serve(OFTEN, tls=tls(ours))
    ends = time.monotonic() + 4

    def calling(_number: int) -> list[int]:
        statuses = []
        while time.monotonic() < ends:
            statuses.append(status_over_tls(served, ours))
        return statuses

    assert {status for statuses in together(8, calling) for status in statuses} == {200}


def test_a_change_that_finds_no_free_file_handle_is_made_later_and_ends_nothing(
    serve: Serve, ours: Authority, logged: io.BytesIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tls(ours)
    served = serve(OFTEN, tls=files)
    opened, failures = socket.socket.dup, iter([OSError(errno.EMFILE, "Too many open files")])
    loaded, short = ssl.SSLContext.load_cert_chain, iter([OSError(errno.EMFILE, "Too many open files")])

    def dup(one: socket.socket) -> socket.socket:
        for failure in failures:
            raise failure
        return opened(one)

    def load(one: ssl.SSLContext, *files: Any, **more: Any) -> None:
        for failure in short:
            raise failure
        loaded(one, *files, **more)

    monkeypatch.setattr(socket.socket, "dup", dup)
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    renewed = ours.holder("gateway")
    until(lambda: len(events(logged, "tls_reload_delayed")) == 2)
    assert not events(logged, "tls_refused")
    assert status_over_tls(served, ours) == 200
    until(lambda: shown(served) == renewed.der)


def test_what_its_authority_took_back_is_shut_out_and_each_authority_counts_for_its_own(
    serve: Serve, ours: Authority, theirs: Authority, tmp_path: Path, logged: io.BytesIO
) -> None:
    """Two authorities, one list, and a partner's own certificate, which nobody could put on a list."""
    other, lone = Authority(tmp_path, "other"), Authority(tmp_path, "lone")
    good, lost, elsewhere, alone = theirs.holder("good"), theirs.holder("lost"), other.holder("b"), lone.holder("c")
    believed = tmp_path / "believed.pem"
    roots = (theirs.root, other.root, alone)
    believed.write_bytes(b"".join(one.certificate.read_bytes() for one in roots))
    files: dict[str, Any] = {**tls(ours, believed), "revocation_lists": [str(theirs.list_of(lost))]}
    served = serve(OFTEN, tls=files)
    assert [status_over_tls(served, ours, one) for one in (good, elsewhere, alone, None)] == [200] * 4
    calls = len(served.calls)
    assert status_over_tls(served, ours, lost) == 0
    assert len(served.calls) == calls, "nothing that he sent is taken in"
    (denied,) = events(logged, "call_denied")
    assert (denied["reason"], denied["caller"], denied["portal"]) == ("revoked", "127.0.0.1", "")


def test_a_certificate_taken_back_while_it_is_connected_is_parted_with(
    serve: Serve, ours: Authority, theirs: Authority
) -> None:
    lost = theirs.holder("lost")
    files: dict[str, Any] = {**tls(ours, theirs.root.certificate), "revocation_lists": [str(theirs.list_of())]}
    served = serve(OFTEN, tls=files, head_s=60)
    with connected(served, ours, lost) as staying:
        assert asked(staying) == 200
        theirs.list_of(lost)
        until(lambda: status_over_tls(served, ours, lost) == 0)
        staying.settimeout(2)  # less than an idle connection is kept
        assert staying.recv(1) == b""


def test_a_list_that_was_not_replaced_in_time_lets_nobody_of_its_authority_in(
    serve: Serve, ours: Authority, theirs: Authority, logged: io.BytesIO
) -> None:
    files: dict[str, Any] = {**tls(ours, theirs.root.certificate), "revocation_lists": [str(theirs.list_of(days=-1))]}
    served = serve(OFTEN, tls=files)
    good = theirs.holder("good")
    assert status_over_tls(served, ours, good) == 0
    assert [one["reason"] for one in events(logged, "call_denied")] == ["outdated_list"]
    theirs.list_of()
    until(lambda: status_over_tls(served, ours, good) == 200)


def test_a_list_that_nobody_signed_or_that_is_a_part_only_is_refused_at_the_start(
    ours: Authority, theirs: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger")
    (tmp_path / "elsewhere").mkdir()
    namesake = Authority(tmp_path / "elsewhere", "theirs")
    point = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
    wrong = {
        "is signed by no authority": stranger.list_of(),
        "is signed by no authority in client_authorities": namesake.list_of(),
        "is only a part": theirs.list_of(name="part.crl", point=point),
        "is only a part of": theirs.list_of(name="delta.crl", delta=x509.DeltaCRLIndicator(1)),
        "is no revocation list": theirs.root.certificate,
        "cannot be read": tmp_path / "absent.crl",
    }
    for said, file in wrong.items():
        files: dict[str, Any] = {**tls(ours, theirs.root.certificate), "revocation_lists": [str(file)]}
        config = settings({}, tls=files).server
        assert config is not None
        with pytest.raises(ConfigError, match=said):
            HttpServer(config)


def test_doctor_says_until_when_each_file_is_good(ours: Authority, theirs: Authority, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    alone = theirs.holder("alone")
    believed = tmp_path / "believed.pem"
    believed.write_bytes(theirs.root.certificate.read_bytes() + alone.certificate.read_bytes())
    raw: dict[str, Any] = {**tls(ours, believed), "revocation_lists": [str(theirs.list_of())]}
    files = TlsConfig.model_validate(raw)

    def states(at: datetime) -> dict[str, str]:
        return {one.what: one.state for one in tls_checks(files, at)}

    own = f"believed: {alone.fingerprint[:23]}"
    mine, root, listed = "our certificate", "believed: CN=theirs", "revocation list of CN=theirs"
    assert states(now - timedelta(days=30)) == {mine: "ok", root: "ok", own: "ok", listed: "ok"}
    assert states(now) == {mine: "warn", root: "warn", own: "warn", listed: "ok"}
    assert states(now + timedelta(hours=20))[listed] == "warn"
    assert set(states(now + timedelta(days=2)).values()) == {"bad"}
    (last,) = [one for one in tls_checks(files, now + timedelta(days=2)) if one.what == listed]
    assert last.found.startswith("outdated since ")
    Path(files.key).write_bytes(theirs.root.key.read_bytes())
    (only,) = tls_checks(files, now)
    assert (only.state, "callers meet the former ones" in only.found) == ("bad", True)
