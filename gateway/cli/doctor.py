"""`lienthong doctor`: is this installation healthy? Each check says what was looked at and what was found."""

from __future__ import annotations

import importlib.util
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import typer

from adapters.base import FileUse
from gateway.bootstrap import Gateway, open_gateway
from gateway.cli.check import Check
from gateway.cli.exit_codes import ExitCode
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.printing import as_json, table
from gateway.cli.tls_checks import tls_checks
from gateway.config_file import inspect
from gateway.sqlite_file import connect
from gateway.sync.portal import Portal
from schemas.errors import GatewayError, PortalError

PACKAGES = ("gateway", "adapters", "mappings", "schemas")
MAY_DIFFER_S = 60.0
LEAST_FREE_BYTES = 1_000_000_000


def doctor(config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """Exit 0 when all is well, 3 with a warning, 4 when something is bad."""
    checks = list(_all(config))
    if json:
        as_json({"checks": checks})
    else:
        words = {"ok": t("ok", "tốt"), "warn": t("look", "xem lại"), "bad": t("bad", "hỏng")}
        table(
            (t("what", "mục"), t("state", "tình trạng"), t("found", "thấy")),
            [(one.what, words[one.state], one.found) for one in checks],
        )
    states = {one.state for one in checks}
    raise typer.Exit(ExitCode.NOW if "bad" in states else ExitCode.SOON if "warn" in states else ExitCode.OK)


def _all(path: Path) -> Iterator[Check]:
    yield _python()
    yield _packages()
    found = inspect(path)
    if found.config is None:
        for problem in found.problems:
            yield Check("config", "bad", str(problem))
        return
    yield Check("config", "ok", t(f"{len(found.config.portals)} portals", f"{len(found.config.portals)} cổng"))
    try:
        gateway = open_gateway(found.config)
    except GatewayError as error:
        yield Check("open", "bad", str(error))
        return
    with gateway:
        yield _writable(gateway)
        yield _whole(gateway)
        yield _keys(t("key ring", "tệp khoá"), Path(found.config.store.key_ring))
        yield _keys(t("signing keys", "khoá ký"), found.config.store.signing_path)
        yield _disk(Path(found.config.store.path).parent)
        if found.config.server is not None and found.config.server.tls is not None:
            yield from tls_checks(found.config.server.tls, gateway.clock.now())
        for name, portal in gateway.portals.items():
            yield Check(f"{name}: mapping", "ok", f"{portal.config.mapping} {portal.vocabulary.release}")
            yield _clock(gateway, name)
            yield _breaker(gateway, name)
            yield from _addresses(portal, name)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check("python", "ok" if fits else "warn", version)


def _packages() -> Check:
    """All four packages must be ours, side by side: `adapters` and `schemas` are names others use too."""
    folders = set()
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        folders.add(Path(spec.origin).parent.parent if spec and spec.origin else Path())
    listed = ", ".join(sorted(map(str, folders)))
    return Check(t("packages in one folder", "gói cùng thư mục"), "ok" if len(folders) == 1 else "bad", listed)


def _writable(gateway: Gateway) -> Check:
    what = t("store writable", "kho ghi được")
    try:
        gateway.store.write(lambda tx: tx.put_setting("doctor_at", gateway.clock.now().isoformat()))
    except GatewayError as error:
        return Check(what, "bad", str(error))
    return Check(what, "ok", gateway.config.store.path)


def _whole(gateway: Gateway) -> Check:
    what = t("store whole", "kho nguyên vẹn")
    with closing(connect(Path(gateway.config.store.path), read_only=True)) as connection:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    return Check(what, "ok" if found == "ok" else "bad", found)


def _keys(name: str, path: Path) -> Check:
    mode = stat.S_IMODE(path.stat().st_mode)
    return Check(name, "ok" if mode == 0o600 else "bad", f"{path} {mode:04o}")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    return Check(t("free disk", "ổ đĩa trống"), "ok" if free >= LEAST_FREE_BYTES else "warn", f"{free // 1_000_000} MB")


def _clock(gateway: Gateway, name: str) -> Check:
    """One harmless call: is the portal there, and how far off is its clock?"""
    what = t(f"{name}: clock", f"{name}: đồng hồ")
    if gateway.holds[name].until():
        return Check(what, "bad", t("the login was refused; not tried again yet", "bị từ chối đăng nhập; chưa thử lại"))
    before = gateway.clock.now()
    try:
        shown = gateway.portals[name].adapter.ping()
    except PortalError as error:
        return Check(what, "bad", error.reason)
    if shown is None:
        return Check(what, "ok", t("answers, shows no clock", "trả lời, không cho biết giờ"))
    middle = before + (gateway.clock.now() - before) / 2
    offset = (shown - middle).total_seconds()
    return Check(what, "ok" if abs(offset) <= MAY_DIFFER_S else "warn", f"{offset:+.1f} s")


def _addresses(portal: Portal, name: str) -> Iterator[Check]:
    """A portal that takes addresses of files gets them only where the configuration says how it reaches us."""
    uses = {operation.files for operation in portal.adapter.abilities.operations.values()}
    if portal.config.inbound is None or FileUse.LINK not in uses:
        return
    at = portal.config.inbound.files_at
    none = t("none is written: set inbound.files_at", "không ghi địa chỉ nào: hãy đặt inbound.files_at")
    yield Check(t(f"{name}: addresses of files", f"{name}: địa chỉ tệp"), "ok" if at else "warn", at or none)


def _breaker(gateway: Gateway, name: str) -> Check:
    state = gateway.portals[name].breaker.state
    closed = not state["until"]
    return Check(
        t(f"{name}: breaker", f"{name}: ngắt mạch"),
        "ok" if closed else "warn",
        t("closed", "đóng") if closed else t(f"open: {state['reason']}", f"mở: {state['reason']}"),
    )
