"""`lienthong lanes`: every dossier at every portal that waits, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, chosen, codes, opened
from gateway.cli.printing import as_json, table
from gateway.sync.views import lane_view


def show(
    portal: Annotated[str, typer.Option("--portal", help=t("Only this portal.", "Chỉ cổng này."))] = "",
    state: Annotated[
        str,
        typer.Option(
            "--state",
            help=t(
                "owed, waiting, parked, drift_given_up or calm; without it all but calm.",
                "owed, waiting, parked, drift_given_up hoặc calm; bỏ trống: tất cả trừ calm.",
            ),
        ),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1)] = 200,
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Longest waiting first."""
    with opened(config, calls=False) as gateway:
        if portal:
            chosen(gateway.config, [portal])
        rows = gateway.store.read(lambda tx: tx.iter_lanes(portal=portal, state=state, limit=limit))
        rows = [row for row in rows if state or row.state != "calm" or row.due_at is not None]
        called = codes(gateway, {row.dossier_id for row in rows})
    lanes = [lane_view(row) | {"dossier_code": called[row.dossier_id]} for row in rows]
    if json:
        as_json({"lanes": lanes})
        return
    keys = ("portal", "dossier_code", "state", "since", "due_at", "reason")
    heads = (
        t("portal", "cổng"),
        t("dossier", "hồ sơ"),
        t("state", "trạng thái"),
        t("since", "từ lúc"),
        t("due", "đến hạn lúc"),
        t("reason", "lý do"),
    )
    table(heads, [[lane[key] for key in keys] for lane in lanes])
