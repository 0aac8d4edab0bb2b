"""Does the server fit, and who may call it? One problem per finding."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping

from adapters import registry
from gateway.config import InboundConfig, PortalConfig, ServerConfig, TlsConfig
from gateway.config_file.portals import SECRET, Setting, is_loopback
from gateway.config_file.problem import Place, Problem
from gateway.language import t
from gateway.pins import pin
from schemas.errors import ConfigError

OURS = ("in", "health", "ready", "v1", "openapi.json")
"""First segments of addresses that are ours alone."""
_WORD = re.compile(r"[A-Za-z0-9_-]{16,128}")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def check_server(
    server: ServerConfig | None, portals: Mapping[str, PortalConfig], setting: Setting
) -> Iterator[Problem]:
    """The server alone, each portal that may call, and both together."""
    if server is not None:
        yield from _listen(server, setting)
        yield from _networks(("server", "trusted_proxies"), server.trusted_proxies, setting)
        if server.tls is not None:
            yield from _tls(server.tls, setting)
        if server.held_bytes < server.max_body_bytes:
            yield setting.document.problem(
                ("server", "held_bytes"),
                t("is less than max_body_bytes", "nhỏ hơn max_body_bytes"),
                t("write at least max_body_bytes", "hãy ghi ít nhất bằng max_body_bytes"),
            )
    for name, portal in portals.items():
        if portal.inbound is not None:
            yield from _inbound(("portals", name, "inbound"), portal, portal.inbound, server, setting)
        elif ("portals", name, "inbound") in setting.document.lines:
            yield _empty(("portals", name, "inbound"), setting)
    yield from _prefixes(portals, setting)


def _listen(server: ServerConfig, setting: Setting) -> Iterator[Problem]:
    host, _, port = server.listen.rpartition(":")
    place: Place = ("server", "listen")
    if int(port) > 65535:
        wrong = t(f"{port} is not a port", f"{port} không phải là cổng")
        yield setting.document.problem(place, wrong, t("write at most 65535", "hãy ghi nhiều nhất 65535"))
    if setting.environment in ("demo", "test") and not is_loopback(host.strip("[]")):
        yield setting.document.problem(
            place,
            t(
                f"'{host}' can be reached from elsewhere; in '{setting.environment}' only this machine may call",
                f"'{host}' truy cập được từ máy khác; trong môi trường '{setting.environment}' chỉ máy này được gọi",
            ),
            t(f"write 127.0.0.1:{port}", f"hãy viết 127.0.0.1:{port}"),
        )


def _tls(tls: TlsConfig, setting: Setting) -> Iterator[Problem]:
    names: list[tuple[Place, str]] = [
        ((key,), getattr(tls, key)) for key in ("certificate", "key", "client_authorities")
    ]
    names += [(("revocation_lists", number), named) for number, named in enumerate(tls.revocation_lists)]
    for at, named in names:
        if named and not (setting.folder / named).is_file():
            wrong = t(f"there is no file '{named}'", f"không có tệp '{named}'")
            write = t("write the path of a PEM file", "hãy ghi đường dẫn của một tệp PEM")
            yield setting.document.problem(("server", "tls", *at), wrong, write)
    if tls.revocation_lists and not tls.client_authorities:
        yield setting.document.problem(
            ("server", "tls", "revocation_lists"),
            t("nobody is asked for a certificate", "máy chủ không yêu cầu chứng thư"),
            t("write client_authorities, or remove it", "hãy ghi client_authorities, hoặc bỏ mục này"),
        )
    key_file = setting.folder / tls.key
    if key_file.is_file() and key_file.stat().st_mode & 0o077:
        wrong = t("can be read by others", "người khác đọc được tệp này")
        yield setting.document.problem(
            ("server", "tls", "key"), wrong, t("run chmod 600 on it", "hãy chạy chmod 600 với tệp này")
        )


def _empty(at: Place, setting: Setting) -> Problem:
    """A key without a value reads as if it were not there."""
    return setting.document.problem(
        at,
        t("is empty, so the portal cannot call us", "để trống, nên cổng không gọi tới được"),
        t(
            "add allow, certificates or secret: ${NAME} below it, or remove the line",
            "hãy thêm allow, certificates hoặc secret: ${NAME} bên dưới, hoặc bỏ dòng này",
        ),
    )


def _inbound(
    at: Place, portal: PortalConfig, inbound: InboundConfig, server: ServerConfig | None, setting: Setting
) -> Iterator[Problem]:
    if server is None:
        wrong = t("lets the portal call us, but nothing listens", "cho phép cổng gọi tới, nhưng chưa có máy chủ")
        yield setting.document.problem(
            at, wrong, t("add a section server with listen", "hãy thêm mục server với khoá listen")
        )
    if not _declares(portal.kind, "receivers"):
        wrong = t(f"kind '{portal.kind}' takes no calls", f"loại '{portal.kind}' không nhận lời gọi")
        yield setting.document.problem(at, wrong, t("remove inbound", "hãy bỏ inbound"))
    yield from _networks((*at, "allow"), inbound.allow, setting)
    yield from _certificates((*at, "certificates"), inbound, server, setting)
    yield from _secret((*at, "secret"), inbound.secret, setting)
    yield from _paths((*at, "at"), inbound, setting)
    if setting.environment == "production" and not _guarded(inbound) and not _declares(portal.kind, "asks_for_keys"):
        yield setting.document.problem(
            at,
            t("lets anybody call", "để ai cũng gọi được"),
            t(
                "add allow (the networks it calls from), certificates, or secret: ${NAME}",
                "hãy thêm allow (mạng mà cổng gọi từ đó), certificates hoặc secret: ${NAME}",
            ),
        )


def _guarded(inbound: InboundConfig) -> bool:
    """Whether some measure keeps strangers out; a list that allows everybody is none."""
    narrow = bool(inbound.allow) and not any(text.strip().endswith("/0") for text in inbound.allow)
    return narrow or bool(inbound.certificates) or bool(inbound.secret)


def _declares(kind: str, name: str) -> bool:
    """Whether the adapter of a kind has something; a kind that cannot be loaded is told at `kind`."""
    try:
        return not kind or hasattr(registry.factory(kind), name)
    except ConfigError:
        return True


def _networks(at: Place, texts: tuple[str, ...], setting: Setting) -> Iterator[Problem]:
    for number, text in enumerate(texts):
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            yield setting.document.problem(
                (*at, number),
                t(f"'{text[:50]}' is no address and no network", f"'{text[:50]}' không phải địa chỉ hay mạng"),
                t("write 10.1.2.3 or 10.1.2.0/24", "hãy viết 10.1.2.3 hoặc 10.1.2.0/24"),
            )


def _certificates(
    at: Place, inbound: InboundConfig, server: ServerConfig | None, setting: Setting
) -> Iterator[Problem]:
    for number, text in enumerate(inbound.certificates):
        try:
            pin(text)
        except ValueError as error:
            wrong = t("is no certificate's fingerprint and no subject", "không phải dấu vân tay hay chủ thể chứng thư")
            yield setting.document.problem((*at, number), wrong, str(error))
    if inbound.certificates and server is not None and not (server.tls and server.tls.client_authorities):
        yield setting.document.problem(
            at,
            t("cannot be shown: nobody is asked for one", "không thể trình ra: máy chủ không yêu cầu chứng thư"),
            t(
                "write server.tls.client_authorities: who signed them, or the certificates themselves",
                "hãy ghi server.tls.client_authorities: nơi đã ký, hoặc chính các chứng thư đó",
            ),
        )


def _secret(at: Place, reference: str, setting: Setting) -> Iterator[Problem]:
    for name in SECRET.findall(reference) if setting.secrets else ():
        value = setting.environ.get(name, "")
        if not value:
            wrong = t(f"needs {name}, which is not set", f"cần {name}, chưa đặt")
            write = t(f"set {name}, or write it into secrets_file", f"hãy đặt {name}, hoặc ghi vào secrets_file")
            yield setting.document.problem(at, wrong, write)
        elif not _WORD.fullmatch(value):
            yield setting.document.problem(
                at,
                t(
                    f"{name} cannot stand in an address, or is short",
                    f"{name} không dùng được trong địa chỉ, hoặc ngắn",
                ),
                t(
                    "use 16 to 128 letters, digits, '-' or '_', at random: openssl rand -hex 24",
                    "hãy dùng 16 đến 128 chữ cái, chữ số, '-' hoặc '_' ngẫu nhiên: openssl rand -hex 24",
                ),
            )


def _paths(at: Place, inbound: InboundConfig, setting: Setting) -> Iterator[Problem]:
    for number, path in enumerate(inbound.at):
        if not _PATH.fullmatch(path) or path.split("/")[1] in OURS:
            yield setting.document.problem(
                (*at, number),
                t(f"'{path[:50]}' cannot be an endpoint's address", f"'{path[:50]}' không thể là địa chỉ nhận"),
                t(
                    f"write /path/to/it, without a closing slash, not below /{', /'.join(OURS)}",
                    f"hãy viết /đường/dẫn, không có dấu / ở cuối, không nằm dưới /{', /'.join(OURS)}",
                ),
            )


def _prefixes(portals: Mapping[str, PortalConfig], setting: Setting) -> Iterator[Problem]:
    """Two portals at one address: nobody could say who calls."""
    seen: dict[str, str] = {}
    for name, portal in portals.items():
        for number, path in enumerate(portal.inbound.at if portal.inbound else ()):
            other = seen.setdefault(path, name)
            if other != name:
                yield setting.document.problem(
                    ("portals", name, "inbound", "at", number),
                    t(f"is an address of '{other}' already", f"đã là địa chỉ của '{other}'"),
                    t("give each portal its own", "hãy cho mỗi cổng một địa chỉ riêng"),
                )
