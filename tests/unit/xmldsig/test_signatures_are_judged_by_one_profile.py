"""Good signatures are believed, ours by `xmlsec1` too; every forged or broken one is refused by its own name."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree

from adapters.xmldsig import SignatureRefusedError, Signer, Trust, is_signed, read_certificates, verify
from adapters.xmldsig.names import DS, ENVELOPED, EXCLUSIVE, RSA_SHA1, RSA_SHA256, SHA1, SHA256, XSLT, exclusive
from schemas.errors import ConfigError
from tests.unit.xmldsig.makers import AT, MESSAGE, TEMPLATE, XmlSec, certificate, signed, signer, write_pem

GOOD = signer()
PINNED = Trust(pinned=(GOOD.certificate,))
AUTHORITY = certificate("Chứng thực thử nghiệm", authority=True)
MIDDLE = certificate("Chứng thực cấp hai", issuer="Chứng thực thử nghiệm", authority=True)
UNDER = signer("Bộ dưới chứng thực", issuer="Chứng thực cấp hai")
CHAINED = Trust(authorities=(AUTHORITY, MIDDLE), subjects=("CN=Bộ dưới chứng thực",))
TRANSFORM = f'<Transform Algorithm="{ENVELOPED}"/>'


def edited(*changes: tuple[str, str]) -> bytes:
    """A signed message with text replaced in it; each text must be there."""
    text = signed().decode()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.encode()


def honest(old: str, new: str, *, weak: bool = False) -> bytes:
    """A message whose `SignedInfo` was changed before its owner signed it: only the rule can refuse it."""
    root = etree.fromstring(edited((old, new)))
    value = GOOD.key.sign(exclusive(root[-1][0]), padding.PKCS1v15(), hashes.SHA1() if weak else hashes.SHA256())  # noqa: S303
    root[-1][1].text = base64.b64encode(value).decode()
    return etree.tostring(root)


def part(name: str) -> str:
    """One part of the good message's signature, as text."""
    _, tag, after = signed().decode().partition("<Signature ")
    found = re.search(f"<{name}[ >].*</{name}>", tag + after, re.DOTALL)
    assert found is not None
    return found[0]


def key_info(inside: str) -> bytes:
    return edited((part("KeyInfo"), f"<KeyInfo>{inside}</KeyInfo>"))


SIGNATURE = part("Signature")
REFERENCE = part("Reference")
DIGEST = part("DigestValue").removeprefix("<DigestValue>").removesuffix("</DigestValue>")
ACCEPTED = "<function>21</function>"
REFUSED = "<function>22</function>"
FORGED = MESSAGE.replace(ACCEPTED, REFUSED)
KEY_VALUE = "<KeyValue><RSAKeyValue><Modulus>AQAB</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue>"
HMAC = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"

