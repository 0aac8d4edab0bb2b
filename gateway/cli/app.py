"""The command `lienthong`: the root of the command line."""

from typing import Annotated, Any, NoReturn

import typer

from gateway import __version__
from gateway.cli.exit_codes import ExitCode
from gateway.cli.failures import report
from gateway.cli.language import t
from gateway.cli.nouns import NOUNS, Noun, OnDemand
from schemas.errors import GatewayError


def command_line(nouns: dict[str, Noun]) -> Any:
    """Build the root command over `nouns`; no noun's module is imported.

    Rich help is off: drawing it would import rich before the first line is shown (docs/adr/0006).
    """
    root = typer.Typer(
        name="lienthong",
        help=t(
            "Keeps every dossier of a province equal on the provincial, national and ministry portals.",
            "Giữ mọi hồ sơ của tỉnh thống nhất trên cổng của tỉnh, Cổng Dịch vụ công quốc gia và cổng của các bộ.",
        ),
        rich_markup_mode=None,
        add_completion=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    )
    root.callback()(options)
    group: Any = typer.main.get_command(root)
    for name, noun in nouns.items():
        group.add_command(OnDemand(name, noun))
    return group


def show_version(wanted: bool) -> None:
    """Print the version and stop, if `--version` was given."""
    if wanted:
        typer.echo(f"lienthong {__version__}")
        raise typer.Exit(ExitCode.OK)


def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help=t("Show the version.", "Hiện phiên bản.")),
    ] = False,
) -> None:
    """Hold the options that stand before a noun."""


def run(arguments: list[str] | None = None, nouns: dict[str, Noun] = NOUNS) -> NoReturn:
    """Run one command line; `None` takes the process's own arguments. Always ends in SystemExit."""
    try:
        command_line(nouns).main(arguments, prog_name="lienthong")
    except GatewayError as error:
        raise SystemExit(report(error)) from None
    raise SystemExit(ExitCode.OK)
