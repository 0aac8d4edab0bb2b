"""`lienthong status`: how everything stands; the exit code says whether a person is needed."""

from __future__ import annotations

import typer

from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath, opened
from gateway.cli.printing import as_json, table, when
from gateway.sync.standing import Finding, PortalStatus, StatusReport, Urgency, status

CODES = {Urgency.CALM: ExitCode.OK, Urgency.SOON: ExitCode.SOON, Urgency.NOW: ExitCode.NOW}


def show(config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Exit 0 calm, 3 a person soon, 4 a person now."""
    with opened(config, calls=False) as gateway:
        report = status(gateway.store, gateway.config, gateway.clock.now().timestamp())
    if json:
        as_json({"urgency": report.urgency.name.lower(), "report": report})
    else:
        _print(report)
    raise typer.Exit(CODES[report.urgency])


def _print(report: StatusReport) -> None:
    heads = (
        t("portal", "cổng"),
        t("mode", "chế độ"),
        t("heard", "liên lạc lần cuối"),
        t("owed", "còn phải gửi"),
        t("parked", "chờ quyết định"),
        t("unproven", "chưa xác minh"),
        t("quarantined", "cách ly"),
        t("drift", "sai lệch"),
        t("brake", "tạm dừng"),
    )
    table(heads, [_row(one) for one in report.portals])
    for portal in report.portals:
        for reason, lanes in portal.waiting.items():
            typer.echo(t(f"{portal.portal}: {lanes} wait: {reason}", f"{portal.portal}: {lanes} đang chờ: {reason}"))
    for risk in report.at_risk:
        code = risk.dossier_code or risk.dossier_id
        typer.echo(
            t(f"at risk: {code}", f"có nguy cơ: {code}") + f"  {risk.portal}  {when(risk.due_at)}  {risk.reason}"
        )
    for finding in report.findings:
        typer.echo(f"{_urgency(finding.urgency)}: {_said(finding)}")
    if not report.findings:
        typer.echo(t("calm", "bình thường"))


def _row(one: PortalStatus) -> tuple[object, ...]:
    brake = one.paused or (one.breaker_open_until and t("breaker open", "ngắt mạch")) or ""
    return (
        one.portal,
        one.mode,
        when(one.heard_at),
        one.owed,
        one.parked,
        one.unproven,
        one.quarantined,
        one.drift_given_up,
        brake,
    )


def _urgency(urgency: Urgency) -> str:
    return t("a person now", "cần người ngay") if urgency is Urgency.NOW else t("a person soon", "cần người sớm")


def _said(finding: Finding) -> str:
    words = {
        "login_refused": t("the login was refused", "bị từ chối đăng nhập"),
        "silent": t("silent for too long", "không phản hồi quá lâu"),
        "breaker_open": t("breaker open", "đang ngắt mạch"),
        "paused": t("paused", "đang tạm dừng"),
        "route_paused": t("a route is paused", "một tuyến đang tạm dừng"),
        "everything_paused": t("everything is paused", "tất cả đang tạm dừng"),
        "parked": t("parked: lienthong parked list", "chờ người quyết định: lienthong parked list"),
        "unproven": t("unproven: lienthong parked list", "chưa xác minh được: lienthong parked list"),
        "unheard": t(
            "citizens' requests that it does not know of: lienthong parked list",
            "yêu cầu của công dân mà cổng chưa biết: lienthong parked list",
        ),
        "quarantined": t("quarantined: lienthong quarantine list", "cách ly: lienthong quarantine list"),
        "files_given_up": t(
            "files that did not come: lienthong files list", "tệp không lấy được: lienthong files list"
        ),
        "drift_given_up": t("drift given up: lienthong lanes", "đã ngừng sửa sai lệch: lienthong lanes"),
        "late_sent": t(
            "not yet handed over: lienthong handover list --late", "chưa chuyển được: lienthong handover list"
        ),
        "late_received": t("not known to be received: lienthong handover list --late", "chưa rõ đã nhận hay chưa"),
        "late_accepted": t("not accepted in time: lienthong handover list --late", "quá hạn tiếp nhận"),
        "late_completed": t("not completed in time: lienthong handover list --late", "quá hạn xử lý"),
        "stage_without_route": t("open stages that no route leads to", "hồ sơ đang xử lý mà không còn tuyến nào"),
        "overdue_and_owed": t("past the due date with something owed", "đã quá hạn mà còn việc phải gửi"),
        "due_soon_and_owed": t("due soon with something owed", "sắp đến hạn mà còn việc phải gửi"),
    }
    text = f"{finding.portal}: {words[finding.what]}" if finding.portal else words[finding.what]
    return f"{text} ({finding.value})" if finding.value else text
