"""What the exit code of `lienthong` says; scripts and cron may rely on it (docs/operating.md)."""

from enum import IntEnum


class ExitCode(IntEnum):
    """One number per thing the caller does next; a number is never given a second meaning."""

    OK = 0
    """Done; for `status`: calm."""
    ERROR = 1
    """Not done; the reason is on standard error."""
    USAGE = 2
    """The command was not understood."""
    SOON = 3
    """A person should look soon."""
    NOW = 4
    """A person should look now."""
    CONFIG = 5
    """The configuration or the environment is wrong; nothing was started."""
