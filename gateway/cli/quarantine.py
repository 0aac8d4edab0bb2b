"""`lienthong quarantine`: records we could not read or place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.bootstrap import Gateway
from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, Actor, AsJson, ConfigPath, NotThereError, opened, this_person
from gateway.cli.printing import as_json, table
from gateway.store.rows import QuarantineRow
from gateway.sync.views import instant

KEYS = ("id", "portal", "external_id", "cause", "times", "at", "owner", "next_step", "reason")
HEADS = (
    t("number", "số"),
    t("portal", "cổng"),
    t("record", "bản ghi"),
    t("cause", "nguyên nhân"),
    t("times", "số lần"),
    t("at", "lúc"),
    t("owner", "người xử lý"),
    t("next step", "việc cần làm"),
    t("reason", "lý do"),
)

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)
Number = Annotated[int, typer.Argument(metavar="ID", help=t("Number in the list.", "Số trong danh sách."))]


def _view(row: QuarantineRow) -> dict[str, Any]:
    view = {head: getattr(row, head) for head in KEYS if head != "at"}
    return {**view, "at": instant(row.at), "state": row.state, "dossiers": row.doc.get("dossiers", [])}


@app.command("list", help=t("List quarantined records.", "Liệt kê bản ghi bị cách ly."))
def list_(
    portal: Annotated[str, typer.Option("--portal", help=t("Only this portal.", "Chỉ cổng này."))] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Exit 3 when there are any."""
    with opened(config, calls=False) as gateway:
        rows = gateway.store.read(lambda tx: tx.list_quarantine(portal=portal, limit=100_000))
    views = [_view(row) for row in rows]
    if json:
        as_json({"quarantine": views})
    else:
        table(HEADS, [[view[key] for key in KEYS] for view in views])
    raise typer.Exit(ExitCode.SOON if views else ExitCode.OK)


@app.command(help=t("Show one; write its raw bytes to a file.", "Hiện một bản ghi; ghi bản gốc ra tệp."))
def show(
    number: Number,
    raw_to: Annotated[
        Path | None,
        typer.Option(
            "--raw-to",
            help=t(
                "Write the raw record here, mode 0600: it is personal.", "Ghi bản gốc, quyền 0600: có dữ liệu cá nhân."
            ),
        ),
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Raw bytes never go to the screen."""
    with opened(config, calls=False) as gateway:
        row = gateway.store.read(lambda tx: tx.quarantine(number))
        if row is None:
            raise NotThereError(t(f"there is no quarantine {number}", f"không có mục cách ly {number}"))
        if raw_to is not None:
            raw_to.touch(mode=0o600, exist_ok=False)
            raw_to.write_bytes(gateway.operator.raw_of(number))
    view = _view(row)
    if json:
        as_json(view)
        return
    for name, value in view.items():
        typer.echo(f"{name}: {value}")


@app.command(help=t("Read the record again and place it.", "Đọc lại bản ghi và xếp vào hồ sơ."))
def replay(number: Number, config: ConfigPath = DEFAULT_CONFIG, actor: Actor = "", json: AsJson = False) -> None:
    """Exit 0 when it was placed, 3 when a person is still needed."""
    with opened(config) as gateway:
        result = _replay(gateway, number, actor or this_person())
    if json:
        as_json({"id": number, "result": result})
    else:
        typer.echo(f"{number}: {result}")
    raise typer.Exit(ExitCode.OK if result == "replayed" else ExitCode.SOON)


def _replay(gateway: Gateway, number: int, actor: str) -> str:
    """A pulled record is fetched again; what a portal told us by calling is judged from its kept bytes."""
    row = gateway.store.read(lambda tx: tx.quarantine(number))
    if row is not None and row.state == "open" and "endpoint" in row.doc:
        result = gateway.inbound.replay_call(number, gateway.operator.raw_of(number))
        if result == "replayed":
            gateway.inbound.taker.run(row.portal)
        return result
    result = gateway.operator.replay(number, actor)
    if row is not None and gateway.inbound.taker.again(row.portal, row.external_id):
        after = gateway.store.read(lambda tx: tx.quarantine(number))
        return "replayed" if after is not None and after.state != "open" else "still in doubt"
    return result
