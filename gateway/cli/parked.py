"""`lienthong parked`: deliveries that wait for a person, the unproven ones too, and what the person decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, Actor, AsJson, ConfigPath, NotThereError, codes, opened, this_person
from gateway.cli.printing import as_json, table
from gateway.store.rows import DeliveryRow
from gateway.sync.views import delivery_view, lane_view

STATES = ("parked", "unproven", "unheard")
KEYS = ("id", "portal", "dossier_code", "class", "operation", "state", "attempts", "planned_at", "reason")
HEADS = (
    t("number", "số"),
    t("portal", "cổng"),
    t("dossier", "hồ sơ"),
    t("class", "loại"),
    t("call", "lời gọi"),
    t("state", "trạng thái"),
    t("attempts", "số lần gửi"),
    t("planned", "lập lúc"),
    t("reason", "lý do"),
)

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)
Number = Annotated[int, typer.Argument(metavar="ID", help=t("Number of the delivery.", "Số của lần gửi."))]


@app.command("list", help=t("List what waits for a person.", "Liệt kê việc cần người quyết định."))
def list_(
    portal: Annotated[str, typer.Option("--portal", help=t("Only this portal.", "Chỉ cổng này."))] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Exit 3 when something waits."""
    with opened(config, calls=False) as gateway:
        rows = gateway.store.read(lambda tx: tx.list_deliveries(portal=portal, states=STATES, limit=100_000))
        held = gateway.store.read(lambda tx: tx.iter_lanes(portal=portal, state="parked", limit=100_000))
        shown = {(row.portal, row.dossier_id) for row in rows}
        held = [lane for lane in held if (lane.portal, lane.dossier_id) not in shown]
        called = codes(gateway, {row.dossier_id for row in rows} | {lane.dossier_id for lane in held})
    views = [delivery_view(row) | {"dossier_code": called[row.dossier_id]} for row in rows]
    lanes = [lane_view(lane) | {"dossier_code": called[lane.dossier_id]} for lane in held]
    if json:
        as_json({"deliveries": views, "lanes": lanes})
    else:
        if views or not lanes:
            table(HEADS, [[view[key] for key in KEYS] for view in views])
        _show_held(lanes)
    if views and not json:
        typer.echo(
            t(
                "Look at the portal's own screen, then: lienthong parked confirm NUMBER --arrived or --not-arrived; "
                "or parked retry NUMBER, or parked drop NUMBER --reason TEXT. Unheard is a citizen's request that "
                "the portal does not know of: tell its officer first",
                "Hãy xem trên màn hình của cổng, rồi: lienthong parked confirm SỐ --arrived hoặc --not-arrived; "
                "hoặc parked retry SỐ, hoặc parked drop SỐ --reason LÝ_DO. Mục unheard là yêu cầu của công dân "
                "mà cổng chưa biết: hãy báo cán bộ xử lý trước",
            )
        )
    raise typer.Exit(ExitCode.SOON if views or lanes else ExitCode.OK)


def _show_held(lanes: Sequence[Mapping[str, Any]]) -> None:
    """Lanes that wait for a person without a delivery of theirs: what holds them stands in quarantine."""
    if not lanes:
        return
    heads = (t("portal", "cổng"), t("dossier", "hồ sơ"), t("since", "từ lúc"), t("reason", "lý do"))
    table(heads, [[lane[key] for key in ("portal", "dossier_code", "since", "reason")] for lane in lanes])
    typer.echo(
        t(
            "Nothing is sent there until it is decided: lienthong quarantine list says what to do",
            "Chưa gửi gì cho đến khi có quyết định: xem cách xử lý bằng lienthong quarantine list",
        )
    )


@app.command(help=t("Plan a parked delivery again.", "Lập kế hoạch gửi lại."))
def retry(number: Number, config: ConfigPath = DEFAULT_CONFIG, actor: Actor = "", json: AsJson = False) -> None:
    """It is sent by the next run of its portal's deliveries."""
    with opened(config, calls=False) as gateway:
        row = gateway.operator.retry(number, actor or this_person())
    _done(row, json)


@app.command(help=t("Say what you saw at the portal.", "Ghi nhận điều đã thấy ở cổng."))
def confirm(
    number: Number,
    arrived: Annotated[
        bool | None,
        typer.Option(
            "--arrived/--not-arrived", help=t("Whether it is there.", "Ở cổng đã có hay chưa."), show_default=False
        ),
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    actor: Actor = "",
    json: AsJson = False,
) -> None:
    """`--arrived` makes it delivered; `--not-arrived` plans it again."""
    if arrived is None:
        raise typer.BadParameter(t("say --arrived or --not-arrived", "hãy ghi --arrived hoặc --not-arrived"))
    with opened(config, calls=False) as gateway:
        row = gateway.operator.confirm(number, arrived=arrived, actor=actor or this_person())
    _done(row, json)


@app.command(help=t("Decide that it shall not be sent.", "Quyết định không gửi nữa."))
def drop(
    number: Number,
    reason: Annotated[str, typer.Option("--reason", help=t("Why.", "Lý do."))],
    config: ConfigPath = DEFAULT_CONFIG,
    actor: Actor = "",
    json: AsJson = False,
) -> None:
    """It ends superseded, with the person and the reason in the log."""
    if not reason.strip():
        raise NotThereError(t("give a reason", "hãy ghi lý do"))
    with opened(config, calls=False) as gateway:
        row = gateway.operator.drop(number, actor or this_person(), reason)
    _done(row, json)


def _done(row: DeliveryRow, json: bool) -> None:
    view = delivery_view(row)
    if json:
        as_json(view)
    else:
        typer.echo(f"{view['id']} {view['portal']} {view['dossier_id']}: {view['state']} ({view['reason']})")
