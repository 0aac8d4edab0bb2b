"""TLS as we serve it: our certificate, and whose client certificates are believed."""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass
from pathlib import Path

from gateway.access.revocation import Revocations, read_lists
from gateway.config import TlsConfig
from gateway.language import t
from gateway.log import get_logger
from schemas.errors import ConfigError

log = get_logger()

Marks = tuple[tuple[int, int, int], ...]
"""Of each file its inode, size and time of change: what differs when it was written anew."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What connections are met with: a context, and the lists of what was taken back."""

    context: ssl.SSLContext
    revocations: Revocations


class TlsFiles:
    """The TLS files as they are now. What cannot be used is said once, and what was read before stays in force.

    Raises:
        ConfigError: They cannot be used at the start, when nothing was read before.
    """

    def __init__(self, tls: TlsConfig) -> None:
        self._tls = tls
        self._marks = self._seen = _marks(tls)
        self.now = read(tls)

    def look(self) -> bool:
        """Read the files if one was written since; says whether other ones are in force now.

        They are read once two looks found the same: who renews writes certificate and key one after the other.
        What could not be opened for want of file handles is tried again at the next look.
        """
        marks, seen = _marks(self._tls), self._seen
        self._seen = marks
        if marks == self._marks or marks != seen:
            return False
        try:
            self.now = read(self._tls)
        except ConfigError as error:
            event = "tls_reload_delayed"
            if not _is_short_of_handles(error):
                self._marks, event = marks, "tls_refused"
            log.error(event, reason="; ".join(error.problems))
            return False
        self._marks = marks
        log.info("tls_reloaded", revocation_lists=len(self.now.revocations.all()))
        return True


def read(tls: TlsConfig) -> Tls:
    """Read all files.

    Raises:
        ConfigError: One cannot be used, or key and certificate do not belong together.
    """
    return Tls(context_of(tls), _revocations(tls))


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
        raise _unusable(error) from error
    return context


def _revocations(tls: TlsConfig) -> Revocations:
    try:
        return read_lists(tls.revocation_lists, tls.client_authorities)
    except (OSError, ValueError) as error:
        raise _unusable(error) from error


def _unusable(error: OSError | ValueError) -> ConfigError:
    said = error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
    return ConfigError(
        [
            t(
                f"server.tls: certificate, key or client_authorities cannot be used ({said})",
                f"server.tls: không dùng được certificate, key hoặc client_authorities ({said})",
            )
        ]
    )


def _is_short_of_handles(error: ConfigError) -> bool:
    """Whether it is the process that could not open a file, not the file that cannot be used."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def _marks(tls: TlsConfig) -> Marks:
    names = (tls.certificate, tls.key, tls.client_authorities, *tls.revocation_lists)
    return tuple(_mark(Path(name)) for name in names if name)


def _mark(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _no_password() -> str:
    """A key with a password would stop the start and wait for a person; say so instead."""
    raise ValueError(t("the key has a password", "khoá có mật khẩu"))
