"""`lienthong reconcile` and `lienthong backfill`: read a portal whole, with harmless reads only."""

from __future__ import annotations

import typer

from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, PortalName, chosen, opened
from gateway.cli.printing import as_json, progress_bar, table


def reconcile(portal: PortalName, config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Exit 0 when all is equal or owed, 3 when something differs with nothing owed or cannot be read."""
    with opened(config) as gateway:
        chosen(gateway.config, [portal])
        with progress_bar(portal) as progress:
            report = gateway.engine.reconcile(portal, progress=progress)
    if json:
        as_json(report)
    else:
        heads = (t("dossier", "hồ sơ"), t("difference", "điểm khác"), t("field", "trường"), t("owed", "còn phải gửi"))
        if report.differences:
            table(heads, [(one.dossier_code, one.what, one.field, one.owed) for one in report.differences])
        counts = (report.checked, report.equal, len(report.differences), report.unreadable)
        typer.echo(
            t(
                "{}: checked {}, equal {}, differences {}, unreadable {}",
                "{}: đã so {}, khớp {}, khác {}, không đọc được {}",
            ).format(portal, *counts)
        )
        if report.reason:
            typer.echo(f"{portal}: {report.reason}")
    calm = not report.unreadable and all(one.owed for one in report.differences)
    raise typer.Exit(ExitCode.OK if calm else ExitCode.SOON)


def backfill(portal: PortalName, config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Read everything a portal holds, with a cursor of its own. Exit 1 when it ended early."""
    with opened(config) as gateway:
        chosen(gateway.config, [portal])
        with progress_bar(portal) as progress:
            report = gateway.engine.backfill(portal, progress=progress)
    if json:
        as_json(report)
    else:
        said = t(
            "{}: records {}, new {}, changed {}, quarantined {}", "{}: bản ghi {}, mới {}, thay đổi {}, cách ly {}"
        )
        typer.echo(said.format(portal, report.records, report.new, report.changed, report.quarantined))
        if report.reason:
            typer.echo(f"{portal}: {report.reason}")
    raise typer.Exit(ExitCode.ERROR if report.reason else ExitCode.OK)
