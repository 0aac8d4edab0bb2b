"""`lienthong lanes`: every dossier at every portal that waits, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, chosen, opened
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
    lanes = [lane_view(row) for row in rows if state or row.state != "calm" or row.due_at is not None]
    if json:
        as_json({"lanes": lanes})
        return
    heads = ("portal", "dossier_id", "state", "since", "due_at", "reason")
    table(heads, [[lane[head] for head in heads] for lane in lanes])
