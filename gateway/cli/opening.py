"""What most verbs share: which configuration, how to print, who acts, and the opened gateway."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from gateway import log
from gateway.bootstrap import Gateway, open_gateway
from gateway.cli.language import t
from gateway.config import Config
from gateway.config_file import load
from schemas.errors import GatewayError

DEFAULT_CONFIG = Path("config.yaml")

ConfigPath: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        envvar="LIENTHONG_CONFIG",
        help=t("The configuration file.", "Tệp cấu hình."),
        show_default=True,
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help=t("Print JSON.", "In ra JSON."))]
Actor: TypeAlias = Annotated[
    str, typer.Option("--actor", help=t("Who does this, for the log.", "Người thực hiện, ghi vào nhật ký."))
]
PortalName: TypeAlias = Annotated[str, typer.Argument(help=t("Name of a portal.", "Tên cổng."), show_default=False)]


class NotThereError(GatewayError):
    """What was named on the command line does not exist."""


def this_person() -> str:
    """The person at the keyboard, also behind sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


@contextmanager
def opened(path: Path, *, calls: bool = True) -> Iterator[Gateway]:
    """The gateway over a checked configuration; closed at the end. Only a verb that `calls` portals needs secrets."""
    with log.warnings_only(), open_gateway(load(path, secrets=calls)) as gateway:
        yield gateway


def codes(gateway: Gateway, dossier_ids: Iterable[str]) -> dict[str, str]:
    """What people call each dossier: the national number, else the code; our own id where it has neither."""
    wanted = list(dossier_ids)
    rows = gateway.store.read(lambda tx: tx.dossiers(wanted))
    return {one: (rows[one].national_code or rows[one].dossier_code or one) if one in rows else one for one in wanted}


def chosen(config: Config, names: list[str]) -> list[str]:
    """The named portals, or all; an unknown name is said with those there are."""
    for name in names:
        if name not in config.portals:
            there = ", ".join(sorted(config.portals))
            raise NotThereError(
                t(f"there is no portal '{name}' (there are: {there})", f"không có cổng '{name}' (hiện có: {there})")
            )
    return names or list(config.portals)
