"""Names of the XML signature standard, and the one refusal everything here ends in."""

from __future__ import annotations

from lxml import etree

from schemas.errors import RecordInvalidError

DS = "http://www.w3.org/2000/09/xmldsig#"
ENVELOPED = DS + "enveloped-signature"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
RSA_SHA1 = DS + "rsa-sha1"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA1 = DS + "sha1"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
XPATH = ("http://www.w3.org/TR/1999/REC-xpath-19991116", "http://www.w3.org/2002/06/xmldsig-filter2")


class SignatureRefusedError(RecordInvalidError):
    """A signature that does not hold, or is not of our profile: refuse the message, call someone.

    `code` names the reason for machines; `reason` holds fixed words, never values of the message.
    """

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(f"signature: {reason}")


def ds(name: str) -> str:
    """A name of the signature namespace as lxml spells it."""
    return f"{{{DS}}}{name}"


def exclusive(element: etree._Element) -> bytes:
    """Exclusive canonical XML 1.0 of an element and all below it, without comments.

    Raises:
        SignatureRefusedError: It has no canonical form, as with a namespace that is a relative address.
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=False, with_tail=False)
    except etree.C14NError:
        raise SignatureRefusedError("no_canonical_form", "the message has no canonical form") from None


def without_signature(root: etree._Element, signature: etree._Element) -> None:
    """Take the signature out of its parent; the text behind it belongs to the parent and stays."""
    before = signature.getprevious()
    tail = signature.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        root.text = (root.text or "") + tail
    root.remove(signature)
