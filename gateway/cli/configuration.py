"""`lienthong config`: check a configuration, or explain what is in force and where it came from."""

from __future__ import annotations

import os
from collections.abc import Iterable

import typer

from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.printing import as_json, table
from gateway.config_file import Problem, explain, inspect, notes
from gateway.secret_values import Secrets
from schemas.errors import ConfigError

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.command(
    help=t("Name every problem with its line and what to write instead.", "Nêu mọi lỗi, kèm dòng và cách sửa.")
)
def check(config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Exit 0 when the file can be used, 5 with every problem when not."""
    found = inspect(config)
    noted = list(notes(found.document, found.config)) if found.config is not None else []
    if json:
        problems = _listed(found.problems)
        as_json({"ok": not problems, "problems": problems, "notes": _listed(noted)})
        raise typer.Exit(ExitCode.CONFIG if problems else ExitCode.OK)
    if found.config is None:
        raise ConfigError([str(problem) for problem in found.problems])
    count = len(found.config.portals)
    typer.echo(t(f"{config}: in order, {count} portals", f"{config}: hợp lệ, {count} cổng"))
    for note in noted:
        typer.echo(t(f"note: {note}", f"lưu ý: {note}"))


def _listed(problems: Iterable[Problem]) -> list[dict[str, object]]:
    return [
        {"file": one.file, "line": one.line, "key": one.key, "wrong": one.wrong, "write": one.write} for one in problems
    ]


@app.command(
    "explain",
    help=t("Show every value in force and its source.", "Hiện mọi giá trị đang dùng và nguồn của từng giá trị."),
)
def show(config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Secrets are never resolved: only whether they are set is said."""
    found = inspect(config)
    if found.config is None:
        raise ConfigError([str(problem) for problem in found.problems])
    values = explain(found.document, found.config, Secrets(found.config.secrets_file, os.environ).values())
    if json:
        as_json(values)
        return
    rows = [
        (one.key, one.value if one.is_set is None else f"{one.value} ({_set(one.is_set)})", one.source)
        for one in values
    ]
    table((t("key", "khoá"), t("value", "giá trị"), t("source", "nguồn")), rows)


def _set(is_set: bool) -> str:
    return t("set", "đã đặt") if is_set else t("not set", "chưa đặt")