WRAPPED = {
    "signature moved into the header": (
        "misplaced",
        FORGED.replace("</Header>", SIGNATURE + "</Header>").encode(),
    ),
    "signed message carried in the header of a forged one": (
        "misplaced",
        FORGED.replace("<Header>", "<Header>" + signed().decode()).encode(),
    ),
    "signed message embedded in another envelope": ("misplaced", b"<Envelope>" + signed() + b"</Envelope>"),
    "signed message inside its own signature": (
        "object",
        FORGED.replace(
            "</Envelope>", SIGNATURE.replace("</Signature>", f"<Object>{MESSAGE}</Object></Signature></Envelope>")
        ).encode(),
    ),
    "signature around the message": (
        "enveloping",
        SIGNATURE.replace("</Signature>", f"<Object>{MESSAGE}</Object></Signature>").encode(),
    ),
    "body copied to the header and a forged one put in its place": (
        "digest",
        edited(("<Header>", "<Header><Copy>" + ACCEPTED + "</Copy>"), (f"</type>{ACCEPTED}", f"</type>{REFUSED}")),
    ),
    "two elements under the identifier that was signed": (
        "duplicate_id",
        edited(("<Body>", '<Body Id="x">'), ("<Content>", '<Content ID="x">'), ('URI=""', 'URI="#x"')),
    ),
    "a second signature beside the good one": ("two_signatures", edited(("</Envelope>", SIGNATURE + "</Envelope>"))),
    "a second signature inside the content": ("two_signatures", edited(("<Content>", "<Content>" + SIGNATURE))),
    "a comment inside a signed word": ("comment", edited((ACCEPTED, "<function>2<!-- -->1</function>"))),
    "an instruction inside a signed word": ("comment", edited((ACCEPTED, "<function>2<?a b?>1</function>"))),
    "an instruction before the message": ("comment", b"<?xml-stylesheet href='x'?>" + signed()),
    "a comment behind the message": ("comment", signed() + b"<!-- x -->"),
    "a namespace without a canonical form": ("no_canonical_form", edited(("<Body>", '<Body xmlns:x="relative">'))),
    "a document type that makes an attribute an identifier": (
        "hostile",
        b"<!DOCTYPE Envelope [<!ATTLIST Body wsuId ID #IMPLIED>]>" + signed(),
    ),
    "one attribute twice under two prefixes": (
        "hostile",
        edited(("<Body>", '<Body xmlns:p="urn:a" xmlns:q="urn:a" p:x="1" q:x="2">')),
    ),
    "a document type that defines a word": ("hostile", b'<!DOCTYPE a [<!ENTITY f "22">]>' + signed()),
    "an answer signed for another message": (
        "digest",
        FORGED.replace("</Envelope>", SIGNATURE + "</Envelope>").encode(),
    ),
}
REFERRED = {
    "nothing referred to": ("no_reference", honest(REFERENCE, "")),
    "two things referred to": ("two_references", honest(REFERENCE, REFERENCE + REFERENCE)),
    "a part referred to by its identifier": ("part_only", honest('URI=""', 'URI="#body"')),
    "the root by a pointer": ("part_only", honest('URI=""', 'URI="#xpointer(/)"')),
    "a file outside": ("external", honest('URI=""', 'URI="file:///etc/hostname"')),
    "an address outside": ("external", honest('URI=""', 'URI="http://other.example.invalid/x"')),
    "no word on what is referred to": ("no_uri", honest(' URI=""', "")),
    "a style sheet to run": ("xslt", honest(TRANSFORM, f'{TRANSFORM}<Transform Algorithm="{XSLT}"/>')),
    "a path that leaves the body out": (
        "xpath",
        honest(
            TRANSFORM,
            '<Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><XPath>not(ancestor-or-self::Body)'
            f"</XPath></Transform>{TRANSFORM}",
        ),
    ),
    "a path of the second kind": (
        "xpath",
        honest(TRANSFORM, f'{TRANSFORM}<Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"/>'),
    ),
    "no transform that takes the signature out": ("transforms", honest(TRANSFORM, "")),
    "canonical with comments": (
        "c14n_with_comments",
        honest(f'Method Algorithm="{EXCLUSIVE}"', f'Method Algorithm="{EXCLUSIVE}WithComments"'),
    ),
    "transformed with comments": (
        "c14n_with_comments",
        honest(f'Transform Algorithm="{EXCLUSIVE}"', f'Transform Algorithm="{EXCLUSIVE}WithComments"'),
    ),
    "inclusive canonical form": (
        "c14n",
        honest(f'Method Algorithm="{EXCLUSIVE}"', 'Method Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"'),
    ),
    "a digest cut to eight bits": (
        "parameters",
        honest(f'"{RSA_SHA256}"/>', f'"{RSA_SHA256}"><HMACOutputLength>8</HMACOutputLength></SignatureMethod>'),
    ),
    "a digest with words of its own": ("parameters", honest(f'"{SHA256}"/>', f'"{SHA256}"><Salt/></DigestMethod>')),
    "a manifest, by its type": ("typed_reference", honest('URI=""', f'URI="" Type="{DS}Manifest"')),
    "a digest of another length than named": ("digest", honest(DIGEST, base64.b64encode(bytes(64)).decode())),
    "SHA-1 in the signature": ("sha1_algorithm", honest(RSA_SHA256, RSA_SHA1, weak=True)),
    "SHA-1 in the digest": ("sha1_digest_algorithm", honest(SHA256, SHA1)),
    "a shared secret made of our public key": ("symmetric", honest(RSA_SHA256, HMAC)),
    "an algorithm nobody knows": ("algorithm", honest(RSA_SHA256, "urn:none")),
    "a digest nobody knows": ("digest_algorithm", honest(SHA256, "urn:none")),
    "foreign parts": ("shape", edited(("<SignatureValue>", "<Extra/><SignatureValue>"))),
    "nothing inside": ("shape", edited((SIGNATURE, f'<Signature xmlns="{DS}"/>'))),
}
CHANGED = {
    "no signature": ("unsigned", MESSAGE.encode()),
    "a word changed": ("digest", edited((ACCEPTED, REFUSED))),
    "a blank added": ("digest", edited(("<Body>", "<Body> "))),
    "the digest changed": ("signature_value", edited(("<DigestValue>", "<DigestValue>AAAA"))),
    "the signature value changed": ("signature_value", edited(("<SignatureValue>", "<SignatureValue>AAAA"))),
    "a signature value that is cut by an element": (
        "shape",
        edited(("</SignatureValue>", "<Extra/></SignatureValue>")),
    ),
    "a signature value that is no base64": ("signature_value", edited(("<SignatureValue>", "<SignatureValue>*"))),
    "cut short": ("hostile", signed()[:-20]),
}
HOLDERS = {
    "another partner's certificate": ("untrusted", signed(signer("Bộ khác"))),
    "self-signed under the same name": ("untrusted", signed(signer("Bộ thử nghiệm", signs=True, days=(-31, 365)))),
    "another authority": ("untrusted", signed(signer("Bộ của nơi khác", issuer="Chứng thực lạ"))),
    "a bare key": ("key_value_only", key_info(KEY_VALUE)),
    "a key's name": ("no_certificate", key_info("<KeyName>k</KeyName>")),
    "no word on the key": ("no_certificate", edited((part("KeyInfo"), ""))),
    "two certificates": (
        "two_certificates",
        edited((part("X509Certificate"), part("X509Certificate") + part("X509Certificate"))),
    ),
    "bytes that are no certificate": (
        "unreadable_certificate",
        key_info("<X509Data><X509Certificate>AAAA</X509Certificate></X509Data>"),
    ),
    "good certificate, other key": ("signature_value", signed(Signer(GOOD.certificate, UNDER.key))),
}
FORGERIES = WRAPPED | REFERRED | CHANGED | HOLDERS


