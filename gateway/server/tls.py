"""TLS as we serve it: our certificate, and whose client certificates are believed."""

from __future__ import annotations

import ssl

from gateway.config import TlsConfig
from gateway.language import t
from schemas.errors import ConfigError


def context_of(tls: TlsConfig) -> ssl.SSLContext:
    """TLS 1.2 or newer. A client certificate is asked for where authorities are named; who must show one, access says.

    A partner's own certificate may stand among the authorities: then it alone is believed, not what its issuer signs.

    Raises:
        ConfigError: A file cannot be read, or key and certificate do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
        if tls.client_authorities:
            context.load_verify_locations(tls.client_authorities)
            context.verify_mode = ssl.CERT_OPTIONAL
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    except (OSError, ValueError) as error:
        said = error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
        raise ConfigError(
            [
                t(
                    f"server.tls: certificate, key or client_authorities cannot be used ({said})",
                    f"server.tls: không dùng được certificate, key hoặc client_authorities ({said})",
                )
            ]
        ) from None
    return context


def _no_password() -> str:
    """A key with a password would stop the start and wait for a person; say so instead."""
    raise ValueError(t("the key has a password", "khoá có mật khẩu"))
