"""Whether messages to and from one partner are signed, and how that is kept up.

`none`: neither side signs, as attested. `sign`: we sign, and a signature that comes must hold. `sign+require`: we sign,
and what comes unsigned is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography import x509
from lxml import etree

from adapters.base import Signed
from adapters.nsw.envelope import Message, message_of, read
from adapters.nsw.options import Signatures
from adapters.xml import DEFAULT_LIMITS, Limits, is_escaped_twice, parse, unwrapped
from adapters.xmldsig import Signer, Trust, is_signed, read_certificates, verify
from schemas.errors import ConfigError

_NOBODY = Trust()


@dataclass(frozen=True, slots=True)
class Signing:
    """One partner's mode with our key and his certificates; thread-safe."""

    mode: str = "none"
    signer: Signer | None = None
    trust: Trust = _NOBODY

    @classmethod
    def of(cls, options: Signatures, secret: Callable[[str], str]) -> Signing:
        """Read the files that the options name.

        Raises:
            ConfigError: One cannot be used.
        """
        if options.mode == "none":
            return cls()
        password = secret(options.key_password) if options.key_password else ""
        try:
            signer = Signer.of(Path(options.certificate), Path(options.key), password)
            trust = Trust(_all(options.pinned), _all(options.authorities), options.subjects, options.allow_sha1)
        except ConfigError as error:
            raise ConfigError([f"signatures: {problem}" for problem in error.problems]) from error
        return cls(options.mode, signer, trust)

    def sealed(self, text: str) -> str:
        """A message as it is sent: signed, where this partner's messages are; equal text for equal text."""
        if self.signer is None or not text:
            return text
        root = etree.fromstring(text)
        self.signer.sign(root)
        return etree.tostring(root, encoding="unicode")

    def opened(self, text: str, at: datetime, limits: Limits = DEFAULT_LIMITS) -> Message:
        """Read a message that came, from the verified part of it only.

        Raises:
            SignatureRefusedError: It is not signed as this partner's must be.
            RecordInvalidError: Not a message, or signed where nothing is.
        """
        if self.mode == "none":
            return read(text, limits)
        document = unwrapped(text, limits)
        root = parse(document, limits)
        if self.mode == "sign" and not is_signed(root):
            return message_of(root, escaped_twice=is_escaped_twice(text))
        held = verify(document, self.trust, at, limits)
        message = message_of(held.root, escaped_twice=is_escaped_twice(text))
        return replace(message, signed=Signed(document, held.certificate, held.holder, held.algorithm, at))


def _all(paths: tuple[str, ...]) -> tuple[x509.Certificate, ...]:
    return tuple(certificate for path in paths for certificate in read_certificates(Path(path)))