@pytest.mark.parametrize("case", FORGERIES)
def test_a_forged_or_broken_message_is_refused_by_its_own_name(case: str) -> None:
    code, document = FORGERIES[case]
    with pytest.raises(SignatureRefusedError) as caught:
        verify(document, PINNED, AT)
    assert caught.value.code == code
    assert "CÁN BỘ" not in caught.value.reason


def test_at_least_twenty_reasons_are_told_apart() -> None:
    assert len({code for code, _ in FORGERIES.values()}) >= 20


EXPIRED = signer("Đã hết hạn", days=(-60, -1))
EARLY = signer("Chưa có hiệu lực", days=(1, 60))
SMALL = signer("Khóa ngắn", bits=1024)
ENCIPHERS = signer("Chỉ mã hóa", issuer="Chứng thực thử nghiệm", signs=False)
NEIGHBOUR = signer("Bộ bên cạnh", issuer="Chứng thực thử nghiệm")
BY_HOLDER = signer("Bộ nhái", issuer="Bộ dưới chứng thực")
SERVES = signer(
    "Máy chủ của Bộ",
    issuer="Chứng thực thử nghiệm",
    purposes=(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CODE_SIGNING),
)
MAILS = signer("Bộ gửi thư", issuer="Chứng thực thử nghiệm", purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,))
LAST = certificate("Chứng thực cuối", issuer="Chứng thực thử nghiệm", authority=True, path_length=0)
BEYOND = certificate("Chứng thực vượt", issuer="Chứng thực cuối", authority=True)
BY_BEYOND = signer("Bộ dưới chứng thực vượt", issuer="Chứng thực vượt")
BY_LAST = signer("Bộ dưới chứng thực cuối", issuer="Chứng thực cuối")
SILENT = signer("Bộ không nói công dụng", issuer="Chứng thực cấp hai", says_usage=False)
BY_SILENT = signer("Bộ nhái", issuer="Bộ không nói công dụng")


