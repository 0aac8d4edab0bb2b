"""What the command line says, and with which exit code it ends, when an error reaches it."""

import typer

from gateway.cli.exit_codes import ExitCode
from schemas.errors import ConfigError, GatewayError


def report(error: GatewayError) -> ExitCode:
    """Print the error on standard error, one problem a line, and return the exit code."""
    problems = error.problems if isinstance(error, ConfigError) else (str(error),)
    for problem in problems:
        typer.echo(f"lienthong: {problem}", err=True)
    return ExitCode.CONFIG if isinstance(error, ConfigError) else ExitCode.ERROR
