"""Keys, certificates and messages for signatures; made once for a run, for nobody real."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree

from adapters.xmldsig import Signer

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MESSAGE = """<Envelope><Header><Reference><version>1.0</version><messageId>m-1</messageId></Reference>\
<From><name>Bộ thử nghiệm</name><identity>BGTVT</identity></From><To><name>System</name><identity>NSW</identity></To>\
<Subject><documentType>100</documentType><type>99</type><function>21</function><reference>7</reference>\
<preReference>7</preReference><documentYear>2026</documentYear><sendDate>2026-11-23 10:00:00</sendDate></Subject>\
</Header><Body><Content><AcceptDate>2026-11-23 10:00:00</AcceptDate><Accepter><Organization>Bộ</Organization>\
<Division>Vụ</Division><Name>CÁN BỘ THỬ NGHIỆM 01</Name></Accepter></Content></Body></Envelope>"""


@cache
def key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One key for each name."""
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def name_of(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@cache
def certificate(
    common: str,
    *,
    issuer: str = "",
    days: tuple[int, int] = (-30, 365),
    bits: int = 2048,
    authority: bool = False,
    signs: bool = True,
    says_usage: bool = True,
    path_length: int | None = None,
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
) -> x509.Certificate:
    """A certificate of `common`, self-signed or by `issuer`; `days` is its validity around `AT`."""
    mine, over = key(common, bits), key(issuer or common, bits)
    usage = x509.KeyUsage(signs, False, not signs, False, False, authority, False, False, False)
    made = (
        x509.CertificateBuilder()
        .subject_name(name_of(common))
        .issuer_name(name_of(issuer or common))
        .public_key(mine.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(AT + timedelta(days=days[0]))
        .not_valid_after(AT + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
    )
    if says_usage:
        made = made.add_extension(usage, critical=True)
    if purposes:
        made = made.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return made.sign(over, hashes.SHA256())


TEMPLATE = """<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>
<CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
<Reference URI=""><Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></Transforms>
<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue/></Reference></SignedInfo>
<SignatureValue/><KeyInfo><X509Data><X509Certificate/></X509Data></KeyInfo></Signature>"""
"""A signature of the profile, to be filled in by `xmlsec1`."""


def signer(common: str = "Bộ thử nghiệm", *, bits: int = 2048, **how: Any) -> Signer:
    """A signer with a certificate made for it."""
    return Signer(certificate(common, bits=bits, **how), key(common, bits))


def signed(by: Signer | None = None, message: str = MESSAGE) -> bytes:
    """The message signed by us."""
    root = etree.fromstring(message)
    (by or signer()).sign(root)
    return etree.tostring(root)


def write_pem(folder: Path, by: Signer) -> tuple[Path, Path]:
    """Certificate and key as PEM files."""
    where = folder / "certificate.pem", folder / "key.pem"
    where[0].write_bytes(by.certificate.public_bytes(Encoding.PEM))
    where[1].write_bytes(by.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return where


class XmlSec:
    """The foreign implementation, by its command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sign(self, message: str, by: Signer, template: str = TEMPLATE) -> bytes:
        """Put a signature at the end of a message."""
        certificate_file, key_file = write_pem(self.folder, by)
        source, result = self.folder / "template.xml", self.folder / "signed.xml"
        source.write_text(message.replace("</Envelope>", template + "</Envelope>"), "utf-8")
        self._run("--sign", "--privkey-pem", f"{key_file},{certificate_file}", "--output", str(result), str(source))
        return result.read_bytes()

    def verifies(self, document: bytes, by: Signer) -> bool:
        """Whether it takes a document for signed by the holder of that certificate."""
        certificate_file, _ = write_pem(self.folder, by)
        source = self.folder / "document.xml"
        source.write_bytes(document)
        key_of = ("--pubkey-cert-pem", str(certificate_file))
        return self._run("--verify", *key_of, str(source), check=False).returncode == 0

    def _run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["xmlsec1", *arguments], check=check, capture_output=True, timeout=20)