@pytest.mark.parametrize(
    ("code", "by", "trust"),
    [
        ("expired", EXPIRED, Trust(pinned=(EXPIRED.certificate,))),
        ("not_yet_valid", EARLY, Trust(pinned=(EARLY.certificate,))),
        ("weak_key", SMALL, Trust(pinned=(SMALL.certificate,))),
        ("wrong_usage", ENCIPHERS, CHAINED),
        ("other_subject", NEIGHBOUR, CHAINED),
        ("wrong_purpose", SERVES, Trust(authorities=(AUTHORITY,), subjects=("CN=Máy chủ của Bộ",))),
        (
            "chain_too_long",
            BY_BEYOND,
            Trust(authorities=(AUTHORITY, LAST, BEYOND), subjects=("CN=Bộ dưới chứng thực vượt",)),
        ),
        (
            "untrusted",
            BY_HOLDER,
            Trust(authorities=(*CHAINED.authorities, UNDER.certificate), subjects=("CN=Bộ nhái",)),
        ),
        ("untrusted", BY_SILENT, Trust(authorities=(AUTHORITY, MIDDLE, SILENT.certificate), subjects=("CN=Bộ nhái",))),
        ("untrusted", UNDER, Trust(authorities=(MIDDLE,), subjects=CHAINED.subjects)),
        ("untrusted", GOOD, Trust()),
    ],
)
def test_a_certificate_that_is_not_believed_refuses_the_message(code: str, by: Signer, trust: Trust) -> None:
    with pytest.raises(SignatureRefusedError) as caught:
        verify(signed(by), trust, AT)
    assert caught.value.code == code


def test_an_authority_that_has_expired_vouches_for_nobody() -> None:
    with pytest.raises(SignatureRefusedError) as caught:
        verify(signed(UNDER), CHAINED, AT + timedelta(days=400))
    assert caught.value.code == "expired"


@pytest.mark.parametrize(
    ("by", "trust"),
    [
        (GOOD, PINNED),
        (UNDER, CHAINED),
        (MAILS, Trust(authorities=(AUTHORITY,), subjects=("CN=Bộ gửi thư",))),
        (BY_LAST, Trust(authorities=(AUTHORITY, LAST), subjects=("CN=Bộ dưới chứng thực cuối",))),
    ],
    ids=["pinned", "under a configured authority", "for mail, too", "under the last authority of a chain"],
)
def test_our_own_signature_is_believed_and_equal_every_time(by: Signer, trust: Trust) -> None:
    document = signed(by)
    assert document == signed(by)
    assert is_signed(etree.fromstring(document))
    believed = verify(document, trust, AT)
    assert believed.document == MESSAGE.encode()
    assert believed.root.findtext("Body/Content/Accepter/Name") == "CÁN BỘ THỬ NGHIỆM 01"
    assert len(believed.signed_by) == 64


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE,
        '<?xml version="1.0" encoding="UTF-8"?>\n' + MESSAGE.replace("><", ">\n  <"),
        MESSAGE.replace("<Body>", '<Body xmlns:x="urn:x" b="2" a="1">').replace("Vụ", "Vụ &amp; &lt;Cục&gt; 𠀋"),
    ],
    ids=["plain", "with line breaks and prolog", "with namespaces and signs"],
)
@pytest.mark.parametrize(("by", "trust"), [(GOOD, PINNED), (UNDER, CHAINED)], ids=["pinned", "authority"])
def test_what_xmlsec1_signs_is_believed(xmlsec: XmlSec, message: str, by: Signer, trust: Trust) -> None:
    believed = verify(xmlsec.sign(message, by), trust, AT)
    assert believed.root.findtext("Header/Subject/function") == "21"
    assert believed.root.find(f"{{{DS}}}Signature") is None


