"""Verifying: the shape first, then the certificate, then the two numbers; and only what was hashed is given back.

No identifier of the document is ever resolved and no transform is ever run, so there is nothing to wrap or to smuggle:
what was signed is the document without its signature, or the message is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from adapters.xml import DEFAULT_LIMITS, Limits, parse
from adapters.xmldsig.holder import holder_of
from adapters.xmldsig.names import (
    DS,
    ENVELOPED,
    EXCLUSIVE,
    RSA_SHA1,
    RSA_SHA256,
    SHA1,
    SHA256,
    XPATH,
    XSLT,
    SignatureRefusedError,
    ds,
    exclusive,
    without_signature,
)
from adapters.xmldsig.trust import Trust, believed_key, der
from schemas.errors import RecordInvalidError

_ID_NAMES = frozenset({"id", "xml:id"})


@dataclass(frozen=True, slots=True)
class Verified:
    """A message whose signature held: `root` is parsed from the very bytes that were hashed, without the signature.

    `certificate` is the signer's (DER), `holder` its name where that is no person's; `algorithm` the method's URI.
    """

    root: etree._Element = field(repr=False)
    document: bytes = field(repr=False)
    certificate: bytes = field(default=b"", repr=False)
    holder: str = ""
    algorithm: str = ""

    @property
    def signed_by(self) -> str:
        """SHA-256 of the signer's certificate, in hexadecimal digits."""
        return hashlib.sha256(self.certificate).hexdigest()


def verify(document: bytes, trust: Trust, at: datetime, limits: Limits = DEFAULT_LIMITS) -> Verified:
    """Judge a signed document.

    Args:
        document: UTF-8 bytes as they came.
        trust: Whose signatures are believed.
        at: The instant that certificates must be valid at.
        limits: How large it may be.

    Raises:
        SignatureRefusedError: With the code of the first reason found.
    """
    try:
        root = parse(document, limits, keep_comments=True)
    except RecordInvalidError as error:
        raise SignatureRefusedError("hostile", error.reason) from None
    signature = _only_signature(root)
    info, value, key_info = _parts(signature)
    method, reference = _signed_info(info)
    hashed_with = _hash(method, RSA_SHA256, RSA_SHA1, trust, "algorithm")
    digest_with, digest = _reference(reference, trust)
    certificate = _certificate(key_info)
    key = believed_key(certificate, trust, at)
    try:
        key.verify(_decoded(value, "signature_value"), exclusive(info), padding.PKCS1v15(), hashed_with)
    except InvalidSignature:
        raise SignatureRefusedError("signature_value", "the signature value is not the signer's") from None
    without_signature(root, signature)
    signed = exclusive(root)
    if not hmac.compare_digest(hashlib.new(digest_with.name, signed).digest(), digest):
        raise SignatureRefusedError("digest", "the message is not the one that was signed")
    return Verified(parse(signed, limits), signed, der(certificate), holder_of(certificate), method)


def is_signed(root: etree._Element) -> bool:
    """Whether a signature stands anywhere in a document."""
    return next(root.iter(ds("Signature")), None) is not None


def _only_signature(root: etree._Element) -> etree._Element:
    """The one signature, a child of the root; whatever could make two readers see two documents is refused."""
    if root.tag == ds("Signature"):
        raise SignatureRefusedError("enveloping", "the signature is the document, not a part of it")
    found = list(root.iter(ds("Signature")))
    if not found:
        raise SignatureRefusedError("unsigned", "there is none")
    if len(found) > 1:
        raise SignatureRefusedError("two_signatures", "there is more than one")
    (signature,) = found
    if signature.getparent() is not root:
        raise SignatureRefusedError("misplaced", "it is not a child of the root")
    beside = root.getprevious() is not None or root.getnext() is not None
    if beside or any(not isinstance(node.tag, str) for node in root.iter()):
        raise SignatureRefusedError("comment", "a comment or instruction stands in the message")
    names = [value for node in root.iter() for name, value in node.attrib.items() if _is_id(str(name))]
    if len(set(names)) < len(names):
        raise SignatureRefusedError("duplicate_id", "two elements have one identifier")
    return signature


def _is_id(name: str) -> bool:
    return etree.QName(name).localname.lower() in _ID_NAMES


def _parts(signature: etree._Element) -> tuple[etree._Element, etree._Element, etree._Element | None]:
    names = [etree.QName(child).localname if _is_ds(child) else "" for child in signature]
    if "Object" in names:
        raise SignatureRefusedError("object", "it carries an object of its own")
    if names == ["SignedInfo", "SignatureValue"]:
        return signature[0], signature[1], None
    if names != ["SignedInfo", "SignatureValue", "KeyInfo"]:
        raise SignatureRefusedError("shape", "it has other parts than the profile's")
    return signature[0], signature[1], signature[2]


