"""The words of notices: portals, numbers and dossier codes, never anything personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.language import t
from gateway.sync.standing import AtRisk, PortalStatus, StatusReport
from gateway.sync.standing_requests import UnheardRequest
from gateway.sync.standing_stages import LateStage
from schemas.clock import VIETNAM

LISTED = 50
"""Dossiers named in one notice; the rest is a number."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to people."""

    subject: str
    text: str


def login_refused(portal: PortalStatus) -> Notice:
    """A password no longer fits."""
    name = portal.portal
    return Notice(
        t(f"{name}: the login was refused", f"{name}: bị từ chối đăng nhập"),
        t(
            "The password was probably changed. It is not tried again for a while, so that the account is not"
            " locked. Put the new one into the secrets file; the gateway takes it up by itself.",
            "Có thể mật khẩu đã bị đổi. Hệ thống tạm ngừng thử lại để tài khoản không bị khoá. Hãy ghi mật khẩu"
            " mới vào tệp secrets_file; hệ thống tự dùng ngay, không cần khởi động lại.",
        ),
    )


def login_works(portal: PortalStatus) -> Notice:
    """The password fits again."""
    name = portal.portal
    return Notice(t(f"{name}: the login works again", f"{name}: đã đăng nhập lại được"), "")


def braked(portal: PortalStatus) -> Notice:
    """One sweep wanted more writes than the set number."""
    name = portal.portal
    todo = f"'lienthong sync {name} --dry-run', 'lienthong resume {name}'"
    return Notice(
        t(f"{name}: stopped, and asks", f"{name}: đã dừng và chờ quyết định"),
        t(f"{portal.paused}. Look, then say yes: {todo}.", f"Một lượt đọc muốn ghi quá nhiều. Xem rồi đồng ý: {todo}."),
    )


def silent(portal: PortalStatus) -> Notice:
    """Nothing was heard for longer than the portal's entry allows."""
    name, heard = portal.portal, _when(portal.heard_at)
    why = portal.breaker_reason or t("no answer", "không trả lời")
    return Notice(
        t(f"{name}: silent since {heard}", f"{name}: không phản hồi từ {heard}"),
        t(
            f"Last heard: {heard}. Reason: {why}. Owed there: {portal.owed}. Nothing is lost; it is sent when the"
            " portal answers. Ask its operator, and see 'lienthong status'.",
            f"Lần cuối nhận được: {heard}. Lý do: {why}. Còn phải gửi: {portal.owed}. Không mất gì; sẽ gửi khi cổng trả"
            " lời. Hãy hỏi đơn vị vận hành cổng, và xem 'lienthong status'.",
        ),
    )


def back(portal: PortalStatus) -> Notice:
    """A silent portal was heard again."""
    name = portal.portal
    return Notice(
        t(f"{name}: is back", f"{name}: đã hoạt động lại"),
        t(f"Owed there: {portal.owed}.", f"Còn phải gửi: {portal.owed}."),
    )


def due_soon(portal: str, risks: list[AtRisk]) -> Notice:
    """Dossiers whose due date is near while a portal has not heard all."""
    lines = [f"{risk.dossier_code or risk.dossier_id}  {_when(risk.due_at)}  {risk.reason}" for risk in risks[:LISTED]]
    if len(risks) > LISTED:
        lines.append(t(f"and {len(risks) - LISTED} more", f"và {len(risks) - LISTED} hồ sơ khác"))
    return Notice(
        t(
            f"{portal}: {len(risks)} due soon with something owed",
            f"{portal}: {len(risks)} hồ sơ sắp đến hạn mà còn việc phải gửi",
        ),
        "\n".join(lines),
    )


