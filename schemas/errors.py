"""Every error the gateway raises, named by what the caller does next."""

from __future__ import annotations


class GatewayError(Exception):
    """Root of all errors raised on purpose; anything else that escapes is a bug."""


class ConfigError(GatewayError):
    """Configuration or mapping files are wrong: stop at start-up and list every problem."""

    def __init__(self, problems: list[str] | tuple[str, ...] | str) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class RecordInvalidError(GatewayError):
    """One record cannot be read: quarantine it with the reason, go on with the page.

    `reason` names fields and rules, never values.
    """

    def __init__(self, reason: str, *, field: str = "") -> None:
        self.reason = reason
        self.field = field
        super().__init__(reason)


class NotSendableError(GatewayError):
    """A record cannot be written in the portal's words yet: a required value is missing (I11).

    The lane waits; nothing is invented. `missing` holds canonical paths.
    """

    def __init__(self, reason: str, *, missing: tuple[str, ...] = ()) -> None:
        self.reason = reason
        self.missing = missing
        super().__init__(reason)


class PortalError(GatewayError):
    """A portal did not do what was asked. Raise a subclass.

    Args:
        portal: Name of the portal in `config.yaml`.
        reason: Short, fixed words without personal data, secrets or bodies.
        excerpt: At most 2,000 characters of the answer, already redacted.
        sent: Whether the first byte may have left; only meaningful for writes.
    """

    def __init__(
        self,
        portal: str,
        reason: str,
        *,
        status: int | None = None,
        code: str = "",
        excerpt: str = "",
        retry_after_s: float | None = None,
        sent: bool = True,
    ) -> None:
        self.portal = portal
        self.reason = reason
        self.status = status
        self.code = code
        self.excerpt = excerpt
        self.retry_after_s = retry_after_s
        self.sent = sent
        super().__init__(f"{portal}: {reason}")


class PortalUnavailableError(PortalError):
    """Try again later: refused connection, time-out, 429, 5xx. May carry `retry_after_s`."""


class PortalRefusedError(PortalError):
    """A parsed no, in words or codes of the portal's table; retry only if its table says so."""


class PortalAuthError(PortalRefusedError):
    """The portal does not accept our login, after one refresh: one alarm, no lock-out."""


class PortalContractError(PortalError):
    """The answer is not what the contract promises. Reads: retry. Writes: outcome unknown."""


class StoreError(GatewayError):
    """The store cannot be written (full, locked, corrupt): stop writing and say so."""


class EvidenceBrokenError(GatewayError):
    """The evidence log does not verify: stop sealing, keep exchanging, call someone."""
