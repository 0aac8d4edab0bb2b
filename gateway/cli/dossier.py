"""`lienthong dossier`: show one, and say whose dossier a record is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.bootstrap import Gateway
from gateway.cli.language import t
from gateway.cli.opening import (
    DEFAULT_CONFIG,
    Actor,
    AsJson,
    ConfigPath,
    NotThereError,
    PortalName,
    opened,
    this_person,
)
from gateway.cli.printing import as_json, table
from gateway.sync.views import dossier_view, find_dossiers

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

Code = Annotated[
    str, typer.Argument(help=t("Our id, the national number, or the code.", "Mã nội bộ, số quốc gia, mã."))
]
ExternalId = Annotated[str, typer.Argument(help=t("The portal's own key of the record.", "Khoá bản ghi ở cổng."))]


def one_dossier(gateway: Gateway, code: str) -> str:
    """The id of the one dossier of this name."""
    found = find_dossiers(gateway.store, code)
    if not found:
        raise NotThereError(t(f"there is no dossier '{code}'", f"không có hồ sơ '{code}'"))
    if len(found) > 1:
        ids = ", ".join(row.id for row in found)
        raise NotThereError(t(f"'{code}' names several: {ids}", f"'{code}' là của nhiều hồ sơ: {ids}"))
    return found[0].id


@app.command(help=t("Show a dossier, personal values masked.", "Hiện một hồ sơ, che dữ liệu cá nhân."))
def show(code: Code, config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Facts, records, timeline, lanes and deliveries."""
    with opened(config, calls=False) as gateway:
        view = dossier_view(gateway.store, gateway.vault, gateway.config, one_dossier(gateway, code))
    if json or view is None:
        as_json(view)
    else:
        _print(view)


def _print(view: dict[str, Any]) -> None:
    for name in ("id", "national_code", "dossier_code", "status", "wire", "handler"):
        typer.echo(f"{name}: {view[name]}")
    for name, value in view["facts"].items():
        typer.echo(f"  {name}: {value}")
    for part, heads in (
        ("records", ("portal", "external_id", "read_at")),
        ("timeline", ("at", "portal", "stage", "status", "wire")),
        ("lanes", ("portal", "state", "reason", "due_at")),
        ("stages", ("portal", "route", "sent", "received", "accepted", "completed", "status")),
        ("deliveries", ("id", "portal", "class", "operation", "state", "attempts", "reason")),
    ):
        typer.echo(f"\n{part}")
        table(heads, [[row[head] for head in heads] for row in view[part]])


@app.command(help=t("Say whose dossier a record is.", "Xác định bản ghi thuộc hồ sơ nào."))
def link(
    portal: PortalName,
    external_id: ExternalId,
    code: Code,
    config: ConfigPath = DEFAULT_CONFIG,
    actor: Actor = "",
    json: AsJson = False,
) -> None:
    """The record's quarantine is closed and its lanes send again."""
    with opened(config) as gateway:
        dossier_id = one_dossier(gateway, code)
        gateway.operator.link(portal, external_id, dossier_id, actor or this_person())
    _done({"portal": portal, "external_id": external_id, "dossier_id": dossier_id}, json, t("linked", "đã liên kết"))


@app.command(help=t("Say that a record is not of its dossier.", "Tách bản ghi khỏi hồ sơ."))
def unlink(
    portal: PortalName,
    external_id: ExternalId,
    config: ConfigPath = DEFAULT_CONFIG,
    actor: Actor = "",
    json: AsJson = False,
) -> None:
    """Its events stay with the record, so nothing is forgotten."""
    with opened(config, calls=False) as gateway:
        gateway.operator.unlink(portal, external_id, actor or this_person())
    _done({"portal": portal, "external_id": external_id}, json, t("unlinked", "đã tách"))


def _done(value: dict[str, str], json: bool, word: str) -> None:
    if json:
        as_json(value)
    else:
        typer.echo(f"{word}: {' '.join(value.values())}")
