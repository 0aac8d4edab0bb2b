"""What `lienthong doctor` says of the files by which portals know us and we know them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from gateway.cli.check import Check, State
from gateway.cli.language import t
from gateway.config import TlsConfig
from schemas.clock import VIETNAM
from schemas.errors import ConfigError

CERTIFICATE_SOON = timedelta(days=21)
LIST_SOON = timedelta(hours=12)


def tls_checks(tls: TlsConfig, now: datetime) -> Iterator[Check]:
    """Whether the files can be used together, and until when: our certificate, authorities, revocation lists."""
    from gateway.server.tls import read

    try:
        found = read(tls)
    except ConfigError as error:
        said = "; ".join(error.problems)
        yield Check("TLS", "bad", t(f"{said}: callers meet the former ones", f"{said}: vẫn dùng các tệp trước đó"))
        return
    ends = x509.load_pem_x509_certificate(Path(tls.certificate).read_bytes()).not_valid_after_utc
    yield _until(t("our certificate", "chứng thư của ta"), ends, now, CERTIFICATE_SOON)
    for authority in _authorities(tls):
        what = t(f"believed: {_name(authority)}", f"tin: {_name(authority)}")
        yield _until(what, authority.not_valid_after_utc, now, CERTIFICATE_SOON)
    for one in found.revocations.all():
        what = t(f"revocation list of {one.authority}", f"danh sách thu hồi của {one.authority}")
        if one.outdated(now):
            yield Check(what, "bad", _outdated(one.next_update))
        elif one.next_update is not None:
            yield _until(what, one.next_update, now, LIST_SOON)


def _authorities(tls: TlsConfig) -> list[x509.Certificate]:
    if not tls.client_authorities:
        return []
    return x509.load_pem_x509_certificates(Path(tls.client_authorities).read_bytes())


def _name(certificate: x509.Certificate) -> str:
    """An authority by its name; a partner's own certificate, which may be a person's, by its fingerprint."""
    try:
        is_authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        is_authority = False
    if is_authority:
        return certificate.subject.rfc4514_string()
    return f"sha256:{certificate.fingerprint(hashes.SHA256()).hex()[:16]}"


def _until(what: str, ends: datetime, now: datetime, soon: timedelta) -> Check:
    state: State = "bad" if ends <= now else "warn" if ends - now <= soon else "ok"
    day = _when(ends)
    said = t(f"ended {day}", f"hết hạn {day}") if ends <= now else t(f"until {day}", f"đến {day}")
    return Check(what, state, said)


def _outdated(since: datetime | None) -> str:
    day = _when(since) if since else ""
    return t(
        f"outdated since {day}: its certificates are let in again when a newer list lies there",
        f"quá hạn từ {day}: chứng thư của nơi này chỉ được nhận lại khi có danh sách mới",
    )


def _when(at: datetime) -> str:
    return f"{at.astimezone(VIETNAM):%Y-%m-%d %H:%M}"