def _signed_info(info: etree._Element) -> tuple[str, etree._Element]:
    """The signature algorithm and the one reference."""
    parts = list(info)
    if [child.tag for child in parts[:2]] != [ds("CanonicalizationMethod"), ds("SignatureMethod")]:
        raise SignatureRefusedError("shape", "it has other parts than the profile's")
    canonical, method, *references = parts
    _check_canonicalisation(canonical)
    _check_bare(method)
    if not references:
        raise SignatureRefusedError("no_reference", "it refers to nothing")
    if len(references) > 1:
        raise SignatureRefusedError("two_references", "it refers to more than one thing")
    if references[0].tag != ds("Reference"):
        raise SignatureRefusedError("shape", "it has other parts than the profile's")
    return method.get("Algorithm", ""), references[0]


def _check_canonicalisation(element: etree._Element) -> None:
    algorithm = element.get("Algorithm", "")
    if algorithm.endswith("WithComments"):
        raise SignatureRefusedError("c14n_with_comments", "it canonicalises with comments")
    if algorithm != EXCLUSIVE or len(element):
        raise SignatureRefusedError("c14n", "it canonicalises in another way than the profile's")


def _check_bare(method: etree._Element) -> None:
    """No parameters, such as the length a shared-key digest is cut to."""
    if len(method) and "hmac" not in method.get("Algorithm", ""):
        raise SignatureRefusedError("parameters", "an algorithm comes with parameters of its own")


def _hash(algorithm: str, strong: str, weak: str, trust: Trust, code: str) -> hashes.HashAlgorithm:
    if algorithm == strong:
        return hashes.SHA256()
    if algorithm == weak:
        if trust.allow_sha1:
            return hashes.SHA1()  # noqa: S303 - by the operator's switch for this partner only
        raise SignatureRefusedError(f"sha1_{code}", "it uses SHA-1")
    if "hmac" in algorithm:
        raise SignatureRefusedError("symmetric", "it is made with a shared key, not with a certificate's")
    raise SignatureRefusedError(code, "it uses an algorithm that is not allowed")


def _reference(reference: etree._Element, trust: Trust) -> tuple[hashes.HashAlgorithm, bytes]:
    """How and what the whole document was hashed to."""
    uri = reference.get("URI")
    if uri is None:
        raise SignatureRefusedError("no_uri", "it does not say what it refers to")
    if uri.startswith("#"):
        raise SignatureRefusedError("part_only", "it refers to a part of the document")
    if uri:
        raise SignatureRefusedError("external", "it refers to something outside the document")
    if [child.tag for child in reference] != [ds("Transforms"), ds("DigestMethod"), ds("DigestValue")]:
        raise SignatureRefusedError("shape", "it has other parts than the profile's")
    if reference.get("Type") is not None:
        raise SignatureRefusedError("typed_reference", "it says that it refers to something of another type")
    transforms, method, value = reference
    _check_transforms(transforms)
    _check_bare(method)
    return _hash(method.get("Algorithm", ""), SHA256, SHA1, trust, "digest_algorithm"), _decoded(value, "digest")


def _check_transforms(transforms: etree._Element) -> None:
    algorithms = [child.get("Algorithm", "") for child in transforms]
    if XSLT in algorithms:
        raise SignatureRefusedError("xslt", "it wants to run a style sheet")
    if any(algorithm in XPATH for algorithm in algorithms):
        raise SignatureRefusedError("xpath", "it chooses parts of the document by a path")
    if EXCLUSIVE + "WithComments" in algorithms:
        raise SignatureRefusedError("c14n_with_comments", "it canonicalises with comments")
    if algorithms != [ENVELOPED, EXCLUSIVE] or any(len(child) for child in transforms):
        raise SignatureRefusedError("transforms", "it transforms the document in another way than the profile's")


def _certificate(key_info: etree._Element | None) -> x509.Certificate:
    """The end certificate; other hints in `KeyInfo` are not looked at, because nothing vouches for them."""
    found = key_info.findall(f"{ds('X509Data')}/{ds('X509Certificate')}") if key_info is not None else []
    if len(found) > 1:
        raise SignatureRefusedError("two_certificates", "it names more than one certificate")
    if not found:
        if key_info is not None and key_info.find(ds("KeyValue")) is not None:
            raise SignatureRefusedError("key_value_only", "it brings a bare key, for which nobody vouches")
        raise SignatureRefusedError("no_certificate", "it names no certificate")
    try:
        return x509.load_der_x509_certificate(_decoded(found[0], "unreadable_certificate"))
    except ValueError:
        raise SignatureRefusedError("unreadable_certificate", "the certificate cannot be read") from None


def _decoded(element: etree._Element, code: str) -> bytes:
    if len(element):
        raise SignatureRefusedError("shape", "a value of it is cut by other elements")
    text = "".join((element.text or "").split())
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SignatureRefusedError(code, "a value of it is not base64") from None


def _is_ds(element: etree._Element) -> bool:
    return etree.QName(element).namespace == DS
