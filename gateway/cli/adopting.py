"""`lienthong adopt`: draw the line of first contact and let a portal be written."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, Actor, AsJson, ConfigPath, PortalName, chosen, opened, this_person
from gateway.cli.printing import as_json, when
from schemas.clock import VIETNAM


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
    dry_run: Annotated[bool, typer.Option("--dry-run", help=t("Only count.", "Chỉ đếm."))] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    actor: Actor = "",
    json: AsJson = False,
) -> None:
    """Dossiers with an event after the line get their snapshot."""
    line = instant_of(from_)
    with opened(config, calls=False) as gateway:
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
    typer.echo(
        t("nothing was changed (dry run)", "chưa thay đổi gì (chạy thử)")
        if dry_run
        else t(
            f"{portal} is live: what is owed will be sent", f"{portal} đã hoạt động: những gì còn phải gửi sẽ được gửi"
        )
    )


def instant_of(text: str) -> float:
    """A day or an instant, in Vietnam time unless it names its own zone, as seconds."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            t(f"'{text}' is not a day: write 2026-07-01", f"'{text}' không phải ngày: hãy viết 2026-07-01")
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=VIETNAM)).timestamp()
