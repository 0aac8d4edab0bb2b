"""Whose signatures we believe: pinned certificates, or certificates of named holders under configured authorities.

The system's own authorities are never used: they vouch for web servers, not for ministries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from adapters.xmldsig.names import SignatureRefusedError
from schemas.errors import ConfigError

_LEAST_KEY_BITS = 2048
_LONGEST_CHAIN = 4
# One that is for these alone is not for messages; real ones name e-mail, clients or purposes of their own as well.
_FOR_OTHERS = frozenset(
    (
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CODE_SIGNING,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
    )
)
_JUDGED = (x509.BasicConstraints.oid, x509.KeyUsage.oid, x509.ExtendedKeyUsage.oid)


@dataclass(frozen=True, slots=True)
class Trust:
    """What one partner's signatures are measured by.

    pinned: certificates believed as they are. authorities: roots and what stands below them, all configured here.
    subjects: RFC 4514 names of the holders believed under those authorities; an authority vouches for many others too.
    allow_sha1: also believe RSA-SHA1 and SHA-1 digests.
    """

    pinned: tuple[x509.Certificate, ...] = ()
    authorities: tuple[x509.Certificate, ...] = ()
    subjects: tuple[str, ...] = ()
    allow_sha1: bool = False


def read_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Every certificate of a PEM file.

    Raises:
        ConfigError: The file cannot be read or holds none.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"{path.name}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ConfigError(f"{path.name}: holds no certificate in PEM") from error


def believed_key(certificate: x509.Certificate, trust: Trust, at: datetime) -> rsa.RSAPublicKey:
    """The key of an end certificate, once the certificate is found to be believed at that instant.

    Raises:
        SignatureRefusedError: Not believed, outside its validity, of another holder, or with a key too weak.
    """
    key = _strong_key(certificate)
    if certificate not in trust.pinned:
        _check_usage(certificate)
        _check_chain(certificate, trust, at)
        if certificate.subject.rfc4514_string() not in trust.subjects:
            raise SignatureRefusedError("other_subject", "the certificate is another holder's")
    _check_validity(certificate, at)
    return key


def _strong_key(certificate: x509.Certificate) -> rsa.RSAPublicKey:
    try:
        key = certificate.public_key()
    except ValueError:
        raise SignatureRefusedError("weak_key", "the certificate's key cannot be used") from None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _LEAST_KEY_BITS:
        raise SignatureRefusedError("weak_key", f"the certificate's key is not RSA of {_LEAST_KEY_BITS} bits")
    return key


def _check_validity(certificate: x509.Certificate, at: datetime) -> None:
    if at > certificate.not_valid_after_utc:
        raise SignatureRefusedError("expired", "the certificate has expired")
    if at < certificate.not_valid_before_utc:
        raise SignatureRefusedError("not_yet_valid", "the certificate is not yet valid")


def _check_usage(certificate: x509.Certificate) -> None:
    """What a certificate says it is for must allow signing; what we cannot judge and must, we refuse."""
    extensions = _extensions(certificate)
    usage = extensions.get(x509.KeyUsage.oid)
    if isinstance(usage, x509.KeyUsage) and not (usage.digital_signature or usage.content_commitment):
        raise SignatureRefusedError("wrong_usage", "the certificate is not for signing")
    purposes = extensions.get(x509.ExtendedKeyUsage.oid)
    if isinstance(purposes, x509.ExtendedKeyUsage) and _FOR_OTHERS.issuperset(purposes):
        raise SignatureRefusedError("wrong_purpose", "the certificate is for other purposes than messages")


def _check_chain(certificate: x509.Certificate, trust: Trust, at: datetime) -> None:
    """Walk up to a self-issued authority of ours; each step is proved by the issuer's key."""
    for below in range(_LONGEST_CHAIN):
        issuer = next((one for one in trust.authorities if _issued(certificate, one)), None)
        if issuer is None:
            break
        _check_authority(issuer, below)
        _check_validity(issuer, at)
        if issuer.subject == issuer.issuer:
            return
        certificate = issuer
    raise SignatureRefusedError("untrusted", "no configured authority vouches for the certificate")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_authority(certificate: x509.Certificate, below: int) -> None:
    """`below` counts the authorities between it and the end certificate."""
    extensions = _extensions(certificate)
    constraints, usage = extensions.get(x509.BasicConstraints.oid), extensions.get(x509.KeyUsage.oid)
    may_sign = not isinstance(usage, x509.KeyUsage) or usage.key_cert_sign
    if not isinstance(constraints, x509.BasicConstraints) or not constraints.ca or not may_sign:
        raise SignatureRefusedError("untrusted", "the issuer is no authority")
    if constraints.path_length is not None and below > constraints.path_length:
        raise SignatureRefusedError("chain_too_long", "an authority stands below one that may have none below it")


def _extensions(certificate: x509.Certificate) -> Mapping[x509.ObjectIdentifier, x509.ExtensionType]:
    try:
        extensions = list(certificate.extensions)
    except ValueError:
        raise SignatureRefusedError("unreadable_certificate", "the certificate cannot be read") from None
    if any(one.critical and one.oid not in _JUDGED for one in extensions):
        raise SignatureRefusedError("wrong_usage", "the certificate has a critical extension that is not judged here")
    return {one.oid: one.value for one in extensions}


def der(certificate: x509.Certificate) -> bytes:
    """A certificate's own bytes."""
    return certificate.public_bytes(Encoding.DER)
