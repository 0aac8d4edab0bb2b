"""Mutual TLS, networks, secret words, proxies and rates over real sockets."""

import contextlib
import datetime as dt
import hashlib
import io
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.server.http import HttpServer
from schemas.errors import ConfigError
from tests.integration.server.conftest import Echo, Raw, Serve, Served, parsed, settings, until

WORD = "a-secret-word-of-the-path"
PUSH = "/in/national/nhanhsdvcqg"


@dataclass(frozen=True)
class Holder:
    """A certificate with its key, in files. `der` is the certificate as the wire carries it."""

    certificate: Path
    key: Path
    der: bytes

    @property
    def fingerprint(self) -> str:
        return f"sha256:{hashlib.sha256(self.der).hexdigest()}"


class Authority:
    """Signs certificates for one test."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.root = self._write(name, self._name, self._key, authority=True)

    def holder(self, name: str, organisation: str = "VPCP") -> Holder:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        return self._write(name, subject, ec.generate_private_key(ec.SECP256R1()), authority=False)

    def list_of(
        self, *revoked: Holder, name: str = "taken-back.crl", days: float = 1, **more: x509.ExtensionType
    ) -> Path:
        """A list that names these, to be replaced within so many days; DER, as authorities hand them out."""
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateRevocationListBuilder().issuer_name(self._name).last_update(now - dt.timedelta(days=9))
        )
        builder = builder.next_update(now + dt.timedelta(days=days))
        for holder in revoked:
            serial = x509.load_der_x509_certificate(holder.der).serial_number
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
            builder = builder.add_revoked_certificate(entry.build())
        for value in more.values():
            builder = builder.add_extension(value, critical=True)
        file = self._folder / name
        file.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
        return file

    def _write(self, name: str, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> Holder:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("gateway.example.invalid")]), critical=False)
        )
        if authority:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        made = builder.sign(self._key, hashes.SHA256())
        holder = Holder(
            self._folder / f"{name}.pem", self._folder / f"{name}.key", made.public_bytes(serialization.Encoding.DER)
        )
        holder.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        holder.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        holder.key.chmod(0o600)
        return holder


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "theirs")


Call = Callable[..., int]


def status_over_tls(served: Served, ours: Authority, holder: Holder | None = None) -> int:
    """The status of one call; 0 when the handshake or the connection failed."""
    context = ssl.create_default_context(cafile=str(ours.root.certificate))
    if holder is not None:
        context.load_cert_chain(holder.certificate, holder.key)
    with contextlib.suppress(OSError), _connected(served, context) as raw:
        raw.say(f"POST {PUSH} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}".encode())
        return parsed(raw.hear())[0]
    return 0


@contextlib.contextmanager
def _connected(served: Served, context: ssl.SSLContext) -> Iterator[Raw]:
    with (
        socket.create_connection(served.address, 10) as sock,
        context.wrap_socket(sock, server_hostname="gateway.example.invalid") as tls,
    ):
        yield Raw(tls)


def tls(ours: Authority, believed: Path | str = "") -> dict[str, str]:
    holder = ours.holder("gateway")
    return {
        "certificate": str(holder.certificate),
        "key": str(holder.key),
        "client_authorities": str(believed),
    }


def test_a_client_certificate_reaches_the_door_and_only_the_pinned_one_opens_it(
    serve: Serve, ours: Authority, theirs: Authority, tmp_path: Path
) -> None:
    good, other = theirs.holder("npsp"), theirs.holder("another")
    stranger = Authority(tmp_path, "stranger").holder("npsp")
    served = serve({"certificates": [good.fingerprint]}, tls=tls(ours, theirs.root.certificate))
    assert served.http.url.startswith("https://")
    assert status_over_tls(served, ours, good) == 200
    assert status_over_tls(served, ours, other) == 403
    assert status_over_tls(served, ours) == 403
    assert status_over_tls(served, ours, stranger) == 0, "nobody we believe signed it: the handshake fails"
    assert [call.caller for call in served.calls] == ["national"]


@pytest.mark.parametrize("subject", ["CN=npsp, O=VPCP, C=VN", "C=VN,O=VPCP,CN=npsp"])
def test_a_subject_is_pinned_whole(serve: Serve, ours: Authority, theirs: Authority, subject: str) -> None:
    served = serve({"certificates": [subject]}, tls=tls(ours, theirs.root.certificate))
    assert status_over_tls(served, ours, theirs.holder("npsp")) == 200
    assert status_over_tls(served, ours, theirs.holder("npsp", organisation="Another")) == 403


def test_a_partners_own_certificate_may_stand_in_for_its_authority(
    serve: Serve, ours: Authority, theirs: Authority
) -> None:
    good, sister = theirs.holder("npsp"), theirs.holder("sister")
    served = serve({"certificates": [good.fingerprint]}, tls=tls(ours, good.certificate))
    assert status_over_tls(served, ours, good) == 200
    assert status_over_tls(served, ours, sister) == 0


def test_without_a_pin_nobody_needs_a_certificate(serve: Serve, ours: Authority, theirs: Authority) -> None:
    assert status_over_tls(serve(tls=tls(ours)), ours) == 200
    assert status_over_tls(serve(tls=tls(ours, theirs.root.certificate)), ours, theirs.holder("npsp")) == 200


def test_plain_words_to_a_tls_port_and_half_handshakes_harm_nobody(serve: Serve, ours: Authority) -> None:
    served = serve(tls=tls(ours), head_s=0.3)
    with served.raw() as silent, served.raw() as raw:
        raw.say(b"GET /health HTTP/1.1\r\n\r\n")
        raw.hear(2)
        begun = time.monotonic()
        assert silent.hear(10) == b""
        assert time.monotonic() - begun < 5, "a handshake that never comes is not waited for"
        assert status_over_tls(served, ours) == 200


def test_a_key_that_does_not_belong_to_its_certificate_is_said(ours: Authority, theirs: Authority) -> None:
    files = {**tls(ours), "key": str(theirs.root.key)}
    config = settings({}, tls=files).server
    assert config is not None
    with pytest.raises(ConfigError, match=r"server\.tls"):
        HttpServer(config)


def test_a_wrong_secret_word_looks_like_an_address_that_does_not_exist(serve: Serve, logged: io.BytesIO) -> None:
    served = serve({"secret": "${SECRET}"}, secret=WORD)
    there = served.ask(f"POST /in/national/{WORD}/nhanhsdvcqg", b"{}")
    wrong = served.ask("POST /in/national/another-word/nhanhsdvcqg", b"{}")
    nowhere = served.ask("POST /in/national/another-word/nothing", b"{}")
    assert (there[0], wrong[0], nowhere[0]) == (200, 404, 404)
    assert WORD not in logged.getvalue().decode()
    assert "another-word" not in logged.getvalue().decode()


def test_other_networks_are_turned_away_before_their_body_is_read(serve: Serve, logged: io.BytesIO) -> None:
    served = serve({"allow": ["10.0.0.0/8"]})
    with served.raw() as raw:
        raw.say(f"POST {PUSH} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n".encode())
        assert parsed(raw.hear())[0] == 403
    for _ in range(20):
        assert served.ask(f"POST {PUSH}", b"{}", X_Forwarded_For="10.0.0.1")[0] == 403
    assert served.calls == []
    denied = [line for line in map(json.loads, logged.getvalue().splitlines()) if line["event"] == "call_denied"]
    assert [(line["reason"], line["caller"], line["calls"]) for line in denied] == [("network", "127.0.0.1", 1)]


def test_behind_a_proxy_of_ours_the_caller_is_whom_it_names(serve: Serve) -> None:
    served = serve({"allow": ["10.0.0.0/8"]}, trusted_proxies=["127.0.0.1"])
    assert served.ask(f"POST {PUSH}", b"{}", X_Forwarded_For="10.0.0.1")[0] == 200
    assert served.ask(f"POST {PUSH}", b"{}", X_Forwarded_For="10.0.0.1, 203.0.113.9")[0] == 403
    assert served.ask(f"POST {PUSH}", b"{}")[0] == 403


def test_who_calls_too_often_is_told_when_to_come_again(serve: Serve) -> None:
    served = serve({"calls_per_s": 0.5, "burst": 3})
    answers = [served.ask(f"POST {PUSH}", b"{}") for _ in range(5)]
    assert [status for status, _, _ in answers] == [200, 200, 200, 429, 429]
    assert answers[-1][1]["retry-after"] == "2"
    assert len(served.calls) == 3
    assert served.ask("GET /health")[0] == 200


class Slow:
    """A receiver that holds up the server's loop once, as a machine without time does."""

    def __init__(self) -> None:
        self.held = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(Echo(), name)

    @property
    def patience_s(self) -> float:
        if not self.held.is_set():
            self.held.set()
            time.sleep(0.6)
        return 5.0


def test_who_reset_his_connection_is_not_said_to_come_from_a_wrong_network(serve: Serve, logged: io.BytesIO) -> None:
    """He is a partner's machine; only nobody can see that any more when his call is looked at."""
    slow = Slow()
    served = serve({"allow": ["127.0.0.1"], "burst": 100}, receivers=(slow,))
    first = threading.Thread(target=lambda: served.ask(f"POST {PUSH}", b"{}"))
    first.start()
    assert slow.held.wait(5)
    for _ in range(5):
        sock = socket.create_connection(served.address, 5)
        sock.sendall(f"POST {PUSH} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}".encode())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    first.join(10)
    until(lambda: b"call_denied" in logged.getvalue())
    denied = [line for line in map(json.loads, logged.getvalue().splitlines()) if line["event"] == "call_denied"]
    assert {(line["reason"], line["caller"]) for line in denied} == {("gone", "")}
