"""Does an inbox fit: is there a server to collect from, and whom may its notices reach?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from gateway.config import PortalConfig, ServerConfig
from gateway.config_file.portals import Setting, is_loopback
from gateway.config_file.problem import Problem
from gateway.language import t

KIND = "inbox"


def check_inboxes(
    server: ServerConfig | None, portals: Mapping[str, PortalConfig], setting: Setting
) -> Iterator[Problem]:
    """One problem per finding."""
    for name, portal in portals.items():
        if portal.kind == KIND:
            yield from _inbox(name, portal, server, setting)


def _inbox(name: str, portal: PortalConfig, server: ServerConfig | None, setting: Setting) -> Iterator[Problem]:
    if server is None:
        yield setting.document.problem(
            ("portals", name, "kind"),
            t("offers an inbox, but nothing listens", "có hộp thư, nhưng chưa có máy chủ"),
            t("add a section server with listen", "hãy thêm mục server với khoá listen"),
        )
    address = str(portal.options.get("notice_url") or "")
    host = _host(address)
    if host and setting.environment == "test" and not is_loopback(host):
        yield setting.document.problem(
            ("portals", name, "options", "notice_url"),
            t(
                f"leads to '{host}'; outside production notices reach this machine only",
                f"dẫn tới '{host}'; ngoài môi trường production chỉ gửi thông báo tới máy này",
            ),
            t("write http://127.0.0.1:PORT/PATH", "hãy viết http://127.0.0.1:CỔNG/ĐƯỜNG-DẪN"),
        )


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
