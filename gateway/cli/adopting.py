"""`lienthong adopt`: draw the line of first contact and let a portal be written."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, Actor, AsJson, ConfigPath, PortalName, chosen, opened, this_person
from gateway.cli.previewing import print_writes
from gateway.cli.printing import as_json, instant_of, when


def adopt(
    portal: PortalName,
    from_: Annotated[
        str,
        typer.Option(
            "--from",
            help=t(
                "Events before this day or instant (Vietnam time) are never sent.",
                "Sự kiện trước ngày hoặc giờ này (giờ Việt Nam) không bao giờ được gửi.",
            ),
        ),
    ],
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help=t("Name each write; change nothing.", "Nêu từng việc sẽ gửi; không thay đổi gì.")
        ),
    ] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    actor: Actor = "",
    json: AsJson = False,
) -> None:
    """Dossiers with an event after the line get their snapshot."""
    line = instant_of(from_)
    with opened(config, calls=dry_run) as gateway:
        chosen(gateway.config, [portal])
        report = gateway.engine.adopt(portal, line, actor=actor or this_person(), dry_run=dry_run)
    if json:
        as_json(report)
        return
    said = t(
        "{}: line at {}; {} dossiers have an event after it, {} have none and are left alone",
        "{}: mốc {}; {} hồ sơ có sự kiện sau mốc, {} hồ sơ không có và được để nguyên",
    )
    typer.echo(said.format(portal, when(line), report.after_line, report.before_line))
    if dry_run:
        print_writes(report.writes)
    calls = len(report.writes)
    typer.echo(
        t(
            f"{calls} calls would be made; nothing was changed (dry run)",
            f"sẽ gọi {calls} lần; chưa thay đổi gì (chạy thử)",
        )
        if dry_run
        else t(
            f"{portal} is live: what is owed will be sent", f"{portal} đã hoạt động: những gì còn phải gửi sẽ được gửi"
        )
    )
