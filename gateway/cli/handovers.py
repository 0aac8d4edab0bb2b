"""`lienthong handover`: every stage that was handed over, with its four facts, and those whose answer is late."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, chosen, codes, opened
from gateway.cli.printing import as_json, table
from gateway.sync.standing_stages import Terms, late_stages, stage_view

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)
KEYS = ("dossier_code", "portal", "route", "owed_at", "sent", "received", "accepted", "completed", "status", "missing")


@app.callback()
def handovers() -> None:
    """Hold the verbs of `handover`."""


@app.command("list", help=t("List hand-overs and what is known of each.", "Liệt kê các lần chuyển và việc đã biết."))
def list_(
    late: Annotated[bool, typer.Option("--late", help=t("Only late ones.", "Chỉ việc đã quá hạn."))] = False,
    every: Annotated[bool, typer.Option("--all", help=t("Ended ones too.", "Cả việc đã xong."))] = False,
    portal: Annotated[str, typer.Option("--portal", help=t("Only this portal.", "Chỉ cổng này."))] = "",
    limit: Annotated[int, typer.Option("--limit", min=1)] = 200,
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Longest owed first; exit 3 when one is late."""
    with opened(config, calls=False) as gateway:
        if portal:
            chosen(gateway.config, [portal])
        now = gateway.clock.now().timestamp()
        overdue = gateway.store.read(lambda tx: late_stages(tx, gateway.config, now, portal=portal))
        rows = [one.stage for one in overdue][:limit]
        if not late:
            rows = gateway.store.read(lambda tx: tx.list_stages(portal=portal, open_only=not every, limit=limit))
        called = codes(gateway, {row.dossier_id for row in rows})
        procedures = gateway.store.read(lambda tx: tx.procedures_of(called))
        terms = Terms(gateway.config, procedures)
        views = [stage_view(row, terms, now) | {"dossier_code": called[row.dossier_id]} for row in rows]
    if json:
        as_json({"handovers": views, "late": len(overdue)})
    else:
        heads = (
            t("dossier", "hồ sơ"),
            t("portal", "cổng"),
            t("route", "tuyến"),
            t("owed since", "cần chuyển từ"),
            t("sent", "đã gửi"),
            t("received", "đã nhận"),
            t("accepted", "đã tiếp nhận"),
            t("completed", "đã xong"),
            t("says", "báo"),
            t("missing", "còn thiếu"),
        )
        table(heads, [[view[key] for key in KEYS] for view in views])
    raise typer.Exit(ExitCode.SOON if overdue else ExitCode.OK)