SPELLED = (
    TEMPLATE.replace("<Signature xmlns=", "<Signature xmlns:ds=")
    .replace("<", "<ds:")
    .replace("<ds:/", "</ds:")
    .replace("\n", "\n\t ")
    .replace("<ds:Signature ", "<ds:Signature Id='S-1' ")
    .replace("<ds:X509Data>", "<ds:KeyName/><ds:KeyValue/><ds:X509Data><ds:X509SubjectName/><ds:X509IssuerSerial/>")
)
ODD = MESSAGE.replace("Vụ", "<![CDATA[V<ụ> & c]]>").replace("Bộ</Org", "B&#x1ED9; &quot;&#13;</Org")


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE.replace("<Header>", SPELLED + "<Header>"),
        MESSAGE.replace("</Header>", "</Header>\n\t" + SPELLED),
        ODD.replace("</Envelope>", SPELLED + "</Envelope>"),
        "\ufeff<?xml version='1.0' encoding='utf-8' standalone='yes'?>\r\n"
        + MESSAGE.replace("><", ">\r\n<").replace("</Envelope>", SPELLED + "\r\n</Envelope>"),
        MESSAGE.replace("<Envelope>", f"<Envelope xmlns:z='urn:z'  xmlns:ds='{DS}' >").replace(
            "</Envelope>", SPELLED + "</Envelope >"
        ),
    ],
    ids=["first", "in the middle", "CDATA and references", "mark, prolog and line ends", "names at the root"],
)
def test_what_xmlsec1_signs_in_another_spelling_is_believed(xmlsec: XmlSec, message: str) -> None:
    believed = verify(xmlsec.sign(message, GOOD, ""), PINNED, AT)
    assert believed.root.findtext("Header/Subject/function") == "21"
    division = believed.root.findtext("Body/Content/Accepter/Division")
    assert division == ("V<ụ> & c" if "CDATA" in message else "Vụ")


def test_what_we_sign_is_believed_by_xmlsec1(xmlsec: XmlSec) -> None:
    assert xmlsec.verifies(signed(), GOOD)
    assert not xmlsec.verifies(edited((ACCEPTED, REFUSED)), GOOD)
    assert not xmlsec.verifies(signed(), UNDER)


def test_sha_1_is_believed_by_the_partners_switch_only(xmlsec: XmlSec) -> None:
    weak = TEMPLATE.replace(RSA_SHA256, RSA_SHA1).replace(SHA256, SHA1)
    document = xmlsec.sign(MESSAGE, GOOD, weak)
    with pytest.raises(SignatureRefusedError):
        verify(document, PINNED, AT)
    assert verify(document, Trust(pinned=PINNED.pinned, allow_sha1=True), AT).root.tag == "Envelope"


def test_keys_and_certificates_are_read_from_files_or_named_in_the_problem(tmp_path: Path) -> None:
    certificate_file, key_file = write_pem(tmp_path, GOOD)
    assert Signer.of(certificate_file, key_file).certificate == GOOD.certificate
    assert read_certificates(certificate_file) == (GOOD.certificate,)
    empty, other, curve = tmp_path / "empty.pem", tmp_path / "other", tmp_path / "curve.pem"
    empty.write_bytes(b"")
    other.mkdir()
    _, other_key = write_pem(other, UNDER)
    elliptic = ec.generate_private_key(ec.SECP256R1())
    curve.write_bytes(elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    missing = tmp_path / "none.pem"
    for held, opened in [(empty, key_file), (missing, key_file), (certificate_file, missing)]:
        with pytest.raises(ConfigError):
            Signer.of(held, opened)
    for wrong in (empty, other_key, curve):
        with pytest.raises(ConfigError, match=wrong.name):
            Signer.of(certificate_file, wrong)