def late(portal: str, overdue: list[LateStage]) -> Notice:
    """Hand-overs of which something should be known by now."""
    words = {
        "sent": t("not handed over yet", "chưa chuyển được"),
        "received": t("not known to be received", "chưa rõ đã nhận hay chưa"),
        "accepted": t("not accepted", "chưa tiếp nhận"),
        "completed": t("not completed", "chưa xử lý xong"),
        "no_route": t("open, but no route leads there any more", "đang xử lý nhưng không còn tuyến nào tới đó"),
    }
    lines = [
        f"{one.dossier_code or one.stage.dossier_id}  {_when(one.due_at)}  {words[one.reason]}"
        for one in overdue[:LISTED]
    ]
    if len(overdue) > LISTED:
        lines.append(t(f"and {len(overdue) - LISTED} more", f"và {len(overdue) - LISTED} hồ sơ khác"))
    lines.append(t("See 'lienthong handover list --late'.", "Xem 'lienthong handover list --late'."))
    return Notice(
        t(f"{portal}: {len(overdue)} hand-overs are late", f"{portal}: {len(overdue)} hồ sơ đã chuyển bị quá hạn"),
        "\n".join(lines),
    )


def unheard(portal: str, requests: list[UnheardRequest]) -> Notice:
    """Papers, withdrawals and payments of citizens that were not handed over, and that nobody has answered."""
    words = {
        "submitted": t("further papers", "giấy tờ bổ sung"),
        "withdrawal_requested": t("a withdrawal", "yêu cầu rút hồ sơ"),
        "payment_requested": t("a payment", "thanh toán"),
    }
    lines = [
        f"{one.number}  {one.dossier_code or one.dossier_id}  {words.get(one.asked, one.asked)}"
        for one in requests[:LISTED]
    ]
    if len(requests) > LISTED:
        lines.append(t(f"and {len(requests) - LISTED} more", f"và {len(requests) - LISTED} yêu cầu khác"))
    lines.append(
        t(
            "The dossier does not stand where this can be done, so it was not handed over. Tell the officer. When the"
            " province has asked for it: 'lienthong parked retry NUMBER'; handed over by other means: 'parked confirm"
            " NUMBER --arrived'; not wanted: 'parked drop NUMBER --reason TEXT'.",
            "Hồ sơ không ở bước làm được việc này nên chưa chuyển cho cổng. Hãy báo cán bộ xử lý. Khi cổng đã yêu cầu:"
            " 'lienthong parked retry SỐ'; đã chuyển bằng cách khác: 'parked confirm SỐ --arrived'; không cần:"
            " 'parked drop SỐ --reason LÝ_DO'.",
        )
    )
    return Notice(
        t(
            f"{portal}: {len(requests)} requests of citizens that it does not know of",
            f"{portal}: {len(requests)} yêu cầu của công dân mà cổng chưa biết",
        ),
        "\n".join(lines),
    )


def daily(report: StatusReport) -> Notice | None:
    """What waits for a person at each portal; None when nothing does."""
    words = (
        ("parked", t("parked", "chờ người xử lý")),
        ("unproven", t("unproven", "chưa xác minh được")),
        ("unheard", t("requests of citizens that it does not know of", "yêu cầu của công dân mà cổng chưa biết")),
        ("quarantined", t("quarantined", "bị cách ly")),
        ("files_given_up", t("files that did not come", "tệp không lấy được")),
        ("drift_given_up", t("drift given up", "sai lệch đã ngừng sửa")),
    )
    lines = []
    for portal in report.portals:
        counts = [f"{word} {getattr(portal, name)}" for name, word in words if getattr(portal, name)]
        if counts:
            lines.append(f"{portal.portal}: {', '.join(counts)}")
    if not lines:
        return None
    lines.append(t("See 'lienthong parked list' and 'lienthong quarantine list'.", "Xem 'lienthong parked list'."))
    return Notice(t("Waiting for a person", "Việc đang chờ người xử lý"), "\n".join(lines))


def _when(at: float | None) -> str:
    """An instant in Vietnam time."""
    if at is None:
        return t("never", "chưa lần nào")
    return datetime.fromtimestamp(at, UTC).astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M")
