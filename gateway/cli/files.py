"""`lienthong files`: files that deliveries carry and other portals hold: what is waited for, and what did not come."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.dossier import Code, one_dossier
from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, Actor, AsJson, ConfigPath, chosen, codes, opened, this_person
from gateway.cli.printing import as_json, table
from gateway.files.deciding import ask_again, let_go
from gateway.store.rows import WantedFileRow
from gateway.sync.views import instant

KEYS = ("dossier_code", "portal", "state", "tries", "since", "next_at", "reason")

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.command("list", help=t("List files that are waited for.", "Liệt kê các tệp đang chờ lấy."))
def list_(
    portal: Annotated[str, typer.Option("--portal", help=t("Only this portal's.", "Chỉ của cổng này."))] = "",
    every: Annotated[bool, typer.Option("--all", help=t("Also those that came.", "Cả tệp đã lấy được."))] = False,
    limit: Annotated[int, typer.Option("--limit", min=1)] = 200,
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Longest waited for first; exit 3 when one was given up."""
    with opened(config, calls=False) as gateway:
        if portal:
            chosen(gateway.config, [portal])
        states = ("given_up", "wanted", *(("held", "let_go") if every else ()))
        rows = gateway.store.read(lambda tx: tx.list_wanted(portal=portal, states=states, limit=limit))
        called = codes(gateway, {row.dossier_id for row in rows})
    views = [_view(row) | {"dossier_code": called[row.dossier_id]} for row in rows]
    if json:
        as_json({"files": views})
    else:
        heads = (
            t("dossier", "hồ sơ"),
            t("held by", "nơi giữ"),
            t("state", "trạng thái"),
            t("asked", "số lần hỏi"),
            t("since", "từ lúc"),
            t("asked again", "hỏi lại lúc"),
            t("reason", "lý do"),
        )
        table(heads, [[view[key] for key in KEYS] for view in views])
    given_up = any(row.state == "given_up" for row in rows)
    if given_up and not json:
        typer.echo(
            t(
                "Ask the portal that holds them, then: lienthong files retry DOSSIER; or hand them on by other means, "
                "then: lienthong files let-go DOSSIER --reason TEXT",
                "Hãy hỏi cổng đang giữ tệp, rồi: lienthong files retry HỒ_SƠ; hoặc chuyển bằng cách khác, "
                "rồi: lienthong files let-go HỒ_SƠ --reason LÝ_DO",
            )
        )
    raise typer.Exit(ExitCode.SOON if given_up else ExitCode.OK)


@app.command(help=t("Ask for a dossier's files again.", "Hỏi lấy lại các tệp của một hồ sơ."))
def retry(code: Code, config: ConfigPath = DEFAULT_CONFIG, actor: Actor = "", json: AsJson = False) -> None:
    """They are fetched by the running gateway; copies get them then, what was handed over without them does not."""
    with opened(config, calls=False) as gateway:
        rows = ask_again(gateway.engine.shop, one_dossier(gateway, code), actor or this_person())
    _done(rows, json=json)


@app.command("let-go", help=t("Do without the files that did not come.", "Bỏ qua các tệp không lấy được."))
def done_without(
    code: Code,
    reason: Annotated[str, typer.Option("--reason", help=t("Why; for the log.", "Lý do; ghi vào nhật ký."))],
    config: ConfigPath = DEFAULT_CONFIG,
    actor: Actor = "",
    json: AsJson = False,
) -> None:
    """They are no longer listed for a person."""
    with opened(config, calls=False) as gateway:
        rows = let_go(gateway.engine.shop, one_dossier(gateway, code), actor or this_person(), reason)
    _done(rows, json=json)


def _done(rows: list[WantedFileRow], *, json: bool) -> None:
    if json:
        as_json({"files": [_view(row) for row in rows]})
    else:
        typer.echo(t(f"{len(rows)} files: {rows[0].state}", f"{len(rows)} tệp: {rows[0].state}"))


def _view(row: WantedFileRow) -> dict[str, object]:
    return {
        "dossier": row.dossier_id,
        "portal": row.portal,
        "state": row.state,
        "tries": row.tries,
        "since": instant(row.first_at),
        "next_at": None if row.next_at is None else instant(row.next_at),
        "reason": row.reason,
        "size": row.doc.get("size"),
        "sha256": row.doc.get("digest"),
    }
