"""Signing: equal bytes for equal documents, because a repeat must be equal byte for byte (RSA with PKCS #1 v1.5 is)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from adapters.xmldsig.names import DS, ENVELOPED, EXCLUSIVE, RSA_SHA256, SHA256, ds, exclusive
from adapters.xmldsig.trust import der, read_certificates
from schemas.errors import ConfigError


@dataclass(frozen=True)
class Signer:
    """Our certificate and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def of(cls, certificate: Path, key: Path, password: str = "") -> Signer:
        """Read both from PEM files.

        Raises:
            ConfigError: A file cannot be read, is no RSA key, or the two do not belong together.
        """
        (mine, *_) = read_certificates(certificate)
        try:
            found = load_pem_private_key(key.read_bytes(), password.encode() or None)
        except OSError as error:
            raise ConfigError(f"{key.name}: cannot be read ({error.strerror})") from error
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{key.name}: holds no key in PEM that this password opens") from error
        if not isinstance(found, rsa.RSAPrivateKey):
            raise ConfigError(f"{key.name}: is no RSA key")
        if found.public_key() != mine.public_key():
            raise ConfigError(f"{key.name}: is not the key of {certificate.name}")
        return cls(mine, found)

    def sign(self, root: etree._Element) -> None:
        """Add a signature over the whole document as the last child of its root, which must not hold one yet."""
        digest = base64.b64encode(hashlib.sha256(exclusive(root)).digest())
        names: Any = {None: DS}  # the stubs do not know the default namespace
        signature = etree.SubElement(root, ds("Signature"), nsmap=names)
        info = _signed_info(signature, digest.decode())
        value = self.key.sign(exclusive(info), padding.PKCS1v15(), hashes.SHA256())
        etree.SubElement(signature, ds("SignatureValue")).text = base64.b64encode(value).decode()
        data = etree.SubElement(etree.SubElement(signature, ds("KeyInfo")), ds("X509Data"))
        etree.SubElement(data, ds("X509Certificate")).text = base64.b64encode(der(self.certificate)).decode()


def _signed_info(signature: etree._Element, digest: str) -> etree._Element:
    info = etree.SubElement(signature, ds("SignedInfo"))
    etree.SubElement(info, ds("CanonicalizationMethod"), Algorithm=EXCLUSIVE)
    etree.SubElement(info, ds("SignatureMethod"), Algorithm=RSA_SHA256)
    reference = etree.SubElement(info, ds("Reference"), URI="")
    transforms = etree.SubElement(reference, ds("Transforms"))
    for algorithm in (ENVELOPED, EXCLUSIVE):
        etree.SubElement(transforms, ds("Transform"), Algorithm=algorithm)
    etree.SubElement(reference, ds("DigestMethod"), Algorithm=SHA256)
    etree.SubElement(reference, ds("DigestValue")).text = digest
    return info
