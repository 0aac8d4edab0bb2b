"""`lienthong route`: who must hear of a dossier and why, and what changed rules would do."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.dossier import Code, one_dossier
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, Actor, AsJson, ConfigPath, opened, this_person
from gateway.cli.printing import as_json, table, when
from gateway.config_file import load
from gateway.sync.explaining import Explained
from gateway.sync.stages import Timer

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.callback()
def routes() -> None:
    """Hold the verbs of `route`."""


@app.command(help=t("Say for each route whether it holds, and why.", "Cho biết từng tuyến có áp dụng không, vì sao."))
def explain(code: Code, config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Each route with the first condition that does not hold; of a stage how far it has come."""
    with opened(config, calls=False) as gateway:
        found = gateway.engine.explain(one_dossier(gateway, code))
    if json:
        as_json({"routes": found})
        return
    table(("route", "portal", "kind", "holds", "why"), [(r.route, r.portal, r.kind, r.holds, r.why) for r in found])
    for one in found:
        for line in _more(one):
            typer.echo(f"  {one.route}: {line}")


def _more(one: Explained) -> list[str]:
    lines = []
    if one.paused:
        lines.append(t(f"paused: {one.paused}", f"tạm dừng: {one.paused}"))
    if one.caused_by:
        lines.append(t("handed over at", "chuyển đi khi") + f" {', '.join(one.caused_by)}")
    lines += [f"{fact} {when(at)}" for fact, at in (one.facts or {}).items()]
    if one.status:
        lines.append(t("says", "báo") + f" {one.status}")
    if one.waits_for:
        lines.append(t("waits for", "chờ") + f" {one.waits_for}, {t('due', 'hạn')} {when(one.due_at)}")
    lines += [_timer(fact, timer) for fact, timer in (one.timers or {}).items()]
    if one.group_waits_for:
        lines.append(t(f"group {one.group} waits for", f"nhóm {one.group} chờ") + f" {', '.join(one.group_waits_for)}")
    return lines


def _timer(fact: str, timer: Timer) -> str:
    """By when a fact must be known, and which key of the configuration says so."""
    why = t(f"because {timer.because}", f"theo {timer.because}") if timer.because else t("the default", "theo mặc định")
    return t(f"{fact} within {timer.within_h:g} h, {why}", f"{fact} trong vòng {timer.within_h:g} giờ, {why}")


Since = Annotated[
    str,
    typer.Option(
        "--since", help=t("First day of the dossiers, yyyy-mm-dd.", "Ngày đầu của hồ sơ, dạng năm-tháng-ngày.")
    ),
]


def _day(since: str) -> str:
    try:
        return date.fromisoformat(since).isoformat()
    except ValueError:
        raise typer.BadParameter(t("write the day as 2026-07-01", "hãy ghi ngày dạng 2026-07-01")) from None


@app.command(
    help=t(
        "After rules were changed: plan what they want of dossiers that are there already.",
        "Sau khi đổi quy tắc: lập kế hoạch cho các hồ sơ đã có.",
    )
)
def apply(since: Since, config: ConfigPath = DEFAULT_CONFIG, actor: Actor = "", json: AsJson = False) -> None:
    """What 'route simulate --since DAY' names without '--rules' is sent; more than the set number stops and asks."""
    with opened(config, calls=False) as gateway:
        done = gateway.operator.apply_rules(_day(since), actor or this_person())
    if json:
        as_json(done)
        return
    for portal, number in done.due.items():
        typer.echo(t(f"{portal}: {number} dossiers planned", f"{portal}: {number} hồ sơ vào kế hoạch"))
    for portal in done.braked:
        typer.echo(
            t(
                f"{portal}: stopped, more than the set number; 'lienthong resume {portal}' is the yes",
                f"{portal}: đã dừng vì quá số lượng cho phép; 'lienthong resume {portal}' nghĩa là đồng ý",
            )
        )
    if not done.due:
        typer.echo(t("nothing to do: the rules have done all they want", "không có việc: quy tắc đã làm đủ"))


@app.command(help=t("Say what changed rules would do.", "Cho biết nếu đổi quy tắc thì sẽ thế nào."))
def simulate(
    since: Since,
    rules: Annotated[
        Path | None,
        typer.Option(
            "--rules",
            help=t(
                "A configuration whose rules are compared with those in force; without it, those in force are compared "
                "with what was done.",
                "Tệp cấu hình có quy tắc cần so với quy tắc hiện hành; bỏ trống: so quy tắc với việc đã làm.",
            ),
        ),
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    json: AsJson = False,
) -> None:
    """Nothing is written and no portal is called."""
    day = _day(since)
    other = load(rules, secrets=False) if rules is not None else None
    with opened(config, calls=False) as gateway:
        found = gateway.engine.rehearse(day, other)
    if json:
        as_json(found)
        return
    heads = (t("dossier", "hồ sơ"), t("day", "ngày"), t("gains", "thêm"), t("loses", "bớt"), t("sends", "gửi"))
    rows = [[one.dossier_code, one.day, *map(", ".join, (one.gains, one.loses, one.sends))] for one in found.dossiers]
    table(heads, rows)
    for word, counted in ((heads[2], found.gains), (heads[3], found.loses), (heads[4], found.sends)):
        for name, number in counted.items():
            typer.echo(f"{word} {name}: {number}")
    typer.echo(t(f"dossiers looked at: {found.looked_at}", f"số hồ sơ đã xem: {found.looked_at}"))
    if found.gains or found.sends:
        typer.echo(
            t(
                f"a dossier at rest hears of changed rules by 'lienthong route apply --since {day}'",
                f"hồ sơ đã yên chỉ theo quy tắc mới khi chạy 'lienthong route apply --since {day}'",
            )
        )
