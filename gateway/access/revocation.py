"""Which client certificates their authorities have taken back, by the lists the operator keeps beside them.

OpenSSL's own check (`VERIFY_CRL_CHECK_LEAF`) is all or nothing: with one list every authority needs one, and a
partner's own certificate, which nobody could list, is shut out. So the handshake proves who he is, and this, per
authority, that it still holds (docs/adr/0019).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from gateway.language import t
from schemas.errors import ConfigError

_PEM = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
_KEYS = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)
_JUDGED = (x509.AuthorityKeyIdentifier.oid, x509.CRLNumber.oid, x509.IssuingDistributionPoint.oid)


class Standing(StrEnum):
    """What the lists make of a certificate."""

    GOOD = "good"
    """Not on its authority's list, or its authority has none here."""
    REVOKED = "revoked"
    OUTDATED = "outdated"
    """Its authority's list should have been replaced by now: nobody knows."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class RevocationList:
    """One authority's list. `next_update` is when a newer one was promised; None when nothing was."""

    authority: str
    serials: frozenset[int]
    this_update: datetime
    next_update: datetime | None

    def outdated(self, at: datetime) -> bool:
        """Whether a newer list should be here by that instant."""
        return self.next_update is not None and self.next_update <= at


class Revocations:
    """The lists in force, by their authority's name. Immutable."""

    def __init__(self, lists: Mapping[x509.Name, RevocationList] | None = None) -> None:
        self._lists = dict(lists or {})

    def all(self) -> tuple[RevocationList, ...]:
        """Every list in force."""
        return tuple(self._lists.values())

    def judge(self, certificate: bytes, at: datetime) -> Standing:
        """How a certificate (DER) stands, whose chain the handshake has proved."""
        if not self._lists:
            return Standing.GOOD
        try:
            shown = x509.load_der_x509_certificate(certificate)
            held = self._lists.get(shown.issuer)
            serial = shown.serial_number
        except ValueError:
            return Standing.UNREADABLE
        if held is None:
            return Standing.GOOD
        if serial in held.serials:
            return Standing.REVOKED
        return Standing.OUTDATED if held.outdated(at) else Standing.GOOD


def read_lists(files: Iterable[str], authorities: str) -> Revocations:
    """Read lists (PEM or DER), each signed by a certificate of the authorities' PEM file; of two the newer one counts.

    Raises:
        ConfigError: A file cannot be read, is no list, is signed by nobody there, or is only a part of a list.
        OSError: The authorities' file cannot be read.
        ValueError: It holds no certificates.
    """
    known = x509.load_pem_x509_certificates(Path(authorities).read_bytes()) if authorities else []
    lists: dict[x509.Name, RevocationList] = {}
    for file in files:
        for found in _parsed(Path(file)):
            read = _read(found, known, Path(file).name)
            held = lists.get(found.issuer)
            if held is None or held.this_update < read.this_update:
                lists[found.issuer] = read
    return Revocations(lists)


def _parsed(path: Path) -> list[x509.CertificateRevocationList]:
    try:
        content = path.read_bytes()
        blocks = _PEM.findall(content)
        if not blocks:
            return [x509.load_der_x509_crl(content)]
        return [x509.load_pem_x509_crl(block) for block in blocks]
    except OSError as error:
        raise _wrong(path.name, t("cannot be read", "không đọc được") + f" ({error.strerror})") from None
    except ValueError:
        raise _wrong(path.name, t("is no revocation list", "không phải danh sách thu hồi")) from None


def _read(found: x509.CertificateRevocationList, known: Sequence[x509.Certificate], name: str) -> RevocationList:
    signers = [one for one in known if one.subject == found.issuer and _signed(found, one)]
    if not signers:
        raise _wrong(
            name,
            t("is signed by no authority in client_authorities", "không do nơi nào trong client_authorities ký"),
        )
    try:
        whole = not any(_narrows(one) for one in found.extensions)
        serials = frozenset(one.serial_number for one in found)
    except ValueError:
        raise _wrong(name, t("is no revocation list", "không phải danh sách thu hồi")) from None
    if not whole:
        raise _wrong(name, t("is only a part of a list: take the whole", "chỉ là một phần: hãy lấy danh sách đầy đủ"))
    return RevocationList(found.issuer.rfc4514_string(), serials, found.last_update_utc, found.next_update_utc)


def _signed(found: x509.CertificateRevocationList, by: x509.Certificate) -> bool:
    key = by.public_key()
    if not isinstance(key, _KEYS):
        return False
    try:
        return found.is_signature_valid(key)
    except (InvalidSignature, TypeError, ValueError):
        return False


def _narrows(extension: x509.Extension[x509.ExtensionType]) -> bool:
    """Whether an extension makes a list say less than all: a delta, a partition, or what is not known here."""
    if isinstance(extension.value, x509.IssuingDistributionPoint):
        point = extension.value
        return bool(
            point.only_contains_ca_certs
            or point.only_contains_attribute_certs
            or point.only_some_reasons
            or point.indirect_crl
        )
    return extension.critical and extension.oid not in _JUDGED


def _wrong(name: str, what: str) -> ConfigError:
    return ConfigError([f"server.tls.revocation_lists: {name} {what}"])
