"""Where secrets come from: a file only its owner may read, else the process's environment; read at each use.

So a password that was changed at a portal is put right by editing one file, without a restart.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from gateway.language import t
from schemas.errors import ConfigError
from schemas.settings import resolve_secret


class Secrets:
    """Resolves `${NAME}`. Thread-safe: nothing is kept between two uses."""

    def __init__(self, file: str = "", environ: Mapping[str, str] | None = None) -> None:
        self._file = Path(file) if file else None
        self._environ = environ

    def resolve(self, reference: str) -> str:
        """The secret behind `${NAME}`.

        Raises:
            KeyError: It is not set; the error carries its name, never a value.
            ConfigError: The file cannot be read, or others may read it.
        """
        held = read_file(self._file) if self._file else {}
        environ = os.environ if self._environ is None else self._environ
        return resolve_secret(reference, held if reference[2:-1] in held else environ)

    def values(self) -> Mapping[str, str]:
        """All that may be referred to, by name."""
        environ = os.environ if self._environ is None else self._environ
        return {**environ, **read_file(self._file)} if self._file else environ


def read_file(path: Path) -> dict[str, str]:
    """NAME=value lines; `#` begins a comment line; quotes around a value are taken off.

    Raises:
        ConfigError: The file cannot be read, or group or others may read it.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            t(f"{path.name}: cannot be read ({type(error).__name__})", f"{path.name}: không đọc được")
        ) from None
    if mode & 0o077:
        raise ConfigError(
            t(
                f"{path.name}: has mode {mode:04o}, so others may read secrets; run chmod 600 on it",
                f"{path.name}: có quyền {mode:04o}, người khác đọc được mật khẩu; hãy chạy chmod 600",
            )
        )
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip().removeprefix("export "): _bare(value.strip()) for name, _, value in pairs}


def _bare(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
