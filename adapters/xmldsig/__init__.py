"""Signed XML messages by one narrow profile: written by one rule, everything else refused by its own name.

The profile (ministry.md 10.2): one enveloped `Signature` that is a child of the root, one reference with an empty URI,
exclusive C14N without comments, RSA-SHA256, SHA-256, and the end certificate in `X509Data`. What does not look exactly
so is refused before any key is used, and only the bytes that were hashed are given back (zeep.md 2.8).
"""

from adapters.xmldsig.names import SignatureRefusedError
from adapters.xmldsig.sign import Signer
from adapters.xmldsig.trust import Trust, read_certificates
from adapters.xmldsig.verify import Verified, is_signed, verify

__all__ = ["SignatureRefusedError", "Signer", "Trust", "Verified", "is_signed", "read_certificates", "verify"]
