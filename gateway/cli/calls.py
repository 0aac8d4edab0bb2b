"""`lienthong calls`: what portals told us by calling, and what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, NotThereError, opened
from gateway.cli.printing import as_json, table
from gateway.inbound import kept
from gateway.inbound.take_in import opened_call
from gateway.store.rows import InboundRow
from gateway.sync.views import instant

KEYS = ("id", "portal", "endpoint", "key", "version", "state", "times", "at", "dossier_id", "reason")
HEADS = (
    t("number", "số"),
    t("portal", "cổng"),
    t("endpoint", "điểm nhận"),
    t("key", "mã"),
    t("version", "bản"),
    t("state", "trạng thái"),
    t("times", "số lần"),
    t("at", "lúc"),
    t("dossier", "hồ sơ"),
    t("reason", "lý do"),
)
STATES = ("accepted", "applied", "refused")

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


def _view(row: InboundRow) -> dict[str, Any]:
    return {**{name: getattr(row, name) for name in KEYS}, "at": instant(row.at), "last_at": instant(row.last_at)}


@app.command("list", help=t("List calls, oldest first.", "Liệt kê lời gọi, cũ trước mới sau."))
def list_(
    portal: Annotated[str, typer.Option("--portal", help=t("Only this portal.", "Chỉ cổng này."))] = "",
    state: Annotated[
        str,
        typer.Option("--state", help=t("accepted, applied or refused.", "accepted, applied hoặc refused.")),
    ] = "",
    after: Annotated[int, typer.Option("--after", help=t("From behind this number.", "Từ sau số này."))] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, help=t("At most so many.", "Tối đa bấy nhiêu."))] = 1000,
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Exit 3 when a refused one is among them."""
    if state and state not in STATES:
        raise NotThereError(t(f"there is no state '{state}': {', '.join(STATES)}", f"không có trạng thái '{state}'"))
    with opened(config, calls=False) as gateway:
        rows = gateway.store.read(lambda tx: tx.list_inbound(portal=portal, state=state, after=after, limit=limit))
    if json:
        as_json({"calls": [_view(row) for row in rows]})
    else:
        table(HEADS, [[_view(row)[key] for key in KEYS] for row in rows])
    raise typer.Exit(ExitCode.SOON if any(row.state == "refused" for row in rows) else ExitCode.OK)


@app.command(help=t("Show one, and the other versions of its content.", "Hiện một lời gọi và các bản khác của nó."))
def show(
    number: Annotated[int, typer.Argument(metavar="ID", help=t("Number in the list.", "Số trong danh sách."))],
    raw_to: Annotated[
        Path | None,
        typer.Option(
            "--raw-to",
            help=t("Write its body here, mode 0600: it is personal.", "Ghi nội dung, quyền 0600: có dữ liệu cá nhân."),
        ),
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Bodies never go to the screen."""
    with opened(config, calls=False) as gateway:
        rows = gateway.store.read(lambda tx: tx.list_inbound(after=number - 1, limit=1))
        if not rows or rows[0].id != number:
            raise NotThereError(t(f"there is no call {number}", f"không có lời gọi {number}"))
        row = rows[0]
        versions = gateway.store.read(lambda tx: tx.inbound_versions(row.portal, row.endpoint, row.key))
        files = gateway.store.read(lambda tx: tx.files_of_call(row.portal, row.key))
        if raw_to is not None:
            raw_to.touch(mode=0o600, exist_ok=False)
            raw_to.write_bytes(kept.from_bytes(opened_call(gateway.vault, row)).body)
    view = {
        **_view(row),
        "digest": row.digest,
        "versions": [{"id": one.id, "version": one.version, "state": one.state} for one in versions],
        "files": [{"id": file.id, "media_type": file.media_type, "size": file.size} for file in files],
    }
    if json:
        as_json(view)
        return
    for name, value in view.items():
        typer.echo(f"{name}: {value}")
